//! What is told of jobs that were not done, and who is told it.

use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::collector::Collector;
use testkit::destination::{Answer, Destination, Received};
use testkit::gateway::{FakeGateway, JobState, NewJob};

use super::{job, with_headers};
use crate::support::source;
use crate::trace::{spans, traced};

/// What a customer gave, and nobody else may read.
const SECRET: &str = "4111-SECRET-PIN";

/// A consumer that says what it does not like: it answers as its event asks for, with the event.
fn echo(received: &Received) -> Answer {
    let status = received.json()["status"].as_u64().expect("a status");
    let response = http::Response::builder().status(u16::try_from(status).expect("a status"));
    let body = response.body(received.body.clone());
    Answer::Response(body.expect("a response"))
}

/// A job whose event is answered so.
fn answered(status: u16) -> NewJob {
    let headers = json!({"error-map": "409=SOLD_OUT"});
    NewJob {
        element_id: format!("Element{status}"),
        bpmn_process_id: String::from("sale"),
        ..with_headers(&json!({"status": status, "card": SECRET}), &headers)
    }
}

#[tokio::test]
async fn what_a_destination_says_is_in_the_jobs_error_message_and_nowhere_else() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::start(echo).await;
    let mut settings = traced(&url);
    settings.push(("BRIDGE_LOG", "info,eventing_zeebe=debug,eventing=debug"));
    let mut bridge = source(&gateway, &destination, &settings).await;
    let refused = [(400, JobState::Incident), (409, JobState::Thrown)];
    for (status, state) in refused.into_iter().chain([(500, JobState::Incident)]) {
        let key = gateway.add_job(answered(status));
        gateway
            .wait_for("its end", |gateway| gateway.job(key).state == state)
            .await;
        let message = gateway.job(key).error_message;
        assert!(message.contains(SECRET), "{status}: {message}");
    }
    // Two in a row are no accident.
    let busy = gateway.add_jobs([answered(503), answered(503)]);
    let says_so = |gateway: &FakeGateway| {
        let all = busy.iter().map(|key| gateway.job(*key).error_message);
        all.into_iter().all(|message| message.contains(SECRET))
    };
    gateway.wait_for("hand-backs", says_so).await;
    bridge
        .metric_when("bridge_source_destination_away", |away| away > 0.5)
        .await;
    let readyz = bridge.get("readyz").await;
    let readyz = readyz.text();
    assert!(readyz.contains("503 Service Unavailable"), "{readyz}");
    let spans = collector
        .spans_when("five jobs", |spans| {
            let ended = |status: u16| spans.named(&format!("activate Element{status}")).len();
            [400, 409, 500, 503]
                .into_iter()
                .all(|status| ended(status) > 0)
        })
        .await
        .to_string();
    for said in [
        "the destination answered 400 Bad Request",
        "not delivered: 503 Service Unavailable",
    ] {
        assert!(spans.contains(said), "{said}: {spans}");
    }
    bridge
        .program()
        .wait_for_log("the outage", |line| {
            let away = line.to_string().contains("the destination is away");
            away.then(|| assert_eq!(line["answer"], "503 Service Unavailable"))
        })
        .await;
    let log = bridge.program().output().join("\n");
    for (where_, text) in [("log", &*log), ("readyz", readyz), ("spans", &spans)] {
        assert!(!text.contains(SECRET), "{where_}: {text}");
    }
}

/// The line of the log with this message.
async fn line(bridge: &mut Bridge, message: &str) -> Value {
    let found = |line: &Value| (line["message"] == message).then(|| line.clone());
    bridge.program().wait_for_log(message, found).await
}

/// Those with this message so far.
fn lines(bridge: &mut Bridge, message: &str) -> Vec<Value> {
    let all = bridge.program().output();
    let read = all
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok());
    read.filter(|line: &Value| line["message"] == message)
        .collect()
}

const INCIDENT: &str = "a job became an incident";

