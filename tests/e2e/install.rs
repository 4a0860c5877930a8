//! The manifests may be applied in any order, by anybody who can read what it waits for.

use http::Method;
use serde_json::{Value, json};
use testkit::request::try_send;

use crate::broker::Broker;
use crate::cluster::until;
use crate::forward::Forward;
use crate::room::{Room, rendered};
use crate::watcher::Watcher;

const WITHIN: &str = "--timeout=240s";

#[tokio::test(flavor = "multi_thread")]
async fn split_becomes_ready_by_itself_in_whatever_order_it_is_applied() {
    let room = Room::new("install-split").await;
    becomes_ready_in_the_worst_order(&room, "knative/hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn combined_becomes_ready_by_itself_in_whatever_order_it_is_applied() {
    let room = Room::new("install-combined").await;
    becomes_ready_in_the_worst_order(&room, "tests/e2e/overlays/combined").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applied_twice_nothing_changes() {
    let room = Room::new("install-twice").await;
    room.install("knative/hello");
    room.ready();
    let generation = |what: &[&str]| room.get(what)["metadata"]["generation"].clone();
    let of_all = || {
        [
            generation(&["ksvc", "eventing-zeebe"]),
            generation(&["deploy", "eventing-zeebe-source"]),
            generation(&["trigger", "hello-requested"]),
        ]
    };
    let before = of_all();
    room.install("knative/hello");
    assert_eq!(of_all(), before, "a second apply makes no Revision");
}

/// Who refers to something comes before it, and the engine comes last.
async fn becomes_ready_in_the_worst_order(room: &Room, folder: &str) {
    let manifests = rendered(folder);
    let of = |kinds: &[&str]| {
        let documents = manifests.split("\n---\n").filter(|document| {
            let kind = document
                .lines()
                .find_map(|line| line.strip_prefix("kind: "));
            kind.is_some_and(|kind| kinds.contains(&kind))
        });
        documents.collect::<Vec<_>>().join("\n---\n")
    };
    room.apply(&of(&[
        "Trigger",
        "SinkBinding",
        "PingSource",
        "NetworkPolicy",
    ]));
    room.apply(&of(&["ConfigMap", "Service", "Deployment"]));
    // The engine's name leads nowhere yet, and there is no Broker.
    let said = until("the source waits for the SinkBinding", || async {
        let waiting = waiting(room).await?;
        waiting["destination"]
            .as_str()
            .is_some_and(|reason| reason.contains("K_SINK"))
            .then_some(waiting)
    })
    .await;
    assert!(said["engine"].is_string(), "{said:#}");
    let service = room.try_kubectl(&[
        "wait",
        "--for=condition=Ready",
        WITHIN,
        "ksvc/eventing-zeebe",
    ]);
    service.expect("a Knative Service is ready without an engine");

    room.apply(&of(&["Broker"]));
    let said = until("the source waits for the engine alone", || async {
        let waiting = waiting(room).await?;
        waiting["destination"].is_null().then_some(waiting)
    })
    .await;
    assert!(said["engine"].is_string(), "{said:#}");

    room.engine_appears();
    room.ready();
    greets(room, "Ada").await;
}

/// What `/readyz` of a pod with the source role says is missing; of the youngest pod that answers.
async fn waiting(room: &Room) -> Option<Value> {
    let selector =
        "app.kubernetes.io/name=eventing-zeebe,app.kubernetes.io/component in (source,bridge)";
    let by_age = "--sort-by=.metadata.creationTimestamp";
    let pods = room.get(&["pods", "--selector", selector, by_age]);
    let pod = pods["items"].as_array()?.last()?["metadata"]["name"].as_str()?;
    let forward = Forward::open(room.name(), &format!("pod/{pod}"), 9095)
        .await
        .ok()?;
    let url = format!("{}/readyz", forward.url());
    let answered = try_send(Method::GET, &url, &[], "").await.ok()?;
    let said: Value = serde_json::from_slice(&answered.body).ok()?;
    Some(said["waiting"].clone())
}

/// An event goes the whole way.
pub(crate) async fn greets(room: &Room, name: &str) -> Value {
    let broker = Broker::of(room).await;
    let watch = Watcher::of(room, "watch").await;
    let data = json!({"name": name});
    broker.send(name, "Hello.Requested", &data).await;
    watch.sees(&format!("Hello, {name}")).await
}
