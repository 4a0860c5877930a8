//! The table: what became of a command -> the status that Knative understands.
//!
//! A Broker gives up at once on 4xx other than 404, 408, 409 and 429, and tries again on those and on
//! 5xx. So a permanent refusal must be one of the first kind, and whatever may be otherwise later one
//! of the second. No other place in the sink compares an outcome or picks a status for one.

use http::StatusCode;
use zeebe_client::ErrorKind;

use crate::config::NotDeployed;

/// The commands an event can lead to, as far as answers differ between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Publish a message; also a start by message.
    PublishMessage,
    /// Start a process by its id.
    CreateProcessInstance,
    /// Broadcast a signal.
    BroadcastSignal,
    /// Set variables of an element instance.
    SetVariables,
    /// Cancel a process instance.
    CancelProcessInstance,
    /// Complete a job.
    CompleteJob,
    /// Fail a job.
    FailJob,
    /// Throw a BPMN error from a job.
    ThrowError,
}

impl Command {
    /// All of them, in the order of their declaration.
    pub(super) const ALL: [Self; 8] = [
        Self::PublishMessage,
        Self::CreateProcessInstance,
        Self::BroadcastSignal,
        Self::SetVariables,
        Self::CancelProcessInstance,
        Self::CompleteJob,
        Self::FailJob,
        Self::ThrowError,
    ];
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The engine has it.
    Done,
    /// The engine did not take it.
    Refused(ErrorKind),
    /// It may have had its effect, and the rule said to rather lose than repeat it.
    UnknownAtMostOnce,
}

/// How the request is answered for one outcome. Ordered: of several outcomes the greatest is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acknowledgement {
    /// 202: the engine has it, or there is nothing left that it could do.
    Accepted,
    /// 422: it will never be otherwise; the dead letter sink gets it.
    Unprocessable,
    /// 413: too large for the engine.
    TooLarge,
    /// 429 with Retry-After: the engine says that it is busy.
    Busy,
    /// 503: trouble that is not the event's fault.
    Unavailable,
}

impl Acknowledgement {
    /// All of them, in the order of their declaration.
    pub(super) const ALL: [Self; 5] = [
        Self::Accepted,
        Self::Unprocessable,
        Self::TooLarge,
        Self::Busy,
        Self::Unavailable,
    ];

    /// The name in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unprocessable => "unprocessable",
            Self::TooLarge => "too_large",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }

    /// The status sent.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Accepted => StatusCode::ACCEPTED,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Whether trying again inside the request can help, before the Broker is asked to.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Busy | Self::Unavailable => true,
            Self::Accepted | Self::Unprocessable | Self::TooLarge => false,
        }
    }
}

/// The table. A row for each command and outcome; `docs/RULES.md` prints it.
#[must_use]
pub fn acknowledge(
    command: Command,
    outcome: Outcome,
    not_deployed: NotDeployed,
) -> Acknowledgement {
    let kind = match outcome {
        Outcome::Done | Outcome::UnknownAtMostOnce => return Acknowledgement::Accepted,
        Outcome::Refused(kind) => kind,
    };
    match kind {
        ErrorKind::Duplicate => Acknowledgement::Accepted,
        ErrorKind::Backpressure => Acknowledgement::Busy,
        // Never the event's fault: the engine is away, or it is our credentials.
        ErrorKind::Unavailable
        | ErrorKind::OutcomeUnknown
        | ErrorKind::CredentialsRefused
        | ErrorKind::Denied => Acknowledgement::Unavailable,
        ErrorKind::NotFound => match command {
            Command::CreateProcessInstance | Command::PublishMessage | Command::BroadcastSignal => {
                match not_deployed {
                    // Not deployed yet: the order of deployments must not matter.
                    NotDeployed::Retry => Acknowledgement::Unavailable,
                    NotDeployed::Refuse => Acknowledgement::Unprocessable,
                }
            }
            // A key that the engine does not know: no later attempt will find it.
            Command::SetVariables => Acknowledgement::Unprocessable,
            // Gone already: what the event wanted has happened, or cannot any more.
            Command::CancelProcessInstance
            | Command::CompleteJob
            | Command::FailJob
            | Command::ThrowError => Acknowledgement::Accepted,
        },
        ErrorKind::WrongState | ErrorKind::Invalid => Acknowledgement::Unprocessable,
        ErrorKind::TooLarge => Acknowledgement::TooLarge,
    }
}
