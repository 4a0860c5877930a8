//! What an event is, and what it becomes.

use serde_json::{Value, json};
use testkit::gateway::{FakeGateway, Fault};
use testkit::request;
use testkit::rules_file::RulesFile;
use tonic::Code;

use super::{HEADERS, reason};
use crate::support::sink;

type Headers = Vec<(&'static str, &'static str)>;
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
