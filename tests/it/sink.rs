use std::time::Duration;

use serde_json::{Value, json};
use testkit::gateway::{FakeGateway, Fault};
use testkit::request::{self, Answered};
use testkit::rules_file::RulesFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::support::sink;

/// The answer's reason: a short JSON object with nothing else in it.
fn reason(answered: &Answered) -> String {
    assert_eq!(answered.header("content-type"), Some("application/json"));
    assert!(answered.body.len() <= 768, "{}", answered.text());
    let body: Value = serde_json::from_slice(&answered.body).expect("JSON");
    assert_eq!(body.as_object().expect("an object").len(), 1, "{body}");
    body["error"].as_str().expect("a reason").to_owned()
}

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

type Headers = Vec<(&'static str, &'static str)>;

const HEADERS: [(&str, &str); 5] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/s"),
    ("ce-type", "Test"),
    ("content-type", "application/json"),
];

#[tokio::test]
async fn what_is_no_event_is_refused_with_the_attribute_at_fault_and_reaches_nobody() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[("BRIDGE_MAX_BATCH_EVENTS", "2")]).await;
    let event = |id: &str| json!({"specversion": "1.0", "id": id, "source": "/s", "type": "Test"});
    let structured = ("content-type", "application/cloudevents+json");
    let batch = ("content-type", "application/cloudevents-batch+json");
    let without = |name: &str| -> Headers {
        HEADERS
            .into_iter()
            .filter(|(header, _)| *header != name)
            .collect()
    };
    let with = |header: (&'static str, &'static str)| -> Headers {
        HEADERS.into_iter().chain([header]).collect()
    };
    let mut unsupported = event("1");
    unsupported["specversion"] = json!("0.3");
    let cases: Vec<(Headers, String, u16, &str)> = vec![
        (without("ce-id"), "{}".into(), 400, "id"),
        (without("ce-type"), "{}".into(), 400, "type"),
        (without("ce-source"), "{}".into(), 400, "source"),
        (without("ce-specversion"), "{}".into(), 400, "specversion"),
        (with(("ce-id", "2")), "{}".into(), 400, "id"),
        (with(("ce-time", "yesterday")), "{}".into(), 400, "time"),
        (HEADERS.to_vec(), "{".into(), 422, "data"),
        (vec![structured], "[]".into(), 400, ""),
        (vec![structured], "{".into(), 400, ""),
        (
            vec![structured],
            json!({"specversion": "1.0"}).to_string(),
            400,
            "id",
        ),
        (
            vec![structured],
            unsupported.to_string(),
            400,
            "specversion",
        ),
        (
            vec![batch],
            json!([event("1"), {"specversion": "1.0"}]).to_string(),
            400,
            "",
        ),
        (
            vec![batch],
            json!([event("1"), event("2"), event("3")]).to_string(),
            413,
            "",
        ),
        (
            vec![("content-type", "text/plain")],
            "hello".into(),
            400,
            "specversion",
        ),
        (
            vec![("content-type", "application/cloudevents+avro")],
            "hello".into(),
            415,
            "avro",
        ),
        (vec![], String::new(), 400, "specversion"),
    ];
    for (headers, body, status, word) in cases {
        let answered = request::post(bridge.url(), &headers, body.clone()).await;
        assert_eq!(
            answered.status,
            status,
            "{headers:?} {body}: {}",
            answered.text()
        );
        let reason = reason(&answered);
        assert!(reason.contains(word), "{headers:?} {body}: {reason}");
    }
    assert_eq!(gateway.calls("PublishMessage"), 0);
}

#[tokio::test]
async fn only_post_on_the_root_takes_events() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    assert_eq!(bridge.get("").await.status, 405);
    let elsewhere = format!("{}message", bridge.url());
    assert_eq!(request::post(&elsewhere, &HEADERS, "{}").await.status, 404);
    for page in ["healthz", "readyz", "metrics"] {
        let url = format!("{}{page}", bridge.url());
        assert_eq!(
            request::post(&url, &HEADERS, "{}").await.status,
            405,
            "{page}"
        );
    }
    assert_eq!(gateway.calls("PublishMessage"), 0);
}

