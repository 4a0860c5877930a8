use std::collections::BTreeSet;
use std::time::Duration;

use clap::{Args, Command};
use demo::payments::PaymentsArguments;
use demo::queue::QueueArguments;
use demo::service::settings::ServiceArguments;
use demo::tickets::TicketsArguments;
use demo::website::WebsiteArguments;
use eventing_zeebe::config::{Config, Roles};
use serde_json::{Value, json};

use super::{Pod, all, pods};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What an idle bridge has in memory, docs/BENCHMARKS.md, rounded up.
const IDLE: u64 = 9 << 20;
/// How long a queue proxy waits after the last request before its pod's program is told to end.
const QUIET: Duration = Duration::from_secs(30);

#[test]
fn every_pod_passes_the_restricted_standard_and_holds_no_token() {
    for pod in pods() {
        let called = &pod.called;
        assert_eq!(pod.spec["automountServiceAccountToken"], false, "{called}");
        assert_eq!(pod.spec["enableServiceLinks"], false, "{called}");
        let security = &pod.container()["securityContext"];
        assert_eq!(
            *security,
            json!({
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": true,
                "runAsNonRoot": true,
                "seccompProfile": {"type": "RuntimeDefault"},
            }),
            "{called}"
        );
        if !pod.is_of_serving() {
            let security = &pod.spec["securityContext"];
            assert_eq!(security["runAsNonRoot"], true, "{called}");
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
        }
        for volume in pod.spec["volumes"].as_array().into_iter().flatten() {
            let kinds: Vec<_> = volume.as_object().expect("a volume").keys().collect();
            let known = ["configMap", "persistentVolumeClaim"];
            assert!(kinds.iter().any(|kind| known.contains(&kind.as_str())));
        }
    }
}

#[test]
fn every_pod_has_probes_and_resources() {
    for pod in pods() {
        let container = pod.container();
        for probe in ["readinessProbe", "livenessProbe"] {
            let path = &container[probe]["httpGet"]["path"];
            assert!(path.is_string(), "{}: {probe}", pod.called);
        }
        // A pod that waits for somebody else must not be ended for it.
        assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
        for (part, resource) in [
            ("requests", "cpu"),
            ("requests", "memory"),
            ("limits", "cpu"),
            ("limits", "memory"),
        ] {
            let set = &container["resources"][part][resource];
            assert!(set.is_string(), "{}: {part} {resource}", pod.called);
        }
    }
}

#[test]
fn images_and_labels_have_the_version_of_the_program() {
    for pod in pods() {
        let image = pod.container()["image"].as_str().expect("an image");
        let expected = match pod.is_bridge() {
            true => format!("dev.local/eventing-zeebe:{VERSION}"),
            false => format!("dev.local/eventing-zeebe-demo:{VERSION}"),
        };
        assert_eq!(image, expected, "{}", pod.called);
        assert_eq!(pod.container()["imagePullPolicy"], "IfNotPresent");
    }
    for (called, object) in all() {
        let labels = &object["metadata"]["labels"];
        if labels.is_object() {
            assert_eq!(labels["app.kubernetes.io/version"], VERSION, "{called}");
        }
    }
}

/// The configuration that the bridge makes of a pod, once a SinkBinding has been there.
fn config(pod: &Pod) -> Config {
    let mut variables = pod.env();
    // As the image and Knative set them.
    for (name, value) in [
        ("BRIDGE_HOST", "0.0.0.0"),
        ("PORT", "8080"),
        (
            "K_SINK",
            "http://broker-ingress.knative-eventing.svc.cluster.local/default/default",
        ),
        ("K_CE_OVERRIDES", ""),
    ] {
        variables.push((name.to_owned(), value.to_owned()));
    }
    Config::from_variables(variables).unwrap_or_else(|errors| panic!("{}: {errors}", pod.called))
}

