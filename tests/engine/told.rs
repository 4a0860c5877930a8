//! What the engine tells a Broker of itself.

/// What the Broker's answers do to events.
mod answers;
/// What the exporter is told of its work.
mod arguments;
/// What takes hours, on a clock that does not.
mod clocked;
/// The engine's own pages.
mod engine;
/// Messages on their way to an instance.
mod handed_over;
/// More events, or messages, than are kept.
mod many;

use std::collections::BTreeMap;

use demo::broker::destination::ReferenceTarget;
use demo::broker::{Broker, Running, Settings, manifest};
use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination, Received};
use testkit::scenario::{Scenario, workspace};
use testkit::zeebe::{Zeebe, incidents};
use zeebe_client::{JobKey, ResolveIncident, UpdateJobRetries};

use crate::bridge::both_roles;

const CREATED: &str = "io.camunda.zeebe.incident.created";
const RESOLVED: &str = "io.camunda.zeebe.incident.resolved";
const EXPIRED: &str = "io.camunda.zeebe.message.expired";

/// The one starts a process; for the other nobody waits.
const RULES: &str = "
rules:
  - name: start
    select: {type: Test.Started}
    publish: {message: Test.Started@, correlation_key: =event.id, time_to_live: PT2S}
  - name: nobody
    select: {type: Test.Unwanted}
    publish: {message: Test.Unwanted@, correlation_key: =event.id, time_to_live: PT2S}
";

/// The demo's Broker, whose one Trigger takes what the engine tells.
async fn broker(subscriber: &Destination) -> Running {
    let trigger = workspace().join("demo/trouble.yaml");
    let reference = format!("Service/trouble={}", subscriber.url());
    let reference = reference.parse::<ReferenceTarget>().expect("a reference");
    let settings = Settings {
        manifests: manifest::read(&[trigger], "default").expect("a Trigger"),
        references: [reference].into_iter().collect(),
        ..Settings::default()
    };
    Broker::start(settings).await.expect("a Broker")
}

/// An engine that sends events there; `arguments` are further ones of the exporter.
async fn telling(name: &str, url: &str, arguments: &[(&str, &str)]) -> Zeebe {
    let options = ["--events-to", url, "--engine-name", "told"];
    let mut environment = vec![(
        // Else it looks for expired messages once a minute.
        "ZEEBE_BROKER_EXPERIMENTAL_ENGINE_MESSAGES_TTLCHECKERINTERVAL",
        "1s",
    )];
    environment.extend_from_slice(arguments);
    Zeebe::start_with("broker", name, &options, &environment).await
}

async fn told(events: &Destination, ty: &str, with: &str) -> Received {
    let what = format!("{ty} with {with}");
    events
        .wait_for(&what, |all| {
            all.iter()
                .find(|one| one.ty() == ty && one.json().to_string().contains(with))
                .cloned()
        })
        .await
}

async fn send(bridge: &Bridge, ty: &str, id: &str) {
    let answered = bridge.send(ty, id, &json!({"pin": "1234"})).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
}

fn assert_is_of_the_engine(event: &Received) {
    assert_eq!(event.header("ce-specversion"), Some("1.0"));
    assert_eq!(event.header("ce-source"), Some("/zeebe/told"));
    assert_eq!(event.header("content-type"), Some("application/json"));
    let (partition, position) = event.id().split_once('-').expect("a position");
    assert_eq!(partition, "1");
    assert!(position.parse::<u64>().is_ok(), "{}", event.id());
    let data = event.json().to_string();
    assert!(!data.contains("1234"), "no variables: {data}");
}

#[tokio::test]
async fn an_incident_and_a_message_that_nobody_waited_for_become_events_and_lead_back_to_theirs() {
    let events = Destination::accepting().await;
    let broker = broker(&events).await;
    let zeebe = telling("told", &broker.url("default", "default"), &[]).await;
    let scenario = Scenario::new(&zeebe, "told");
    scenario.deploy("one-task.bpmn").await;
    let rules = scenario.rules(RULES);
    let destination = Destination::start(|_| Answer::Status(422)).await;
    let settings = [("RULES", rules.path()), ("BRIDGE_DECISIONS_KEPT", "100")];
    let bridge = both_roles(&zeebe, &scenario, &destination, &settings).await;

    send(&bridge, "Test.Started", "e-1").await;
    let created = told(&events, CREATED, "").await;
    let line = format!(
        "events of partition 1 go to {}",
        broker.url("default", "default")
    );
    assert!(answers::log(&zeebe).contains(&line), "{line}");
    assert_is_of_the_engine(&created);
    let instance = &scenario.instances("one-task").await[0];
    let incident = &incidents(instance)[0];
    let data = created.json();
    let process = scenario.of("one-task");
    assert_eq!(data["incidentKey"], incident["incidentKey"]);
    assert_eq!(data["jobKey"], incident["jobKey"]);
    assert_eq!(data["processInstanceKey"], instance["processInstanceKey"]);
    assert_eq!(data["bpmnProcessId"], process);
    assert_eq!(data["elementId"], "Emit");
    assert_eq!(data["errorType"], "JOB_NO_RETRIES");
    let message = data["errorMessage"].as_str().expect("text");
    assert!(message.contains("422"), "{message}");
    assert_eq!(created.header("ce-bpmnprocessid"), Some(process.as_str()));
    assert_eq!(created.header("ce-elementid"), Some("Emit"));
    let instance_key = instance["processInstanceKey"].as_str();
    assert_eq!(created.header("ce-subject"), instance_key);
    assert_eq!(created.header("ce-processinstancekey"), instance_key);

    destination.answer(|_| Answer::Status(202));
    let key = |of: &Value| of.as_str().expect("text").parse().expect("a key");
    let client = scenario.client();
    client
        .update_job_retries(UpdateJobRetries {
            job_key: JobKey(key(&data["jobKey"])),
            retries: 3,
        })
        .await
        .expect("more retries");
    client
        .resolve_incident(ResolveIncident {
            incident_key: key(&data["incidentKey"]),
        })
        .await
        .expect("a resolution");
    let incident_key = data["incidentKey"].as_str().expect("text");
    assert_is_of_the_engine(&told(&events, RESOLVED, incident_key).await);

    // The message that started the process has expired before, and is not among what is told.
    send(&bridge, "Test.Unwanted", "e-2").await;
    let expired = told(&events, EXPIRED, "").await;
    assert_is_of_the_engine(&expired);
    let data = expired.json();
    assert_eq!(data["name"], scenario.of("Test.Unwanted"));
    assert_eq!(data["timeToLive"], 2000);
    assert!(data.get("correlationKey").is_none(), "{data}");
    let id = data["messageId"].as_str().expect("text");
    let page = bridge.get(&format!("debug/decisions?message={id}")).await;
    let page: Value = serde_json::from_slice(&page.body).expect("JSON");
    assert_eq!(page["decisions"][0]["id"], "e-2", "{page}");
    let ids: Vec<_> = events
        .received()
        .iter()
        .map(|one| one.id().to_owned())
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    for ty in [CREATED, RESOLVED, EXPIRED] {
        let of = format!("type=\"{ty}\"");
        let counted = engine::metric(&zeebe, "eventing_zeebe_events_total", &of).await;
        assert_eq!(counted, 1.0, "{ty}");
    }
    // A gateway waits for those who hold a stream.
    drop(bridge);
    zeebe.stop().await;
}

