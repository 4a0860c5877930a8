//! What is let pass and warned about: settings that do not fit each other, and names that nobody reads.

use super::read;

#[test]
fn a_time_to_live_below_the_triggers_horizon_is_warned_about() {
    let config = read(&[("BRIDGE_TIME_TO_LIVE_SECONDS", "60")]).expect("read");
    assert!(
        config
            .warnings
            .iter()
            .any(|warning| warning.contains("BRIDGE_TIME_TO_LIVE_SECONDS"))
    );
    assert!(read(&[]).expect("read").warnings.is_empty());
}

#[test]
fn a_batch_that_could_never_be_taken_is_warned_about() {
    let config = read(&[("BRIDGE_MAX_BATCH_EVENTS", "1000")]).expect("read");
    let warnings = config.warnings.join("\n");
    assert!(
        warnings.contains("BRIDGE_MAX_COMMANDS_PER_REQUEST"),
        "{warnings}"
    );
}

/// What is set -> a word of the warning; empty where nothing is said.
const OVERLOOKED: &[(&str, &str)] = &[
    ("ZEEBE_GRPC_ADRESS", "did you mean ZEEBE_GRPC_ADDRESS?"),
    ("ZEEBE_GRPCADDRESS", "did you mean ZEEBE_GRPC_ADDRESS?"),
    ("ZEEBE_GRPC_ADDR", "did you mean ZEEBE_GRPC_ADDRESS?"),
    ("ZEEBE_ADRESS", "did you mean ZEEBE_ADDRESS?"),
    ("ZEEBE_CLIENTID", "did you mean ZEEBE_CLIENT_ID?"),
    ("ZEEBE_JOB_TYPE", "did you mean ZEEBE_JOB_TYPES?"),
    (
        "ZEEBE_CA_CERT_PATH",
        "did you mean ZEEBE_CA_CERTIFICATE_PATH?",
    ),
    (
        "ZEEBE_REST_ADDRESS",
        "this program reads ZEEBE_GRPC_ADDRESS",
    ),
    (
        "ZEEBE_TENANT_ID",
        "this program reads ZEEBE_DEFAULT_TENANT_ID",
    ),
    ("ZEEBE_CLIENT_CONFIG_PATH", "for other clients"),
    ("OTEL_LOGS_EXPORTER", "docs/CONFIG.md says why"),
    ("OTEL_TRACES_EXPORTER", "no exporter `x`"),
    // Service links of Kubernetes, for Services called `zeebe` and `zeebe-gateway`.
    ("ZEEBE_PORT", ""),
    ("ZEEBE_SERVICE_HOST", ""),
    ("ZEEBE_SERVICE_PORT_GATEWAY", ""),
    ("ZEEBE_PORT_26500_TCP_ADDR", ""),
    ("ZEEBE_GATEWAY_PORT_26500_TCP", ""),
    ("ZEEBE_GATEWAY_SERVICE_PORT", ""),
    // The engine's own.
    ("ZEEBE_BROKER_CLUSTER_NODEID", ""),
    ("ZEEBE_BROKER_GATEWAY_ENABLE", ""),
    ("ZEEBE_GATEWAY_NETWORK_PORT", ""),
    ("ZEEBE_LOG_LEVEL", ""),
    (
        "OTEL_EXPORTER_OLTP_ENDPOINT",
        "did you mean OTEL_EXPORTER_OTLP_ENDPOINT?",
    ),
    ("OTEL_EXPORTER_PROMETHEUS_PORT", "docs/CONFIG.md says why"),
    ("OTEL_BLRP_SCHEDULE_DELAY", "docs/CONFIG.md says why"),
    ("OTEL_TRACES_SAMPLER", "traces are off"),
    // Of the operator that injects agents, and of a Service called `otel-collector`.
    ("OTEL_JAVAAGENT_ENABLED", ""),
    ("OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", ""),
    ("OTEL_COLLECTOR_SERVICE_HOST", ""),
    ("OTEL_SERVICE_NAME", ""),
    ("HOME", ""),
];

#[test]
fn a_variable_that_looks_like_ours_and_is_not_read_is_warned_about() {
    for (name, said) in OVERLOOKED {
        let warnings = read(&[(name, "x")]).expect("read").warnings;
        if said.is_empty() {
            assert!(warnings.is_empty(), "{name}: {warnings:?}");
            continue;
        }
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        assert!(
            warnings[0].contains(name) && warnings[0].contains(said),
            "{name}: {warnings:?}"
        );
    }
}

#[tokio::test]
async fn what_is_overlooked_is_said_once_at_start() {
    let gateway = testkit::gateway::FakeGateway::start().await;
    let overlooked = ["OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OLTP_ENDPOINT"];
    let settings = overlooked.map(|name| (name, "otlp"));
    let mut bridge = crate::support::sink(&gateway, &settings).await;
    bridge.program().terminate();
    bridge.program().ended().await;
    let output = bridge.program().output();
    for name in overlooked {
        let said = output.iter().filter(|line| line.contains(name)).count();
        assert_eq!(said, 1, "{name}: {output:?}");
    }
}
