use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination, Received};
use testkit::scenario::Scenario;
use testkit::zeebe::{Zeebe, incidents, is_completed};

use crate::bridge::both_roles;

/// Starts an instance of a process on the shared broker, whose event is answered as told, and returns it
/// once it is as wanted.
async fn one_instance(
    name: &'static str,
    process: &str,
    answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> (Value, Vec<Received>) {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, name);
    scenario.deploy(&format!("{process}.bpmn")).await;
    let destination = Destination::start(answer).await;
    let settings = [("BRIDGE_RETRY_BACKOFF_MS", "50")];
    let _bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    scenario.start(process, &json!({"seat": "A1"})).await;
    let mut instances = scenario
        .instances_when(process, what, |all| all.len() == 1 && wanted(&all[0]))
        .await;
    (instances.remove(0), destination.received())
}

fn has_incident(instance: &Value) -> bool {
    !incidents(instance).is_empty()
}

#[tokio::test]
async fn an_answer_that_the_error_map_names_becomes_a_bpmn_error() {
    for (name, status, end_event) in [
        ("error-409", 409, "EndedSoldOut"),
        ("error-403", 403, "EndedRefused"),
        ("error-202", 202, "Accepted"),
    ] {
        let (instance, received) = one_instance(
            name,
            "error-path",
            move |_| Answer::Status(status),
            "it ended",
            is_completed,
        )
        .await;
        assert_eq!(instance["endEvents"], json!([end_event]), "{status}");
        assert_eq!(received.len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_permanent_refusal_becomes_an_incident_that_says_what_the_destination_answered() {
    let refusal = |_: &Received| {
        let mut response = http::Response::new("seat A1 does not exist".into());
        *response.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
        Answer::Response(response)
    };
    let (instance, received) =
        one_instance("refusal", "one-task", refusal, "an incident", has_incident).await;
    let incident = &incidents(&instance)[0];
    assert_eq!(incident["errorType"], "JOB_NO_RETRIES");
    assert_eq!(incident["elementId"], "Emit");
    let message = incident["message"].as_str().expect("a message");
    assert!(message.contains("422"), "{message}");
    assert!(message.contains("seat A1 does not exist"), "{message}");
    assert_eq!(received.len(), 1, "no retry was used up in a loop");
}

#[tokio::test]
async fn a_failing_destination_gets_the_same_event_as_often_as_the_model_says_before_an_incident() {
    let (instance, received) = one_instance(
        "failing",
        "one-task",
        |_| Answer::Status(500),
        "an incident",
        has_incident,
    )
    .await;
    let message = incidents(&instance)[0]["message"]
        .as_str()
        .expect("a message");
    assert!(message.contains("500"), "{message}");
    assert_eq!(received.len(), 3, "three retries are the model's default");
    let ids: HashSet<&str> = received.iter().map(Received::id).collect();
    assert_eq!(ids.len(), 1, "a repeat carries the same id");
}

#[tokio::test]
async fn a_destination_that_fails_once_gets_the_same_event_again() {
    let first = Mutex::new(true);
    let (_, received) = one_instance(
        "fails-once",
        "one-task",
        move |_| {
            let was_first = std::mem::take(&mut *first.lock().expect("not poisoned"));
            Answer::Status(if was_first { 500 } else { 202 })
        },
        "it ended",
        is_completed,
    )
    .await;
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].id(), received[1].id());
    assert_eq!(
        received[0].header("ce-source"),
        received[1].header("ce-source")
    );
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn a_task_that_no_event_can_be_made_of_becomes_an_incident_naming_header_and_element() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "bad-task");
    scenario
        .deploy_with(
            "one-task.bpmn",
            &[(
                "<zeebe:header key=\"ce-type\" value=\"Test.Emitted\" />",
                "<zeebe:header key=\"ce-type\" value=\"Test.Emitted\" /><zeebe:header key=\"ce-subject\" value=\"=missing.field\" />",
            )],
        )
        .await;
    let destination = Destination::accepting().await;
    let _bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    scenario.start("one-task", &json!({})).await;
    let instances = scenario
        .instances_when("one-task", "an incident", |all| {
            all.iter().any(has_incident)
        })
        .await;
    let message = incidents(&instances[0])[0]["message"]
        .as_str()
        .expect("a message");
    for part in ["ce-subject", "Emit", "missing"] {
        assert!(message.contains(part), "`{part}` in {message}");
    }
    assert!(destination.received().is_empty());
}

