use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::destination::{Answer, Destination, Received};
use testkit::request;
use testkit::scenario::Scenario;
use testkit::zeebe::{Zeebe, incidents};

use crate::bridge::both_roles;

fn ids(received: &[Received]) -> HashSet<String> {
    received.iter().map(|one| one.id().to_owned()).collect()
}

#[tokio::test]
async fn after_a_kill_with_jobs_in_flight_every_event_arrives_and_no_process_hangs() {
    const JOBS: usize = 200;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "kill");
    scenario.deploy("many-tasks.bpmn").await;
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_millis(20), Box::new(Answer::Status(202)))
    })
    .await;
    let settings = [("BRIDGE_JOB_TIMEOUT_SECONDS", "3")];
    let mut bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    for delivered in [20, 60, 120] {
        destination.wait_for_count(delivered).await;
        bridge.program().kill().await;
        bridge.start_again().await;
    }
    let killed = Instant::now();
    destination
        .wait_for("all events", |all| (ids(all).len() == JOBS).then_some(()))
        .await;
    let ended = scenario.all_completed("many-tasks", 1).await;
    println!(
        "{JOBS} jobs, the last of three kills to the end: {:?}",
        killed.elapsed()
    );
    assert!(incidents(&ended[0]).is_empty());
    assert_eq!(
        ids(&destination.received()).len(),
        JOBS,
        "two ids for one job"
    );
}

#[tokio::test]
async fn an_event_that_was_not_acknowledged_before_a_kill_starts_one_instance_when_it_comes_again()
{
    const EVENTS: usize = 60;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "kill-sink");
    scenario.deploy("waits.bpmn").await;
    let destination = Destination::accepting().await;
    let mut bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    let (url, ty) = (bridge.url().to_owned(), scenario.of("Wait.Requested"));
    let senders: Vec<_> = (0..EVENTS)
        .map(|event| {
            let (url, ty, id) = (url.clone(), ty.clone(), format!("event-{event}"));
            tokio::spawn(async move {
                // As a Broker would: again, until it is acknowledged.
                loop {
                    let headers = [
                        ("ce-specversion", "1.0"),
                        ("ce-source", "/tests"),
                        ("ce-type", ty.as_str()),
                        ("ce-id", id.as_str()),
                        ("content-type", "application/json"),
                    ];
                    let body = json!({"key": id}).to_string();
                    let sent = request::try_send(http::Method::POST, &url, &headers, body).await;
                    if sent.is_ok_and(|answered| answered.status == 202) {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        })
        .collect();
    // In the middle: some are in the engine, some on their way.
    scenario
        .instances_when("waits", "the first ones", |all| !all.is_empty())
        .await;
    bridge.program().kill().await;
    bridge.start_again().await;
    for sender in senders {
        sender.await.expect("a sender that ends");
    }
    scenario
        .instances_when("waits", "one an event", |all| all.len() >= EVENTS)
        .await;
    // One more, to see that nothing comes behind.
    let last = bridge.send(&ty, "last", &json!({"key": "last"})).await;
    assert_eq!(last.status, 202, "{}", last.text());
    let all = scenario
        .instances_when("waits", "the last", |all| {
            all.iter().any(|one| one["variables"]["key"] == "last")
        })
        .await;
    assert_eq!(all.len(), EVENTS + 1);
}

#[tokio::test]
async fn sigterm_under_load_ends_with_0_in_the_grace_and_leaves_no_job_to_a_timeout() {
    // More than fits into what lies in front of the bridge.
    const JOBS: usize = 600;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "sigterm");
    scenario.deploy("many-tasks.bpmn").await;
    // Some deliveries outlast the grace: their jobs must be handed back, not finished.
    let hanging = Destination::start(|received| {
        let item: u64 = received.json().as_u64().unwrap_or_default();
        if item.is_multiple_of(4) {
            Answer::Never
        } else {
            Answer::Status(202)
        }
    })
    .await;
    // A job that nobody handed back would come only after ten minutes. The grace is the default: an engine that
    // is busy with other scenarios takes its time over hundreds of jobs that are handed back.
    let settings = [
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "600"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "40"),
    ];
    let mut first = both_roles(zeebe, &scenario, &hanging, &settings).await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    // What the engine pushes in the moment in which the stream is closed is left to its time-out, as the client
    // says: so it has long made its jobs by then.
    hanging.wait_for_count(100).await;
    first.program().terminate();
    let status = first.program().ended().await;
    let said = first.program().output().join("\n");
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(
        !said.contains("not all jobs could be handed back"),
        "{said}"
    );

    let accepting = Destination::accepting().await;
    let _second = both_roles(zeebe, &scenario, &accepting, &settings).await;
    let ended = scenario.all_completed("many-tasks", 1).await;
    assert!(incidents(&ended[0]).is_empty());
    let mut all = ids(&hanging.received());
    all.extend(ids(&accepting.received()));
    assert_eq!(
        all.len(),
        JOBS,
        "two ids for one job, or an event that never left"
    );
}

#[tokio::test]
async fn a_second_signal_leaves_at_once() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "second-signal");
    scenario.deploy("one-task.bpmn").await;
    let hanging = Destination::start(|_| Answer::Never).await;
    let settings = [("BRIDGE_GRACE_SECONDS", "50")];
    let mut bridge = both_roles(zeebe, &scenario, &hanging, &settings).await;
    scenario.start("one-task", &json!({})).await;
    hanging.wait_for_count(1).await;
    bridge.program().terminate();
    bridge
        .program()
        .wait_for_log("the stop begins", |line| {
            line.to_string().contains("shutdown").then_some(())
        })
        .await;
    let began = Instant::now();
    bridge.program().terminate();
    let status = bridge.program().ended().await;
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "{:?}",
        began.elapsed()
    );
    assert_ne!(status.code(), Some(0), "what was begun did not end well");
}

