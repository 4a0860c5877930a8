//! Why a job is not done, by who reads it.

use eventing::Attempt;

/// What a job's error message says at most, in bytes.
const LONGEST_MESSAGE: usize = 1000;

/// Why a job is not done.
#[derive(Debug)]
pub(super) struct Why {
    /// The job's error message, which an incident shows: whoever repairs the job reads it beside the job's variables.
    pub(super) message: String,
    /// For logs and traces, which others read and keep: nothing that the destination said beside its status.
    pub(super) told: String,
}

impl Why {
    /// Words of our own.
    pub(super) fn ours(text: &str) -> Self {
        Self::new(text, text)
    }

    /// What came of a delivery, after words of our own.
    pub(super) fn attempt(ours: &str, attempt: &Attempt) -> Self {
        Self::new(
            &format!("{ours} {}", attempt.answer()),
            &format!("{ours} {}", attempt.summary()),
        )
    }

    pub(super) fn new(message: &str, told: &str) -> Self {
        Self {
            message: shortened(message),
            told: shortened(told),
        }
    }
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
