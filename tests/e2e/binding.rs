//! The SinkBinding goes and comes back.

use serde_json::json;

use crate::broker::Broker;
use crate::cluster::until;
use crate::install::greets;
use crate::room::Room;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn jobs_wait_while_the_sink_binding_is_removed_and_are_worked_when_it_is_put_back() {
    let room = Room::new("binding").await;
    room.install("knative/hello");
    room.ready();
    greets(&room, "Ada").await;

    room.kubectl(&["delete", "sinkbinding/eventing-zeebe"]);
    until("K_SINK is taken out of the source", || async {
        let source = room.get(&["deploy", "eventing-zeebe-source"]);
        let container = &source["spec"]["template"]["spec"]["containers"][0];
        (!container["env"].to_string().contains("K_SINK")).then_some(())
    })
    .await;
    // The pod that has it goes on as long as the one without is not ready, which it never is: nothing is lost
    // either way, and the event's job is worked by whichever may.
    let broker = Broker::of(&room).await;
    let grace = json!({"name": "Grace"});
    broker.send("Grace", "Hello.Requested", &grace).await;

    room.install("knative/hello");
    room.ready();
    let watch = Watcher::of(&room, "watch").await;
    watch.sees("Hello, Grace").await;
    greets(&room, "Edsger").await;
}
