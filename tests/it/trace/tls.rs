//! A collector by TLS, with an authority of one's own.

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::certificates::{Authority, Identity};
use testkit::collector::{Collector, span};
use testkit::destination::{Answer, Destination};
use testkit::gateway::FakeGateway;

use super::{spans, traced};
use crate::support::sink;

/// An authority's certificate in a file, and a server's that it vouches for.
fn vouched() -> (tempfile::NamedTempFile, Identity) {
    let authority = Authority::new("of the collector");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), authority.certificate()).expect("it can be written");
    (file, authority.issue(&["127.0.0.1"]))
}

/// A bridge that has taken one event.
async fn told(gateway: &FakeGateway, url: &str, settings: &[(&str, &str)]) -> Bridge {
    let mut all = traced(url);
    all.extend_from_slice(settings);
    let bridge = sink(gateway, &all).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    bridge
}

#[tokio::test]
async fn a_collector_by_tls_takes_spans_and_metrics_by_grpc() {
    let (file, identity) = vouched();
    let (gateway, collector) = (
        FakeGateway::start().await,
        Collector::start_tls(&identity).await,
    );
    let settings = [
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            file.path().to_str().expect("text"),
        ),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "20"),
    ];
    let _bridge = told(&gateway, &collector.url(), &settings).await;
    spans(&collector, "receive Test", 1).await;
    collector.pushed(1).await;
}

#[tokio::test]
async fn a_collector_by_tls_takes_spans_by_http() {
    let (file, identity) = vouched();
    let gateway = FakeGateway::start().await;
    let collector = Destination::start_tls(&identity, &[], |_| Answer::Status(200)).await;
    let settings = [
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            file.path().to_str().expect("text"),
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ];
    let _bridge = told(&gateway, &collector.url(), &settings).await;
    let received = collector.wait_for_count(1).await;
    assert!(span::decode(&received[0].body).iter().next().is_some());
}

#[tokio::test]
async fn a_collector_that_another_authority_vouches_for_gets_nothing() {
    let (file, _) = vouched();
    let (_, identity) = vouched();
    let (gateway, collector) = (
        FakeGateway::start().await,
        Collector::start_tls(&identity).await,
    );
    let settings = [(
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        file.path().to_str().expect("text"),
    )];
    let bridge = told(&gateway, &collector.url(), &settings).await;
    let failed = [("outcome", "failed")];
    bridge
        .metric_of_when("telemetry_spans_total", &failed, |failed| failed > 0.0)
        .await;
    assert_eq!(collector.requests(), 0);
}
