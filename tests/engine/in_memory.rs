use std::collections::BTreeMap;

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::Destination;
use testkit::program::Program;
use testkit::scenario::workspace;
use testkit::zeebe::{Zeebe, is_completed};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_eventing-zeebe");

#[tokio::test]
async fn the_shipped_models_deploy_and_run_on_the_newer_engine_too() {
    let zeebe = Zeebe::start("engine", "in-memory").await;
    let environment = BTreeMap::from([(
        String::from("ZEEBE_GRPC_ADDRESS"),
        zeebe.gateway().to_owned(),
    )]);
    // One after the other: the levels of the sale are one process.
    for (models, process) in [
        ("bpmn", "hello"),
        ("bpmn/tickets/1-watch.bpmn", "ticket-sale version 1"),
        ("bpmn/tickets/2-coordinate.bpmn", "ticket-sale version 2"),
        ("bpmn/tickets/3-time.bpmn", "ticket-sale version 3"),
        ("bpmn/tickets/4-repair.bpmn", "ticket-sale version 4"),
    ] {
        let path = workspace().join(models);
        let path = path.to_str().expect("a path that is UTF-8");
        let mut deploy =
            Program::start(EXECUTABLE, &["deploy", path], &environment).expect("the program");
        let status = deploy.ended().await;
        let printed = deploy.output().join("\n");
        assert!(status.success(), "{models}: {printed}");
        assert!(printed.contains(process), "{printed}");
    }

    let destination = Destination::accepting().await;
    let url = destination.url();
    let bridge = Bridge::start(
        EXECUTABLE,
        &[("ZEEBE_GRPC_ADDRESS", zeebe.gateway()), ("K_SINK", &url)],
    )
    .await;
    bridge.ready().await;
    let answered = bridge
        .send("Hello.Requested", "1", &json!({"name": "Ada"}))
        .await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let received = destination.wait_for_count(1).await;
    assert_eq!(received[0].ty(), "Hello.Said");
    assert!(
        received[0].json().to_string().contains("Ada"),
        "{}",
        received[0].json()
    );
    zeebe
        .instances_when("hello", "it ended", |all| all.iter().any(is_completed))
        .await;
    zeebe.stop().await;
}
