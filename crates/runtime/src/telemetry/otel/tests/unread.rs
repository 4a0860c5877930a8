//! What is set and does nothing.

use super::{read, warned};

#[test]
fn a_name_that_nobody_knows_is_said_with_the_nearest_that_is_known() {
    for (name, nearest) in [
        ("OTEL_EXPORTER_OLTP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_TRACE_SAMPLER", "OTEL_TRACES_SAMPLER"),
        ("OTEL_PROPAGATOR", "OTEL_PROPAGATORS"),
        (
            "OTEL_METRICS_EXPORT_INTERVAL",
            "OTEL_METRIC_EXPORT_INTERVAL",
        ),
    ] {
        let warnings = read(&[(name, "x")]).warnings;
        let expected = format!("{name} is set and ignored: did you mean {nearest}?");
        assert_eq!(warnings, [expected]);
    }
    let far = read(&[("OTEL_WHATEVER", "x")]).warnings;
    assert_eq!(far.len(), 1, "{far:?}");
    assert!(far[0].contains("docs/CONFIG.md"), "{far:?}");
}

#[test]
fn nothing_is_said_of_what_others_read() {
    for name in [
        "OTEL_GO_AUTO_TARGET_EXE",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED",
        "OTEL_JAVAAGENT_DEBUG",
        "OTEL_INSTRUMENTATION_COMMON_DEFAULT_ENABLED",
        "OTEL_DOTNET_AUTO_HOME",
        "OTEL_NODE_RESOURCE_DETECTORS",
        "OTEL_OPERATOR_ENABLED",
        "OTEL_RESOURCE_ATTRIBUTES_POD_NAME",
        "OTEL_POD_IP",
        // Service links of Kubernetes, for a Service called `otel-collector`.
        "OTEL_COLLECTOR_SERVICE_HOST",
        "OTEL_COLLECTOR_SERVICE_PORT_GRPC",
        "OTEL_COLLECTOR_PORT",
        "OTEL_COLLECTOR_PORT_4317_TCP_ADDR",
    ] {
        assert_eq!(read(&[(name, "x")]).warnings, [""; 0], "{name}");
    }
}

#[test]
fn what_is_about_traces_or_pushed_metrics_is_said_where_there_are_none() {
    let said = |variables: &[(&str, &str)]| {
        let mut warnings = read(variables).warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        warnings.remove(0)
    };
    let traces = said(&[
        ("OTEL_TRACES_SAMPLER", "bogus"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_SERVICE_NAME", "bridge"),
        ("OTEL_PROPAGATORS", "b3"),
    ]);
    assert!(
        traces.starts_with("OTEL_BSP_SCHEDULE_DELAY, OTEL_TRACES_SAMPLER: set, and do nothing, since traces are off"),
        "{traces}"
    );
    let all = said(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert!(
        all.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL: set, and does nothing"),
        "{all}"
    );
    let metrics = said(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "20"),
    ]);
    assert!(
        metrics.starts_with("OTEL_METRIC_EXPORT_INTERVAL: "),
        "{metrics}"
    );
    assert!(metrics.contains("OTEL_METRICS_EXPORTER=otlp"), "{metrics}");
    warned("OTEL_TRACES_SAMPLER_ARG", "0.5");
}

#[test]
fn whoever_turns_them_off_is_told_nothing_more() {
    for off in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let settings = read(&[off, ("OTEL_TRACES_SAMPLER", "always_on")]);
        assert_eq!(settings.warnings, [""; 0], "{off:?}");
    }
    for off in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
    ] {
        let settings = read(&[off, ("OTEL_METRIC_EXPORT_INTERVAL", "20")]);
        assert_eq!(settings.warnings, [""; 0], "{off:?}");
    }
}

#[test]
fn what_is_wrong_for_several_signals_is_said_once() {
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team"),
    ]);
    assert_eq!(settings.warnings.len(), 1, "{:?}", settings.warnings);
}
