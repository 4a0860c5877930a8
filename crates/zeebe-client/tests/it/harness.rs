//! What the scenarios share.

use std::time::Duration;

use testkit::gateway::FakeGateway;
use zeebe_client::{Gateway, PublishMessage, Settings};

/// Settings for this gateway, with the defaults for all else.
pub(crate) fn settings(fake: &FakeGateway) -> Settings {
    Settings::new(fake.address().parse().expect("an address"))
}

/// A client of this gateway.
pub(crate) fn connect(fake: &FakeGateway) -> Gateway {
    Gateway::new(settings(fake)).expect("usable settings")
}

/// A message that is a duplicate of none other with another id.
pub(crate) fn message(id: &str) -> PublishMessage {
    PublishMessage {
        name: String::from("paid"),
        correlation_key: String::from("order-1"),
        message_id: id.to_owned(),
        time_to_live: Duration::from_secs(60),
        variables: String::new(),
        tenant_id: None,
    }
}
