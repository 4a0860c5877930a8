//! What a span says of its work.

use super::otlp;

/// Texts are cut to so many bytes: a span must be small whatever an event brings.
const LONGEST_TEXT: usize = 256;
/// A span seldom takes more.
const USUAL_BYTES: usize = 512;

/// Collects a span's name and attributes, as the bytes that are sent: nothing is kept besides, and a copy is one of
/// bytes. So what many spans say alike is written once, and taken over by [`Fields::extend`].
#[derive(Debug, Clone, Default)]
pub struct Fields(pub(super) Vec<u8>);

impl Fields {
    /// What is said here.
    pub fn of(say: impl FnOnce(&mut Self)) -> Self {
        let mut fields = Self::with_room();
        say(&mut fields);
        fields
    }

    pub(super) fn with_room() -> Self {
        Self(Vec::with_capacity(USUAL_BYTES))
    }

    /// The span's name, the parts one after the other; cut where it is long.
    pub fn name(&mut self, parts: &[&str]) {
        cut(parts, |parts| otlp::name(parts, &mut self.0));
    }

    /// An attribute with a text, cut where it is long.
    pub fn text(&mut self, key: &'static str, value: &str) {
        self.joined(key, &[value]);
    }

    /// An attribute with a text, the parts one after the other; cut where it is long.
    pub fn joined(&mut self, key: &'static str, parts: &[&str]) {
        cut(parts, |parts| otlp::text_attribute(key, parts, &mut self.0));
    }

    /// An attribute with a number.
    pub fn number(&mut self, key: &'static str, value: i64) {
        otlp::number_attribute(key, value, &mut self.0);
    }

    /// All of others.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }
}

fn cut(parts: &[&str], write: impl FnOnce(&[&str])) {
    if parts.iter().map(|part| part.len()).sum::<usize>() <= LONGEST_TEXT {
        write(parts);
    } else {
        write(&[shortened(&parts.concat(), LONGEST_TEXT)]);
    }
}

pub(super) fn shortened(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
