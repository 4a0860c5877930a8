use serde_json::json;
use testkit::destination::Destination;
use testkit::scenario::Scenario;
use testkit::zeebe::{Zeebe, is_completed};

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
    let instances = scenario
        .instances_when("one-task", "the instance completed", |all| {
            all.iter().any(is_completed)
        })
        .await;
    assert_eq!(instances.len(), 1, "{instances:#?}");
    assert_eq!(
        event.header("ce-processinstancekey"),
        Some(instances[0]["key"].to_string().trim_matches('"'))
    );
}
