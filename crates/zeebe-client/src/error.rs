//! What went wrong with a command, classified in one table.

use std::error::Error as StdError;
use std::fmt;

use tonic::{Code, Status};

/// What a failed command means to the caller; see [`EngineError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The engine has it already: the same message id within the time to live.
    Duplicate,
    /// The engine is busy and did not take it; later it will.
    Backpressure,
    /// It did not reach the engine; later it may.
    Unavailable,
    /// It may have had its effect or not: a deadline, a connection lost after sending, a fault inside the engine.
    OutcomeUnknown,
    /// What it names is not there: not deployed yet, or gone already.
    NotFound,
    /// What it names is there, in a state that forbids it.
    WrongState,
    /// Larger than the engine can hold.
    TooLarge,
    /// It will never be accepted as it is.
    Invalid,
    /// Our credentials were refused, or none could be had.
    CredentialsRefused,
    /// Our credentials are good and do not suffice.
    Denied,
}

/// A command that did not succeed.
///
/// | gRPC code | kind |
/// |---|---|
/// | any, where the engine says EXCEEDED_BATCH_RECORD_SIZE | `TooLarge` |
/// | ALREADY_EXISTS | `Duplicate` |
/// | RESOURCE_EXHAUSTED | `Backpressure`; `TooLarge` where the message speaks of its size |
/// | UNAVAILABLE, UNIMPLEMENTED | `Unavailable`; `OutcomeUnknown` where the connection was lost after sending |
/// | NOT_FOUND | `NotFound` |
/// | FAILED_PRECONDITION | `WrongState` |
/// | INVALID_ARGUMENT | `Invalid` |
/// | OUT_OF_RANGE | `TooLarge` (a size limit of the transport; the engine does not use it) |
/// | UNAUTHENTICATED | `CredentialsRefused` |
/// | PERMISSION_DENIED | `Denied` |
/// | CANCELLED, DEADLINE_EXCEEDED, UNKNOWN, INTERNAL, ABORTED, DATA_LOSS | `OutcomeUnknown`; `TooLarge` where the message speaks of its size; `Unavailable` where no connection could be made |
#[derive(Debug, Clone)]
pub struct EngineError {
    command: &'static str,
    kind: ErrorKind,
    code: Option<Code>,
    message: String,
}

impl EngineError {
    /// An error found on our own side, before or instead of a call.
    #[must_use]
    pub fn new(command: &'static str, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            command,
            kind,
            code: None,
            message: message.into(),
        }
    }

    pub(crate) fn from_status(command: &'static str, status: &Status) -> Self {
        Self {
            command,
            kind: classify(status),
            code: Some(status.code()),
            message: describe(status),
        }
    }

    /// The gateway has no such command.
    pub(crate) fn is_unimplemented(&self) -> bool {
        self.code == Some(Code::Unimplemented)
    }

    /// The gRPC status, by its name in that protocol, such as `UNAVAILABLE`; `None` where there was none.
    #[must_use]
    pub fn status(&self) -> Option<&'static str> {
        self.code.map(|code| match code {
            Code::Ok => "OK",
            Code::Cancelled => "CANCELLED",
            Code::Unknown => "UNKNOWN",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Aborted => "ABORTED",
            Code::OutOfRange => "OUT_OF_RANGE",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Internal => "INTERNAL",
            Code::Unavailable => "UNAVAILABLE",
            Code::DataLoss => "DATA_LOSS",
            Code::Unauthenticated => "UNAUTHENTICATED",
        })
    }

    /// The command, by its name in the gateway protocol.
    #[must_use]
    pub fn command(&self) -> &'static str {
        self.command
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The engine's words, or ours where it never came so far.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.command, self.message)?;
        match self.code {
            Some(code) => write!(f, " ({code:?})"),
            None => Ok(()),
        }
    }
}

impl StdError for EngineError {}

