use std::collections::BTreeSet;

use eventing_zeebe::config::Config;
use serde_json::Value;
use testkit::manifests::{kind, name, shipped};

use super::pods;

/// The policies of a folder whose selector matches these labels.
fn policies(folders: &[&str], labels: &Value) -> Vec<Value> {
    let all = folders.iter().flat_map(|folder| shipped(folder));
    all.filter(|object| kind(object) == "NetworkPolicy")
        .filter(|policy| {
            let wanted = policy["spec"]["podSelector"]["matchLabels"].as_object();
            let wanted = wanted.expect("a selector that selects");
            wanted.iter().all(|(label, value)| labels[label] == *value)
        })
        .collect()
}

fn ports(rules: &Value) -> BTreeSet<u64> {
    let rules = rules.as_array().into_iter().flatten();
    rules
        .flat_map(|rule| rule["ports"].as_array().into_iter().flatten())
        .filter_map(|port| port["port"].as_u64())
        .collect()
}

#[test]
fn every_pod_of_the_bridge_is_let_out_to_what_its_roles_need_and_to_nothing_else() {
    let engine = Config::from_variables([]).expect("the defaults").engine;
    let engine = engine.address.to_string();
    let (_, engine) = engine.rsplit_once(':').expect("a port");
    let engine = engine.parse::<u64>().expect("a number");
    for pod in pods().iter().filter(|pod| pod.is_bridge()) {
        let mut labels = pod.object["spec"]["template"]["metadata"]["labels"].clone();
        if pod.is_of_serving() {
            // Serving labels its pods so.
            labels["serving.knative.dev/service"] = Value::from(name(&pod.object));
        }
        let folder = pod.called.split(':').next().expect("a folder");
        let policies = policies(&[folder], &labels);
        assert_eq!(policies.len(), 1, "{}", pod.called);
        let spec = &policies[0]["spec"];
        assert_eq!(
            spec["policyTypes"],
            serde_json::json!(["Ingress", "Egress"])
        );
        let mut expected = BTreeSet::from([53, engine]);
        if pod
            .env()
            .iter()
            .any(|(name, value)| name == "ROLES" && value.contains("source"))
        {
            expected.extend([8080, 8443]);
        }
        assert_eq!(ports(&spec["egress"]), expected, "{}", pod.called);
        for rule in spec["ingress"].as_array().expect("rules") {
            assert!(rule["from"].is_array(), "{}: from anywhere", pod.called);
        }
    }
}

#[test]
fn who_is_not_the_broker_reaches_the_shop_alone() {
    let mut open = Vec::new();
    let folders = ["split", "tickets/services"];
    for pod in pods() {
        let labels = &pod.object["spec"]["template"]["metadata"]["labels"];
        if pod.is_bridge() || labels["app.kubernetes.io/part-of"] == "hello" {
            continue;
        }
        let policies = policies(&folders, labels);
        assert!(!policies.is_empty(), "{}", pod.called);
        for rule in policies
            .iter()
            .flat_map(|policy| policy["spec"]["ingress"].as_array().expect("rules"))
        {
            match rule["from"].as_array() {
                Some(from) => assert_eq!(
                    from[0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
                    "knative-eventing",
                    "{}",
                    pod.called
                ),
                None => open.push((
                    name(&pod.object).to_owned(),
                    rule["ports"][0]["port"].clone(),
                )),
            }
        }
    }
    assert_eq!(open, [(String::from("website"), Value::from(8080))]);
}
