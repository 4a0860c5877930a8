//! What is asked, and when it is answered.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, JobState};
use testkit::request;
use zeebe_client::{ActivateJobs, Gateway, Settings};

use super::{PING, asleep, begun, drain, jobs, url};
use crate::support::{EXECUTABLE, sink};

#[tokio::test]
async fn all_jobs_that_wait_are_worked_before_the_answer_which_has_no_body() {
    const JOBS: usize = 150;
    let gateway = FakeGateway::start().await;
    // One takes longer than it takes to see that no more come.
    let destination = Destination::start(|received| {
        let slow = received.json()["item"] == 0;
        let pause = Duration::from_millis(if slow { 8000 } else { 20 });
        Answer::After(pause, Box::new(Answer::Status(202)))
    })
    .await;
    let bridge = asleep(&gateway, &destination, &[("BRIDGE_MAX_JOBS_ACTIVE", "8")]).await;
    gateway.add_jobs(jobs(JOBS));
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert!(answered.body.is_empty(), "{}", answered.text());
    assert_eq!(gateway.jobs(JobState::Completed), JOBS);
    assert_eq!(destination.received().len(), JOBS);
    assert!(gateway.most_active() <= 8, "{}", gateway.most_active());
    let drained = [("outcome", "drained")];
    assert_eq!(
        bridge
            .metric_of("bridge_source_drains_total", &drained)
            .await,
        1.0
    );
    assert_eq!(
        bridge.metric("bridge_source_drains_jobs_total").await,
        JOBS as f64
    );
}

#[tokio::test]
async fn what_a_pod_held_that_died_is_worked_by_the_drain_that_began_before_it_came_back() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let bridge = asleep(&gateway, &destination, &[]).await;
    gateway.add_jobs(jobs(5));
    let dead = Gateway::new(Settings::new(
        gateway.address().parse().expect("an address"),
    ))
    .expect("a client");
    let activate = ActivateJobs {
        job_type: String::from("cloudevents"),
        worker: String::from("dead"),
        timeout: Duration::from_secs(3),
        max_jobs_to_activate: 5,
        fetch_variables: Vec::new(),
        request_timeout: None,
        tenant_ids: vec![String::from("<default>")],
    };
    let mut held = 0;
    let mut batches = dead.activate_jobs(activate).await.expect("jobs");
    while let Some(batch) = batches.next().await {
        held += batch.expect("jobs").len();
    }
    assert_eq!(held, 5);
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.jobs(JobState::Completed), 5);
}

#[tokio::test]
async fn whoever_asks_while_a_drain_runs_is_answered_with_it() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let mut bridge = asleep(&gateway, &destination, &[]).await;
    gateway.add_jobs(jobs(3));
    let first = begun(&mut bridge).await;
    let (second, third) = tokio::join!(drain(&bridge), drain(&bridge));
    let first = first.await.expect("no panic").expect("an answer");
    for answered in [first, second, third] {
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    assert_eq!(bridge.metric("bridge_source_drains_total").await, 1.0);
    // Over is over: the next one works what came since.
    gateway.add_jobs(jobs(3));
    assert_eq!(drain(&bridge).await.status, 202);
    assert_eq!(gateway.jobs(JobState::Completed), 6);
    assert_eq!(bridge.metric("bridge_source_drains_total").await, 2.0);
}

#[tokio::test]
async fn a_drain_goes_on_when_all_who_asked_have_gone_away() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let mut bridge = asleep(&gateway, &destination, &[]).await;
    gateway.add_jobs(jobs(2));
    let asking = begun(&mut bridge).await;
    gateway
        .wait_for("the first jobs", |gateway| {
            gateway.jobs(JobState::Completed) == 2
        })
        .await;
    // As a queue proxy does whose time is over.
    asking.abort();
    let _ = asking.await;
    // Found by the last look of the same drain, which whoever comes now joins.
    gateway.add_jobs(jobs(2));
    assert_eq!(drain(&bridge).await.status, 202);
    assert_eq!(gateway.jobs(JobState::Completed), 4);
    assert_eq!(bridge.metric("bridge_source_drains_total").await, 1.0);
    let output = bridge.program().output();
    let begun = output.iter().filter(|line| line.contains("a drain begins"));
    assert_eq!(begun.count(), 1, "{output:#?}");
}

#[tokio::test]
async fn a_crowd_that_waits_for_a_drain_leaves_the_places_to_events() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Never).await;
    let settings = [("BRIDGE_MAX_CONNECTIONS", "100")];
    let mut bridge = asleep(&gateway, &destination, &settings).await;
    gateway.add_jobs(jobs(1));
    let url = url(&bridge);
    let mut crowd: FuturesUnordered<_> =
        (0..40).map(|_| request::post(&url, &PING, "{}")).collect();
    for _ in 0..40 - 16 {
        let refused = crowd.next().await.expect("an answer");
        assert_eq!(refused.status, 429, "{}", refused.text());
    }
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    destination.wait_for_count(1).await;
    bridge.program().signal("TERM");
    while let Some(answered) = crowd.next().await {
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
}

