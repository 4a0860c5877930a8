//! More events than the engine can take.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::gateway::{FakeGateway, Fault};
use tokio::task::JoinHandle;

use crate::support::sink;

const SETTINGS: [(&str, &str); 2] = [
    ("BRIDGE_MAX_COMMANDS_IN_FLIGHT", "1"),
    ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "6"),
];

/// Sends an event that tells its name; what comes back is the status it was answered with.
fn send(bridge: &Arc<Bridge>, name: &'static str) -> JoinHandle<StatusCode> {
    let bridge = Arc::clone(bridge);
    tokio::spawn(async move {
        let data = json!({ "name": name });
        bridge.send("Test", name, &data).await.status
    })
}

/// Until so many commands wait for the one that is in flight.
async fn waiting(bridge: &Bridge, count: f64) {
    bridge
        .metric_when("bridge_sink_commands_waiting", |waiting| {
            (waiting - count).abs() < 0.1
        })
        .await;
}

#[tokio::test]
async fn an_event_that_was_turned_away_goes_before_those_that_come_for_the_first_time() {
    let gateway = FakeGateway::start().await;
    let bridge = Arc::new(sink(&gateway, &SETTINGS).await);
    gateway.fail_next(1, "PublishMessage", Fault::Hang);
    let blocker = send(&bridge, "the first blocker");
    gateway
        .wait_for("the blocker", |gateway| {
            gateway.calls("PublishMessage") == 1
        })
        .await;
    let early = send(&bridge, "early");
    waiting(&bridge, 1.0).await;
    assert_eq!(early.await.expect("an answer"), 429);
    assert_eq!(blocker.await.expect("an answer"), 503);

    gateway.fail_next(1, "PublishMessage", Fault::Hang);
    let blocker = send(&bridge, "the second blocker");
    gateway
        .wait_for("the blocker", |gateway| {
            gateway.calls("PublishMessage") == 2
        })
        .await;
    let late = send(&bridge, "late");
    waiting(&bridge, 1.0).await;
    let early = send(&bridge, "early");
    waiting(&bridge, 2.0).await;
    gateway.cut_connections();
    for sent in [blocker, late, early] {
        assert_eq!(sent.await.expect("an answer"), 202);
    }
    let names: Vec<Value> = gateway
        .published()
        .iter()
        .map(|message| {
            let variables: Value = serde_json::from_str(&message.variables).expect("JSON");
            variables["name"].clone()
        })
        .filter(|name| name == "early" || name == "late")
        .collect();
    assert_eq!(names, ["early", "late"]);
}
