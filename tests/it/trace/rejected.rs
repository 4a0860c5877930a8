//! A collector that takes a request, but not all that is in it.

use bytes::Bytes;
use http::Response;
use serde_json::json;
use testkit::collector::{Collector, Manner};
use testkit::destination::{Answer, Destination};
use testkit::gateway::FakeGateway;

use super::traced;
use crate::support::sink;

/// `ExportTraceServiceResponse`, whose `partial_success` has `rejected_spans` 1.
const ONE_REJECTED: &[u8] = &[0x0a, 0x02, 0x08, 0x01];

/// One of the spans of an event is counted as failed, the others as sent, and the log says so.
async fn one_is_counted(url: &str, settings: &[(&str, &str)]) {
    let gateway = FakeGateway::start().await;
    let mut all = traced(url);
    // Long enough for all spans of the event to be of one batch.
    all.push(("OTEL_BSP_SCHEDULE_DELAY", "1000"));
    all.extend_from_slice(settings);
    let mut bridge = sink(&gateway, &all).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    bridge
        .program()
        .wait_for_log("that some are rejected", |line| {
            line.to_string()
                .contains("rejects some of the spans")
                .then_some(())
        })
        .await;
    for outcome in ["failed", "sent"] {
        bridge
            .metric_of_when("telemetry_spans_total", &[("outcome", outcome)], |count| {
                count >= 1.0
            })
            .await;
    }
}

#[tokio::test]
async fn spans_that_a_collector_rejects_are_counted_as_failed_by_grpc() {
    let collector = Collector::start_with(Manner::RejectsOne).await;
    one_is_counted(&collector.url(), &[]).await;
}

#[tokio::test]
async fn spans_that_a_collector_rejects_are_counted_as_failed_by_http() {
    let answer = |_: &_| Answer::Response(Response::new(Bytes::from_static(ONE_REJECTED)));
    let collector = Destination::start(answer).await;
    let by_http = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];
    one_is_counted(&collector.url(), &by_http).await;
}
