//! A row of `variables` does what it says: one that is honoured changes what is read, one that is refused is said.

use std::collections::BTreeSet;

use super::super::variables::{Honour, VARIABLES};
use super::super::{Collector, OtelSettings};
use super::{read, traces, warned};

const TO: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
const TO_METERS: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:4317");
const BARE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317");
const BARE_METERS: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "m:4317");
const SHARED: (&str, &str) = ("OTEL_TRACES_SAMPLER", "traceidratio");

/// Each variable that is honoured, a value that is not its default, and what else must be set for it to matter.
const HONOURED: &[(&str, &str, (&str, &str))] = &[
    ("OTEL_SDK_DISABLED", "true", TO),
    ("OTEL_TRACES_EXPORTER", "none", TO),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://other:4317",
        TO_METERS,
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://own:4317", TO),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", TO),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf", TO),
    ("OTEL_EXPORTER_OTLP_HEADERS", "a=b", TO),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b", TO),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "7", TO),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "7", TO),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem", TO),
    ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/ca.pem", TO),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", TO),
    ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip", TO),
    ("OTEL_EXPORTER_OTLP_INSECURE", "true", BARE),
    ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true", BARE),
    ("OTEL_METRICS_EXPORTER", "otlp", TO),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://own:4317", TO),
    (
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        "http/protobuf",
        TO_METERS,
    ),
    ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a=b", TO_METERS),
    ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "7", TO_METERS),
    (
        "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
        "/ca.pem",
        TO_METERS,
    ),
    ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip", TO_METERS),
    ("OTEL_EXPORTER_OTLP_METRICS_INSECURE", "true", BARE_METERS),
    (
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "delta",
        TO_METERS,
    ),
    ("OTEL_METRIC_EXPORT_INTERVAL", "7", TO_METERS),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "7", TO_METERS),
    ("OTEL_SERVICE_NAME", "bridge", TO),
    ("OTEL_RESOURCE_ATTRIBUTES", "a=b", TO),
    ("OTEL_TRACES_SAMPLER", "always_off", TO),
    ("OTEL_TRACES_SAMPLER_ARG", "0.5", SHARED),
    ("OTEL_PROPAGATORS", "b3", TO),
    ("OTEL_BSP_SCHEDULE_DELAY", "7", TO),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "7", TO),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7", TO),
    ("OTEL_BSP_EXPORT_TIMEOUT", "7", TO),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", "7", TO),
];

/// All that was read, as text.
fn shown(settings: &OtelSettings) -> String {
    let collector = |collector: &Collector| {
        let Collector {
            endpoint,
            protocol,
            headers,
            timeout,
            ca_certificate,
            gzip,
        } = collector;
        format!("{endpoint} {protocol:?} {headers:?} {timeout:?} {ca_certificate:?} {gzip}")
    };
    let of_traces = settings.traces.as_ref().map(|traces| &traces.collector);
    let of_metrics = settings.metrics.as_ref().map(|metrics| &metrics.collector);
    let collectors = [of_traces.map(collector), of_metrics.map(collector)];
    format!("{settings:?} {collectors:?}")
}

#[test]
fn each_variable_that_is_honoured_changes_what_is_read_without_a_warning() {
    for (name, value, other) in HONOURED {
        let before = if *other == SHARED {
            vec![TO, SHARED]
        } else {
            vec![*other]
        };
        let without = read(&before);
        let with = read(&[before, vec![(*name, *value)]].concat());
        assert_eq!(with.warnings, [""; 0], "{name}");
        assert_ne!(shown(&with), shown(&without), "{name}");
    }
}

#[test]
fn every_row_that_is_honoured_is_among_them() {
    let rows = VARIABLES.iter().filter(|row| row.honour == Honour::Us);
    let rows: BTreeSet<&str> = rows.map(|row| row.name).collect();
    assert_eq!(rows, HONOURED.iter().map(|(name, ..)| *name).collect());
}

#[test]
fn what_is_refused_is_said_and_none_is_not() {
    for variable in VARIABLES
        .iter()
        .filter(|each| each.honour == Honour::Refused)
    {
        warned(variable.name, "something");
        traces(&[(variable.name, "none")]);
    }
}

#[test]
fn an_empty_value_counts_as_unset() {
    for variable in VARIABLES
        .iter()
        .filter(|each| each.name != "OTEL_EXPORTER_OTLP_ENDPOINT")
    {
        traces(&[(variable.name, " ")]);
    }
}
