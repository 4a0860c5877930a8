//! The rows about metrics that are pushed.

use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;

use super::super::{MetricSettings, Protocol};
use super::{certificate, read, warned, well};

/// Metrics that are pushed to an endpoint of their own, with nothing wrong.
fn metrics(variables: &[(&str, &str)]) -> MetricSettings {
    let endpoint = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://meters:4317");
    well(endpoint, variables).metrics.expect("metrics")
}

#[test]
fn metrics_are_pushed_where_that_is_asked_for_and_nowhere_else() {
    const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
    const OWN: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:4317");
    const OTLP: (&str, &str) = ("OTEL_METRICS_EXPORTER", "prometheus,otlp");
    let of = |variables: &[(&str, &str)]| {
        let settings = read(variables);
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
        settings
            .metrics
            .map(|metrics| metrics.collector.endpoint.clone())
    };
    let to = |endpoint: &str| Some(endpoint.to_owned());
    assert_eq!(of(&[ALL]), None);
    assert_eq!(of(&[ALL, OTLP]), to("http://c:4318/v1/metrics"));
    assert_eq!(of(&[OWN]), to("http://m:4317"));
    assert_eq!(of(&[ALL, OWN, OTLP]), to("http://m:4317"));
    for off in [
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_SDK_DISABLED", "true"),
    ] {
        assert_eq!(of(&[OWN, off]), None, "{off:?}");
    }
    assert!(
        read(&[OTLP]).warnings[0].starts_with("OTEL_METRICS_EXPORTER: no endpoint"),
        "asked for, and nowhere to go"
    );
    assert!(warned("OTEL_METRICS_EXPORTER", "statsd").metrics.is_none());
    assert!(
        warned("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://m:1")
            .metrics
            .is_none()
    );
}

#[test]
fn what_is_for_metrics_alone_goes_before_what_is_for_all() {
    let settings = metrics(&[
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-for=all"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "x-for=metrics"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/own.pem"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=shop"),
    ]);
    let collector = settings.collector;
    assert_eq!(collector.protocol, Protocol::HttpProtobuf);
    assert_eq!(
        collector.headers,
        [("x-for".to_owned(), "metrics".to_owned())]
    );
    assert_eq!(collector.timeout, Duration::from_millis(2500));
    assert_eq!(
        collector.ca_certificate,
        certificate("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/own.pem")
    );
    assert!(collector.gzip);
    assert_eq!(settings.resource, [("team".to_owned(), "shop".to_owned())]);
    let insecure = read(&[
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "m:4317"),
        ("OTEL_EXPORTER_OTLP_METRICS_INSECURE", "true"),
    ]);
    let collector = insecure.metrics.expect("metrics").collector;
    assert_eq!(collector.endpoint, "http://m:4317");
    warned(
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2",
    );
}

#[test]
fn when_and_how_metrics_are_counted_is_told() {
    let settings = metrics(&[]);
    assert_eq!(settings.interval, Duration::from_secs(60));
    assert_eq!(settings.timeout, Duration::from_secs(30));
    assert_eq!(settings.temporality, Temporality::Cumulative);
    let settings = metrics(&[
        ("OTEL_METRIC_EXPORT_INTERVAL", "5000"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "700"),
    ]);
    assert_eq!(settings.interval, Duration::from_secs(5));
    assert_eq!(settings.timeout, Duration::from_millis(700));
    const TEMPORALITY: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    for (text, expected) in [
        ("Cumulative", Temporality::Cumulative),
        ("delta", Temporality::Delta),
        ("lowmemory", Temporality::LowMemory),
    ] {
        assert_eq!(metrics(&[(TEMPORALITY, text)]).temporality, expected);
    }
    for (name, bad) in [
        (TEMPORALITY, "sums"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "1s"),
    ] {
        let settings = read(&[
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:4317"),
            (name, bad),
        ]);
        assert!(settings.warnings[0].starts_with(name), "{name}");
        assert!(settings.metrics.is_some(), "{name}");
    }
}
