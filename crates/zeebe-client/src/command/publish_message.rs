//! `PublishMessage`.

use std::time::Duration;

use super::{Command, millis};
use crate::protocol::{PublishMessageRequest, PublishMessageResponse};

/// Publishes a message, buffered for its time to live. RPC `PublishMessage`.
#[derive(Debug, Clone)]
pub struct PublishMessage {
    /// The message name of the model.
    pub name: String,
    /// Joins message and instance; empty reaches message start events alone.
    pub correlation_key: String,
    /// Unique with name and key while the message is buffered; empty for no deduplication.
    pub message_id: String,
    /// How long the engine keeps it, to the millisecond.
    pub time_to_live: Duration,
    /// The text of one JSON object; empty for none.
    pub variables: String,
    /// The tenant; `None` is the engine's default tenant.
    pub tenant_id: Option<String>,
}

impl Command for PublishMessage {
    const NAME: &'static str = "PublishMessage";
    type Request = PublishMessageRequest;

    fn into_request(self) -> Self::Request {
        PublishMessageRequest {
            name: self.name,
            correlation_key: self.correlation_key,
            message_id: self.message_id,
            time_to_live: millis(self.time_to_live),
            variables: self.variables,
            tenant_id: self.tenant_id.unwrap_or_default(),
        }
    }
}

/// The message, buffered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishMessageAnswer {
    /// The message's key.
    pub key: i64,
}

impl From<PublishMessageResponse> for PublishMessageAnswer {
    fn from(answer: PublishMessageResponse) -> Self {
        Self { key: answer.key }
    }
}
