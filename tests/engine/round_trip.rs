use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use testkit::destination::{Answer, Destination};
use testkit::request;
use testkit::scenario::Scenario;
use testkit::zeebe::{Zeebe, incidents};
use zeebe_client::{ActivateJobs, ActivatedJob};

use crate::bridge::both_roles;

#[tokio::test]
async fn an_event_starts_a_process_whose_job_leaves_as_an_event() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "round-trip");
    scenario.deploy("one-task.bpmn").await;
    let destination = Destination::accepting().await;
    let bridge = both_roles(zeebe, &scenario, &destination, &[]).await;

    let answered = bridge
        .send(
            &scenario.of("Test.Started"),
            "event-1",
            &json!({"seat": "A1", "price": 99.80}),
        )
        .await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert!(
        answered.body.is_empty(),
        "a body would be taken for a reply"
    );

    let received = destination.wait_for_count(1).await;
    let event = &received[0];
    assert_eq!(event.ty(), "Test.Emitted");
    assert_eq!(event.header("ce-source"), Some("/zeebe/tests"));
    assert_eq!(
        event.header("ce-bpmnprocessid"),
        Some(scenario.of("one-task").as_str())
    );
    assert_eq!(event.header("ce-elementid"), Some("Emit"));
    assert_eq!(event.json()["seat"], "A1");
    let instances = scenario.all_completed("one-task", 1).await;
    assert_eq!(
        event.header("ce-processinstancekey"),
        instances[0]["processInstanceKey"].as_str()
    );
}

#[tokio::test]
async fn an_event_that_is_delivered_again_in_any_mode_starts_nothing_twice() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "redelivery");
    scenario.deploy("one-task.bpmn").await;
    let destination = Destination::accepting().await;
    let bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    let ty = scenario.of("Test.Started");
    let data = json!({"seat": "A1"});

    let first = bridge.send(&ty, "again", &data).await;
    assert_eq!(first.status, 202, "{}", first.text());
    // As after a time-out: the same event, told what went wrong before.
    let again = bridge
        .send_with(
            &ty,
            "again",
            &[
                ("ce-knativeerrorcode", "503"),
                ("ce-knativeerrordest", "http://bridge"),
                ("ce-knativearrivaltime", "2026-11-24T09:00:00Z"),
            ],
            &data,
        )
        .await;
    assert_eq!(again.status, 202, "{}", again.text());
    let event = json!({
        "specversion": "1.0", "id": "again", "source": "/tests", "type": ty, "data": data,
        "datacontenttype": "application/json",
    });
    for (content_type, body) in [
        ("application/cloudevents+json", event.to_string()),
        (
            "application/cloudevents-batch+json",
            json!([event]).to_string(),
        ),
    ] {
        let answered = request::post(bridge.url(), &[("content-type", content_type)], body).await;
        assert_eq!(answered.status, 202, "{content_type}: {}", answered.text());
    }
    // Another event: once its effect is seen, so are those of the ones before it.
    let other = bridge.send(&ty, "another", &data).await;
    assert_eq!(other.status, 202, "{}", other.text());

    let received = destination.wait_for_count(2).await;
    assert_eq!(scenario.all_completed("one-task", 2).await.len(), 2);
    assert_ne!(received[0].id(), received[1].id());
    assert_eq!(destination.received().len(), 2);
}

#[tokio::test]
async fn a_message_reaches_the_instance_that_waits_for_it_and_one_that_comes_too_early_waits_itself()
 {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "correlation");
    scenario.deploy("waits.bpmn").await;
    let destination = Destination::accepting().await;
    let bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    let requested = scenario.of("Wait.Requested");
    let released = scenario.of("Test.Released");

    let start = bridge.send(&requested, "1", &json!({"key": "late"})).await;
    assert_eq!(start.status, 202, "{}", start.text());
    scenario
        .instances_when("waits", "it waits", |all| {
            all.iter()
                .any(|one| one["waitingAt"][0]["elementId"] == "Released")
        })
        .await;
    for (id, key) in [("2", "late"), ("3", "early")] {
        let headers = [("ce-correlationkey", key)];
        let answered = bridge.send_with(&released, id, &headers, &json!({})).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    let start = bridge.send(&requested, "4", &json!({"key": "early"})).await;
    assert_eq!(start.status, 202, "{}", start.text());

    let received = destination.wait_for_count(2).await;
    let subjects: HashSet<_> = received
        .iter()
        .filter_map(|one| one.header("ce-subject"))
        .collect();
    assert_eq!(subjects, HashSet::from(["late", "early"]));
    scenario.all_completed("waits", 2).await;
}

