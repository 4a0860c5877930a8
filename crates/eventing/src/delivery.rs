//! Delivering one event: once, or until it is accepted or given up.

pub(crate) mod connector;
mod sender;
mod spec;
pub(crate) mod trouble;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

pub(crate) use connector::roots;
pub use sender::{Sender, SenderError, SenderSettings};
pub use spec::{Delivered, DeliverySpec, deliver, mark_dead_letter};

/// How one attempt to deliver an event went.
#[derive(Debug)]
pub enum Attempt {
    /// Any 2xx: the recipient has it.
    Accepted {
        /// The status.
        status: StatusCode,
        /// The answer's headers.
        headers: HeaderMap,
        /// The answer's body, as far as the sender reads.
        body: Bytes,
        /// Whether that is all of it: it was neither too long nor too slow, and did not break off.
        whole: bool,
    },
    /// Any other status.
    Answered {
        /// The status.
        status: StatusCode,
        /// How long the recipient asks to wait.
        retry_after: Option<Duration>,
        /// The beginning of the answer's body.
        body: Bytes,
    },
    /// No answer came.
    NotReached {
        /// What kind of silence.
        why: NotReached,
        /// For people; holds no secret.
        detail: String,
    },
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotReached {
    /// Nobody listens.
    Refused,
    /// The name has no address.
    Dns,
    /// No TLS session.
    Tls,
    /// Some other trouble before the request was sent.
    Unreachable,
    /// The time was up; the recipient may have the event.
    TimedOut,
    /// The connection broke; the recipient may have the event.
    ConnectionLost,
}

/// What a line about an attempt says at most, in characters.
const LONGEST_LINE: usize = 500;

impl Attempt {
    /// How it went, in one line for logs and traces: the status, or why there was none, 500 characters at most.
    /// Nothing of the body: a recipient may put the event itself there, and whatever else it knows.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Accepted { status, .. } | Self::Answered { status, .. } => status.to_string(),
            Self::NotReached { detail, .. } => one_line(detail),
        }
    }

    /// As [`summary`](Self::summary), and the beginning of a refusal's body, 500 characters at most together: for
    /// whoever sees to this one event, and for nobody else.
    #[must_use]
    pub fn answer(&self) -> String {
        match self {
            Self::Answered { status, body, .. } => {
                // No character has more bytes than 4; one that is cut in two lies beyond the line.
                let beginning = body.get(..4 * LONGEST_LINE).unwrap_or(body);
                one_line(&format!("{status}: {}", String::from_utf8_lossy(beginning)))
            }
            Self::Accepted { .. } | Self::NotReached { .. } => self.summary(),
        }
    }
}

/// Without line breaks, other control characters, or characters that turn the direction of writing:
/// what a stranger sends must not look like a line of ours.
fn one_line(text: &str) -> String {
    let unprintable = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut line = String::new();
    for word in text.split(unprintable).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((end, _)) = line.char_indices().nth(LONGEST_LINE) {
        line.truncate(end);
    }
    line.truncate(line.trim_end_matches([':', ' ']).len());
    line
}
