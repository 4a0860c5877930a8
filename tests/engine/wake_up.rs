use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination, Received};
use testkit::request::{self, Answered};
use testkit::scenario::Scenario;
use testkit::zeebe::{Zeebe, incidents};

use crate::bridge::{both_roles, woken};

/// What a PingSource sends, and what it gets.
async fn drain(url: String) -> Result<Answered, String> {
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-source", "/apis/v1/namespaces/test/pingsources/wake-up"),
        ("ce-type", "dev.knative.sources.ping"),
        ("ce-id", "1"),
    ];
    request::try_send(http::Method::POST, &format!("{url}drain"), &headers, "").await
}

async fn drained(bridge: &Bridge) {
    let answered = drain(bridge.url().to_owned()).await.expect("an answer");
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert!(answered.body.is_empty(), "{}", answered.text());
}

fn ids(received: &[Received]) -> HashSet<String> {
    received.iter().map(|one| one.id().to_owned()).collect()
}

#[tokio::test]
async fn a_job_that_a_timer_made_while_nobody_was_up_is_worked_before_the_drain_is_answered() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "wake-timer");
    scenario.deploy("timed-task.bpmn").await;
    scenario.start("timed-task", &json!({})).await;
    scenario
        .instances_when("timed-task", "the timer's job", |all| {
            all.iter()
                .any(|one| one["waitingAt"][0]["elementId"] == "Emit")
        })
        .await;
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_millis(500), Box::new(Answer::Status(202)))
    })
    .await;
    let settings = [("BRIDGE_JOB_TIMEOUT_SECONDS", "3")];
    let bridge = woken(zeebe, &scenario, &destination, &settings).await;
    drained(&bridge).await;
    assert_eq!(destination.received().len(), 1);
    assert_eq!(bridge.metric("bridge_source_jobs_held").await, 0.0);
    assert_eq!(bridge.metric("bridge_source_drains_jobs_total").await, 1.0);
    scenario.all_completed("timed-task", 1).await;
}

#[tokio::test]
async fn jobs_of_a_pod_that_was_killed_are_worked_by_the_drain_of_the_next() {
    const JOBS: usize = 20;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "wake-killed");
    scenario.deploy("many-tasks.bpmn").await;
    let hanging = Destination::start(|_| Answer::Never).await;
    let settings = [("BRIDGE_JOB_TIMEOUT_SECONDS", "5")];
    let mut killed = both_roles(zeebe, &scenario, &hanging, &settings).await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    hanging.wait_for_count(JOBS).await;
    killed.program().kill().await;

    let accepting = Destination::accepting().await;
    let next = woken(zeebe, &scenario, &accepting, &settings).await;
    let began = Instant::now();
    drained(&next).await;
    println!(
        "{JOBS} jobs of a killed pod, locked for 5 s: {:?}",
        began.elapsed()
    );
    let received = accepting.received();
    assert_eq!(received.len(), JOBS);
    assert_eq!(ids(&received), ids(&hanging.received()), "other ids");
    let ended = scenario.all_completed("many-tasks", 1).await;
    assert!(incidents(&ended[0]).is_empty());
}

#[tokio::test]
async fn two_pods_that_are_woken_together_deliver_each_of_200_jobs_once() {
    const JOBS: usize = 200;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "wake-two");
    scenario.deploy("many-tasks.bpmn").await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_millis(20), Box::new(Answer::Status(202)))
    })
    .await;
    let settings = [
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "5"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "8"),
    ];
    let (one, two) = tokio::join!(
        woken(zeebe, &scenario, &destination, &settings),
        woken(zeebe, &scenario, &destination, &settings),
    );
    tokio::join!(drained(&one), drained(&two));
    let received = destination.received();
    assert_eq!(ids(&received).len(), JOBS);
    assert_eq!(received.len(), JOBS, "delivered twice");
    scenario.all_completed("many-tasks", 1).await;
    for bridge in [&one, &two] {
        let worked = bridge.metric("bridge_source_drains_jobs_total").await;
        println!("one of two pods: {worked} of {JOBS}");
    }
}

#[tokio::test]
async fn a_pod_that_is_stopped_in_mid_drain_answers_it_and_leaves_no_job_locked() {
    const JOBS: usize = 300;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "wake-stop");
    scenario.deploy("many-tasks.bpmn").await;
    // Some deliveries outlast the grace: their jobs must be handed back, not finished.
    let slow = Destination::start(|received| {
        let item = received.json().as_u64().unwrap_or_default();
        if item.is_multiple_of(5) {
            Answer::Never
        } else {
            Answer::After(Duration::from_millis(20), Box::new(Answer::Status(202)))
        }
    })
    .await;
    // A job that nobody handed back would come only after ten minutes.
    let settings = [
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "600"),
        ("BRIDGE_GRACE_SECONDS", "6"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "30"),
    ];
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    let mut first = woken(zeebe, &scenario, &slow, &settings).await;
    let draining = tokio::spawn(drain(first.url().to_owned()));
    slow.wait_for_count(40).await;
    first.program().terminate();
    let answered = draining.await.expect("no panic").expect("an answer");
    assert_eq!(answered.status, 202, "{}", answered.text());
    let status = first.program().ended().await;
    let printed = first.program().output().join("\n");
    assert_eq!(status.code(), Some(0), "{printed}");

    let accepting = Destination::accepting().await;
    let second = woken(zeebe, &scenario, &accepting, &settings).await;
    // It would be answered only when a job timeout had passed; all jobs are there before.
    let draining = tokio::spawn(drain(second.url().to_owned()));
    let ended = scenario.all_completed("many-tasks", 1).await;
    draining.abort();
    assert!(incidents(&ended[0]).is_empty());
    let mut all = ids(&slow.received());
    all.extend(ids(&accepting.received()));
    assert_eq!(
        all.len(),
        JOBS,
        "two ids for one job, or an event that never left"
    );
}
