//! What is counted, how many are held, and the end.

use std::time::Duration;

use serde_json::json;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, Fault, JobState};

use super::job;
use crate::support::source;

#[tokio::test]
async fn every_counter_of_the_source_is_there_before_it_has_counted_anything() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let bridge = source(&gateway, &destination, &[]).await;
    let page = bridge.get("metrics").await;
    for outcome in [
        "complete",
        "throw_error",
        "hand_back",
        "use_retry",
        "incident",
        "gone_already",
        "too_late",
        "refused",
    ] {
        let series = format!("bridge_source_jobs_total{{outcome=\"{outcome}\"}} 0");
        assert!(page.text().contains(&series), "{series}");
    }
    for name in ["loops", "replies_dropped", "locks_lost"] {
        let series = format!("\nbridge_source_{name}_total 0");
        assert!(page.text().contains(&series), "{series}");
    }
}

#[tokio::test]
async fn capacity_is_what_configuration_says_over_all_types() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_millis(5), Box::new(Answer::Status(202)))
    })
    .await;
    let settings = [("BRIDGE_MAX_JOBS_ACTIVE", "4")];
    let _bridge = source(&gateway, &destination, &settings).await;
    for item in 0..300 {
        let mut one = job(&json!({"item": item}));
        if item % 2 == 0 {
            one.job_type = String::from("knative");
        }
        gateway.add_job(one);
    }
    gateway
        .wait_for("all jobs", |gateway| {
            gateway.jobs(JobState::Completed) == 300
        })
        .await;
    assert_eq!(destination.received().len(), 300);
}

#[tokio::test]
async fn a_stop_hands_back_what_it_cannot_finish_without_using_a_retry() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Never).await;
    let settings = [
        ("BRIDGE_GRACE_SECONDS", "4"),
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "600"),
    ];
    let mut bridge = source(&gateway, &destination, &settings).await;
    let keys = gateway.add_jobs((0..10).map(|_| job(&json!({}))));
    destination.wait_for_count(10).await;
    bridge.program().terminate();
    let status = bridge.program().ended().await;
    assert_eq!(
        status.code(),
        Some(0),
        "{}",
        bridge.program().output().join("\n")
    );
    for key in keys {
        let job = gateway.job(key);
        assert_eq!(job.state, JobState::Activatable, "{job:?}");
        assert_eq!((job.retries, job.activations), (3, 1), "{job:?}");
    }
}

#[tokio::test]
async fn a_poll_that_hangs_does_not_outlast_the_grace() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [
        ("BRIDGE_GRACE_SECONDS", "2"),
        ("BRIDGE_POLL_INTERVAL_SECONDS", "1"),
    ];
    let mut bridge = source(&gateway, &destination, &settings).await;
    gateway.fail("ActivateJobs", Fault::Hang);
    let polls = gateway.calls("ActivateJobs");
    gateway
        .wait_for("a poll that hangs", |gateway| {
            gateway.calls("ActivateJobs") > polls
        })
        .await;
    bridge.program().terminate();
    // The poll itself would be given up only later.
    bridge
        .program()
        .wait_for_log("what is left", |line| {
            line.to_string().contains("what is left").then_some(())
        })
        .await;
    bridge.program().ended().await;
}
