mod away;
mod requests;
mod settings;
mod spans;
mod stopping;

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::Destination;
use testkit::gateway::{FakeGateway, NewJob};
use testkit::request::{self, Answered};

use crate::support::source;

/// With these only a drain polls: what comes to an end was found by it.
const BY_DRAINS_ALONE: [(&str, &str); 3] = [
    ("BRIDGE_STREAM", "false"),
    ("BRIDGE_POLL_INTERVAL_SECONDS", "3600"),
    ("BRIDGE_JOB_TIMEOUT_SECONDS", "3"),
];

/// What a PingSource sends.
const PING: [(&str, &str); 5] = [
    ("ce-specversion", "1.0"),
    ("ce-source", "/apis/v1/namespaces/test/pingsources/wake-up"),
    ("ce-type", "dev.knative.sources.ping"),
    ("ce-id", "1"),
    ("content-type", "application/json"),
];

/// Starts both roles; jobs are found by drains alone.
async fn asleep(
    gateway: &FakeGateway,
    destination: &Destination,
    settings: &[(&str, &str)],
) -> Bridge {
    let mut all = BY_DRAINS_ALONE.to_vec();
    all.extend_from_slice(settings);
    let bridge = source(gateway, destination, &all).await;
    // The one poll that every start makes.
    bridge
        .metric_when("bridge_source_polls_total", |polls| polls >= 1.0)
        .await;
    bridge
}

/// Where drains are asked for.
fn url(bridge: &Bridge) -> String {
    format!("{}drain", bridge.url())
}

/// Asks for a drain and waits for the answer.
async fn drain(bridge: &Bridge) -> Answered {
    request::post(&url(bridge), &PING, "{}").await
}

/// Asks for a drain in a task of its own, and waits until it has begun.
async fn begun(bridge: &mut Bridge) -> tokio::task::JoinHandle<Result<Answered, String>> {
    let url = url(bridge);
    let asking =
        tokio::spawn(async move { request::try_send(http::Method::POST, &url, &PING, "{}").await });
    said(bridge, "a drain begins").await;
    asking
}

/// Waits for a line of the log.
async fn said(bridge: &mut Bridge, message: &str) {
    bridge
        .program()
        .wait_for_log(message, |line| (line["message"] == message).then_some(()))
        .await;
}

fn job(item: usize) -> NewJob {
    NewJob {
        variables: json!({"item": item}).to_string(),
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    }
}

fn jobs(count: usize) -> impl Iterator<Item = NewJob> {
    (0..count).map(job)
}
