//! What the engine says, and what the sender is told.

use std::time::Duration;

use serde_json::json;
use testkit::gateway::{FakeGateway, Fault};
use testkit::request;
use testkit::rules_file::RulesFile;
use tokio::io::AsyncWriteExt;
use tonic::Code;

use super::{HEADERS, connect, reason};
use crate::support::sink;
/// What the engine says -> status. One row a code and meaning; see `EngineError` for their kinds.
const ANSWERS: &[(Code, &str, u16)] = &[
    (Code::AlreadyExists, "a message with this id", 202),
    (Code::ResourceExhausted, "the partition is busy", 429),
    (
        Code::ResourceExhausted,
        "the gRPC message exceeds maximum size 4194304",
        413,
    ),
    (Code::Unavailable, "no leader for partition 1", 503),
    (Code::Unimplemented, "unknown method", 503),
    (Code::NotFound, "no such thing yet", 503),
    (Code::FailedPrecondition, "in the wrong state", 422),
    (Code::InvalidArgument, "the variables are no object", 422),
    (Code::OutOfRange, "message larger than max", 413),
    (Code::Unauthenticated, "who are you", 503),
    (Code::PermissionDenied, "you may not", 503),
    (Code::Cancelled, "cancelled", 503),
    (Code::DeadlineExceeded, "too late", 503),
    (Code::Unknown, "something broke", 503),
    (Code::Unknown, "EXCEEDED_BATCH_RECORD_SIZE", 413),
    (Code::Internal, "EXCEEDED_BATCH_RECORD_SIZE", 413),
    (Code::Internal, "something broke inside", 503),
    (Code::Aborted, "aborted", 503),
    (Code::DataLoss, "lost", 503),
];

#[tokio::test]
async fn each_answer_of_the_engine_has_its_status() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0")]).await;
    for (index, (code, message, status)) in ANSWERS.iter().enumerate() {
        gateway.fail("PublishMessage", Fault::status(*code, message));
        let answered = bridge.send("Test", &index.to_string(), &json!({})).await;
        assert_eq!(
            answered.status,
            *status,
            "{code:?} {message}: {}",
            answered.text()
        );
        let retry_after = answered.header("retry-after");
        match *status {
            202 => assert!(answered.body.is_empty(), "{code:?}: {}", answered.text()),
            429 | 503 => {
                assert_eq!(retry_after, Some("1"), "{code:?}");
                assert!(reason(&answered).contains(message), "{}", answered.text());
            }
            _ => {
                assert_eq!(retry_after, None, "{code:?}");
                assert!(reason(&answered).contains(message), "{}", answered.text());
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_means_what_it_means_for_each_command() {
    let rules = RulesFile::new(
        "rules:
  - {name: start, select: {type: Start}, start: {process: p}}
  - {name: signal, select: {type: Signal}, signal: {signal: s}}
  - {name: set, select: {type: Set}, set_variables: {element_instance_key: 1, variables: {a: 1}}}
  - {name: cancel, select: {type: Cancel}, cancel: {process_instance_key: 1}}
  - {name: complete, select: {type: Complete}, complete_job: {job_key: 1}}
  - {name: fail, select: {type: Fail}, fail_job: {job_key: 1, retries: 1}}
  - {name: throw, select: {type: Throw}, throw_error: {job_key: 1, error_code: E}}
",
    );
    let gateway = FakeGateway::start().await;
    let settings = [
        ("RULES", rules.path()),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
    ];
    let bridge = sink(&gateway, &settings).await;
    for (ty, rpc, not_found, wrong_state) in [
        // Not deployed yet.
        ("Start", "CreateProcessInstance", 503, 422),
        ("Signal", "BroadcastSignal", 503, 422),
        // A key that no later attempt will find.
        ("Set", "SetVariables", 422, 422),
        // Gone already.
        ("Cancel", "CancelProcessInstance", 202, 422),
        ("Complete", "CompleteJob", 202, 422),
        ("Fail", "FailJob", 202, 422),
        ("Throw", "ThrowError", 202, 422),
    ] {
        for (code, status) in [
            (Code::NotFound, not_found),
            (Code::FailedPrecondition, wrong_state),
            (Code::ResourceExhausted, 429),
            (Code::Unavailable, 503),
        ] {
            let before = gateway.calls(rpc);
            gateway.fail(rpc, Fault::status(code, "as told"));
            let answered = bridge.send(ty, &format!("{code:?}"), &json!({})).await;
            assert_eq!(
                answered.status,
                status,
                "{ty} {code:?}: {}",
                answered.text()
            );
            assert_eq!(gateway.calls(rpc), before + 1, "{ty} {code:?}");
        }
    }
}

#[tokio::test]
async fn a_process_that_is_not_deployed_is_tried_again_or_refused_at_once_as_configured() {
    let rules =
        RulesFile::new("rules:\n  - {name: start, select: {type: Start}, start: {process: p}}\n");
    for (not_deployed, status) in [("retry", 202), ("refuse", 422)] {
        let gateway = FakeGateway::start().await;
        let settings = [
            ("RULES", rules.path()),
            ("BRIDGE_NOT_DEPLOYED", not_deployed),
        ];
        let bridge = sink(&gateway, &settings).await;
        // The first attempt comes before the deployment, the second after it.
        let fault = Fault::status(Code::NotFound, "no process `p`");
        gateway.fail_next(1, "CreateProcessInstance", fault);
        let answered = bridge.send("Start", "1", &json!({})).await;
        assert_eq!(
            answered.status,
            status,
            "{not_deployed}: {}",
            answered.text()
        );
        let attempts = if status == 202 { 2 } else { 1 };
        assert_eq!(gateway.calls("CreateProcessInstance"), attempts);
    }
}

#[tokio::test]
async fn backpressure_that_passes_is_never_seen_by_the_broker() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    gateway.fail_next(3, "PublishMessage", Fault::backpressure());
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.calls("PublishMessage"), 4);
    assert_eq!(gateway.published().len(), 1);
    let retried = bridge.metric("bridge_sink_command_retries_total").await;
    assert!((retried - 3.0).abs() < 0.1, "{retried}");
}

#[tokio::test]
async fn a_message_whose_outcome_is_unknown_is_sent_again_and_acts_once() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    gateway.fail_next(1, "PublishMessage", Fault::CutAfterTaking);
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.calls("PublishMessage"), 2);
    assert_eq!(
        gateway.published().len(),
        1,
        "the second was known as a duplicate"
    );
}