#[test]
fn the_bridge_takes_its_configuration_without_a_warning() {
    let mut seen = Vec::new();
    for pod in pods().iter().filter(|pod| pod.is_bridge()) {
        let config = config(pod);
        assert!(
            config.warnings.is_empty(),
            "{}: {:?}",
            pod.called,
            config.warnings
        );
        let Roles { sink, source, .. } = config.roles;
        let component = &pod.object["metadata"]["labels"]["app.kubernetes.io/component"];
        let roles = match component.as_str().expect("a component") {
            "sink" => (true, false),
            "source" => (false, true),
            "bridge" => (true, true),
            other => panic!("{}: {other} is no component", pod.called),
        };
        assert_eq!((sink, source), roles, "{}", pod.called);
        // Who takes events has rules, who works jobs deploys models; both from where they are mounted.
        let mounts: BTreeSet<&str> = pod.container()["volumeMounts"]
            .as_array()
            .expect("mounts")
            .iter()
            .filter_map(|mount| mount["mountPath"].as_str())
            .collect();
        assert_eq!(config.rules.file.is_some(), sink, "{}", pod.called);
        assert_eq!(!config.models.is_empty(), source, "{}", pod.called);
        for file in config.rules.file.iter().filter_map(|file| file.parent()) {
            assert!(
                mounts.contains(file.to_str().expect("a path")),
                "{}",
                pod.called
            );
        }
        for folder in &config.models {
            assert!(
                mounts.contains(folder.to_str().expect("a path")),
                "{}",
                pod.called
            );
        }
        // The queue proxy's own ports.
        let admin = config.bind.admin.expect("a port for operators").port();
        assert!(![8008, 8012, 8013, 8022, 9090, 9091].contains(&admin));
        let scraped = &pod.object["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(
            scraped["prometheus.io/port"],
            admin.to_string(),
            "{}",
            pod.called
        );
        seen.push(component.clone());
    }
    assert_eq!(seen, ["sink", "source", "bridge"]);
}

#[test]
fn a_pod_has_the_time_that_its_end_takes() {
    for pod in pods().iter().filter(|pod| pod.is_bridge()) {
        let grace = config(pod).grace;
        let (granted, before) = match pod.is_of_serving() {
            // Knative makes it the grace of the pod.
            true => (&pod.spec["timeoutSeconds"], QUIET),
            false => (&pod.spec["terminationGracePeriodSeconds"], Duration::ZERO),
        };
        let granted = Duration::from_secs(granted.as_u64().expect("seconds"));
        assert!(before + grace < granted, "{}", pod.called);
        if pod.is_of_serving() {
            let source = config(pod).source;
            assert_eq!(source.service_timeout, granted, "{}", pod.called);
            assert!(source.drain < granted, "{}", pod.called);
        }
    }
}

#[test]
fn the_memory_that_a_pod_may_have_is_what_its_budgets_can_lead_to() {
    for pod in pods().iter().filter(|pod| pod.is_bridge()) {
        let config = config(pod);
        let mut most = IDLE;
        if config.roles.sink {
            most += 3 * config.limits.body_budget_bytes as u64;
            // The heads of as many requests as may be in hand, each as large as one may be.
            most += config.limits.max_connections as u64 * (32 << 10);
        }
        if config.roles.source {
            most += 3 * config.source.job_budget_bytes as u64;
        }
        let limit = bytes(&pod.container()["resources"]["limits"]["memory"]);
        assert!(limit > most, "{}: {limit} for {most}", pod.called);
        assert!(limit < 2 * most, "{}: {limit} for {most}", pod.called);
    }
}

fn bytes(quantity: &Value) -> u64 {
    let text = quantity.as_str().expect("a quantity");
    let number = text.strip_suffix("Mi").expect("MiB");
    number.parse::<u64>().expect("a number") << 20
}

#[test]
fn a_knative_service_is_reached_from_the_cluster_alone_and_its_revisions_have_no_names() {
    let mut services = 0;
    for pod in pods().iter().filter(|pod| pod.is_of_serving()) {
        let metadata = &pod.object["metadata"];
        assert_eq!(
            metadata["labels"]["networking.knative.dev/visibility"],
            "cluster-local"
        );
        let template = &pod.object["spec"]["template"]["metadata"];
        assert!(template["name"].is_null(), "{}", pod.called);
        assert_eq!(
            template["annotations"]["autoscaling.knative.dev/min-scale"],
            "0"
        );
        services += 1;
    }
    assert_eq!(services, 2);
}

#[test]
fn the_services_of_the_sale_are_told_what_they_know() {
    for pod in pods().iter().filter(|pod| !pod.is_bridge()) {
        let arguments = pod.container()["args"].as_array().expect("args");
        let role = arguments[0].as_str().expect("a command");
        let command = ServiceArguments::augment_args(Command::new("demo"));
        let command = match role {
            "queue" => QueueArguments::augment_args(command),
            "tickets" => TicketsArguments::augment_args(command),
            "payments" => PaymentsArguments::augment_args(command),
            "website" => WebsiteArguments::augment_args(command),
            "dead-letters" | "watch" => command,
            other => panic!("{}: {other} is no service", pod.called),
        };
        let known: BTreeSet<&str> = command
            .get_arguments()
            .filter_map(|argument| argument.get_env()?.to_str())
            .collect();
        let env = pod.env();
        for (name, _) in &env {
            assert!(known.contains(name.as_str()), "{}: {name}", pod.called);
        }
        // By default they listen on the loopback address.
        let listen = env.iter().find(|(name, _)| name == "LISTEN");
        assert_eq!(listen.map(|(_, value)| value.as_str()), Some("0.0.0.0"));
    }
}
