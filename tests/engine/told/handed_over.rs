use std::time::Duration;

use serde_json::{Value, json};
use testkit::destination::{Destination, Received};
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;
use zeebe_client::{CancelProcessInstance, PublishMessage};

use super::engine::{
    later, message, metric, metric_reaches, position, publish, record, settled, snapshot, tell,
};
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
    snapshot(&zeebe).await;
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

/// On one partition a message is handed over in one go, and nothing comes in between.
const TWO_PARTITIONS: (&str, &str) = ("ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT", "2");
/// Correlation keys whose messages are on the first of two partitions: the sum of their bytes is even.
const ON_THE_FIRST: [&str; 8] = ["b", "d", "f", "h", "j", "l", "n", "p"];
const ON_THE_SECOND: &str = "a";

/// The correlation key of the model, but for one that keeps its partition busy before it is known.
const BUSY: &str = "correlationKey=\"=if key = &#34;busy&#34; then string(some i in 1..500, j in 1..500 satisfies i + j &lt; 0) else key\"";

fn partition(key: i64) -> i64 {
    key >> 51
}

/// Publishes a message for an instance of the second partition, and has that end before it is handed over.
///
/// The engine's answers may come too late for whoever asked: what came of it, its records say.
async fn end_meanwhile(scenario: &Scenario<'_>, key: &str, instance: i64) {
    let zeebe = scenario.zeebe();
    let written = "zeebe_log_appender_record_appended_total";
    let publish = "valueType=\"MESSAGE\",intent=\"PUBLISH\"";
    let cancel = "valueType=\"PROCESS_INSTANCE\",intent=\"CANCEL\"";
    let published = metric(zeebe, written, publish).await + 1.0;
    let cancelled = metric(zeebe, written, cancel).await + 1.0;
    let busy = PublishMessage {
        variables: json!({"key": "busy"}).to_string(),
        ..message(scenario, "Wait.Requested", ON_THE_SECOND, 0)
    };
    let client = scenario.client();
    let keep_busy = client.publish_message(busy);
    let end = async {
        metric_reaches(zeebe, written, publish, published).await;
        let command = CancelProcessInstance {
            process_instance_key: instance,
        };
        client.cancel_process_instance(command).await
    };
    let publish = async {
        metric_reaches(zeebe, written, cancel, cancelled).await;
        let released = message(scenario, "Test.Released", key, 0);
        client.publish_message(released).await
    };
    // Not what they return, see above.
    let _ = tokio::join!(keep_busy, end, publish);
}

/// The position at which the instance refused a message; none where it took it, or ended too early.
async fn refused(zeebe: &Zeebe, instance: i64) -> Option<i64> {
    record(zeebe, |all| {
        let is_of_it = |one: &&Value| {
            one["valueType"] == "MESSAGE_SUBSCRIPTION"
                && one["value"]["processInstanceKey"] == instance
        };
        let mut of_it = all.iter().filter(is_of_it);
        of_it.find_map(|one| match one["intent"].as_str() {
            Some("REJECTED") => Some(one["position"].as_i64()),
            Some("CORRELATED") => Some(None),
            // With one that is on its way, that is refused next.
            Some("DELETED") if one["value"]["messageKey"] == -1 => Some(None),
            _ => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_message_whose_instance_ends_before_it_has_it_is_told_of_though_it_expired_on_the_way() {
    let events = Destination::accepting().await;
    let zeebe = telling("told-ended", &events.url(), &[TWO_PARTITIONS]).await;
    let scenario = Scenario::new(&zeebe, "ended");
    let busy = [("correlationKey=\"=key\"", BUSY)];
    scenario.deploy_with("waits.bpmn", &busy).await;
    let mut position = None;
    for key in ON_THE_FIRST {
        let instance = scenario.start("waits", &json!({"key": key})).await;
        // They are made on each partition in turn.
        if partition(instance) == 2 {
            waits(&zeebe, instance).await;
            end_meanwhile(&scenario, key, instance).await;
            position = refused(&zeebe, instance).await;
        }
        if position.is_some() {
            break;
        }
    }
    let id = format!("1-{}", position.expect("one that was refused"));
    let told = events
        .wait_for("the message", |all| {
            all.iter().find(|one| one.id() == id).cloned()
        })
        .await;
    assert_eq!(lost(&[told]), [(scenario.of("Test.Released"), 0)]);
    zeebe.stop().await;
}
