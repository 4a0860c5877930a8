//! How long the reason of a refusal may be to reach the dead letter sink.

use http::Response;
use serde_json::json;
use testkit::destination::{Answer, Destination};
use testkit::request;

use super::{assert_tells, one_trigger};

/// The longest body of a refusal, as `src/recipient/answer.rs` has it.
const LONGEST_REASON: usize = 768;

#[tokio::test]
async fn the_longest_reason_of_the_sink_reaches_the_dead_letter_sink_whole() {
    let (subscriber, dead_letters) = echoing_refusals().await;
    let dataplane = one_trigger(&subscriber, &dead_letters).await;
    let reason = json_of_length(LONGEST_REASON);
    let answered = dataplane.send("Answers.Asked", "longest", &reason).await;
    assert_eq!(answered.status, 202);
    let dead = dead_letters.received();
    assert_eq!(dead.len(), 1);
    assert_tells(&dead[0], 422, reason.to_string().as_bytes());
}

/// Why the sink keeps its reasons that short.
#[tokio::test]
async fn a_reason_longer_by_one_byte_ends_the_channel_with_a_panic() {
    let (subscriber, dead_letters) = echoing_refusals().await;
    let dataplane = one_trigger(&subscriber, &dead_letters).await;
    let reason = json_of_length(LONGEST_REASON + 1);
    let sent = request::try_send(
        http::Method::POST,
        dataplane.broker(),
        &[
            ("ce-specversion", "1.0"),
            ("ce-source", "/tests"),
            ("ce-type", "Answers.Asked"),
            ("ce-id", "too long"),
            ("content-type", "application/json"),
        ],
        reason.to_string(),
    )
    .await;
    assert!(sent.is_err(), "the channel could tell it: {sent:?}");
    let printed = dataplane.ended().await;
    assert!(
        printed.iter().any(|line| line.starts_with("panic: ")),
        "{printed:#?}"
    );
    assert!(dead_letters.received().is_empty(), "the event is lost");
}

/// A subscriber that refuses every event for good, with the event's data as the reason.
async fn echoing_refusals() -> (Destination, Destination) {
    let subscriber = Destination::start(|event| {
        let mut response = Response::new(event.body.clone());
        *response.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
        Answer::Response(response)
    })
    .await;
    (subscriber, Destination::accepting().await)
}

fn json_of_length(length: usize) -> serde_json::Value {
    let quotes = 2;
    json!("x".repeat(length - quotes))
}
