//! What could not be delivered, and what nobody wants.

use serde_json::json;

use crate::broker::Broker;
use crate::install::greets;
use crate::metrics::Metrics;
use crate::room::Room;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_can_be_read_with_its_reason() {
    let room = Room::new("dead-letters").await;
    room.install("knative/hello");
    room.ready();
    let broker = Broker::of(&room).await;
    // A rule that selects it asks for `data.name`.
    let nameless = json!({"nobody": true});
    broker.send("nameless", "Hello.Requested", &nameless).await;

    let letters = Watcher::of(&room, "dead-letters").await;
    let letter = letters.sees("nobody").await;
    assert_eq!(letter["id"], "nameless", "{letter:#}");
    assert_eq!(letter["knativeerrorcode"], "422", "{letter:#}");
    let lines = letters.lines().await;
    for word in ["Hello.Requested", "422", "hello-requested", "data.name"] {
        assert!(lines.contains(word), "no `{word}` in: {lines}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_no_trigger_wants_ends_at_the_broker() {
    let room = Room::new("unwanted").await;
    room.install("knative/hello");
    room.ready();
    let broker = Broker::of(&room).await;
    let letters = Watcher::of(&room, "dead-letters").await;
    let answered = broker
        .try_send("unwanted", "Nobody.Wants", &json!({}))
        .await;
    assert_eq!(answered.expect("an answer").status, 202);
    // What comes after it has gone the whole way.
    greets(&room, "Ada").await;
    assert_eq!(letters.count().await, 0, "{}", letters.lines().await);
    let pods = room.service_pods();
    let pod = format!("pod/{}", pods.first().expect("it has just run a command"));
    let metrics = Metrics::of(&room, &pod).await;
    assert_eq!(metrics.sum("bridge_sink_events_unmatched_total", ""), 0.0);
}