#[tokio::test]
async fn without_rules_two_events_of_one_subject_start_one_instance_at_a_time() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "one-subject");
    scenario.deploy("one-task.bpmn").await;
    let gate = Arc::new(AtomicBool::new(false));
    let destination = {
        let gate = Arc::clone(&gate);
        Destination::start(move |_| {
            if gate.load(Ordering::Relaxed) {
                Answer::Status(202)
            } else {
                Answer::Never
            }
        })
        .await
    };
    let bridge = both_roles(
        zeebe,
        &scenario,
        &destination,
        &[("BRIDGE_DELIVERY_TIMEOUT_SECONDS", "2")],
    )
    .await;
    let ty = scenario.of("Test.Started");
    for id in ["1", "2"] {
        let headers = [("ce-subject", "customer-1")];
        let answered = bridge.send_with(&ty, id, &headers, &json!({})).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    // Another subject does not wait; once it is there the second event's start was decided.
    let answered = bridge
        .send_with(&ty, "3", &[("ce-subject", "customer-2")], &json!({}))
        .await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    scenario
        .instances_when("one-task", "two instances", |all| all.len() == 2)
        .await;
    gate.store(true, Ordering::Relaxed);
    // The first ends, and the message that waited starts the third.
    scenario.all_completed("one-task", 3).await;
}

#[tokio::test]
async fn a_rule_starts_one_instance_an_event_and_with_once_per_one_a_key() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "starts");
    scenario.deploy("waits.bpmn").await;
    scenario.deploy("one-task.bpmn").await;
    let rules = scenario.rules(
        "rules:
  - {name: each, select: {type: Each}, start: {message: Test.Started@}}
  - {name: once, select: {type: Once}, start: {message: Wait.Requested@, once_per: data.key}}
  - {name: by-id, select: {type: ById}, start: {process: one-task@, version: 1}}
",
    );
    let destination = Destination::accepting().await;
    let bridge = both_roles(zeebe, &scenario, &destination, &[("RULES", rules.path())]).await;
    for (ty, id, key) in [
        ("Each", "1", "same"),
        ("Each", "2", "same"),
        ("Once", "3", "same"),
        ("Once", "4", "same"),
        ("Once", "5", "other"),
        ("ById", "6", "same"),
    ] {
        let headers = [("ce-subject", "same")];
        let answered = bridge
            .send_with(ty, id, &headers, &json!({"key": key}))
            .await;
        assert_eq!(answered.status, 202, "{ty} {id}: {}", answered.text());
    }
    scenario.all_completed("one-task", 3).await;
    scenario
        .instances_when("waits", "one a key", |all| all.len() == 2)
        .await;
}

#[tokio::test]
async fn a_process_that_is_not_deployed_yet_is_answered_503_and_started_once_it_is() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "not-deployed");
    let rules = scenario
        .rules("rules:\n  - {name: by-id, select: {type: ById}, start: {process: one-task@}}\n");
    let destination = Destination::accepting().await;
    let settings = [
        ("RULES", rules.path()),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "1"),
    ];
    let bridge = both_roles(zeebe, &scenario, &destination, &settings).await;

    let early = bridge.send("ById", "1", &json!({})).await;
    assert_eq!(early.status, 503, "{}", early.text());
    assert!(
        early.text().contains(&scenario.of("one-task")),
        "{}",
        early.text()
    );
    scenario.deploy("one-task.bpmn").await;
    let later = bridge.send("ById", "1", &json!({})).await;
    assert_eq!(later.status, 202, "{}", later.text());
    scenario.all_completed("one-task", 1).await;
}