#[tokio::test]
async fn what_is_no_post_is_405_and_names_the_method_that_is() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    // OPTIONS too: there is no abuse protection to be negotiated, and who asks for it must not take this
    // for a yes.
    let ask = [
        ("webhook-request-origin", "sender.example"),
        ("webhook-request-rate", "120"),
    ];
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
        let method = http::Method::from_bytes(method.as_bytes()).expect("a method");
        let answered = request::try_send(method.clone(), bridge.url(), &ask, "")
            .await
            .expect("an answer");
        assert_eq!(answered.status, 405, "{method}");
        assert_eq!(answered.header("allow"), Some("POST"), "{method}");
        assert_eq!(answered.header("webhook-allowed-origin"), None, "{method}");
    }
    let refused = bridge
        .metric_of("bridge_sink_requests_total", &[("status", "405")])
        .await;
    assert!((refused - 7.0).abs() < 0.1, "{refused}");
    // A query is no other path.
    let url = format!("{}?from=broker", bridge.url());
    assert_eq!(request::post(&url, &HEADERS, "{}").await.status, 202);
}

#[tokio::test]
async fn every_counter_is_there_before_it_has_counted_anything() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let page = bridge.get("metrics").await;
    for status in [202, 400, 405, 408, 413, 415, 422, 429, 503] {
        let series = format!("bridge_sink_requests_total{{status=\"{status}\"}} 0");
        assert!(page.text().contains(&series), "{series}");
    }
    for command in ["PublishMessage", "CreateProcessInstance", "ThrowError"] {
        let series = format!("bridge_sink_command_retries_total{{command=\"{command}\"}} 0");
        assert!(page.text().contains(&series), "{series}");
    }
    for name in ["bridge_sink_events", "bridge_sink_events_unmatched"] {
        let series = format!("\n{name}_total 0");
        assert!(page.text().contains(&series), "{series}");
    }
}

#[tokio::test]
async fn data_reaches_the_engine_as_it_came_and_what_it_cannot_hold_is_refused_with_its_path() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let data = r#"{"price": 10.50, "key":9007199254740993, "name":"Zo\u00eb 🎫"}"#;
    let answered = request::post(bridge.url(), &HEADERS, data).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let variables = gateway.published()[0].variables.clone();
    assert!(variables.contains("10.50"), "{variables}");
    assert!(variables.contains("9007199254740993"), "{variables}");
    let read: Value = serde_json::from_str(&variables).expect("JSON");
    assert_eq!(read["name"], "Zoë 🎫");

    for (data, path) in [
        (r#"{"order":{"id":9223372036854775808}}"#, "order.id"),
        (r#"{"prices":[1,1e999]}"#, "prices"),
    ] {
        let answered = request::post(bridge.url(), &HEADERS, data).await;
        assert_eq!(answered.status, 422, "{data}: {}", answered.text());
        assert!(
            reason(&answered).contains(path),
            "{data}: {}",
            answered.text()
        );
    }
    assert_eq!(gateway.published().len(), 1);
}

#[tokio::test]
async fn the_default_message_is_named_correlated_and_identified_as_documented() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[("BRIDGE_EVENT_VARIABLE", "event")]).await;
    let cases: [(&str, Headers, &str); 4] = [
        (
            "1",
            vec![("ce-subject", "s-1"), ("ce-correlationkey", "k-1")],
            "k-1",
        ),
        ("2", vec![("ce-subject", "s-1")], "s-1"),
        ("3", vec![], ""),
        ("4", vec![("ce-correlationkey", "Zo%C3%AB")], "Zoë"),
    ];
    for (id, headers, correlation_key) in cases {
        let answered = bridge
            .send_with("Test.Happened", id, &headers, &json!([1, 2]))
            .await;
        assert_eq!(answered.status, 202, "{}", answered.text());
        let published = gateway.published();
        let message = published.last().expect("a message");
        assert_eq!(message.name, "Test.Happened");
        assert_eq!(message.correlation_key, correlation_key);
        assert_eq!(message.time_to_live, 3_600_000);
        let variables: Value = serde_json::from_str(&message.variables).expect("JSON");
        assert_eq!(variables["data"], json!([1, 2]), "no object: under a name");
        assert_eq!(variables["event"]["id"], id);
        assert_eq!(variables["event"]["source"], "/tests");
    }
    let ids: std::collections::HashSet<_> = gateway
        .published()
        .into_iter()
        .map(|message| message.message_id)
        .collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn an_event_that_no_rule_selects_is_accepted_and_counted_or_refused_as_configured() {
    let rules =
        RulesFile::new("rules:\n  - {name: only, select: {type: Known}, publish: {message: M}}\n");
    let gateway = FakeGateway::start().await;
    for (no_rule, status) in [("accept", 202), ("refuse", 422)] {
        let settings = [("RULES", rules.path()), ("BRIDGE_NO_RULE", no_rule)];
        let bridge = sink(&gateway, &settings).await;
        let answered = bridge.send("Unknown", "1", &json!({})).await;
        assert_eq!(answered.status, status, "{}", answered.text());
        let unmatched = bridge.metric("bridge_sink_events_unmatched_total").await;
        assert!((unmatched - 1.0).abs() < 0.1, "{no_rule}: {unmatched}");
    }
    assert_eq!(gateway.calls("PublishMessage"), 0);
}

