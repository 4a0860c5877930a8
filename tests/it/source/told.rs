//! What is told of jobs that were not done, and who is told it.

use serde_json::json;
use testkit::collector::Collector;
use testkit::destination::{Answer, Destination, Received};
use testkit::gateway::{FakeGateway, JobState, NewJob};

use super::with_headers;
use crate::support::source;
use crate::trace::traced;

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
