//! The table: how a delivery went -> how its job ends.
//!
//! The `error-map` of the task is read first. Then [`fn@eventing::retry`] says what kind of answer it was,
//! and this table what that means for the job. An outage is not the job's fault: it costs no retry.

use eventing::{Attempt, Reason, Retry, retry};

use super::error_map::ErrorMap;

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Complete: the event was accepted.
    Complete,
    /// Throw the BPMN error that the task names for this answer.
    ThrowError(String),
    /// Hand back, retries unchanged: the destination is away or overloaded.
    HandBack(Doubt),
    /// Fail, one retry used: an answer about this event that may be otherwise later.
    UseRetry,
    /// Fail with no retries, an incident: an answer about this event that stays.
    Incident,
}

/// Whether an event may itself be why it got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// No: the destination could not even be reached, whatever was to be sent.
    None,
    /// Perhaps: it was sent, and then cut off, not answered in time, or answered 429 or 503.
    AboutEvent,
}

/// Decides how a job ends.
#[must_use]
pub fn ending(attempt: &Attempt, error_map: &ErrorMap) -> Ending {
    let mapped = match attempt {
        Attempt::Answered { status, .. } => error_map.code(*status),
        Attempt::Accepted { .. } | Attempt::NotReached { .. } => None,
    };
    if let Some(code) = mapped {
        return Ending::ThrowError(code.to_owned());
    }
    match retry(attempt) {
        Retry::Done => Ending::Complete,
        Retry::Again(reason) | Retry::GiveUp(reason) => match reason {
            Reason::Away => Ending::HandBack(Doubt::None),
            Reason::NoAnswer | Reason::Busy => Ending::HandBack(Doubt::AboutEvent),
            Reason::Failing => Ending::UseRetry,
            Reason::Refused | Reason::Redirected => Ending::Incident,
        },
    }
}
