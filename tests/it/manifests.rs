//! What holds for all of `knative/`, whoever changes it. What a cluster makes of it is in `tests/knative` and
//! `tests/e2e`.

/// What becomes of an event that cannot be delivered.
mod delivery;
/// What lies where, and what is listed.
mod files;
/// Who may speak with whom.
mod network;
/// What is added where senders have to say who they are.
mod oidc;
/// What the docs say of them.
mod pages;
/// What pods may do, and what they are told.
mod pods;

use serde_json::Value;
use testkit::manifests::{kind, name, shipped};

/// All folders with objects.
const FOLDERS: [&str; 6] = [
    "split",
    "combined/component",
    "hello",
    "hello/triggers",
    "tickets/services",
    "tickets/triggers",
];

/// All objects that are shipped, once each, with what names them in a message.
fn all() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for folder in FOLDERS {
        for object in shipped(folder) {
            // Rules files lie among the manifests.
            if object["apiVersion"].is_string() {
                let called = format!("{folder}: {} {}", kind(&object), name(&object));
                all.push((called, object));
            }
        }
    }
    all
}

/// A pod as an object's template has it.
struct Pod {
    called: String,
    object: Value,
    spec: Value,
}

/// The pods of all objects that have any.
fn pods() -> Vec<Pod> {
    let pods: Vec<Pod> = all()
        .into_iter()
        .filter(|(_, object)| object["spec"]["template"].is_object())
        .map(|(called, object)| Pod {
            called,
            spec: object["spec"]["template"]["spec"].clone(),
            object,
        })
        .collect();
    assert_eq!(pods.len(), 9, "pods of the bridge, and of the demo");
    pods
}

impl Pod {
    fn container(&self) -> &Value {
        let containers = self.spec["containers"].as_array().expect("containers");
        assert_eq!(containers.len(), 1, "{}", self.called);
        &containers[0]
    }

    fn is_bridge(&self) -> bool {
        self.container()["name"] == "bridge"
    }

    fn is_of_serving(&self) -> bool {
        self.object["apiVersion"] == "serving.knative.dev/v1"
    }

    fn env(&self) -> Vec<(String, String)> {
        let env = self.container()["env"].as_array().expect("env");
        env.iter()
            .map(|one| {
                let text = |field: &str| one[field].as_str().expect("text").to_owned();
                (text("name"), text("value"))
            })
            .collect()
    }
}
