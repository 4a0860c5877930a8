use std::time::Duration;

use serde_json::json;
use testkit::destination::{Answer, Destination, Received};
use testkit::request;
use testkit::scenario::{Scenario, workspace};
use testkit::zeebe::{Zeebe, incidents};
use zeebe_client::PublishMessage;

use crate::bridge::source;
use crate::dataplane::{Dataplane, Manifests};

const CREATED: &str = "io.camunda.zeebe.incident.created";
const EXPIRED: &str = "io.camunda.zeebe.message.expired";

/// Of incidents those of one process.
fn of_one_process(process: &str) -> String {
    format!(
        "\
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: one-process
spec:
  broker: default
  filters:
    - exact: {{type: {CREATED}, bpmnprocessid: {process}}}
  subscriber:
    ref: {{apiVersion: v1, kind: Service, name: owner}}
"
    )
}

fn types(received: &[Received]) -> Vec<&str> {
    received.iter().map(Received::ty).collect()
}

#[tokio::test]
async fn what_the_engine_tells_of_itself_comes_through_knatives_broker_to_whoever_filters_for_it() {
    // The name of the process is the scenario's, and the engine is told of the Broker before there is one.
    let process = "one-task-told-knative";
    let trouble =
        std::fs::read_to_string(workspace().join("demo/trouble.yaml")).expect("a Trigger");
    let manifests = Manifests::of(&[]).and(&[trouble, of_one_process(process)]);
    let (on_call, owner) = (
        Destination::accepting().await,
        Destination::accepting().await,
    );
    let dataplane = Dataplane::start(
        manifests.path(),
        &[
            ("Service/trouble", &on_call.url()),
            ("Service/owner", &owner.url()),
        ],
    )
    .await;
    let options = ["--events-to", dataplane.broker(), "--engine-name", "told"];
    let zeebe = Zeebe::start_with("broker", "told-knative", &options, &[]).await;
    let scenario = Scenario::new(&zeebe, "told-knative");
    scenario.deploy("one-task.bpmn").await;
    assert_eq!(scenario.of("one-task"), process);
    let refuses = Destination::start(|_| Answer::Status(422)).await;
    let source = source(&zeebe, &scenario, &refuses.url(), &[]).await;

    scenario.start("one-task", &json!({})).await;
    let created = on_call.wait_for_count(1).await.remove(0);
    assert_eq!(created.ty(), CREATED);
    let instance = &scenario.instances("one-task").await[0];
    assert_eq!(
        created.json()["incidentKey"],
        incidents(instance)[0]["incidentKey"]
    );
    assert_eq!(created.header("ce-source"), Some("/zeebe/told"));
    assert_eq!(created.header("ce-bpmnprocessid"), Some(process));
    assert_eq!(created.header("content-type"), Some("application/json"));

    let nobody_waits = PublishMessage {
        name: scenario.of("Test.Unwanted"),
        correlation_key: String::new(),
        message_id: String::new(),
        time_to_live: Duration::ZERO,
        variables: String::new(),
        tenant_id: None,
    };
    let published = scenario.client().publish_message(nobody_waits).await;
    published.expect("a message");
    let all = on_call.wait_for_count(2).await;
    assert_eq!(types(&all), [CREATED, EXPIRED]);
    assert_eq!(all[1].json()["name"], scenario.of("Test.Unwanted"));
    assert_ne!(all[0].id(), all[1].id());
    assert_eq!(types(&owner.received()), [CREATED]);
    // A gateway waits for those who hold a stream.
    drop(source);
    zeebe.stop().await;
}

/// So one answer does not tell whoever sends what is wrong, the address or the event.
#[tokio::test]
async fn knatives_broker_answers_400_as_to_a_wrong_event_where_the_path_has_not_two_parts() {
    let dataplane = Dataplane::start(Manifests::of(&[]).path(), &[]).await;
    let at = |path: &str| dataplane.broker().replace("/default/default", path);
    for (path, status) in [
        ("/default/default", 202),
        ("/", 404),
        ("/default", 400),
        ("/default/default/more", 400),
        ("/default/none", 404),
    ] {
        let answered = request::post_event(&at(path), "Test.Sent", "e-1", &[], &json!({})).await;
        assert_eq!(answered.status, status, "{path}");
    }
}
