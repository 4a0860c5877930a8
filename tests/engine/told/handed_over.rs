use std::time::Duration;

use serde_json::json;
use testkit::destination::{Destination, Received};
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use super::engine::{later, position, publish, record, settled, snapshot, tell};
use super::{EXPIRED, telling};

pub(super) const HOUR: u64 = 3600;
pub(super) const CLOCK: (&str, &str) = ("ZEEBE_CLOCK_CONTROLLED", "true");

/// Of an instance that waits for a message, the position of the record that says so.
async fn waits(zeebe: &Zeebe, instance: i64) -> i64 {
    let kind = ["MESSAGE_SUBSCRIPTION", "CREATED"];
    position(zeebe, kind, "processInstanceKey", &json!(instance)).await
}

/// The names and times to live of the messages that were told of.
fn lost(events: &[Received]) -> Vec<(String, i64)> {
    let lost = events.iter().filter(|one| one.ty() == EXPIRED);
    lost.map(|one| {
        let data = one.json();
        let name = data["name"].as_str().expect("text").to_owned();
        (name, data["timeToLive"].as_i64().expect("milliseconds"))
    })
    .collect()
}

#[tokio::test]
async fn who_waited_for_a_message_is_known_after_a_restart_on_a_state_that_was_kept_in_between() {
    let events = Destination::accepting().await;
    let mut zeebe = telling("told-kept", &events.url(), &[CLOCK]).await;
    let kept = {
        let scenario = Scenario::new(&zeebe, "kept");
        scenario.deploy("waits.bpmn").await;
        scenario.start("waits", &json!({"key": "takes"})).await;
        let hangs = scenario.start("waits", &json!({"key": "hangs"})).await;
        waits(&zeebe, hangs).await;
        // The engine does nothing for it from here on, so that a message to it is on its way for ever.
        let ban = format!("{}/actuator/banning/{hangs}", zeebe.management());
        tell(&ban, &json!({})).await;
        record(&zeebe, |all| {
            all.iter().find(|one| one["valueType"] == "ERROR").map(drop)
        })
        .await;
        publish(&scenario, "Test.Released", "hangs", HOUR).await;
        publish(&scenario, "Test.Released", "takes", HOUR).await;
        publish(&scenario, "Test.Unwanted", "before", HOUR).await;
        let key = |key: &str| json!(key);
        let of = ["MESSAGE_SUBSCRIPTION", "CORRELATING"];
        position(&zeebe, of, "correlationKey", &key("hangs")).await;
        let of = ["MESSAGE_SUBSCRIPTION", "CORRELATED"];
        let taken = position(&zeebe, of, "correlationKey", &key("takes")).await;
        let of = ["MESSAGE", "PUBLISHED"];
        let unwanted = position(&zeebe, of, "correlationKey", &key("before")).await;
        taken.max(unwanted)
    };
    settled(&zeebe, kept).await;
    snapshot(&zeebe, kept).await;
    zeebe.kill().await;
    zeebe.start_again().await;
    let scenario = Scenario::new(&zeebe, "kept");
    publish(&scenario, "Test.Unwanted", "after", HOUR).await;
    later(&zeebe, Duration::from_secs(2 * HOUR)).await;
    // They expire in the order in which they were published: with the last one all are told of.
    let lost = events
        .wait_for("the last message", |all| {
            let lost = lost(all);
            (lost.len() >= 2).then_some(lost)
        })
        .await;
    let hour = 3_600_000;
    let unwanted = scenario.of("Test.Unwanted");
    assert_eq!(lost, [(unwanted.clone(), hour), (unwanted, hour)]);
    zeebe.stop().await;
}