#[tokio::test]
async fn a_model_of_the_predecessor_runs_unchanged_but_cannot_send_where_it_likes() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "predecessor");
    scenario.deploy("knative-task.bpmn").await;
    let destination = Destination::accepting().await;
    let job_types = scenario.of("knative");
    let settings = [("ZEEBE_JOB_TYPES", job_types.as_str())];
    let _bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    let key = scenario
        .start("knative-task", &json!({"seat": "A1"}))
        .await
        .to_string();
    let received = destination.wait_for_count(1).await;
    let event = &received[0];
    assert_eq!(event.ty(), "Test.Emitted");
    // `Zeebe Job`, as the binding wants a blank in a header.
    assert_eq!(event.header("ce-subject"), Some("Zeebe%20Job"));
    assert_eq!(event.header("ce-workflowinstancekey"), Some(key.as_str()));
    assert_eq!(event.header("ce-bpmnactivityname"), Some("Emit"));
    for name in ["ce-bpmnactivityid", "ce-workflowkey", "ce-jobkey"] {
        let value = event.header(name).unwrap_or_default();
        assert!(value.parse::<i64>().is_ok(), "{name}: {value}");
    }
    assert_eq!(event.json(), json!({"seat": "A1"}));
    scenario.all_completed("knative-task", 1).await;
}

#[tokio::test]
async fn a_mode_that_is_not_supported_becomes_an_incident_naming_it_and_the_job_is_not_completed() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "other-mode");
    scenario.deploy("knative-wait.bpmn").await;
    let destination = Destination::accepting().await;
    let job_types = scenario.of("knative");
    let settings = [("ZEEBE_JOB_TYPES", job_types.as_str())];
    let _bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    scenario.start("knative-wait", &json!({})).await;
    let instances = scenario
        .instances_when("knative-wait", "an incident", |all| {
            all.iter().any(has_incident)
        })
        .await;
    let message = incidents(&instances[0])[0]["message"]
        .as_str()
        .expect("a message");
    assert!(message.contains("WAIT_FOR_CLOUD_EVENT"), "{message}");
    assert_eq!(instances[0]["state"], "ACTIVE");
    assert!(destination.received().is_empty());
}

#[tokio::test]
async fn a_destination_that_goes_away_and_comes_back_costs_no_retry_and_no_event() {
    const JOBS: usize = 60;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "outage");
    scenario.deploy("many-tasks.bpmn").await;
    let mut destination = Destination::accepting().await;
    let settings = [
        ("BRIDGE_MAX_JOBS_ACTIVE", "8"),
        ("BRIDGE_RETRY_BACKOFF_MS", "50"),
    ];
    let bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    destination.stop().await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    // It has noticed: the readiness of the destination says so.
    wait_for_readyz(&bridge, |page| page.contains("\"destination\"")).await;
    // More than three deliveries fail meanwhile, which would be the retries of a job.
    bridge
        .metric_when("bridge_source_delivery_duration_seconds_count", |count| {
            count >= 10.0
        })
        .await;
    destination.start_again().await;
    let received = destination.wait_for_count(JOBS).await;
    let ids: HashSet<&str> = received.iter().map(Received::id).collect();
    assert_eq!(ids.len(), JOBS);
    let ended = scenario.all_completed("many-tasks", 1).await;
    assert!(!has_incident(&ended[0]));
    wait_for_readyz(&bridge, |page| page.contains("\"ready\":true")).await;
}

