//! How a job ended, and why its event did not arrive, as its spans have it.

use std::net::TcpListener;

use serde_json::json;
use testkit::collector::Collector;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;

use super::source::{job, moved_by_another};
use super::{shown, spans, traced};
use crate::support::source;

const ACTIVATE: &str = "activate RequestPayment";
const DELIVER: &str = "deliver Payment.Requested";

/// The span of a command to the engine.
fn call(command: &str) -> String {
    format!("gateway_protocol.Gateway/{command}")
}

#[tokio::test]
async fn an_end_that_the_engine_refuses_counts_once_and_its_call_says_how_it_was_refused() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::accepting().await;
    let mut settings = traced(&url);
    settings.push(("BRIDGE_DECISIONS_KEPT", "10"));
    let bridge = source(&gateway, &destination, &settings).await;
    let refused = Fault::status(Code::InvalidArgument, "not like this");
    gateway.fail("CompleteJob", refused);
    let key = gateway.add_job(job(&moved_by_another()));
    gateway
        .wait_for("an incident", |gateway| {
            gateway.job(key).state == JobState::Incident
        })
        .await;
    let spans = spans(&collector, ACTIVATE, 1).await;
    assert_eq!(
        spans.outline(),
        "Consumer activate RequestPayment !\n  \
           Producer deliver Payment.Requested\n  \
           Client gateway_protocol.Gateway/CompleteJob !\n  \
           Client gateway_protocol.Gateway/FailJob\n"
    );
    assert_eq!(
        shown(
            spans.one(&call("CompleteJob")),
            &["rpc.response.status_code", "error.type"]
        ),
        [
            "rpc.response.status_code=INVALID_ARGUMENT",
            "error.type=refused"
        ]
    );
    let activate = spans.one(ACTIVATE);
    assert_eq!(
        shown(activate, &["zeebe.job.end", "error.type"]),
        ["zeebe.job.end=refused", "error.type=refused"]
    );
    let error = activate.error.as_deref().expect("an error");
    assert!(error.contains("not like this"), "{error}");
    let jobs = "bridge_source_jobs_total";
    assert_eq!(bridge.metric(jobs).await, 1.0);
    let refused = [("outcome", "refused")];
    assert_eq!(bridge.metric_of(jobs, &refused).await, 1.0);
    let decisions = bridge.get("debug/decisions").await;
    assert_eq!(decisions.text().matches("outcome").count(), 1);
}

#[tokio::test]
async fn an_end_that_comes_too_late_is_an_error_of_its_call_and_of_its_job() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::start(|received| {
        Answer::Status(match received.json()["status"].as_u64() {
            Some(409) => 409,
            _ => 400,
        })
    })
    .await;
    // Neither taken nor prolonged until the activation has run out.
    for command in ["ThrowError", "FailJob"] {
        gateway.fail(command, Fault::status(Code::Unavailable, "no leader"));
    }
    gateway.fail("UpdateJobTimeout", Fault::Hang);
    let mut settings = traced(&url);
    settings.push(("BRIDGE_JOB_TIMEOUT_SECONDS", "3"));
    let _bridge = source(&gateway, &destination, &settings).await;
    let headers = json!({"ce-type": "Payment.Requested", "error-map": "409=SOLD_OUT"});
    gateway.add_jobs([400, 409].map(|status| NewJob {
        custom_headers: headers.to_string(),
        element_id: format!("Element{status}"),
        ..job(&json!({"status": status}))
    }));
    for (activate, command) in [
        ("activate Element400", "FailJob"),
        ("activate Element409", "ThrowError"),
    ] {
        let spans = collector
            .spans_when(activate, |spans| !spans.named(activate).is_empty())
            .await;
        let job = spans.named(activate)[0];
        assert_eq!(job.get("zeebe.job.end"), "too_late", "{spans}");
        assert_eq!(job.get("error.type"), "too_late", "{spans}");
        assert!(job.error.is_some(), "{spans}");
        let children = spans.children(job);
        let named = call(command);
        let end = children.iter().find(|span| span.name == named);
        let end = end.unwrap_or_else(|| panic!("no {named} in\n{spans}"));
        assert_eq!(end.get("error.type"), "too_late");
        let error = end.error.as_deref().expect("an error");
        assert!(error.contains("run out"), "{error}");
    }
}

#[tokio::test]
async fn a_job_that_was_gone_says_so_and_is_no_error() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::accepting().await;
    let _bridge = source(&gateway, &destination, &traced(&url)).await;
    gateway.fail("CompleteJob", Fault::status(Code::NotFound, "no such job"));
    gateway.add_job(job(&moved_by_another()));
    let spans = spans(&collector, ACTIVATE, 1).await;
    let end = spans.one(&call("CompleteJob"));
    assert_eq!(end.get("zeebe.outcome"), "gone_already");
    let activate = spans.one(ACTIVATE);
    assert_eq!(activate.get("zeebe.job.end"), "gone_already");
    assert_eq!((&end.error, &activate.error), (&None, &None));
}

#[tokio::test]
async fn a_delivery_that_was_given_up_since_the_program_stops_is_an_error() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::start(|_| Answer::Never).await;
    let mut settings = traced(&url);
    settings.push(("BRIDGE_GRACE_SECONDS", "4"));
    let mut bridge = source(&gateway, &destination, &settings).await;
    gateway.add_job(job(&moved_by_another()));
    destination.wait_for_count(1).await;
    bridge.program().terminate();
    bridge.program().ended().await;
    let spans = spans(&collector, ACTIVATE, 1).await;
    let delivery = spans.one(DELIVER);
    assert_eq!(delivery.get("error.type"), "stopped");
    let error = delivery.error.as_deref().expect("an error");
    assert!(error.contains("may have arrived"), "{error}");
    assert_eq!(
        shown(spans.one(ACTIVATE), &["zeebe.job.end", "error.type"]),
        ["zeebe.job.end=hand_back", "error.type=hand_back"]
    );
}

/// What a delivery to this destination says of why there was no answer.
async fn silence(url: &str) -> String {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let collected = collector.url();
    let mut settings = traced(&collected);
    settings.extend([("K_SINK", url), ("BRIDGE_DELIVERY_TIMEOUT_SECONDS", "7")]);
    let destination = Destination::accepting().await;
    let _bridge = source(&gateway, &destination, &settings).await;
    gateway.add_job(job(&moved_by_another()));
    let spans = collector
        .spans_when(url, |spans| !spans.named(DELIVER).is_empty())
        .await;
    let delivery = spans.named(DELIVER)[0];
    assert!(delivery.error.is_some(), "{spans}");
    delivery.get("error.type").to_owned()
}

#[tokio::test]
async fn why_a_destination_did_not_answer_is_one_word_of_its_delivery() {
    let plain = Destination::accepting().await;
    let no_tls = plain.url().replace("http:", "https:");
    let never = Destination::start(|_| Answer::Never).await;
    let cut = Destination::start(|_| Answer::Cut).await;
    // It takes the connection, and never shakes hands: there is none when the time for that is up.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let unshaken = format!("https://{}/", mute.local_addr().expect("an address"));
    let (never_answers, cuts) = (never.url(), cut.url());
    let words = tokio::join!(
        silence("http://nobody.invalid/"),
        silence(&no_tls),
        silence(&unshaken),
        silence(&never_answers),
        silence(&cuts),
    );
    let words = <[String; 5]>::from(words);
    assert_eq!(
        words,
        ["dns", "tls", "unreachable", "timeout", "connection_lost"]
    );
}
