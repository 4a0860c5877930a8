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

/// The namespaces that the peers of a rule name. A rule without peers speaks of everybody.
fn namespaces(peers: &Value, called: &str) -> BTreeSet<String> {
    let peers = peers.as_array().filter(|peers| !peers.is_empty());
    let peers = peers.unwrap_or_else(|| panic!("{called}: anywhere"));
    let mut all = BTreeSet::new();
    for peer in peers {
        let fields = peer.as_object().expect("a peer");
        assert!(
            fields.keys().eq(["namespaceSelector"]),
            "{called}: {fields:?}"
        );
        let selector = &peer["namespaceSelector"];
        let label = "kubernetes.io/metadata.name";
        let before = all.len();
        all.extend(
            selector["matchLabels"][label]
                .as_str()
                .map(ToOwned::to_owned),
        );
        for expression in selector["matchExpressions"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert_eq!(expression["key"], label, "{called}");
            assert_eq!(expression["operator"], "In", "{called}");
            let values = expression["values"].as_array().expect("values");
            all.extend(
                values
                    .iter()
                    .filter_map(Value::as_str)
                    .map(ToOwned::to_owned),
            );
        }
        assert!(all.len() > before, "{called}: a peer that names nobody");
    }
    all
}

/// To whom the rules for this port lead.
fn peers_of_port(rules: &Value, port: u64) -> impl Iterator<Item = &Value> {
    rules
        .as_array()
        .into_iter()
        .flatten()
        .filter(move |rule| ports(&serde_json::json!([rule])).contains(&port))
        .map(|rule| &rule["to"])
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
        for broker in [8080, 8443] {
            for to in peers_of_port(&spec["egress"], broker) {
                let to = namespaces(to, &pod.called);
                assert!(to.contains("knative-eventing"), "{}: {to:?}", pod.called);
            }
        }
        let mut from = BTreeSet::new();
        for rule in spec["ingress"].as_array().expect("rules") {
            let peers = namespaces(&rule["from"], &pod.called);
            let ports = ports(&serde_json::json!([rule]));
            if ports == BTreeSet::from([9095]) {
                assert!(peers.iter().eq(["monitoring"]), "{}", pod.called);
            } else {
                // Of the queue proxy: HTTP/1.1, HTTP/2, TLS, and what the autoscaler asks.
                let of_queue_proxy = BTreeSet::from([8012, 8013, 8112, 9090]);
                assert_eq!(ports, of_queue_proxy, "{}", pod.called);
                from.extend(peers);
            }
        }
        // The activator is in the first, in-memory channels and the Broker's dispatcher are in the second.
        let senders: &[&str] = if pod.is_of_serving() {
            &["knative-serving", "knative-eventing"]
        } else {
            &[]
        };
        for sender in senders {
            assert!(from.contains(*sender), "{}: {from:?}", pod.called);
        }
        assert_eq!(from.is_empty(), senders.is_empty(), "{}", pod.called);
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
            if rule.get("from").is_none() {
                open.push((
                    name(&pod.object).to_owned(),
                    rule["ports"][0]["port"].clone(),
                ));
                continue;
            }
            let from = namespaces(&rule["from"], &pod.called);
            assert!(from.iter().eq(["knative-eventing"]), "{}", pod.called);
        }
    }
    assert_eq!(open, [(String::from("website"), Value::from(8080))]);
}
