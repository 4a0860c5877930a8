//! What is written for each kind of metric. `scripts/alerts` has Prometheus' own parser read the same page.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, TraceId};
use prometheus::core::Collector;
use prometheus::{
    Counter, CounterVec, Gauge, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry,
};

use super::*;

/// As it must be, with something of everything in it.
const PAGE: &str = include_str!("page.txt");

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    registry
        .register(Box::new(collector.clone()))
        .expect("a name of its own");
    collector
}

/// Metrics as the exporter makes them of instruments.
fn registry() -> Registry {
    let all = Registry::new();
    let target = Opts::new("target_info", "Target metadata");
    let target = GaugeVec::new(target, &["service_name"]).expect("a gauge");
    let target = registered(&all, target);
    target.with_label_values(&["a-program"]).set(1.0);

    let requests = Opts::new(
        "bridge_requests_total",
        "Requests, \"by\" status\nor C:\\rule",
    );
    let requests = CounterVec::new(requests, &["rule", "status"]).expect("a counter");
    let requests = registered(&all, requests);
    requests.with_label_values(&["a", "202"]).inc_by(1e17);
    let odd = "new\nline, \"quoted\" \\ and ü";
    requests.with_label_values(&[odd, "503"]);

    let cpu = Counter::new("process_cpu_seconds_total", "CPU time").expect("a counter");
    registered(&all, cpu).inc_by(0.25);

    let held = Gauge::new("bridge_held", "Held now").expect("a gauge");
    registered(&all, held).set(-4.5);
    let limit = Gauge::new("bridge_limit_bytes", "The most").expect("a gauge");
    registered(&all, limit).set(f64::INFINITY);

    let took = HistogramOpts::new("bridge_command_duration_seconds", "One command")
        .buckets(vec![0.0005, 0.5, 1.0, 600.0]);
    let took = HistogramVec::new(took, &["command", "outcome"]).expect("a histogram");
    let took = registered(&all, took);
    let publish = took.with_label_values(&["PublishMessage", "done"]);
    for value in [0.375, 0.75, 1024.0] {
        publish.observe(value);
    }
    let create = took.with_label_values(&["CreateProcessInstance", "done"]);
    create.observe(0.25);
    all
}

/// Two buckets of one series have one, and one that has counted nothing yet.
fn exemplars() -> Exemplars {
    let exemplars = Exemplars::default();
    let of_histogram = exemplars.room("bridge.command.duration");
    let labels = [
        KeyValue::new("command", "PublishMessage"),
        KeyValue::new("outcome", "done"),
    ];
    let series = of_histogram.series(&labels).expect("room");
    for (value, millis) in [
        (0.0001, 5),
        (0.375, 1_700_000_000_020),
        (1024.0, 1_700_000_001_500),
    ] {
        series.keep(Exemplar {
            trace: TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
            span: SpanId::from(0x00ad_6b71_6920_3331),
            value,
            at: UNIX_EPOCH + Duration::from_millis(millis),
        });
    }
    exemplars
}

#[test]
fn every_kind_of_metric_is_written_as_the_standard_has_it() {
    assert_eq!(write(&registry().gather(), &exemplars()), PAGE);
}

#[test]
fn without_any_metric_there_is_an_end() {
    assert_eq!(write(&[], &exemplars()), "# EOF\n");
}

#[test]
fn a_histogram_that_nobody_remembers_anything_of_has_no_exemplars() {
    let page = write(&registry().gather(), &Exemplars::default());
    assert!(page.contains("bridge_command_duration_seconds_bucket"));
    assert!(!page.contains(" # {"), "{page}");
}