#[tokio::test]
async fn a_start_by_id_with_an_unknown_outcome_is_repeated_unless_the_rule_would_rather_lose_it() {
    for (option, calls) in [("", 2), (", at_most_once: true", 1)] {
        let rules = RulesFile::new(&format!(
            "rules:\n  - {{name: start, select: {{type: Start}}, start: {{process: p{option}}}}}\n"
        ));
        let gateway = FakeGateway::start().await;
        let bridge = sink(&gateway, &[("RULES", rules.path())]).await;
        gateway.fail_next(1, "CreateProcessInstance", Fault::CutAfterTaking);
        let answered = bridge.send("Start", "1", &json!({})).await;
        assert_eq!(answered.status, 202, "{option}: {}", answered.text());
        assert_eq!(gateway.calls("CreateProcessInstance"), calls, "{option}");
        // What certainly did not arrive is repeated in both cases.
        gateway.fail_next(1, "CreateProcessInstance", Fault::backpressure());
        let answered = bridge.send("Start", "2", &json!({})).await;
        assert_eq!(answered.status, 202, "{option}: {}", answered.text());
        assert_eq!(
            gateway.calls("CreateProcessInstance"),
            calls + 2,
            "{option}"
        );
    }
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_waited_for_no_longer_than_the_request_has() {
    let gateway = FakeGateway::start().await;
    // One call may take so long that this scenario would have given up.
    let settings = [
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "1"),
        ("BRIDGE_CALL_TIMEOUT_MS", "600000"),
    ];
    let bridge = sink(&gateway, &settings).await;
    gateway.fail("PublishMessage", Fault::Hang);
    let data = json!({});
    let answered = tokio::time::timeout(Duration::from_secs(60), bridge.send("Test", "1", &data))
        .await
        .expect("an answer");
    assert_eq!(answered.status, 503, "{}", answered.text());
    assert_eq!(answered.header("retry-after"), Some("1"));
    let reason = reason(&answered);
    assert!(reason.contains("did not answer"), "{reason}");
    let labels = [("outcome", "outcome_unknown")];
    let name = "bridge_sink_command_duration_seconds_count";
    let unknown = bridge.metric_of(name, &labels).await;
    assert!((unknown - 1.0).abs() < 0.1, "{unknown}");
}

#[tokio::test]
async fn a_command_that_was_cut_off_by_the_window_is_not_taken_for_done_and_comes_again() {
    let gateway = FakeGateway::start().await;
    let settings = [
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "1"),
        ("BRIDGE_CALL_TIMEOUT_MS", "600000"),
    ];
    let bridge = sink(&gateway, &settings).await;
    gateway.fail_next(1, "PublishMessage", Fault::Delay(Duration::from_secs(600)));
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, 503, "{}", answered.text());
    // The Broker comes again, and again.
    for _ in 0..2 {
        let answered = bridge.send("Test", "1", &json!({})).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    assert_eq!(gateway.published().len(), 1);
}

#[tokio::test]
async fn a_command_survives_the_sender_that_goes_away() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    gateway.fail("PublishMessage", Fault::backpressure());
    let mut stream = connect(bridge.url()).await;
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nhost: bridge\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\n\
              ce-type: Test\r\ncontent-length: 0\r\n\r\n",
        )
        .await
        .expect("a request is sent");
    gateway
        .wait_for("an attempt", |gateway| gateway.calls("PublishMessage") > 0)
        .await;
    drop(stream);
    // Its sender is gone when the engine has room again.
    let refused = gateway.calls("PublishMessage");
    gateway
        .wait_for("another attempt", |gateway| {
            gateway.calls("PublishMessage") > refused
        })
        .await;
    gateway.heal("PublishMessage");
    gateway
        .wait_for("the message", |gateway| gateway.published().len() == 1)
        .await;
}

#[tokio::test]
async fn sigterm_lets_commands_under_way_finish_and_answers_them() {
    let gateway = FakeGateway::start().await;
    let mut bridge = sink(&gateway, &[("BRIDGE_GRACE_SECONDS", "20")]).await;
    gateway.fail("PublishMessage", Fault::backpressure());
    let url = bridge.url().to_owned();
    let sending = tokio::spawn(async move { request::post(&url, &HEADERS, "{}").await });
    gateway
        .wait_for("an attempt", |gateway| gateway.calls("PublishMessage") > 0)
        .await;
    bridge.program().terminate();
    let seen = gateway.calls("PublishMessage");
    gateway
        .wait_for("another attempt", |gateway| {
            gateway.calls("PublishMessage") > seen
        })
        .await;
    gateway.heal("PublishMessage");
    let answered = sending.await.expect("an answer");
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(bridge.program().ended().await.code(), Some(0));
    assert_eq!(gateway.published().len(), 1);
}
