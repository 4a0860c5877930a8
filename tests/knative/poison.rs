use serde_json::{Value, json};
use testkit::destination::{Destination, Received};
use testkit::request;
use testkit::scenario::Scenario;
use testkit::zeebe::{Zeebe, is_completed};

use crate::bridge::{sink, source};
use crate::dataplane::{Dataplane, Manifests, QUICK, Trigger};
use testkit::rules_file::RulesFile;

const TYPE: &str = "Poison.Requested";

/// What a dead letter sink adds, and the arrival time that the ingress sets anew: the same event still.
#[tokio::test]
async fn an_event_refused_for_want_of_a_rule_is_replayed_from_the_dead_letter_sink() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "poison");
    scenario.deploy("one-task.bpmn").await;
    let before = "rules: [{name: other, select: {type: Poison.Other}, publish: {message: other}}]";
    let rules = RulesFile::new(before);
    let mut bridge = sink(&[
        ("ZEEBE_GRPC_ADDRESS", zeebe.gateway()),
        ("RULES", rules.path()),
        ("BRIDGE_NO_RULE", "refuse"),
    ])
    .await;
    bridge.ready().await;
    let dead_letters = Destination::accepting().await;
    let emitted = Destination::accepting().await;
    let manifests = Manifests::of(&[
        Trigger {
            name: "poison",
            types: &[TYPE],
            subscriber: "bridge",
            delivery: QUICK,
        },
        Trigger {
            name: "emitted",
            types: &["Test.Emitted"],
            subscriber: "emitted",
            delivery: QUICK,
        },
    ]);
    let dataplane = Dataplane::start(
        manifests.path(),
        &[
            ("Service/bridge", bridge.url()),
            ("Service/emitted", &emitted.url()),
            ("Service/dead-letters", &dead_letters.url()),
        ],
    )
    .await;
    let _source = source(zeebe, &scenario, dataplane.broker(), &[]).await;

    let data = json!({"seat": "A1", "price": 99.80});
    let headers = [("ce-subject", "seat-1"), ("ce-correlationkey", "seat-1")];
    let answered = dataplane.send_with(TYPE, "poison-1", &headers, &data).await;
    assert_eq!(answered.status, 202);
    let dead = dead_letters.received();
    assert_eq!(dead.len(), 1, "{dead:#?}");
    let dead = &dead[0];
    assert_eq!(dead.header("ce-knativeerrorcode"), Some("422"));
    assert_eq!(dead.header("ce-knativeerrordest"), Some(bridge.url()));
    assert!(reason(dead).contains("no rule selects this event"));

    // The repair: the rule that was missing, and a sink that reads it.
    rules.write(&format!(
        "rules: [{{name: requested, select: {{type: {TYPE}}}, start: {{message: {}}}}}]",
        scenario.of("Test.Started")
    ));
    bridge.program().terminate();
    let status = bridge.program().ended().await;
    assert!(status.success(), "{status}");
    bridge.start_again().await;
    bridge.ready().await;

    let answered = request::post(dataplane.broker(), &as_it_came(dead), dead.body.clone()).await;
    assert_eq!(answered.status, 202);
    let event = &emitted.wait_for_count(1).await[0];
    assert_eq!(
        event.json(),
        data,
        "nothing of the dead letter is in the process"
    );

    // Were the message id another one now, these would each start an instance too.
    let answered = dataplane.send_with(TYPE, "poison-1", &headers, &data).await;
    assert_eq!(answered.status, 202);
    let answered = bridge.send_with(TYPE, "poison-1", &headers, &data).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let duplicates = bridge
        .metric_of(
            "bridge_sink_command_duration_seconds_count",
            &[("command", "PublishMessage"), ("outcome", "duplicate")],
        )
        .await;
    assert_eq!(duplicates, 2.0);

    assert_eq!(dead_letters.received().len(), 1);
    let instances = scenario
        .instances_when("one-task", "the instance completed", |all| {
            all.iter().any(is_completed)
        })
        .await;
    assert_eq!(instances.len(), 1, "{instances:#?}");
    assert_eq!(emitted.received().len(), 1);
}

/// The headers of an event as it lies in a dead letter sink, to be sent again: all its attributes, those
/// that Knative added among them, and not what belongs to the connection.
fn as_it_came(dead: &Received) -> Vec<(&str, &str)> {
    let kept: Vec<(&str, &str)> = dead
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("ce-") || *name == "content-type")
        .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
        .collect();
    for added in [
        "ce-knativeerrorcode",
        "ce-knativeerrordata",
        "ce-knativearrivaltime",
    ] {
        assert!(
            kept.iter().any(|(name, _)| *name == added),
            "no {added} in {kept:?}"
        );
    }
    kept
}

fn reason(dead: &Received) -> String {
    use base64::Engine as _;
    let data = dead.header("ce-knativeerrordata").expect("a reason");
    let data = base64::prelude::BASE64_STANDARD
        .decode(data)
        .expect("base64");
    let reason: Value = serde_json::from_slice(&data).expect("JSON");
    reason["error"].as_str().expect("text").to_owned()
}