#[tokio::test]
async fn a_backlog_of_1000_jobs_is_drained_by_a_worker_of_capacity_4() {
    const JOBS: usize = 1000;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "backlog");
    scenario.deploy("many-tasks.bpmn").await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    let destination = Destination::accepting().await;
    let settings = [("BRIDGE_MAX_JOBS_ACTIVE", "4")];
    let began = Instant::now();
    let _bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    scenario.all_completed("many-tasks", 1).await;
    println!("{JOBS} jobs with capacity 4: {:?}", began.elapsed());
    let received = destination.received();
    assert_eq!(received.len(), JOBS, "one delivery a job");
    assert_eq!(ids(&received).len(), JOBS);
}

#[tokio::test]
async fn an_engine_that_is_killed_and_comes_back_costs_neither_events_nor_jobs() {
    const EVENTS: usize = 40;
    let mut zeebe = Zeebe::start("broker", "restart").await;
    let destination = Destination::accepting().await;
    let (mut bridge, ty) = {
        let scenario = Scenario::new(&zeebe, "restart");
        scenario.deploy("waits.bpmn").await;
        let settings = [
            ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "25"),
            ("BRIDGE_JOB_TIMEOUT_SECONDS", "5"),
        ];
        let bridge = both_roles(&zeebe, &scenario, &destination, &settings).await;
        for event in 0..EVENTS {
            let id = format!("before-{event}");
            let answered = bridge
                .send(&scenario.of("Wait.Requested"), &id, &json!({"key": id}))
                .await;
            assert_eq!(answered.status, 202, "{}", answered.text());
        }
        (bridge, scenario.of("Test.Released"))
    };
    let release = async |bridge: &testkit::bridge::Bridge, event: usize| {
        let key = format!("before-{event}");
        let headers = [("ce-correlationkey", key.as_str())];
        bridge
            .send_with(&ty, &format!("release-{event}"), &headers, &json!({}))
            .await
    };
    for event in 0..EVENTS / 2 {
        assert_eq!(release(&bridge, event).await.status, 202);
    }
    zeebe.kill().await;
    // While it is away: retried in the request, or answered 503, for the Broker to come again.
    let away = tokio::time::timeout(Duration::from_secs(40), async {
        loop {
            let answered = release(&bridge, EVENTS / 2).await;
            if answered.status == 503 {
                return answered;
            }
            assert_eq!(answered.status, 202, "{}", answered.text());
        }
    });
    let (answered, ()) = tokio::join!(away, async {
        bridge_says_unready(&bridge).await;
    });
    let answered = answered.expect("an answer");
    assert!(answered.header("retry-after").is_some());
    zeebe.start_again().await;
    bridge.ready().await;
    for event in EVENTS / 2..EVENTS {
        let answered = release(&bridge, event).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    destination
        .wait_for("all events", |all| (ids(all).len() == EVENTS).then_some(()))
        .await;
    let scenario = Scenario::new(&zeebe, "restart");
    scenario
        .instances_when("waits", "none is left", |all| {
            all.iter().all(|one| one["state"] == "COMPLETED")
        })
        .await;
    assert_eq!(ids(&destination.received()).len(), EVENTS);
    let counts = zeebe.counts(&scenario.of("waits")).await;
    assert_eq!(counts["active"], 0, "{counts}");
    assert_eq!(counts["completed"], EVENTS, "counted once, across the kill");
    bridge.program().terminate();
    assert_eq!(bridge.program().ended().await.code(), Some(0));
    zeebe.stop().await;
}

async fn bridge_says_unready(bridge: &testkit::bridge::Bridge) {
    for _ in 0..1200 {
        let answered = bridge.get("readyz").await;
        if answered.status == 503 {
            assert!(
                answered.text().contains("\"engine\""),
                "{}",
                answered.text()
            );
            assert_eq!(bridge.get("healthz").await.status, 200);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it says that it is ready, without an engine");
}
