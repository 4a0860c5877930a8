//! The collector: what it is told, and that it can do no harm.

use http::StatusCode;
use serde_json::json;
use testkit::bridge::Bridge;
use testkit::collector::{Collector, Manner, span};
use testkit::destination::Destination;
use testkit::gateway::FakeGateway;

use super::sink::context;
use super::{OTHER, OTHER_TRACE, spans, traced};
use crate::support::sink;

/// Stops it in order.
async fn stop(bridge: &mut Bridge) {
    bridge.program().terminate();
    let status = bridge.program().ended().await;
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn what_waits_at_the_end_is_sent_before_the_program_leaves() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        // Nobody would wait for so long.
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ];
    let mut bridge = sink(&gateway, &settings).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    assert_eq!(collector.requests(), 0);
    stop(&mut bridge).await;
    assert_eq!(collector.spans().named("receive Test").len(), 1);
}

#[tokio::test]
async fn headers_compression_and_resource_reach_the_collector() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.extend([
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=ticket%20shop"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_SERVICE_NAME", "bridge-of-the-shop"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test",
        ),
    ]);
    let bridge = sink(&gateway, &settings).await;
    bridge.send("Test", "1", &json!({})).await;
    let spans = spans(&collector, "receive Test", 1).await;
    let receive = spans.one("receive Test");
    assert_eq!(receive.service, "bridge-of-the-shop");
    assert_eq!(receive.resource["deployment.environment.name"], "test");
    assert_eq!(
        receive.resource["service.version"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(
        collector.header("x-team")[0].as_deref(),
        Some("ticket shop")
    );
    assert_eq!(
        collector.header("grpc-encoding")[0].as_deref(),
        Some("gzip")
    );
}

#[tokio::test]
async fn a_collector_that_speaks_http_gets_the_same() {
    let gateway = FakeGateway::start().await;
    let collector = Destination::accepting().await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.extend([
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=shop"),
    ]);
    let bridge = sink(&gateway, &settings).await;
    bridge.send("Test", "1", &json!({})).await;
    let received = collector.wait_for_count(1).await;
    assert_eq!(received[0].path, "/v1/traces");
    assert_eq!(
        received[0].header("content-type"),
        Some("application/x-protobuf")
    );
    assert_eq!(received[0].header("x-team"), Some("shop"));
    let spans = span::decode(&received[0].body);
    assert_eq!(
        spans.iter().next().expect("a span").service,
        "eventing-zeebe"
    );
    assert_eq!(received[0].header("content-encoding"), None);

    let gzip = Destination::accepting().await;
    let url = gzip.url();
    settings[0] = ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str());
    settings.push(("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"));
    let bridge = sink(&gateway, &settings).await;
    bridge.send("Test", "2", &json!({})).await;
    let received = gzip.wait_for_count(1).await;
    assert_eq!(received[0].header("content-encoding"), Some("gzip"));
    assert_eq!(received[0].body[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn none_and_disabled_send_nothing() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    for off in [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SDK_DISABLED", "true"),
    ] {
        let mut settings = traced(&url);
        settings.push(off);
        let mut bridge = sink(&gateway, &settings).await;
        assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
        stop(&mut bridge).await;
    }
    assert_eq!(collector.requests(), 0);
}

#[tokio::test]
async fn what_the_sampler_leaves_out_is_passed_on_and_not_sent() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.extend([
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
    ]);
    let mut bridge = sink(&gateway, &settings).await;
    let sampled = [("traceparent", OTHER)];
    bridge.send_with("Test", "1", &sampled, &json!({})).await;
    let context = context(&gateway, 0);
    let parent = context["traceparent"].as_str().expect("a context");
    assert!(parent.contains(OTHER_TRACE), "{parent}");
    assert!(parent.ends_with("-00"), "{parent}");
    stop(&mut bridge).await;
    assert_eq!(collector.requests(), 0);
}

/// One thread, the only CPU: whoever waited for the collector there would wait for himself.
async fn no_harm_with(url: &str, settings: &[(&str, &str)]) -> (Bridge, FakeGateway) {
    let gateway = FakeGateway::start().await;
    let mut all = traced(url);
    all.extend([
        ("BRIDGE_THREADS", "1"),
        ("BRIDGE_GRACE_SECONDS", "10"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
    ]);
    all.extend_from_slice(settings);
    let bridge = sink(&gateway, &all).await;
    for id in 0..50 {
        let answered = bridge.send("Test", &id.to_string(), &json!({})).await;
        assert_eq!(answered.status, StatusCode::ACCEPTED);
    }
    (bridge, gateway)
}

/// How many lines of the log say this.
fn lines(bridge: &mut Bridge, said: &str) -> usize {
    let output = bridge.program().output();
    output.iter().filter(|line| line.contains(said)).count()
}

#[tokio::test]
async fn a_collector_that_hangs_costs_spans_and_nothing_else() {
    let collector = Collector::start_with(Manner::Hangs).await;
    // Whoever waited for it would wait for an hour.
    let settings = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "3600000"),
    ];
    let (mut bridge, gateway) = no_harm_with(&collector.url(), &settings).await;
    collector.asked(1).await;
    assert_eq!(gateway.published().len(), 50);
    // Eight wait, four are on their way, and there were 150.
    bridge
        .metric_of_when(
            "telemetry_spans_total",
            &[("outcome", "dropped")],
            |dropped| dropped > 0.0,
        )
        .await;
    stop(&mut bridge).await;
    assert_eq!(lines(&mut bridge, "the last ones are lost"), 1);
    assert_eq!(lines(&mut bridge, "the grace ended"), 0);
}

#[tokio::test]
async fn a_collector_that_refuses_or_is_not_there_is_complained_of_once() {
    let collector = Collector::start_with(Manner::Refuses).await;
    for url in [collector.url(), String::from("http://127.0.0.1:9")] {
        let (mut bridge, gateway) = no_harm_with(&url, &[]).await;
        assert_eq!(gateway.published().len(), 50);
        bridge
            .metric_of_when(
                "telemetry_spans_total",
                &[("outcome", "failed")],
                |failed| failed > 4.0,
            )
            .await;
        stop(&mut bridge).await;
        assert_eq!(lines(&mut bridge, "does not take spans"), 1, "{url}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_turn_traces_off_and_say_so() {
    let gateway = FakeGateway::start().await;
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem"),
    ] {
        let mut settings = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:9")];
        settings.push((name, value));
        let mut bridge = sink(&gateway, &settings).await;
        bridge
            .program()
            .wait_for_log("a warning that names the variable", |line| {
                let said = line.to_string();
                (said.contains(name) && said.contains("WARN")).then_some(())
            })
            .await;
        assert_eq!(bridge.send("Test", name, &json!({})).await.status, 202);
    }
}
