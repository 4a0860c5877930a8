//! Metrics that are pushed, asserted where a collector gets them.

use http::StatusCode;
use serde_json::json;
use testkit::bridge::Bridge;
use testkit::collector::metric::Pushed;
use testkit::collector::{Collector, Manner};
use testkit::destination::Destination;
use testkit::gateway::FakeGateway;

use crate::support::sink;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
/// Nobody would wait for so long.
const NEVER: (&str, &str) = ("OTEL_METRIC_EXPORT_INTERVAL", "3600000");
const SOON: (&str, &str) = ("OTEL_METRIC_EXPORT_INTERVAL", "20");

async fn stop(bridge: &mut Bridge) {
    bridge.program().terminate();
    let status = bridge.program().ended().await;
    assert_eq!(status.code(), Some(0));
}

/// A bridge that pushes to a collector.
async fn pushing(manner: Manner, settings: &[(&str, &str)]) -> (FakeGateway, Collector, Bridge) {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start_with(manner).await;
    let url = collector.url();
    let mut all = vec![(ENDPOINT, url.as_str())];
    all.extend_from_slice(settings);
    let bridge = sink(&gateway, &all).await;
    (gateway, collector, bridge)
}

fn accepted(pushed: &Pushed) -> Option<f64> {
    pushed.sum("bridge.sink.requests", &[("status", "202")])
}

#[tokio::test]
async fn what_was_counted_last_is_pushed_before_the_program_leaves() {
    let (_gateway, collector, mut bridge) = pushing(Manner::Takes, &[NEVER]).await;
    for id in ["1", "2", "3"] {
        assert_eq!(bridge.send("Test", id, &json!({})).await.status, 202);
    }
    assert_eq!(collector.requests(), 0);
    let process = bridge.program().id().expect("it runs");
    stop(&mut bridge).await;
    let pushes = collector.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!(accepted(&pushes[0]), Some(3.0));
    assert_eq!(pushes[0].resource["service.name"], "eventing-zeebe");
    assert_eq!(
        pushes[0].resource["service.version"],
        env!("CARGO_PKG_VERSION")
    );
    let instance = &pushes[0].resource["service.instance.id"];
    assert!(instance.ends_with(&format!(":{process}")), "{instance}");
}

#[tokio::test]
async fn what_is_pushed_is_what_can_be_read() {
    let settings = [
        SOON,
        ("OTEL_SERVICE_NAME", "bridge-of-the-shop"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.instance.id=the-only-one",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "x-team=shop"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip"),
    ];
    let (_gateway, collector, bridge) = pushing(Manner::Takes, &settings).await;
    bridge.send("Test", "1", &json!({})).await;
    let pushes = collector.pushed(3).await;
    let last = pushes.last().expect("a push");
    assert_eq!(last.resource["service.name"], "bridge-of-the-shop");
    assert_eq!(last.resource["service.instance.id"], "the-only-one");
    assert_eq!(collector.header("x-team")[0].as_deref(), Some("shop"));
    assert_eq!(
        collector.header("grpc-encoding")[0].as_deref(),
        Some("gzip")
    );
    let page = bridge.get("metrics").await;
    let text = page.text();
    for name in last.names() {
        let read = name.replace('.', "_");
        assert!(text.contains(&read), "{name} is not in\n{text}");
    }
    assert!(last.names().len() > 10, "{:?}", last.names());
}

#[tokio::test]
async fn a_collector_that_speaks_http_gets_them_too() {
    let gateway = FakeGateway::start().await;
    let collector = Destination::accepting().await;
    let url = collector.url();
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        NEVER,
    ];
    let mut bridge = sink(&gateway, &settings).await;
    bridge.send("Test", "1", &json!({})).await;
    stop(&mut bridge).await;
    let received = collector.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].path, "/v1/metrics");
    assert_eq!(
        received[0].header("content-type"),
        Some("application/x-protobuf")
    );
    assert_eq!(accepted(&Pushed::decode(&received[0].body)), Some(1.0));
}

#[tokio::test]
async fn counts_since_the_push_before_are_told_where_they_are_asked_for() {
    let settings = [
        SOON,
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
    ];
    let (_gateway, collector, mut bridge) = pushing(Manner::Takes, &settings).await;
    for id in ["1", "2", "3"] {
        bridge.send("Test", id, &json!({})).await;
        collector.pushed(collector.pushes().len() + 2).await;
    }
    stop(&mut bridge).await;
    let all = collector.pushes();
    let counted: f64 = all.iter().filter_map(accepted).sum();
    assert!((counted - 3.0).abs() < f64::EPSILON, "{counted}");
}

#[tokio::test]
async fn a_collector_that_takes_no_metrics_changes_nothing_else() {
    for (manner, requests) in [(Manner::Hangs, 1), (Manner::Refuses, 20)] {
        let settings = [
            SOON,
            ("OTEL_METRIC_EXPORT_TIMEOUT", "3600000"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "3600000"),
            ("BRIDGE_GRACE_SECONDS", "4"),
        ];
        let (_gateway, collector, mut bridge) = pushing(manner, &settings).await;
        collector.asked(requests).await;
        let answered = bridge.send("Test", "1", &json!({})).await;
        assert_eq!(answered.status, StatusCode::ACCEPTED);
        assert_eq!(bridge.get("metrics").await.status, StatusCode::OK);
        // It ends within its grace, whatever the collector does, and says once what became of them.
        stop(&mut bridge).await;
        let said = bridge.program().output().join("\n");
        let lines = said.matches("metrics").count();
        assert!(said.contains("the collector"), "{manner:?}: {said}");
        assert!(lines < 5, "{manner:?}: {said}");
    }
}

#[tokio::test]
async fn a_push_that_is_not_answered_in_time_is_given_up_for_the_next() {
    let settings = [
        SOON,
        ("OTEL_METRIC_EXPORT_TIMEOUT", "50"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "3600000"),
        ("BRIDGE_GRACE_SECONDS", "4"),
    ];
    let (_gateway, collector, _bridge) = pushing(Manner::Hangs, &settings).await;
    collector.asked(4).await;
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_told_with_its_variable_and_the_work_goes_on() {
    let settings = [
        ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/nowhere/ca.pem"),
        (ENDPOINT, "https://127.0.0.1:1"),
    ];
    let (_gateway, _collector, mut bridge) = pushing(Manner::Takes, &settings).await;
    let answered = bridge.send("Test", "1", &json!({})).await;
    assert_eq!(answered.status, StatusCode::ACCEPTED);
    stop(&mut bridge).await;
    let said = bridge.program().output().join("\n");
    assert!(
        said.contains("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: /nowhere/ca.pem"),
        "{said}"
    );
}
