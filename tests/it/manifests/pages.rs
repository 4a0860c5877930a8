use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use testkit::manifests::{kind, name, parsed};
use testkit::scenario::workspace;

use super::pods;

fn page(file: &str) -> String {
    fs::read_to_string(workspace().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The block of a page that has these words.
fn block(file: &str, words: &str) -> String {
    let page = page(file);
    let mut blocks = page.split("\n```").skip(1).step_by(2);
    let block = blocks.find(|block| block.contains(words));
    let block = block.unwrap_or_else(|| panic!("{file}: no block has {words:?}"));
    let (_, text) = block.split_once('\n').expect("lines");
    text.to_owned()
}

fn yaml(file: &str, words: &str) -> Value {
    parsed(&block(file, words), file).remove(0)
}

/// The words that follow `-f` or `-k` in a text, of those that are of `knative/`.
fn applied(text: &str) -> Vec<(bool, &str)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.windows(2);
    pairs
        .map(|pair| (pair[0].trim_start_matches(['`', '(']), pair[1]))
        .filter(|(option, path)| ["-f", "-k"].contains(option) && path.starts_with("knative/"))
        .map(|(option, path)| {
            let end = path.find(['`', ')', ',', ';', ':', '\'']);
            (option == "-k", &path[..end.unwrap_or(path.len())])
        })
        .collect()
}

#[test]
fn what_the_pages_apply_is_there() {
    let mut seen = 0;
    for file in [
        "README.md",
        "docs/INSTALL.md",
        "docs/OPERATING.md",
        "docs/TICKETS.md",
        "charts/eventing-zeebe/README.md",
        "charts/eventing-zeebe/examples/tickets.yaml",
    ] {
        for (by_kustomize, path) in applied(&page(file)) {
            let mut there = workspace().join(path);
            if by_kustomize {
                there.push("Kustomization");
            }
            assert!(there.exists(), "{file}: {path}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_namespace_with_a_broker_of_its_own_is_told_of_all_the_rest() {
    let block = block(
        "docs/INSTALL.md",
        "kubectl apply -f knative/dead-letters.yaml",
    );
    let told: BTreeSet<String> = applied(&block)
        .iter()
        .map(|(_, path)| path.replace("knative/", ""))
        .collect();
    let mut all = super::files::names_in(&workspace().join("knative"));
    assert!(all.remove("broker.yaml"));
    assert_eq!(told, all);
}

/// kustomize says nothing of a replacement that finds no object.
#[test]
fn the_kustomization_of_the_page_finds_the_gateway_s_address_in_each_bridge() {
    let it = yaml("docs/INSTALL.md", "replacements:");
    let targets = it["replacements"][0]["targets"]
        .as_array()
        .expect("targets");
    let mut found = BTreeSet::new();
    for pod in pods().iter().filter(|pod| pod.is_bridge()) {
        let selected = targets.iter().position(|target| {
            target["select"]["kind"] == kind(&pod.object)
                && target["select"]["name"] == name(&pod.object)
        });
        let selected = selected.unwrap_or_else(|| panic!("{} is not selected", pod.called));
        assert_eq!(
            targets[selected]["fieldPaths"],
            serde_json::json!([
                "spec.template.spec.containers.[name=bridge].env.[name=ZEEBE_GRPC_ADDRESS].value"
            ])
        );
        let env = pod.env();
        assert!(
            env.iter().any(|(name, _)| name == "ZEEBE_GRPC_ADDRESS"),
            "{}",
            pod.called
        );
        found.insert(selected);
    }
    assert_eq!(found.len(), targets.len());
}

/// Prometheus makes a target of each declared port of each container.
#[test]
fn prometheus_finds_each_pod_of_the_bridge_once_with_and_without_the_operator() {
    let it = yaml("docs/OPERATING.md", "scrape_configs:");
    let rules = it["scrape_configs"][0]["relabel_configs"]
        .as_array()
        .expect("rules");
    let kept = |label: &str| {
        let source = serde_json::json!([label]);
        let rule = rules
            .iter()
            .find(|rule| rule["action"] == "keep" && rule["source_labels"] == source);
        let rule = rule.unwrap_or_else(|| panic!("nothing keeps by {label}"));
        rule["regex"].as_str().expect("a text").to_owned()
    };
    let containers = kept("__meta_kubernetes_pod_container_name");
    let operator = page("charts/eventing-zeebe/templates/pod-monitor.yaml");
    assert!(operator.contains(&format!("regex: {containers}\n")));
    for pod in pods().iter().filter(|pod| pod.is_bridge()) {
        let container = pod.container();
        let called = container["name"].as_str().expect("a name");
        assert!(
            containers.split('|').any(|name| name == called),
            "{}: {called} is not kept",
            pod.called
        );
        let ports = container["ports"].as_array().map(Vec::len);
        assert_eq!(ports, Some(1), "{}: a target for each", pod.called);
        let metadata = &pod.object["spec"]["template"]["metadata"];
        assert_eq!(
            metadata["labels"]["app.kubernetes.io/name"],
            kept("__meta_kubernetes_pod_label_app_kubernetes_io_name").as_str(),
            "{}",
            pod.called
        );
        assert_eq!(
            metadata["annotations"]["prometheus.io/scrape"],
            kept("__meta_kubernetes_pod_annotation_prometheus_io_scrape").as_str(),
            "{}",
            pod.called
        );
        let port = metadata["annotations"]["prometheus.io/port"].as_str();
        let port = port.expect("a port");
        assert!(operator.contains(&format!("replacement: $1:{port}\n")));
    }
}
