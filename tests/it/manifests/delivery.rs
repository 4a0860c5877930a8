use std::collections::BTreeSet;

use eventing_zeebe::config::Config;
use serde_json::{Value, json};
use testkit::manifests::{kind, name};

use super::all;

/// A Trigger's block replaces the Broker's as a whole: what it leaves out is not there.
#[test]
fn every_delivery_block_is_complete_and_ends_in_the_dead_letter_sink() {
    let mut blocks = 0;
    for (called, object) in all() {
        if !["Broker", "Trigger"].contains(&kind(&object)) {
            continue;
        }
        let delivery = &object["spec"]["delivery"];
        assert!(delivery["retry"].as_u64() > Some(0), "{called}");
        for field in ["backoffPolicy", "backoffDelay", "timeout"] {
            assert!(delivery[field].is_string(), "{called}: {field}");
        }
        assert_eq!(
            delivery["deadLetterSink"]["ref"],
            json!({"apiVersion": "v1", "kind": "Service", "name": "dead-letters"}),
            "{called}"
        );
        blocks += 1;
    }
    assert!(blocks > 15, "{blocks}");
}

#[test]
fn the_triggers_to_the_bridge_deliver_as_its_defaults_suppose() {
    let config = Config::from_variables([]).expect("the defaults");
    let timeout = format!("PT{}S", config.sink.trigger_timeout.as_secs());
    let mut triggers = 0;
    for (called, object) in all() {
        let subscriber = &object["spec"]["subscriber"]["ref"];
        if kind(&object) != "Trigger" || subscriber["name"] != "eventing-zeebe" {
            continue;
        }
        assert_eq!(
            subscriber["apiVersion"], "serving.knative.dev/v1",
            "{called}"
        );
        let delivery = &object["spec"]["delivery"];
        assert_eq!(delivery["timeout"], timeout, "{called}");
        assert_eq!(delivery["backoffDelay"], "PT0.2S", "{called}");
        let retries = delivery["retry"].as_u64().expect("a number");
        // 0.2 s, doubled each time, and every attempt may hang.
        let pauses = (1_u64 << retries) / 5;
        let horizon = pauses + (retries + 1) * config.sink.trigger_timeout.as_secs();
        assert!(horizon < config.rules.trigger_horizon.as_secs(), "{called}");
        // All of what is sent elsewhere would come here as well: each names its type.
        let filter = &object["spec"]["filters"][0]["exact"]["type"];
        assert!(filter.is_string(), "{called}");
        triggers += 1;
    }
    assert!(triggers > 14, "{triggers}");
}

/// What is named is shipped under that name, with a Service of port 80 where a plain one is meant: a reference
/// names no port.
#[test]
fn every_reference_leads_to_something_that_is_shipped() {
    let all = all();
    let there: BTreeSet<(String, String, String)> = all
        .iter()
        .map(|(_, object)| identity(&object["apiVersion"], object["kind"].clone(), name(object)))
        .collect();
    let mut references = 0;
    for (called, object) in &all {
        for pointer in [
            "/spec/subscriber/ref",
            "/spec/sink/ref",
            "/spec/subject",
            "/spec/delivery/deadLetterSink/ref",
        ] {
            let Some(reference) = object.pointer(pointer) else {
                continue;
            };
            let Some(named) = reference["name"].as_str() else {
                continue;
            };
            let wanted = identity(&reference["apiVersion"], reference["kind"].clone(), named);
            assert!(there.contains(&wanted), "{called}: {wanted:?}");
            references += 1;
        }
        if kind(object) == "Service" && object["apiVersion"] == "v1" {
            assert_eq!(object["spec"]["ports"][0]["port"], 80, "{called}");
        }
    }
    assert!(references > 30, "{references}");
}

fn identity(api_version: &Value, kind: Value, name: &str) -> (String, String, String) {
    (api_version.to_string(), kind.to_string(), name.to_owned())
}

/// The services of the sale are bound by a label, so that none is forgotten.
#[test]
fn the_binding_of_the_sale_finds_its_services() {
    let all = all();
    let (_, binding) = all
        .iter()
        .find(|(_, object)| kind(object) == "SinkBinding" && name(object) == "ticket-sale")
        .expect("a binding");
    let labels = &binding["spec"]["subject"]["selector"]["matchLabels"];
    let labels = labels.as_object().expect("labels");
    let bound: BTreeSet<&str> = all
        .iter()
        .map(|(_, object)| object)
        .filter(|object| kind(object) == "Deployment")
        .filter(|object| {
            labels
                .iter()
                .all(|(label, value)| object["metadata"]["labels"][label] == *value)
        })
        .map(name)
        .collect();
    assert_eq!(
        bound,
        BTreeSet::from(["payments", "queue", "tickets", "website"])
    );
}