fn classify(status: &Status) -> ErrorKind {
    let message = status.message();
    if status.source().is_none() && message.contains(BATCH_TOO_LARGE) {
        return ErrorKind::TooLarge;
    }
    match status.code() {
        Code::AlreadyExists => ErrorKind::Duplicate,
        Code::ResourceExhausted if speaks_of_size(message) => ErrorKind::TooLarge,
        Code::ResourceExhausted => ErrorKind::Backpressure,
        Code::NotFound => ErrorKind::NotFound,
        Code::FailedPrecondition => ErrorKind::WrongState,
        Code::InvalidArgument => ErrorKind::Invalid,
        Code::OutOfRange => ErrorKind::TooLarge,
        Code::Unauthenticated => ErrorKind::CredentialsRefused,
        Code::PermissionDenied => ErrorKind::Denied,
        Code::Unimplemented => ErrorKind::Unavailable,
        Code::Unavailable if speaks_of_no_partition(status) => ErrorKind::NotFound,
        Code::Unavailable => match origin(status) {
            Origin::Engine | Origin::NotSent => ErrorKind::Unavailable,
            Origin::Lost => ErrorKind::OutcomeUnknown,
        },
        Code::Ok
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Unknown
        | Code::Internal
        | Code::Aborted
        | Code::DataLoss => match origin(status) {
            Origin::NotSent => ErrorKind::Unavailable,
            Origin::Engine if speaks_of_size(message) => ErrorKind::TooLarge,
            Origin::Engine | Origin::Lost => ErrorKind::OutcomeUnknown,
        },
    }
}

/// What a command leads to does not fit into a record; under changing codes.
const BATCH_TOO_LARGE: &str = "EXCEEDED_BATCH_RECORD_SIZE";

/// The gateway says it in these words.
fn speaks_of_size(message: &str) -> bool {
    ["exceeds maximum size", "larger than max"]
        .iter()
        .any(|words| message.contains(words))
}

/// A key of the engine names its partition, counted from 1: a key of partition 0 was never given. Of any other
/// the gateway says the same while it has not heard of it yet, and it may exist.
fn speaks_of_no_partition(status: &Status) -> bool {
    status.source().is_none() && status.message().contains("execute command on partition 0,")
}

/// Where a status was made.
enum Origin {
    /// By the gateway.
    Engine,
    /// By our own side: the request cannot have left it.
    NotSent,
    /// By our own side: the request may have arrived.
    Lost,
}

fn origin(status: &Status) -> Origin {
    let Some(first) = status.source() else {
        return Origin::Engine;
    };
    let mut cause: Option<&(dyn StdError + 'static)> = Some(first);
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return Origin::NotSent;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && (io.kind() == std::io::ErrorKind::ConnectionRefused || refuses_certificate(io))
        {
            return Origin::NotSent;
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_canceled()
        {
            // hyper dropped it before it was written.
            return Origin::NotSent;
        }
        if let Some(error) = error.downcast_ref::<h2::Error>()
            && error.reason() == Some(h2::Reason::REFUSED_STREAM)
        {
            return Origin::NotSent;
        }
        cause = error.source();
    }
    Origin::Lost
}

/// With TLS 1.3 a client's certificate is refused only after the client took the connection for made,
/// but before anything it sent was read. Shared among all calls on the connection, the error has kept
/// nothing but its words.
fn refuses_certificate(error: &std::io::Error) -> bool {
    use rustls::AlertDescription as Alert;
    let words = error.to_string();
    [
        Alert::BadCertificate,
        Alert::UnsupportedCertificate,
        Alert::CertificateRevoked,
        Alert::CertificateExpired,
        Alert::CertificateUnknown,
        Alert::UnknownCA,
        Alert::AccessDenied,
        Alert::CertificateRequired,
    ]
    .into_iter()
    .any(|alert| words == rustls::Error::AlertReceived(alert).to_string())
}

/// The innermost cause says most; the outer ones say "transport error".
fn describe(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = status.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&more);
        }
        if let Some(h2) = error.downcast_ref::<h2::Error>()
            && h2.reason() == Some(h2::Reason::FRAME_SIZE_ERROR)
        {
            // So a TLS alert looks to whoever expects HTTP/2.
            text.push_str("; if the gateway speaks TLS, its address begins with https://");
        }
        cause = error.source();
    }
    text
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
