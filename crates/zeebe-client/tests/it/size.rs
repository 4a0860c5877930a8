//! What is too large to send, and what is not too large to read.

use std::time::Duration;

use futures_util::StreamExt;
use testkit::gateway::{FakeGateway, NewJob};
use zeebe_client::{ActivateJobs, ErrorKind, PublishMessage};

use crate::harness::{connect, message};

const LIMIT: usize = 4 * 1024 * 1024;

/// A message whose command has exactly so many bytes.
fn message_of(bytes: usize) -> PublishMessage {
    let filled = |length: usize| PublishMessage {
        variables: format!(r#"{{"x":"{}"}}"#, "x".repeat(length)),
        ..message("1")
    };
    let gateway_says = |length: usize| {
        use prost::Message;
        zeebe_client::Command::into_request(filled(length)).encoded_len()
    };
    let length = bytes - (gateway_says(bytes / 2) - bytes / 2);
    let found = filled(length);
    assert_eq!(
        gateway_says(length),
        bytes,
        "the size of the test's own message"
    );
    found
}

#[tokio::test]
async fn a_command_one_byte_above_the_limit_is_refused_before_it_is_sent() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let error = gateway
        .publish_message(message_of(LIMIT + 1))
        .await
        .expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(
        error.message().contains("4194305") && error.message().contains("4194304"),
        "{error}"
    );
    assert_eq!(fake.calls("PublishMessage"), 0);
    let check = gateway.check_size(&message_of(LIMIT + 1));
    assert_eq!(check.expect_err("too large").kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_command_at_the_limit_is_sent() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    gateway
        .check_size(&message_of(LIMIT))
        .expect("at the limit");
    gateway
        .publish_message(message_of(LIMIT))
        .await
        .expect("at the limit");
    assert_eq!(fake.published().len(), 1);
}

#[tokio::test]
async fn a_job_above_the_gateways_own_limit_can_be_read() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let variables = format!(r#"{{"x":"{}"}}"#, "x".repeat(5 * 1024 * 1024));
    fake.add_job(NewJob {
        variables: variables.clone(),
        ..NewJob::new("pay")
    });
    let command = ActivateJobs {
        job_type: String::from("pay"),
        worker: String::from("test"),
        timeout: Duration::from_secs(15),
        max_jobs_to_activate: 1,
        fetch_variables: Vec::new(),
        request_timeout: None,
        tenant_ids: Vec::new(),
    };
    let mut batches = gateway.activate_jobs(command).await.expect("a poll");
    let batch = batches.next().await.expect("a batch").expect("readable");
    assert!(batch[0].variables == variables);
}