#[tokio::test]
async fn rules_broadcast_signals_set_variables_cancel_and_end_jobs() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "commands");
    for model in [
        "signal-start.bpmn",
        "waits.bpmn",
        "one-task.bpmn",
        "error-path.bpmn",
    ] {
        scenario.deploy(model).await;
    }
    let rules = scenario.rules(
        "rules:
  - {name: signal, select: {type: Signal}, signal: {signal: Test.Signalled@}}
  - {name: set, select: {type: Set}, set_variables: {element_instance_key: =data.key, variables: {seat: =data.seat}}}
  - {name: cancel, select: {type: Cancel}, cancel: {process_instance_key: =data.key}}
  - {name: complete, select: {type: Complete}, complete_job: {job_key: =event.jobkey, variables: {by: event}}}
  - {name: fail, select: {type: Fail}, fail_job: {job_key: =data.key, retries: 0, error_message: =data.why}}
  - {name: throw, select: {type: Throw}, throw_error: {job_key: =data.key, error_code: SOLD_OUT}}
",
    );
    // Nobody takes the jobs: this bridge works another type.
    let destination = Destination::accepting().await;
    let nobody = scenario.of("nobody");
    let settings = [
        ("RULES", rules.path()),
        ("ZEEBE_JOB_TYPES", nobody.as_str()),
    ];
    let bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    let accepted = async |ty: &str, headers: &[(&str, &str)], data: serde_json::Value| {
        let answered = bridge
            .send_with(ty, &format!("{ty}{data}"), headers, &data)
            .await;
        assert_eq!(answered.status, 202, "{ty} {data}: {}", answered.text());
    };

    accepted("Signal", &[], json!({})).await;
    scenario
        .instances_when("signal-start", "started", |all| all.len() == 1)
        .await;

    let waiting = scenario.start("waits", &json!({"key": "k"})).await;
    accepted("Set", &[], json!({"key": waiting, "seat": "B2"})).await;
    scenario
        .instances_when("waits", "the variable is set", |all| {
            all[0]["variables"]["seat"] == "B2"
        })
        .await;
    accepted("Cancel", &[], json!({"key": waiting})).await;
    scenario
        .instances_when("waits", "cancelled", |all| all[0]["state"] == "TERMINATED")
        .await;
    // Gone already: nothing left to do, and no reason to come again.
    accepted("Cancel", &[], json!({"key": waiting, "again": true})).await;

    for _ in 0..2 {
        scenario.start("one-task", &json!({})).await;
    }
    scenario.start("error-path", &json!({})).await;
    // The signal's instance has one too.
    let jobs = jobs_of(&scenario, 4).await;
    let keys_of = |process: &str| -> Vec<i64> {
        jobs.iter()
            .filter(|job| job.bpmn_process_id == scenario.of(process))
            .map(|job| job.key.0)
            .collect()
    };
    let key = keys_of("error-path")[0];
    accepted("Throw", &[], json!({"key": key})).await;
    let ended = scenario.all_completed("error-path", 1).await;
    assert_eq!(ended[0]["endEvents"], json!(["EndedSoldOut"]));
    let key = keys_of("one-task")[0];
    accepted("Complete", &[("ce-jobkey", &key.to_string())], json!({})).await;
    // A second time somebody else had it.
    accepted(
        "Complete",
        &[("ce-jobkey", &key.to_string())],
        json!({"again": true}),
    )
    .await;
    let key = keys_of("one-task")[1];
    accepted("Fail", &[], json!({"key": key, "why": "no seats left"})).await;
    let instances = scenario
        .instances_when("one-task", "one completed, one with an incident", |all| {
            all.len() == 2 && all.iter().any(|one| !incidents(one).is_empty())
        })
        .await;
    let stopped = instances
        .iter()
        .find(|one| !incidents(one).is_empty())
        .expect("an incident");
    assert_eq!(incidents(stopped)[0]["message"], "no seats left");
    let completed = instances
        .iter()
        .find(|one| incidents(one).is_empty())
        .expect("the other");
    assert_eq!(completed["variables"]["by"], "event", "{completed:#}");
}

/// Takes so many jobs of the scenario's type beside the bridge.
async fn jobs_of(scenario: &Scenario<'_>, count: usize) -> Vec<ActivatedJob> {
    let mut jobs = Vec::new();
    while jobs.len() < count {
        let mut batches = scenario
            .client()
            .activate_jobs(ActivateJobs {
                job_type: scenario.job_type(),
                worker: String::from("tests"),
                timeout: Duration::from_secs(600),
                max_jobs_to_activate: 10,
                fetch_variables: Vec::new(),
                request_timeout: Some(Duration::from_secs(10)),
                tenant_ids: Vec::new(),
            })
            .await
            .expect("jobs");
        while let Some(batch) = batches.next().await {
            jobs.extend(batch.expect("jobs"));
        }
    }
    jobs
}

#[tokio::test]
async fn an_events_trace_goes_through_the_process_and_branches_can_keep_their_own() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "traces");
    scenario.deploy("parallel-local.bpmn").await;
    let destination = Destination::accepting().await;
    let bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    let context = json!({"key": "k", "bridgeContext": {}});
    scenario.start("parallel-local", &context).await;
    let traces = [
        (
            "Left.Arrived",
            "00-11111111111111111111111111111111-1111111111111111-01",
        ),
        (
            "Right.Arrived",
            "00-22222222222222222222222222222222-2222222222222222-01",
        ),
    ];
    for (message, traceparent) in traces {
        let headers = [("ce-correlationkey", "k"), ("traceparent", traceparent)];
        let answered = bridge
            .send_with(&scenario.of(message), message, &headers, &json!({}))
            .await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    let received = destination.wait_for_count(2).await;
    for (ty, trace) in [
        ("Test.LeftEmitted", "00-11111111111111111111111111111111"),
        ("Test.RightEmitted", "00-22222222222222222222222222222222"),
    ] {
        let event = received.iter().find(|one| one.ty() == ty).expect(ty);
        for header in ["traceparent", "ce-traceparent"] {
            let value = event.header(header).unwrap_or_default();
            assert!(value.starts_with(trace), "{ty} {header}: {value}");
        }
        assert!(
            event.json().get("bridgeContext").is_none(),
            "what travels is never part of the data: {}",
            event.json()
        );
        assert_eq!(event.header("ce-bridgehops"), Some("1"), "{event:?}");
    }
}