#[tokio::test]
async fn of_several_commands_none_runs_if_one_is_bad_and_the_worst_outcome_is_the_answer() {
    let rules = RulesFile::new(
        "rules:
  - {name: one, select: {type: Test}, publish: {message: One, correlation_key: =data.key}}
  - {name: two, select: {type: Test}, publish: {message: Two, correlation_key: =data.other}}
",
    );
    let gateway = FakeGateway::start().await;
    let settings = [
        ("RULES", rules.path()),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
    ];
    let bridge = sink(&gateway, &settings).await;
    let answered = bridge.send("Test", "1", &json!({"key": "k"})).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    assert!(reason(&answered).contains("other"), "{}", answered.text());
    assert_eq!(gateway.calls("PublishMessage"), 0, "none runs");

    // One is refused for good, the other for now: the event comes again.
    gateway.fail_next(
        1,
        "PublishMessage",
        Fault::status(Code::InvalidArgument, "never"),
    );
    let data = json!({"key": "k", "other": "o"});
    let answered = bridge.send("Test", "2", &data).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    gateway.fail_next(1, "PublishMessage", Fault::backpressure());
    let answered = bridge.send("Test", "3", &data).await;
    assert_eq!(answered.status, 429, "{}", answered.text());
    let answered = bridge.send("Test", "3", &data).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let published: Vec<String> = gateway
        .published()
        .into_iter()
        .map(|message| message.name)
        .collect();
    for name in ["One", "Two"] {
        let count = published
            .iter()
            .filter(|published| *published == name)
            .count();
        assert!((1..=2).contains(&count), "{name} in {published:?}");
    }
}

