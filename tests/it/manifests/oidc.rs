use eventing_zeebe::config::Config;
use serde_json::Value;
use testkit::manifests::{kind, name, shipped};

use super::pods;

/// The operations of one of the component's patches.
fn operations(file: &str) -> Vec<Value> {
    let all = shipped(&format!("oidc/component/{file}"));
    all[0].as_array().expect("a list of operations").clone()
}

fn added<'a>(operations: &'a [Value], path: &str) -> Vec<&'a Value> {
    operations
        .iter()
        .filter(|operation| operation["path"] == path)
        .map(|operation| &operation["value"])
        .collect()
}

/// The bridge refuses what it does not know, and an issuer without an audience.
#[test]
fn the_bridge_takes_what_the_component_adds() {
    let operations = operations("bridge.yaml");
    let env = added(&operations, "/spec/template/spec/containers/0/env/-");
    let text = |one: &Value, field: &str| one[field].as_str().expect("text").to_owned();
    for pod in pods()
        .iter()
        .filter(|pod| pod.is_bridge() && pod.is_of_serving())
    {
        let mut variables = pod.env();
        variables.extend(
            env.iter()
                .map(|one| (text(one, "name"), text(one, "value"))),
        );
        if let Err(errors) = Config::from_variables(variables) {
            panic!("{}: {errors}", pod.called);
        }
    }
    // The files that it is told of are where the volume is.
    let mounts = added(
        &operations,
        "/spec/template/spec/containers/0/volumeMounts/-",
    );
    let mounted = text(mounts[0], "mountPath");
    let volumes = added(&operations, "/spec/template/spec/volumes/-");
    let sources = volumes[0]["projected"]["sources"].to_string();
    for variable in env
        .iter()
        .filter(|one| text(one, "name").ends_with("_PATH"))
    {
        let path = text(variable, "value");
        let (folder, file) = path.rsplit_once('/').expect("a path");
        assert_eq!(folder, mounted);
        assert!(
            sources.contains(&format!("\"path\":\"{file}\"")),
            "{sources}"
        );
    }
}

/// Whoever works jobs waits for the token that a SinkBinding brings after the address, in either topology.
#[test]
fn nobody_works_jobs_before_the_token_for_the_broker_is_there() {
    let operations = operations("source.yaml");
    let env = added(&operations, "/spec/template/spec/containers/0/env/-");
    let kustomization = shipped("oidc/component/Kustomization").remove(0);
    let patches = kustomization["patches"].as_array().expect("patches");
    let target = &patches
        .iter()
        .find(|patch| patch["path"] == "source.yaml")
        .expect("the patch of whoever works jobs")["target"];
    assert_eq!(target["kind"], "(Deployment|Service)");
    assert_eq!(
        target["labelSelector"],
        "app.kubernetes.io/component in (source, bridge)"
    );
    for pod in pods().iter().filter(|pod| pod.is_bridge()) {
        let component = &pod.object["metadata"]["labels"]["app.kubernetes.io/component"];
        let selected = component == "source" || component == "bridge";
        let mut variables = pod.env();
        variables.push(("K_SINK".to_owned(), "http://broker/".to_owned()));
        variables.extend(env.iter().filter(|_| selected).map(|one| {
            let text = |field: &str| one[field].as_str().expect("text").to_owned();
            (text("name"), text("value"))
        }));
        let config = Config::from_variables(variables)
            .unwrap_or_else(|errors| panic!("{}: {errors}", pod.called));
        assert_eq!(config.roles.source, selected, "{}", pod.called);
        let binding = config.source.binding.expect("K_SINK");
        assert_eq!(binding.requires_token(), selected, "{}", pod.called);
    }
}

/// Who sends for another audience than the bridge expects is refused.
#[test]
fn the_audience_is_the_same_on_both_sides() {
    let bridge = operations("bridge.yaml");
    let env = added(&bridge, "/spec/template/spec/containers/0/env/-");
    let expected = env
        .iter()
        .find(|one| one["name"] == "BRIDGE_OIDC_AUDIENCE")
        .expect("an audience");
    for (file, path) in [
        ("trigger.yaml", "/spec/subscriber/audience"),
        ("wake-up.yaml", "/spec/sink/audience"),
    ] {
        let operations = operations(file);
        assert_eq!(added(&operations, path), [&expected["value"]], "{file}");
    }
}

/// The component finds Triggers by their names, as kustomize cannot ask for their subscribers.
#[test]
fn every_trigger_to_the_bridge_has_a_name_that_the_component_finds() {
    let triggers = ["hello/triggers", "tickets/triggers"];
    let mut found = 0;
    for trigger in triggers.iter().flat_map(|folder| shipped(folder)) {
        let name = name(&trigger);
        let to_the_bridge = trigger["spec"]["subscriber"]["ref"]["name"] == "eventing-zeebe";
        assert_eq!(kind(&trigger), "Trigger");
        assert_eq!(
            name.starts_with("process-") || name == "hello-requested",
            to_the_bridge,
            "{name}"
        );
        found += usize::from(to_the_bridge);
    }
    assert!(found > 14);
}
