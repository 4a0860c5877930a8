//! What a span says of its work.

use super::otlp;

/// Texts are cut to so many bytes: a span must be small whatever an event brings.
const LONGEST_TEXT: usize = 256;

/// Collects attributes, as the bytes that are sent: nothing is kept besides, and a copy is one of bytes.
#[derive(Debug, Clone, Default)]
pub struct Attributes(pub(super) Vec<u8>);

impl Attributes {
    /// A text, cut where it is long.
    pub fn text(&mut self, key: &'static str, value: &str) {
        otlp::text_attribute(key, short(value), &mut self.0);
    }

    /// A number.
    pub fn number(&mut self, key: &'static str, value: i64) {
        otlp::number_attribute(key, value, &mut self.0);
    }

    /// All of others, which several spans have.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }
}

/// A text of a span: its names too may come from an event.
pub(super) fn short(text: &str) -> &str {
    shortened(text, LONGEST_TEXT)
}

pub(super) fn shortened(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