#[tokio::test]
async fn when_its_time_is_over_it_waits_for_what_is_in_hand() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_secs(3), Box::new(Answer::Status(202)))
    })
    .await;
    let settings = [
        ("BRIDGE_DRAIN_SECONDS", "1"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "2"),
    ];
    let bridge = asleep(&gateway, &destination, &settings).await;
    gateway.add_jobs(jobs(50));
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let done = gateway.jobs(JobState::Completed);
    assert!((2..50).contains(&done), "{done} of 50");
    let limit = [("outcome", "limit")];
    assert_eq!(
        bridge.metric_of("bridge_source_drains_total", &limit).await,
        1.0
    );
}

#[tokio::test]
async fn it_is_answered_before_the_queue_proxy_gives_up_and_deliveries_go_on() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Never).await;
    let settings = [
        ("BRIDGE_DRAIN_SECONDS", "1"),
        ("BRIDGE_SERVICE_TIMEOUT_SECONDS", "7"),
    ];
    let bridge = asleep(&gateway, &destination, &settings).await;
    let keys = gateway.add_jobs(jobs(2));
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert!(answered.body.is_empty(), "{}", answered.text());
    let limit = [("outcome", "limit")];
    assert_eq!(
        bridge.metric_of("bridge_source_drains_total", &limit).await,
        1.0
    );
    assert_eq!(bridge.metric("bridge_source_jobs_held").await, 2.0);
    for key in keys {
        let job = gateway.job(key);
        assert_eq!((job.state, job.failures), (JobState::Activated, 0));
    }
}

#[tokio::test]
async fn two_pods_drain_one_backlog_and_each_event_is_delivered_once() {
    const JOBS: usize = 100;
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_millis(10), Box::new(Answer::Status(202)))
    })
    .await;
    let settings = [("BRIDGE_MAX_JOBS_ACTIVE", "4")];
    let first = asleep(&gateway, &destination, &settings).await;
    let second = asleep(&gateway, &destination, &settings).await;
    gateway.add_jobs(jobs(JOBS));
    let (one, two) = tokio::join!(drain(&first), drain(&second));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (202, 202));
    assert_eq!(gateway.jobs(JobState::Completed), JOBS);
    let received = destination.received();
    let ids: HashSet<&str> = received.iter().map(|one| one.id()).collect();
    assert_eq!((ids.len(), received.len()), (JOBS, JOBS));
    for bridge in [&first, &second] {
        assert!(bridge.metric("bridge_source_drains_jobs_total").await > 0.0);
    }
}

#[tokio::test]
async fn any_event_in_any_content_mode_will_do_and_nothing_else() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let bridge = asleep(&gateway, &destination, &[]).await;
    let url = url(&bridge);
    let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
    let structured = [("content-type", "application/cloudevents+json")];
    let batched = [("content-type", "application/cloudevents-batch+json")];
    let (one, two) = tokio::join!(
        request::post(&url, &structured, event.to_string()),
        request::post(&url, &batched, json!([event]).to_string()),
    );
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (202, 202));

    let none = request::post(&url, &batched, "[]").await;
    assert_eq!(none.status, 400, "{}", none.text());
    let no_event = request::post(&url, &[("content-type", "application/json")], "{}").await;
    assert_eq!(no_event.status, 400, "{}", no_event.text());
    assert!(
        no_event.text().contains("specversion"),
        "{}",
        no_event.text()
    );
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    assert_eq!(request::post(&url, &PING, large).await.status, 413);
    let get = request::get(&url).await;
    assert_eq!(
        (get.status.as_u16(), get.header("allow")),
        (405, Some("POST"))
    );
    assert_eq!(bridge.metric("bridge_source_drains_total").await, 1.0);
    assert_eq!(
        gateway.calls("PublishMessage"),
        0,
        "a wake-up is no message"
    );
}

#[tokio::test]
async fn without_a_source_it_says_why_and_whether_to_come_again() {
    let gateway = FakeGateway::start().await;
    let address = gateway.address();
    let never = sink(&gateway, &[("ROLES", "sink")]).await;
    let answered = drain(&never).await;
    assert_eq!(answered.status, 501, "{}", answered.text());
    assert!(answered.text().contains("ROLES"), "{}", answered.text());

    for roles in ["", "sink,source"] {
        let settings = [("ROLES", roles), ("ZEEBE_GRPC_ADDRESS", address.as_str())];
        let not_yet = Bridge::start(EXECUTABLE, &settings).await;
        let answered = drain(&not_yet).await;
        assert_eq!(answered.status, 503, "{}", answered.text());
        assert_eq!(answered.header("retry-after"), Some("1"));
        assert!(answered.text().contains("K_SINK"), "{}", answered.text());
    }
}
