//! One decision: identifiers and what was decided, no data.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The most memory that one decision takes, in bytes: itself and its texts, each of which is cut.
pub const MOST_BYTES: usize = 2048;

/// What is kept of an identifier, in bytes; what begins alike is then taken for the same.
const LONGEST_ID: usize = 256;

/// Which role decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// About an event that came in.
    #[default]
    Sink,
    /// About a job.
    Source,
}

/// What was decided about one event or job, as `GET /debug/decisions` shows it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Which role decided.
    pub role: Role,
    /// When: RFC 3339, as in the log.
    pub time: String,
    /// The event's `id`.
    pub id: Text,
    /// Its `source`.
    pub source: Text,
    /// Its `type`.
    #[serde(rename = "type")]
    pub ty: Text,
    /// The rule that selected it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub rule: Option<Arc<str>>,
    /// The engine command that it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<&'static str>,
    /// The id of the message that was published: by it an expired message leads back to its event.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub message_id: Text,
    /// The job's key.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub job: Option<i64>,
    /// The process instance of the job.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub process_instance: Option<i64>,
    /// The job's element in its model.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub element: Text,
    /// The trace that it belongs to.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub trace: Text,
    /// How often a command or delivery was tried before this.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// What became of it, in one word.
    pub outcome: &'static str,
    /// The status that an event's sender was told, or that the destination answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// An identifier, cut where it is long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

impl Text {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn is(&self, asked: &str) -> bool {
        *self.0 == *shortened(asked)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Box::from(&*shortened(text)))
    }
}

/// An identifier as it may be kept or logged: the beginning of a long one.
#[must_use]
pub fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_ID {
        return Cow::Borrowed(text);
    }
    let mut end = LONGEST_ID;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Borrowed(&text[..end])
}

/// Keys too: they may lie beyond what a number in JavaScript holds.
#[expect(clippy::ref_option, reason = "serde calls it so")]
fn as_text<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_about_the_longest_identifiers_stays_within_its_bytes() {
        let long = "ä".repeat(1 << 20);
        let decision = Decision {
            time: String::from("2026-11-28T03:20:00.123456Z"),
            id: Text::from(&*long),
            source: Text::from(&*long),
            ty: Text::from(&*long),
            message_id: Text::from(&*long),
            element: Text::from(&*long),
            trace: Text::from(&*long),
            ..Decision::default()
        };
        let texts = [
            &decision.id,
            &decision.source,
            &decision.ty,
            &decision.message_id,
            &decision.element,
            &decision.trace,
        ];
        let bytes: usize = texts.iter().map(|text| text.0.len()).sum();
        assert_eq!(bytes, texts.len() * LONGEST_ID);
        assert!(decision.id.is(&long), "it is found by the whole");
        let all = size_of::<Decision>() + decision.time.capacity() + bytes;
        assert!(all <= MOST_BYTES, "{all}");
    }
}
