//! The program stops while there is something to tell: what telemetry gets of the grace, and what it leaves to the work.

use std::time::Duration;

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::collector::{Collector, Manner};
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};

use super::traced;
use crate::support::{sink, source};

/// Nobody would wait for so long: what arrives was sent at the end.
const AT_THE_END: [(&str, &str); 2] = [
    ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
];
const GRACE: (&str, &str) = ("BRIDGE_GRACE_SECONDS", "4");

/// Stops it in order; what it printed.
async fn stop(bridge: &mut Bridge) -> String {
    bridge.program().terminate();
    let status = bridge.program().ended().await;
    let printed = bridge.program().output().join("\n");
    assert_eq!(status.code(), Some(0), "{printed}");
    printed
}

#[tokio::test]
async fn a_collector_of_spans_that_hangs_takes_no_time_from_the_last_push_of_metrics() {
    let gateway = FakeGateway::start().await;
    let spans = Collector::start_with(Manner::Hangs).await;
    let metrics = Collector::start().await;
    let (of_spans, of_metrics) = (spans.url(), metrics.url());
    let mut settings = AT_THE_END.to_vec();
    settings.extend([
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", of_spans.as_str()),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", of_metrics.as_str()),
        ("OTEL_BSP_EXPORT_TIMEOUT", "3600000"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
        GRACE,
    ]);
    let mut bridge = sink(&gateway, &settings).await;
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    let printed = stop(&mut bridge).await;
    assert_eq!(metrics.pushes().len(), 1, "{printed}");
    assert!(!printed.contains("takes no metrics"), "{printed}");
    // A fifth of the grace, whole.
    let told = "\"the collector takes no spans; the last ones are lost\"";
    let line = printed.lines().find(|line| line.contains(told));
    let line = line.unwrap_or_else(|| panic!("{printed}"));
    assert!(line.contains("\"limit_seconds\":0.8"), "{line}");
}

#[tokio::test]
async fn the_spans_of_a_job_whose_end_hangs_when_the_grace_is_over_are_sent_with_their_root() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let collector = Collector::start().await;
    gateway.fail("CompleteJob", Fault::Hang);
    let url = collector.url();
    let mut settings = traced(&url);
    settings.extend(AT_THE_END);
    settings.extend([("OTEL_METRICS_EXPORTER", "otlp"), GRACE]);
    let mut bridge = source(&gateway, &destination, &settings).await;
    gateway.add_job(NewJob {
        custom_headers: json!({"ce-type": "Test"}).to_string(),
        element_id: String::from("Emit"),
        ..NewJob::new("cloudevents")
    });
    gateway
        .wait_for("its end", |gateway| gateway.calls("CompleteJob") == 1)
        .await;
    let printed = stop(&mut bridge).await;
    assert!(
        printed.contains("not all jobs could be handed back"),
        "{printed}"
    );
    let spans = collector.spans();
    assert_eq!(
        spans.outline(),
        "Consumer activate Emit\n  \
           Producer deliver Test\n  \
           Client gateway_protocol.Gateway/CompleteJob\n",
        "{spans}"
    );
    assert_eq!(collector.pushes().len(), 1, "{printed}");
}

#[tokio::test]
async fn the_spans_of_a_command_that_hangs_when_the_grace_is_over_are_sent_with_their_root() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    gateway.fail("PublishMessage", Fault::Hang);
    let url = collector.url();
    let mut settings = traced(&url);
    settings.extend(AT_THE_END);
    settings.push(GRACE);
    let mut bridge = sink(&gateway, &settings).await;
    let target = bridge.url().to_owned();
    let sending = tokio::spawn(async move {
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-source", "/test"),
            ("ce-type", "Test"),
            ("ce-id", "1"),
        ];
        testkit::request::try_send(http::Method::POST, &target, &headers, bytes::Bytes::new()).await
    });
    gateway
        .wait_for("the command", |gateway| {
            gateway.calls("PublishMessage") == 1
        })
        .await;
    let printed = stop(&mut bridge).await;
    let _ = sending.await.expect("no panic");
    assert!(
        printed.contains("the grace ended with commands under way"),
        "{printed}"
    );
    let spans = collector.spans();
    let _ = spans.one("receive Test");
    let _ = spans.one("gateway_protocol.Gateway/PublishMessage");
    assert_eq!(
        spans.orphans(&[]),
        Vec::<&testkit::collector::span::Span>::new()
    );
}

#[tokio::test]
async fn what_telemetry_keeps_of_the_grace_leaves_time_to_finish_deliveries_and_hand_back_the_rest()
{
    let gateway = FakeGateway::start().await;
    let collector = Collector::start_with(Manner::Hangs).await;
    let destination = Destination::start(|received| {
        if received.json()["item"] == 1 {
            Answer::After(Duration::from_millis(300), Box::new(Answer::Status(202)))
        } else {
            Answer::Never
        }
    })
    .await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.extend([
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "3600000"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "3600000"),
        ("BRIDGE_GRACE_SECONDS", "6"),
    ]);
    let mut bridge = source(&gateway, &destination, &settings).await;
    gateway.add_jobs((0..2).map(|item| NewJob {
        variables: json!({"item": item}).to_string(),
        custom_headers: json!({"ce-type": "Test"}).to_string(),
        ..NewJob::new("cloudevents")
    }));
    destination.wait_for_count(2).await;
    let printed = stop(&mut bridge).await;
    assert_eq!(gateway.jobs(JobState::Completed), 1, "{printed}");
    assert_eq!(gateway.jobs(JobState::Activatable), 1, "{printed}");
    assert_eq!(gateway.jobs(JobState::Activated), 0, "{printed}");
    for lost in ["spans", "metrics"] {
        let told = format!("the collector takes no {lost}; the last ones are lost");
        assert!(printed.contains(&told), "{printed}");
    }
}
