//! Messages: unique by name, correlation key and id for their time to live.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;
use zeebe_client::protocol::PublishMessageRequest;

/// The messages that are buffered.
#[derive(Debug, Default)]
pub(super) struct Messages {
    until: HashMap<[String; 4], Instant>,
}

impl Messages {
    /// Buffers a message, unless the same one is there still.
    pub(super) fn publish(&mut self, message: &PublishMessageRequest) -> Result<(), Status> {
        let now = Instant::now();
        let life = Duration::from_millis(message.time_to_live.try_into().unwrap_or_default());
        if message.message_id.is_empty() {
            return Ok(());
        }
        let identity = [
            message.tenant_id.clone(),
            message.name.clone(),
            message.correlation_key.clone(),
            message.message_id.clone(),
        ];
        if self.until.get(&identity).is_some_and(|until| now < *until) {
            return Err(Status::already_exists(format!(
                "a message with the id '{}' is buffered already",
                message.message_id
            )));
        }
        self.until.insert(identity, now + life);
        Ok(())
    }
}