#[tokio::test]
async fn what_happens_while_the_broker_is_away_and_the_engine_is_killed_arrives_later_under_one_id()
{
    let mut events = Destination::accepting().await;
    let mut zeebe = telling("told-later", &events.url(), &[]).await;
    events.stop().await;
    {
        let scenario = Scenario::new(&zeebe, "later");
        scenario.deploy("one-task.bpmn").await;
        let rules = scenario.rules(RULES);
        let destination = Destination::start(|_| Answer::Status(422)).await;
        let settings = [("RULES", rules.path())];
        let bridge = both_roles(&zeebe, &scenario, &destination, &settings).await;
        send(&bridge, "Test.Started", "e-1").await;
        send(&bridge, "Test.Unwanted", "e-2").await;
        // The observer's records say that both have happened.
        scenario
            .instances_when("one-task", "its incident", |all| {
                all.first().is_some_and(|one| !incidents(one).is_empty())
            })
            .await;
        expired(&zeebe, &scenario.of("Test.Unwanted")).await;
        // What is done with by now is so for ever.
        engine::snapshot(&zeebe).await;
        // Published before the kill, and expired after it.
        send(&bridge, "Test.Unwanted", "e-3").await;
    }
    zeebe.kill().await;
    zeebe.start_again().await;
    events.start_again().await;
    let twice = |all: &[Received]| all.iter().filter(|one| one.ty() == EXPIRED).count() >= 2;
    events
        .wait_for("both messages", |all| twice(all).then_some(()))
        .await;
    told(&events, CREATED, "").await;
    // What came again came under the id that it had.
    let mut by_id: BTreeMap<String, String> = BTreeMap::new();
    for one in events.received() {
        let data = one.json().to_string();
        assert_eq!(
            *by_id.entry(one.id().to_owned()).or_insert(data.clone()),
            data
        );
    }
    assert_eq!(by_id.len(), 3, "{by_id:#?}");
    zeebe.stop().await;
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_dropped_and_counted_before_the_engine_chokes_on_its_log() {
    let events = Destination::start(|_| Answer::Status(503)).await;
    let patience = ("ZEEBE_BROKER_EXPORTERS_EVENTS_ARGS_PATIENCESECONDS", "1");
    let zeebe = telling("told-never", &events.url(), &[patience]).await;
    let scenario = Scenario::new(&zeebe, "never");
    let rules = scenario.rules(RULES);
    let destination = Destination::accepting().await;
    let settings = [("RULES", rules.path())];
    let bridge = both_roles(&zeebe, &scenario, &destination, &settings).await;
    send(&bridge, "Test.Unwanted", "e-1").await;
    let first = told(&events, EXPIRED, "").await;
    let (dropped, patience) = ("eventing_zeebe_events_dropped_total", "reason=\"patience\"");
    engine::metric_reaches(&zeebe, dropped, patience, 1.0).await;
    // What comes after it is told of.
    events.answer(|_| Answer::Status(202));
    send(&bridge, "Test.Unwanted", "e-2").await;
    events
        .wait_for("the second", |all| {
            all.iter().any(|one| one.id() != first.id()).then_some(())
        })
        .await;
    // A gateway waits for those who hold a stream.
    drop(bridge);
    zeebe.stop().await;
}

/// Waits until the engine has told its observer that a message of this name expired.
async fn expired(zeebe: &Zeebe, name: &str) {
    let published = ["MESSAGE", "PUBLISHED"];
    let published = engine::position(zeebe, published, "name", &json!(name)).await;
    engine::record(zeebe, |all| {
        // The record of the end has the key alone.
        let key = &all.iter().find(|one| one["position"] == published)?["key"];
        let is_end = |one: &&Value| one["valueType"] == "MESSAGE" && one["intent"] == "EXPIRED";
        all.iter()
            .filter(is_end)
            .find(|one| one["key"] == *key)
            .map(drop)
    })
    .await;
}
