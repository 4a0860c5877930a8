//! The table from what a check found to the answer.
//!
//! A Trigger gives an event that is answered 401 or 403 to its dead letter sink at once, and repeats one that is
//! answered 503. So what is our own trouble, or may be, is never a 401.

use http::StatusCode;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The sender may send.
    Allowed,
    /// No `Authorization`, or one that is no bearer token.
    NoToken,
    /// Not three parts of base64, too long, or not the JSON of a token.
    Malformed,
    /// Signed in a way that is not taken: `none`, a shared secret, or what nobody here can check.
    WrongAlgorithm,
    /// Made by somebody else.
    WrongIssuer,
    /// Made for somebody else.
    WrongAudience,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The issuer does not have the key that it is signed with.
    UnknownKey,
    /// Not signed by the issuer.
    BadSignature,
    /// A good token of somebody who may not send.
    WrongSubject,
    /// The keys are not known, and the issuer does not tell them.
    IssuerAway,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Allowed,
        Self::NoToken,
        Self::Malformed,
        Self::WrongAlgorithm,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownKey,
        Self::BadSignature,
        Self::WrongSubject,
        Self::IssuerAway,
    ];

    /// What the request is answered; `None` where it goes on.
    #[must_use]
    pub fn status(self) -> Option<StatusCode> {
        match self {
            Self::Allowed => None,
            Self::NoToken
            | Self::Malformed
            | Self::WrongAlgorithm
            | Self::WrongIssuer
            | Self::WrongAudience
            | Self::Expired
            | Self::NotYetValid
            | Self::UnknownKey
            | Self::BadSignature => Some(StatusCode::UNAUTHORIZED),
            Self::WrongSubject => Some(StatusCode::FORBIDDEN),
            Self::IssuerAway => Some(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// The value of the metric's label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::NoToken => "no_token",
            Self::Malformed => "malformed",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::WrongSubject => "wrong_subject",
            Self::IssuerAway => "issuer_away",
        }
    }
}

/// Why a sender may not send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denied {
    /// Which row of the table.
    pub outcome: Outcome,
    /// For the sender: what is wrong, without the token.
    pub reason: String,
}

impl Denied {
    pub(super) fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
        }
    }
}