#[tokio::test]
async fn an_event_too_large_for_us_or_for_the_engine_is_413_and_reaches_nobody() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let data = json!({"text": "x".repeat(4 * 1024 * 1024 + 10)});
    assert_eq!(bridge.send("Test", "1", &data).await.status, 413);
    // Small enough as a body, too large as a command: its size is checked encoded.
    let data = json!({"text": "x".repeat(4 * 1024 * 1024 - 100)});
    let answered = bridge.send("Test", "2", &data).await;
    assert_eq!(answered.status, 413, "{}", answered.text());
    assert_eq!(gateway.calls("PublishMessage"), 0);
    // And chunked, where no length was announced.
    let mut stream = connect(bridge.url()).await;
    let head = "POST / HTTP/1.1\r\nhost: b\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: T\r\n\
                transfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("a head");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    for _ in 0..6 {
        // It may answer and close before all is written.
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let answer = read_some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_sender_that_is_slow_loses_its_place_and_others_do_not_notice() {
    let gateway = FakeGateway::start().await;
    let settings = [
        ("BRIDGE_HEADER_TIMEOUT_MS", "300"),
        ("BRIDGE_MAX_CONNECTIONS", "8"),
    ];
    let bridge = sink(&gateway, &settings).await;
    let mut slow = Vec::new();
    for index in 0..40 {
        let mut stream = connect(bridge.url()).await;
        // Half a head, or a head and half a body.
        let begin = if index % 2 == 0 {
            "POST / HTTP/1.1\r\nhost: b\r\nce-".to_owned()
        } else {
            format!(
                "POST / HTTP/1.1\r\nhost: b\r\nce-specversion: 1.0\r\nce-id: {index}\r\nce-source: /s\r\n\
                 ce-type: T\r\ncontent-length: 100\r\n\r\n{{"
            )
        };
        // One that lost its place already cannot be written to.
        let _ = stream.write_all(begin.as_bytes()).await;
        slow.push(stream);
    }
    let answered = tokio::time::timeout(
        Duration::from_secs(40),
        bridge.send("Test", "1", &json!({})),
    )
    .await
    .expect("a place among the slow ones");
    assert_eq!(answered.status, 202, "{}", answered.text());
    for stream in &mut slow {
        let answer = tokio::time::timeout(Duration::from_secs(40), read_some(stream))
            .await
            .expect("an end");
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    assert_eq!(gateway.published().len(), 1);
}

#[tokio::test]
async fn memory_is_bounded_whatever_is_thrown_at_it() {
    const BODY: usize = 1 << 20;
    let gateway = FakeGateway::start().await;
    let settings = [
        ("BRIDGE_BODY_BUDGET_BYTES", "8388608"),
        ("BRIDGE_MAX_EVENT_BYTES", "2097152"),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "5"),
        ("BRIDGE_CALL_TIMEOUT_MS", "5000"),
    ];
    let mut bridge = sink(&gateway, &settings).await;
    gateway.fail("PublishMessage", Fault::Hang);
    let id = bridge.program().id().expect("it runs");
    let before = resident_kib(id);
    let body = json!({"text": "x".repeat(BODY)}).to_string();
    let senders: Vec<_> = (0..100)
        .map(|event| {
            let (url, body) = (bridge.url().to_owned(), body.clone());
            tokio::spawn(async move {
                let id = event.to_string();
                let mut headers = HEADERS;
                headers[1].1 = &id;
                request::post(&url, &headers, body).await.status.as_u16()
            })
        })
        .collect();
    let mut most = 0;
    let mut statuses = Vec::new();
    for sender in senders {
        statuses.push(sender.await.expect("an answer"));
        most = most.max(resident_kib(id));
    }
    // 100 MiB were sent at once. The budget is 8 MiB; a body is there up to three times on its way through
    // the stack: as it came, encoded, and in the buffers of the connection.
    let grown = most.saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB, to {most} KiB");
    assert!(
        statuses.iter().all(|status| [429, 503].contains(status)),
        "{statuses:?}"
    );
    assert!(
        statuses.contains(&429),
        "the budget was never exhausted: {statuses:?}"
    );
    gateway.heal("PublishMessage");
    let answered = bridge.send("Test", "later", &json!({})).await;
    assert_eq!(
        answered.status,
        202,
        "the budget is free again: {}",
        answered.text()
    );
}

/// So many rules of the same type, each with this action; `N` in it is the rule's number.
fn many_rules(count: usize, action: &str) -> RulesFile {
    let mut text = String::from("rules:\n");
    for number in 0..count {
        let action = action.replace('N', &number.to_string());
        text.push_str(&format!(
            "  - {{name: r{number}, select: {{type: Test}}, {action}}}\n"
        ));
    }
    RulesFile::new(&text)
}

