//! The chart, as somebody installs it who has not read the manifests.

use testkit::scenario::workspace;

use crate::cluster::run;
use crate::install::greets;
use crate::room::{Room, rendered};

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_installs_topology_split_and_passes_its_own_test() {
    let room = Room::new("chart-split").await;
    installs(&room, "split").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_installs_topology_combined_and_passes_its_own_test() {
    let room = Room::new("chart-combined").await;
    installs(&room, "combined").await;
}

/// An example of the chart with one Trigger; the model, and who looks on, come from the manifests.
async fn installs(room: &Room, example: &str) {
    appears(room, example, &[]);
    room.ready();
    helm(room, &["test", RELEASE]);
    greets(room, "Ada").await;
    helm(room, &["uninstall", RELEASE, "--wait"]);
}

/// As [`installs`], but no further than to have it installed, with these settings besides.
pub(crate) fn appears(room: &Room, example: &str, settings: &[&str]) {
    room.engine_appears();
    room.apply(&rendered("bpmn"));
    let chart = path("charts/eventing-zeebe");
    let values = path(&format!("charts/eventing-zeebe/examples/{example}.yaml"));
    let triggers = "triggers={Hello.Requested}";
    let install = [
        "install", RELEASE, &chart, "--values", &values, "--set", triggers,
    ];
    helm(room, &[&install, settings].concat());
    for file in ["watch.yaml", "triggers/hello-said.yaml"] {
        let file = path(&format!("knative/hello/{file}"));
        room.kubectl(&["apply", "--filename", &file]);
    }
}

const RELEASE: &str = "eventing-zeebe";

fn helm(room: &Room, arguments: &[&str]) {
    let arguments = [&["--namespace", room.name()], arguments].concat();
    run("helm", &arguments, "").unwrap_or_else(|error| panic!("{error}"));
}

fn path(file: &str) -> String {
    workspace().join(file).display().to_string()
}
