//! The bridge itself behind a Broker.

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::Destination;
use testkit::rules_file::RulesFile;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use super::{ALL_ATTEMPTS, MAX_EVENT_BYTES, NOBODY, assert_tells, with_id};
use crate::bridge::sink;
use crate::dataplane::{Dataplane, Manifests, QUICK, Trigger};

#[tokio::test]
async fn the_bridge_behind_a_broker_takes_refuses_and_asks_to_come_again() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "answers");
    let rules = RulesFile::new(&format!(
        "rules: [{{name: known, select: {{type: Answers.Known, when: data.quantity > 0}}, publish: {{message: {}}}}}]",
        scenario.of("known")
    ));
    let rules = rules.path();
    let limit = MAX_EVENT_BYTES.to_string();
    let settings = [
        ("RULES", rules),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
        ("BRIDGE_MAX_EVENT_BYTES", &limit),
    ];
    let bridge = sink(&[&settings[..], &[("ZEEBE_GRPC_ADDRESS", zeebe.gateway())]].concat()).await;
    let lonely = sink(&[&settings[..], &[("ZEEBE_GRPC_ADDRESS", NOBODY)]].concat()).await;
    bridge.ready().await;
    let dead_letters = Destination::accepting().await;

    for (bridge, name, data, status, attempts) in [
        (&bridge, "taken", json!({"quantity": 1}), 202, 1),
        (&bridge, "unwanted", json!({"quantity": 0}), 202, 1),
        (&bridge, "incomplete", json!({}), 422, 1),
        (
            &bridge,
            "too large",
            json!({"filling": "x".repeat(MAX_EVENT_BYTES)}),
            413,
            1,
        ),
        (
            &lonely,
            "engine away",
            json!({"quantity": 1}),
            503,
            ALL_ATTEMPTS,
        ),
    ] {
        let before = answered_with(bridge, status).await;
        let manifests = Manifests::of(&[Trigger {
            name: "answers",
            types: &[],
            subscriber: "subscriber",
            delivery: QUICK,
        }]);
        let dataplane = Dataplane::start(
            manifests.path(),
            &[
                ("Service/subscriber", bridge.url()),
                ("Service/dead-letters", &dead_letters.url()),
            ],
        )
        .await;
        let answered = dataplane.send("Answers.Known", name, &data).await;
        assert_eq!(answered.status, 202, "{name}");
        let answers = answered_with(bridge, status).await - before;
        assert_eq!(answers, attempts as f64, "{name}: answers with {status}");
        let dead = with_id(&dead_letters, name);
        assert_eq!(dead.len(), usize::from(status != 202), "{name}: {dead:#?}");
        if let Some(dead) = dead.first() {
            let direct = bridge.send("Answers.Known", name, &data).await;
            assert_eq!(direct.status, status, "{name}");
            assert_tells(dead, status, &direct.body);
        }
    }
}

async fn answered_with(bridge: &Bridge, status: u16) -> f64 {
    let status = status.to_string();
    bridge
        .metric_of("bridge_sink_requests_total", &[("status", &status)])
        .await
}
