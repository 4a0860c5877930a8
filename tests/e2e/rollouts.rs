//! Pods are replaced and killed while events come.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch::{self, Receiver, Sender};

use crate::broker::Broker;
use crate::room::Room;
use crate::watcher::Watcher;

const EVENTS: usize = 400;
/// Between two events.
const PACE: Duration = Duration::from_millis(100);
/// How long no greeting comes before the rest counts as lost: longer than all retries of a Trigger.
const SILENCE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_happens_twice_in_topology_split() {
    let room = Room::new("rollouts-split").await;
    room.install("knative/hello");
    survives(&room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_happens_twice_in_topology_combined() {
    let room = Room::new("rollouts-combined").await;
    room.install("tests/e2e/overlays/combined");
    survives(&room).await;
}

/// Events come one after the other, while all pods are rolled out anew, and twice killed without a grace.
async fn survives(room: &Room) {
    room.ready();
    let watch = Watcher::of(room, "watch").await;
    let letters = Watcher::of(room, "dead-letters").await;
    let (progress, mut sent) = watch::channel(0);
    let sending = tokio::spawn(send_all(Broker::of(room).await, progress));
    let looking = tokio::spawn(see_all(watch));

    reached(&mut sent, EVENTS / 8).await;
    roll_out(room);
    reached(&mut sent, EVENTS / 2).await;
    kill_all(room);
    reached(&mut sent, EVENTS * 3 / 4).await;
    kill_all(room);

    sending.await.expect("all are sent");
    let (seen, deliveries) = looking.await.expect("all are seen");
    let lost: Vec<_> = (0..EVENTS)
        .map(caller)
        .filter(|name| !seen.contains_key(name))
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}; {}", letters.lines().await);
    let twice: Vec<_> = seen.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "two jobs for one event: {twice:?}");
    assert_eq!(letters.lines().await, "", "dead letters");
    println!(
        "{EVENTS} events, {} greetings, {deliveries} deliveries",
        seen.len()
    );
    room.ready();
}

fn caller(number: usize) -> String {
    format!("caller {number}")
}

async fn send_all(broker: Broker, progress: Sender<usize>) {
    for number in 0..EVENTS {
        let name = caller(number);
        let data = json!({"name": name});
        broker.send(&name, "Hello.Requested", &data).await;
        progress.send_replace(number + 1);
        tokio::time::sleep(PACE).await;
    }
}

async fn reached(sent: &mut Receiver<usize>, number: usize) {
    sent.wait_for(|sent| *sent >= number)
        .await
        .expect("the sender goes on");
}

/// The ids of each caller's greetings, and how many were delivered in all. It comes back with all callers, or when
/// nothing new has come for long.
async fn see_all(watch: Watcher) -> (BTreeMap<String, BTreeSet<String>>, u64) {
    let mut seen = BTreeMap::<_, BTreeSet<_>>::new();
    let mut before = 0;
    let mut last_news = tokio::time::Instant::now();
    loop {
        let count = watch.count().await;
        let events = watch.events().await;
        assert!(count - before <= 100, "a greeting may have been overlooked");
        if count > before {
            last_news = tokio::time::Instant::now();
        }
        before = count;
        for event in &events {
            seen.entry(greeted(event))
                .or_default()
                .insert(identity(event));
        }
        if seen.len() >= EVENTS || last_news.elapsed() > SILENCE {
            return (seen, before);
        }
        tokio::time::sleep(PACE * 5).await;
    }
}

/// Whom an event greets.
fn greeted(event: &Value) -> String {
    let greeting = event["data"]["greeting"].as_str().expect("a greeting");
    greeting.trim_start_matches("Hello, ").to_owned()
}

fn identity(event: &Value) -> String {
    format!("{} {}", event["source"], event["id"])
}

/// A new Revision, and new pods of the source where it has a Deployment.
fn roll_out(room: &Room) {
    let change = r#"{"spec":{"template":{"metadata":{"annotations":{"rolled-out":"1"}}}}}"#;
    room.kubectl(&[
        "patch",
        "ksvc",
        "eventing-zeebe",
        "--type",
        "merge",
        "-p",
        change,
    ]);
    if room.try_kubectl(&["get", "deploy", SOURCE]).is_ok() {
        room.kubectl(&["rollout", "restart", "deploy", SOURCE]);
    }
}

const SOURCE: &str = "eventing-zeebe-source";

/// `kill -9` to all pods of the bridge.
fn kill_all(room: &Room) {
    let bridge =
        "app.kubernetes.io/name=eventing-zeebe,app.kubernetes.io/component in (sink,source,bridge)";
    let killed = room.kubectl(&[
        "delete",
        "pods",
        "--selector",
        bridge,
        "--force",
        "--grace-period=0",
    ]);
    println!("{}", killed.trim_end());
}
