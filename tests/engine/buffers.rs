use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::json;
use testkit::destination::{Answer, Destination};
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;
use zeebe_client::ActivateJobs;

use crate::bridge::both_roles;

/// What the bridge holds.
const CAPACITY: usize = 4;

/// Starts so many instances with one job of so many bytes each, has a bridge hold as many as it may, and
/// tells how many more were activated for it: they lie in buffers on the way.
async fn activated_in_front_of_us(name: &'static str, jobs: usize, bytes: usize) -> usize {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, name);
    scenario.deploy("one-task.bpmn").await;
    let hanging = Destination::start(|_| Answer::Never).await;
    let capacity = CAPACITY.to_string();
    let settings = [
        ("BRIDGE_MAX_JOBS_ACTIVE", capacity.as_str()),
        // Longer than the test: what was activated stays so.
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "600"),
    ];
    let _bridge = both_roles(zeebe, &scenario, &hanging, &settings).await;
    let variables = json!({"text": "x".repeat(bytes)});
    stream::iter(0..jobs)
        .for_each_concurrent(16, async |_| {
            scenario.start("one-task", &variables).await;
        })
        .await;
    hanging.wait_for_count(CAPACITY).await;

    // Whatever can be had now was never activated, and the rest was.
    let free = activate(&scenario, jobs).await;
    let in_front = jobs - free - CAPACITY;
    println!("{jobs} jobs of {bytes} bytes: {in_front} activated in front of the {CAPACITY} held");
    in_front
}

/// Takes all jobs of the scenario that wait, and counts them.
async fn activate(scenario: &Scenario<'_>, most: usize) -> usize {
    let mut all = 0;
    loop {
        let mut batches = scenario
            .client()
            .activate_jobs(ActivateJobs {
                job_type: scenario.job_type(),
                worker: String::from("tests"),
                timeout: Duration::from_secs(600),
                max_jobs_to_activate: i32::try_from(most).expect("a number of jobs"),
                fetch_variables: vec![String::from("none")],
                request_timeout: Some(Duration::from_millis(300)),
                tenant_ids: Vec::new(),
            })
            .await
            .expect("jobs");
        let before = all;
        while let Some(batch) = batches.next().await {
            all += batch.expect("jobs").len();
        }
        if all == before {
            return all;
        }
    }
}

/// The window of the stream's connection.
const WINDOW: usize = 64 * 1024;

#[tokio::test]
async fn what_lies_activated_in_stream_buffers_is_bounded() {
    let small = activated_in_front_of_us("buffers-500", 1500, 500).await;
    let middle = activated_in_front_of_us("buffers-5000", 300, 5_000).await;
    let large = activated_in_front_of_us("buffers-500000", 16, 500_000).await;
    // The window, in jobs, and what the gateway has taken from the broker but not written yet.
    for (jobs, bytes) in [(small, 500), (middle, 5_000), (large, 500_000)] {
        assert!(
            jobs <= 2 * WINDOW / bytes + 64,
            "{jobs} jobs of {bytes} bytes"
        );
    }
}
