//! What an event costs that comes while nothing is up, and what an idle hour costs.
//!
//! They assert that it works, and print what it took: a shared machine is no place for promises about time.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::broker::Broker;
use crate::cluster::until;
use crate::engine;
use crate::pods::{Lives, seconds};
use crate::room::{Room, SERVICE_PODS};
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_wakes_the_bridge_in_topology_split() {
    let room = Room::new("cold-split").await;
    room.install("knative/hello");
    wakes(&room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_wakes_the_bridge_in_topology_combined() {
    let room = Room::new("cold-combined").await;
    room.install("tests/e2e/overlays/combined");
    // Its own wake-ups are not what is looked at here.
    suspend_wake_ups(&room);
    wakes(&room).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes as long as it measures: make e2e-idle"]
async fn an_idle_hour_in_topology_split() {
    let room = Room::new("idle-split").await;
    room.install("knative/hello");
    idles(&room).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes as long as it measures: make e2e-idle"]
async fn an_idle_hour_in_topology_combined() {
    let room = Room::new("idle-combined").await;
    room.install("tests/e2e/overlays/combined");
    idles(&room).await;
}

/// Three cold starts, each from zero to the process's own event, and back to zero.
async fn wakes(room: &Room) {
    room.ready();
    let broker = Broker::of(room).await;
    let watch = Watcher::of(room, "watch").await;
    println!("seconds since the event was sent:");
    println!("| {} |", STEPS.join(" | "));
    println!("|{}", "---|".repeat(STEPS.len()));
    for round in 0..3 {
        room.at_zero().await;
        let lives = Lives::watch(room, SERVICE_PODS);
        let name = format!("{}-{round}", room.name());
        let sent = SystemTime::now();
        let data = json!({"name": name});
        broker.send(&name, "Hello.Requested", &data).await;
        let accepted = SystemTime::now();
        watch.sees(&name).await;
        let (pod, life) = until("the pod is ready", || async {
            let (pod, life) = lives.all().pop_first()?;
            life.ready.is_some().then_some((pod, life))
        })
        .await;
        let listening = logged(room, &["--container", "bridge", &pod], "\"listening\"");
        let greeted = logged(room, &["deploy/watch"], &name);
        let begun = engine::instance_began(&name).await;
        room.at_zero().await;
        let at_zero = SystemTime::now();
        let steps = [
            Some(accepted),
            Some(life.added),
            life.prepared,
            listening,
            life.ready,
            begun,
            greeted,
            Some(at_zero),
        ];
        let since = |step: Option<SystemTime>| {
            step.map_or("?".to_owned(), |at| format!("{:.2}", seconds(sent, at)))
        };
        println!("| {} |", steps.map(since).join(" | "));
    }
}

const STEPS: [&str; 8] = [
    "accepted by the Broker",
    "pod made",
    "its network and volumes there",
    "the bridge listens",
    "pod ready",
    "process started in the engine",
    "its event delivered",
    "no pod any more",
];

/// When a log got its first line with this text.
fn logged(room: &Room, of: &[&str], text: &str) -> Option<SystemTime> {
    let log = room.kubectl(&[&["logs", "--timestamps"], of].concat());
    let line = log.lines().find(|line| line.contains(text))?;
    let at = line.split(' ').next()?.parse::<DateTime<Utc>>().ok()?;
    Some(at.into())
}

/// A PingSource that does not fire while a scenario runs.
fn suspend_wake_ups(room: &Room) {
    let yearly = r#"{"spec":{"schedule":"0 0 1 1 *"}}"#;
    let wake_up = "eventing-zeebe-wake-up";
    room.kubectl(&[
        "patch",
        "pingsource",
        wake_up,
        "--type",
        "merge",
        "-p",
        yearly,
    ]);
}

/// An event every five minutes, twelve times or `E2E_IDLE_EVENTS`, and what pods there were meanwhile.
async fn idles(room: &Room) {
    let events = std::env::var("E2E_IDLE_EVENTS").map_or(12, |number| {
        number.parse::<u32>().expect("E2E_IDLE_EVENTS: a number")
    });
    room.ready();
    room.at_zero().await;
    let broker = Broker::of(room).await;
    let watch = Watcher::of(room, "watch").await;
    let lives = Lives::watch(room, SERVICE_PODS);
    let begun = SystemTime::now();
    let mut clock = tokio::time::interval(Duration::from_secs(300));
    for number in 0..events {
        clock.tick().await;
        let name = format!("{}-{number}", room.name());
        let data = json!({"name": name});
        broker.send(&name, "Hello.Requested", &data).await;
        watch.sees(&name).await;
    }
    clock.tick().await;
    println!(
        "{events} events in {:.0} s: {} pods of the Knative Service, {:.0} pod-seconds",
        seconds(begun, SystemTime::now()),
        lives.all().len(),
        lives.pod_seconds(),
    );
}
