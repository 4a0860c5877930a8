use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination};
use testkit::scenario::Scenario;
use testkit::zeebe::{Zeebe, incidents, is_completed};

use crate::bridge::source;
use crate::dataplane::{Dataplane, Manifests, NONE, QUICK, Trigger};

/// One Trigger that a scenario is about, and one that shows what passed the ingress.
async fn dataplane(delivery: &str, subscriber: &Destination, onlooker: &Destination) -> Dataplane {
    let trigger = |name, subscriber, delivery| Trigger {
        name,
        types: &["Test.Emitted"],
        subscriber,
        delivery,
    };
    let manifests = Manifests::of(&[
        trigger("subscriber", "subscriber", delivery),
        trigger("onlooker", "onlooker", QUICK),
    ]);
    Dataplane::start(
        manifests.path(),
        &[
            ("Service/subscriber", &subscriber.url()),
            ("Service/onlooker", &onlooker.url()),
            ("Service/dead-letters", &onlooker.url()),
        ],
    )
    .await
}

/// Starts an instance and waits for its end.
async fn completed(scenario: &Scenario<'_>, variables: &Value) -> Value {
    let key = scenario.start("one-task", variables).await;
    let instances = scenario
        .instances_when("one-task", "the instance completed", |all| {
            all.iter().any(is_completed)
        })
        .await;
    assert_eq!(instances.len(), 1, "{instances:#?}");
    assert_eq!(instances[0]["processInstanceKey"], key.to_string());
    assert!(incidents(&instances[0]).is_empty());
    instances[0].clone()
}

async fn jobs(source: &Bridge, outcome: &str) -> f64 {
    source
        .metric_of("bridge_source_jobs_total", &[("outcome", outcome)])
        .await
}

/// The in-memory channel answers only after all retries of all Triggers; the source's POST lasts as long,
/// and the activation of its job must not run out meanwhile.
#[tokio::test]
async fn a_delivery_that_outlasts_the_job_timeout_is_made_once_and_completes_once() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "blocking");
    scenario.deploy("one-task.bpmn").await;
    // Refuses first, then takes far longer than the job's activation holds.
    let attempts = AtomicUsize::new(0);
    let long = Duration::from_secs(8);
    let subscriber = Destination::start(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::Status(503),
        _ => Answer::After(long, Box::new(Answer::Status(202))),
    })
    .await;
    let onlooker = Destination::accepting().await;
    let dataplane = dataplane(QUICK, &subscriber, &onlooker).await;
    let settings = [
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "3"),
        ("BRIDGE_POLL_INTERVAL_SECONDS", "1"),
        ("K_CE_OVERRIDES", "{\"extensions\":{\"shop\":\"north\"}}"),
    ];
    let source = source(zeebe, &scenario, dataplane.broker(), &settings).await;

    let instance = completed(&scenario, &json!({"seat": "A1", "price": 99.80})).await;
    let lasted = instance["endedAt"].as_i64().expect("a time")
        - instance["startedAt"].as_i64().expect("a time");
    assert!(
        lasted >= 8000,
        "completed before it was accepted, after {lasted} ms"
    );

    // The Trigger tried twice, the source once: the onlooker has one, and it is the same event.
    let seen = onlooker.received();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    let tried = subscriber.received();
    assert_eq!(tried.len(), 2, "{tried:#?}");
    let key = instance["processInstanceKey"].as_str().expect("text");
    for event in tried.iter().chain(&seen) {
        assert_eq!(event.id(), seen[0].id());
        for (name, value) in [
            ("ce-source", "/zeebe/tests"),
            ("ce-type", "Test.Emitted"),
            ("ce-processinstancekey", key),
            ("ce-bpmnprocessid", &scenario.of("one-task")),
            ("ce-elementid", "Emit"),
            ("ce-bridgehops", "1"),
            ("ce-shop", "north"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(event.header(name), Some(value), "{name} of {event:#?}");
        }
        assert_eq!(event.json(), json!({"seat": "A1", "price": 99.80}));
    }
    assert!(source.metric("bridge_source_renewals_total").await >= 2.0);
    assert_eq!(source.metric("bridge_source_locks_lost_total").await, 0.0);
    // Counted when the engine has answered, which may be after its record of it was seen.
    source
        .metric_when("bridge_source_jobs_total", |ended| ended == 1.0)
        .await;
    assert_eq!(jobs(&source, "complete").await, 1.0);
}

/// A Trigger without a dead letter sink makes the Broker answer 500, after the others were served: the
/// source sends again, and those others can tell by the id.
#[tokio::test]
async fn an_event_that_the_broker_did_not_take_is_sent_again_under_its_id() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "sent-again");
    scenario.deploy("one-task.bpmn").await;
    let attempts = AtomicUsize::new(0);
    let subscriber = Destination::start(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::Status(400),
        _ => Answer::Status(202),
    })
    .await;
    let onlooker = Destination::accepting().await;
    let dataplane = dataplane(NONE, &subscriber, &onlooker).await;
    let settings = [("BRIDGE_RETRY_BACKOFF_MS", "50")];
    let source = source(zeebe, &scenario, dataplane.broker(), &settings).await;

    completed(&scenario, &json!({})).await;
    for destination in [&subscriber, &onlooker] {
        let received = destination.received();
        assert_eq!(received.len(), 2, "{received:#?}");
        assert_eq!(received[0].id(), received[1].id());
        assert_eq!(
            received[0].header("ce-source"),
            received[1].header("ce-source")
        );
    }
    source
        .metric_when("bridge_source_jobs_total", |ended| ended == 2.0)
        .await;
    assert_eq!(jobs(&source, "use_retry").await, 1.0);
    assert_eq!(jobs(&source, "complete").await, 1.0);
}
