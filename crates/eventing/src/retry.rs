//! The table: how a delivery went -> whether it is tried again.
//!
//! Knative Eventing data plane, "Delivery failure" and Knative's own sender: 404, 408, 409, 429, every
//! 5xx and whatever got no answer are tried again; every other refusal is final.
//!
//! | attempt | [`Retry`] | [`Reason`] |
//! |---|---|---|
//! | 2xx | `Done` | |
//! | no connection, no address, no TLS | `Again` | `Away` |
//! | no answer in time, connection lost | `Again` | `NoAnswer` |
//! | 429, 503 | `Again` | `Busy` |
//! | 404, 408, 409, any other 5xx | `Again` | `Failing` |
//! | 600 and above: no HTTP status, to be taken for a 5xx (RFC 9110, section 15) | `Again` | `Failing` |
//! | 3xx | `GiveUp` | `Redirected` |
//! | 1xx, any other 4xx | `GiveUp` | `Refused` |

use http::StatusCode;

use crate::delivery::{Attempt, NotReached};

/// What follows from one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Delivered.
    Done,
    /// Worth another attempt.
    Again(Reason),
    /// It will not be otherwise.
    GiveUp(Reason),
}

/// Why an attempt did not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No connection, no name, no TLS: the destination is away.
    Away,
    /// The destination took the request and did not answer in time, or the connection broke.
    NoAnswer,
    /// 429 or 503: the destination asks to come back later.
    Busy,
    /// 404, 408, 409, another 5xx or beyond: an answer about this event that may be otherwise later.
    Failing,
    /// Every other status: an answer about this event that stays.
    Refused,
    /// 3xx: no redirect is followed.
    Redirected,
}

/// Decides what follows from an attempt.
#[must_use]
pub fn retry(attempt: &Attempt) -> Retry {
    match attempt {
        Attempt::Accepted { .. } => Retry::Done,
        Attempt::Answered { status, .. } => retry_status(*status),
        Attempt::NotReached { why, .. } => match why {
            NotReached::Refused | NotReached::Dns | NotReached::Tls | NotReached::Unreachable => {
                Retry::Again(Reason::Away)
            }
            NotReached::TimedOut | NotReached::ConnectionLost => Retry::Again(Reason::NoAnswer),
        },
    }
}

fn retry_status(status: StatusCode) -> Retry {
    match status.as_u16() {
        200..=299 => Retry::Done,
        429 | 503 => Retry::Again(Reason::Busy),
        404 | 408 | 409 | 500..=u16::MAX => Retry::Again(Reason::Failing),
        300..=399 => Retry::GiveUp(Reason::Redirected),
        0..=199 | 400..=499 => Retry::GiveUp(Reason::Refused),
    }
}
