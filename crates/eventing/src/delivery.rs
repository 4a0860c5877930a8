//! Delivering one event: once, or until it is accepted or given up.

mod sender;
mod spec;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

pub(crate) use sender::roots;
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
        /// The answer's body; cut where it is longer than the sender reads.
        body: Bytes,
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

impl Attempt {
    /// What the recipient said, short enough for an incident or a log: status and the beginning of its body.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Accepted { status, .. } => status.to_string(),
            Self::Answered { status, body, .. } => {
                let text =
                    String::from_utf8_lossy(body.get(..body.len().min(500)).unwrap_or_default());
                let text: String = text
                    .chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .collect();
                if text.trim().is_empty() {
                    status.to_string()
                } else {
                    format!("{status}: {}", text.trim())
                }
            }
            Self::NotReached { detail, .. } => detail.clone(),
        }
    }
}