#[tokio::test]
async fn memory_is_bounded_however_many_rules_bring_all_of_a_large_event() {
    let rules = many_rules(100, "publish: {message: MN}");
    let gateway = FakeGateway::start().await;
    // Each command is on its way until the engine had time to gather all that may be.
    gateway.fail("PublishMessage", Fault::Delay(Duration::from_millis(20)));
    let mut bridge = sink(&gateway, &[("RULES", rules.path())]).await;
    let id = bridge.program().id().expect("it runs");
    let before = resident_kib(id);
    let data = json!({"text": "x".repeat(3 << 20)}).to_string();
    let url = bridge.url().to_owned();
    let sending = tokio::spawn(async move { request::post(&url, &HEADERS, data).await });
    let mut most = 0;
    while !sending.is_finished() {
        most = most.max(resident_kib(id));
        tokio::task::yield_now().await;
    }
    let answered = sending.await.expect("an answer");
    assert!(
        [202, 429].contains(&answered.status.as_u16()),
        "{}",
        answered.text()
    );
    assert!(gateway.calls("PublishMessage") > 1, "they were sent");
    // The event has 3 MiB, and 100 commands bring it.
    let grown = most.saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB, to {most} KiB");
}

#[tokio::test]
async fn commands_that_the_budget_cannot_hold_are_refused_before_they_are_made() {
    let rules = many_rules(100, "publish: {message: MN, variables: {text: =data.text}}");
    let gateway = FakeGateway::start().await;
    let mut bridge = sink(&gateway, &[("RULES", rules.path())]).await;
    let id = bridge.program().id().expect("it runs");
    let before = resident_kib(id);
    let data = json!({"text": "x".repeat(3 << 20)});
    let answered = bridge.send("Test", "1", &data).await;
    assert_eq!(answered.status, 413, "{}", answered.text());
    let reason = reason(&answered);
    assert!(reason.contains("BRIDGE_BODY_BUDGET_BYTES"), "{reason}");
    assert_eq!(gateway.calls("PublishMessage"), 0, "none runs");
    let grown = peak_kib(id).saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB");
    // What fits goes through, and the budget is free again.
    let answered = bridge.send("Test", "2", &json!({"text": "x"})).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.published().len(), 100);
}

#[tokio::test]
async fn a_request_that_leads_to_too_many_commands_is_refused_and_none_runs() {
    let rules = many_rules(2, "publish: {message: MN}");
    let gateway = FakeGateway::start().await;
    let settings = [
        ("RULES", rules.path()),
        ("BRIDGE_MAX_COMMANDS_PER_REQUEST", "5"),
    ];
    let bridge = sink(&gateway, &settings).await;
    let batch = |events: usize| {
        let event = |id| json!({"specversion": "1.0", "id": id, "source": "/s", "type": "Test"});
        let events: Vec<Value> = (0..events).map(|id| event(id.to_string())).collect();
        let headers = [("content-type", "application/cloudevents-batch+json")];
        let url = bridge.url().to_owned();
        async move { request::post(&url, &headers, json!(events).to_string()).await }
    };
    let answered = batch(3).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    let reason = reason(&answered);
    assert!(
        reason.contains("BRIDGE_MAX_COMMANDS_PER_REQUEST") && reason.contains("5 commands"),
        "{reason}"
    );
    assert_eq!(gateway.calls("PublishMessage"), 0, "none runs");
    let answered = batch(2).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.published().len(), 4);
}

/// The most that was ever resident.
fn peak_kib(id: u32) -> u64 {
    memory_kib(id, "VmHWM:")
}

fn resident_kib(id: u32) -> u64 {
    memory_kib(id, "VmRSS:")
}

fn memory_kib(id: u32, what: &str) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{id}/status")).expect("the program's status");
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix(what)?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .expect("a resident size")
}

async fn connect(url: &str) -> TcpStream {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    TcpStream::connect(address).await.expect("a connection")
}

/// What comes until the other side closes or a whole head is there.
async fn read_some(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while !all.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => all.extend_from_slice(&buffer[..read]),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}