#[tokio::test]
async fn a_job_that_becomes_an_incident_is_named_in_the_log() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::start(echo).await;
    let mut bridge = source(&gateway, &destination, &traced(&url)).await;
    let key = gateway.add_job(answered(400)).0;
    let line = line(&mut bridge, INCIDENT).await;
    let spans = spans(&collector, "activate Element400", 1).await;
    let activate = spans.one("activate Element400");
    let instance: i64 = activate
        .get("zeebe.process_instance.key")
        .parse()
        .expect("a key");
    for (field, value) in [
        ("level", json!("WARN")),
        ("job_key", json!(key)),
        ("job_type", json!("cloudevents")),
        ("element_id", json!("Element400")),
        ("process_id", json!("sale")),
        ("process_instance_key", json!(instance)),
        ("event_id", json!(key.to_string())),
        ("status", json!(400)),
        ("reason", json!("the destination answered 400 Bad Request")),
        ("passed_over", json!(0)),
        ("trace_id", json!(activate.trace)),
        ("span_id", json!(activate.id)),
    ] {
        assert_eq!(line[field], value, "{field}: {line}");
    }
}

#[tokio::test]
async fn a_job_that_no_event_can_be_made_of_is_named_in_the_log_with_the_header_at_fault() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let mut bridge = source(&gateway, &destination, &[]).await;
    let headers = json!({"ce-subject": "=missing"});
    let key = gateway.add_job(with_headers(&json!({"card": SECRET}), &headers));
    let line = line(&mut bridge, INCIDENT).await;
    assert_eq!(line["job_key"], key.0);
    assert_eq!(line["status"], Value::Null);
    let reason = line["reason"].as_str().expect("a reason");
    assert!(reason.contains("`ce-subject` of element"), "{reason}");
    let log = bridge.program().output().join("\n");
    assert!(!log.contains(SECRET), "{log}");
}

#[tokio::test]
async fn a_consumer_that_refuses_all_it_gets_does_not_fill_the_log_and_all_are_counted() {
    const JOBS: usize = 300;
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Status(400)).await;
    let mut bridge = source(&gateway, &destination, &[]).await;
    gateway.add_jobs((0..JOBS).map(|item| job(&json!({"item": item}))));
    bridge
        .metric_when("bridge_source_jobs_total", |ended| ended >= JOBS as f64)
        .await;
    // Whoever is named next stands for those before.
    let mut later = Vec::new();
    let (told, before) = loop {
        later.push(gateway.add_job(job(&json!({}))).0);
        let all = (JOBS + later.len()) as f64;
        bridge
            .metric_when("bridge_source_jobs_total", |ended| ended >= all)
            .await;
        assert!(later.len() < 5000, "nobody is named any more");
        let told = lines(&mut bridge, INCIDENT);
        let last = told.last().and_then(|line| line["job_key"].as_i64());
        if let Some(at) = later.iter().position(|key| Some(*key) == last) {
            break (told, JOBS + at);
        }
    };
    assert!(told.len() < JOBS, "{} lines", told.len());
    let passed_over = told.iter().map(|line| &line["passed_over"]);
    let passed_over: u64 = passed_over.filter_map(Value::as_u64).sum();
    assert_eq!(told.len() as u64 + passed_over, before as u64 + 1);
}

#[tokio::test]
async fn a_job_that_used_a_retry_and_one_that_was_handed_back_are_named_too() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(echo).await;
    let mut bridge = source(&gateway, &destination, &[]).await;
    for (status, message, reason) in [
        (
            500,
            "a job used one of its retries",
            "the destination answered 500 Internal Server Error",
        ),
        (
            503,
            "a job was handed back",
            "not delivered: 503 Service Unavailable",
        ),
    ] {
        let key = gateway.add_job(answered(status)).0;
        let line = line(&mut bridge, message).await;
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["job_key"], key);
        assert_eq!(line["element_id"], format!("Element{status}"));
        assert_eq!(line["status"], status);
        assert_eq!(line["reason"], reason);
    }
}