#[tokio::test]
async fn a_bridge_that_sleeps_past_its_jobs_time_does_no_harm_to_the_one_that_took_over() {
    const JOBS: usize = 10;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "late-worker");
    scenario.deploy("many-tasks.bpmn").await;
    // The first bridge gets its deliveries refused only after it slept: a late FailJob would follow.
    let slow = Destination::start(|_| {
        Answer::After(Duration::from_secs(4), Box::new(Answer::Status(500)))
    })
    .await;
    let accepting = Destination::accepting().await;
    let settings = [("BRIDGE_JOB_TIMEOUT_SECONDS", "3")];
    // It only polls: the engine would go on pushing to the stream of a program that sleeps.
    let polling = [
        settings[0],
        ("BRIDGE_STREAM", "false"),
        ("BRIDGE_POLL_INTERVAL_SECONDS", "1"),
    ];
    let mut first = both_roles(zeebe, &scenario, &slow, &polling).await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    slow.wait_for_count(JOBS).await;
    first.program().signal("STOP");
    let second = both_roles(zeebe, &scenario, &accepting, &settings).await;
    let received = accepting.wait_for_count(JOBS).await;
    first.program().signal("CONT");
    let ended = scenario.all_completed("many-tasks", 1).await;
    assert!(!has_incident(&ended[0]));
    // Both sent the same events: whoever got both copies can tell.
    let of = |all: &[Received]| -> HashMap<String, String> {
        all.iter()
            .map(|one| {
                (
                    one.id().to_owned(),
                    String::from_utf8_lossy(&one.body).into_owned(),
                )
            })
            .collect()
    };
    assert_eq!(of(&received), of(&slow.received()));
    drop(second);
}

async fn wait_for_readyz(bridge: &Bridge, wanted: impl Fn(&str) -> bool) {
    for _ in 0..1200 {
        if wanted(bridge.get("readyz").await.text()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the readiness is {}", bridge.get("readyz").await.text());
}

#[tokio::test]
async fn a_key_that_no_partition_gave_is_known_for_what_it_is() {
    use zeebe_client::{CompleteJob, ErrorKind, JobKey};
    let zeebe = Zeebe::shared().await;
    let client = Scenario::new(zeebe, "no-partition").client();
    // Partition 0, which there never is; and one that the gateway may only not have heard of yet.
    for (key, kind) in [
        (1, ErrorKind::NotFound),
        ((77 << 51) + 1, ErrorKind::Unavailable),
    ] {
        let command = CompleteJob {
            job_key: JobKey(key),
            variables: String::new(),
        };
        let error = client.complete_job(command).await.expect_err("no such job");
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn one_event_that_is_always_answered_503_keeps_no_other_waiting() {
    const JOBS: usize = 40;
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "poison");
    scenario.deploy("many-tasks.bpmn").await;
    let destination = Destination::start(|received| {
        Answer::Status(if received.json() == json!(0) {
            503
        } else {
            202
        })
    })
    .await;
    let settings = [("BRIDGE_MAX_JOBS_ACTIVE", "2")];
    let _bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    let items: Vec<_> = (0..JOBS).collect();
    scenario.start("many-tasks", &json!({"items": items})).await;
    let delivered = |received: &[Received]| {
        let others = received.iter().filter(|one| one.json() != json!(0));
        others.map(Received::id).collect::<HashSet<_>>().len()
    };
    destination
        .wait_for("all others, and the poison again", |all| {
            let poison = all.iter().filter(|one| one.json() == json!(0)).count();
            (delivered(all) == JOBS - 1 && poison >= 2).then_some(())
        })
        .await;
    destination.answer(|_| Answer::Status(202));
    let ended = scenario.all_completed("many-tasks", 1).await;
    assert!(incidents(&ended[0]).is_empty());
}

#[tokio::test]
async fn a_job_of_a_task_without_retries_outlives_an_outage_too() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "no-retries");
    let retries = [(
        "type=\"cloudevents\" />",
        "type=\"cloudevents\" retries=\"0\" />",
    )];
    scenario.deploy_with("one-task.bpmn", &retries).await;
    let destination = Destination::start(|_| Answer::Status(503)).await;
    let _bridge = both_roles(zeebe, &scenario, &destination, &[]).await;
    scenario.start("one-task", &json!({})).await;
    destination.wait_for_count(2).await;
    destination.answer(|_| Answer::Status(202));
    let ended = scenario.all_completed("one-task", 1).await;
    assert!(incidents(&ended[0]).is_empty());
}
