//! What is counted of deliveries: by attempt, and from when the job came.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, JobState};

use super::job;
use crate::support::source;

const SINCE_ACTIVATION: &str = "bridge_source_activation_to_delivery_seconds";

/// Deliveries with this outcome, of first attempts and of others.
async fn deliveries(bridge: &Bridge, outcome: &str) -> [f64; 2] {
    let count = "bridge_source_delivery_duration_seconds_count";
    let of = async |attempt| {
        let labels = [("attempt", attempt), ("outcome", outcome)];
        bridge.metric_of(count, &labels).await
    };
    [of("first").await, of("again").await]
}

#[tokio::test]
async fn deliveries_are_counted_by_whether_the_event_was_sent_before() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let bridge = source(&gateway, &destination, &[]).await;
    for (status, outcome, completed) in [
        (202, "complete", [1.0, 0.0]),
        (500, "use_retry", [1.0, 1.0]),
        (503, "hand_back", [1.0, 2.0]),
    ] {
        let answered = AtomicUsize::new(0);
        destination.answer(move |_| {
            let before = answered.fetch_add(1, Ordering::Relaxed);
            Answer::Status(if before == 0 { status } else { 202 })
        });
        let key = gateway.add_job(job(&json!({})));
        gateway
            .wait_for("the completion", |gateway| {
                gateway.job(key).state == JobState::Completed
            })
            .await;
        assert_eq!(deliveries(&bridge, outcome).await[0], 1.0, "{outcome}");
        assert_eq!(deliveries(&bridge, "complete").await, completed);
    }
    destination.answer(|_| Answer::Status(400));
    let key = gateway.add_job(job(&json!({})));
    gateway
        .wait_for("the incident", |gateway| {
            gateway.job(key).state == JobState::Incident
        })
        .await;
    assert_eq!(deliveries(&bridge, "incident").await, [1.0, 0.0]);
    // Accepted alone.
    let count = format!("{SINCE_ACTIVATION}_count");
    assert_eq!(bridge.metric(&count).await, 3.0);
}

#[tokio::test]
async fn the_time_to_an_accepted_delivery_begins_when_its_job_comes() {
    let gateway = FakeGateway::start().await;
    let mut destination = Destination::accepting().await;
    let bridge = source(&gateway, &destination, &[]).await;
    destination.stop().await;
    let key = gateway.add_job(job(&json!({})));
    // The job is held, and tried again and again.
    let again = [("attempt", "again"), ("outcome", "hand_back")];
    let count = "bridge_source_delivery_duration_seconds_count";
    bridge
        .metric_of_when(count, &again, |tried| tried >= 2.0)
        .await;
    destination.start_again().await;
    gateway
        .wait_for("the completion", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
    assert_eq!(gateway.job(key).activations, 1);
    assert_eq!(deliveries(&bridge, "complete").await, [0.0, 1.0]);
    let since = bridge.metric(&format!("{SINCE_ACTIVATION}_sum")).await;
    let delivering = "bridge_source_delivery_duration_seconds_sum";
    let delivering = bridge.metric(delivering).await;
    assert!(since > delivering, "{since} s, and {delivering} s of them");
}
