use std::collections::BTreeSet;

use serde_json::json;
use testkit::destination::{Destination, Received};
use testkit::scenario::{Scenario, workspace};
use testkit::zeebe::{Zeebe, incidents, is_completed};

use crate::bridge::{sink, source};
use crate::dataplane::{Dataplane, Manifests, QUICK, Trigger};
use testkit::rules_file::RulesFile;

const TYPE: &str = "Loop.Turned";

#[tokio::test]
async fn a_process_that_starts_itself_stops_at_the_limit_that_was_set() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "loop-of-5");
    stops_after(5, &scenario, zeebe, &[("BRIDGE_HOP_LIMIT", "5")]).await;
}

#[tokio::test]
async fn a_process_that_starts_itself_stops_at_the_limit_that_is_the_default() {
    let reference =
        std::fs::read_to_string(workspace().join("docs/CONFIG.md")).expect("a reference");
    let default: usize = reference
        .lines()
        .find_map(|line| {
            line.strip_prefix("| `BRIDGE_HOP_LIMIT` | `")?
                .split('`')
                .next()?
                .parse()
                .ok()
        })
        .expect("the default is documented");
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "loop-of-default");
    stops_after(default, &scenario, zeebe, &[]).await;
}

/// Lets one event go round until nothing leaves any more.
async fn stops_after(
    limit: usize,
    scenario: &Scenario<'_>,
    zeebe: &Zeebe,
    settings: &[(&str, &str)],
) {
    scenario.deploy("loop.bpmn").await;
    let rules = RulesFile::new(&format!(
        "rules: [{{name: turned, select: {{type: {TYPE}}}, start: {{message: {}}}}}]",
        scenario.of(TYPE)
    ));
    let bridge = sink(&[
        ("ZEEBE_GRPC_ADDRESS", zeebe.gateway()),
        ("RULES", rules.path()),
    ])
    .await;
    bridge.ready().await;
    let onlooker = Destination::accepting().await;
    let dead_letters = Destination::accepting().await;
    let trigger = |name, subscriber| Trigger {
        name,
        types: &[TYPE],
        subscriber,
        delivery: QUICK,
    };
    let manifests = Manifests::of(&[trigger("loop", "bridge"), trigger("onlooker", "onlooker")]);
    let dataplane = Dataplane::start(
        manifests.path(),
        &[
            ("Service/bridge", bridge.url()),
            ("Service/onlooker", &onlooker.url()),
            ("Service/dead-letters", &dead_letters.url()),
        ],
    )
    .await;
    let source = source(zeebe, scenario, dataplane.broker(), settings).await;

    let answered = dataplane.send(TYPE, "first", &json!({"turns": 1})).await;
    assert_eq!(answered.status, 202);

    let instances = scenario
        .instances_when(
            "loop",
            "all completed but one, which has an incident",
            |all| {
                all.iter().filter(|one| is_completed(one)).count() >= limit
                    && all.iter().any(|one| !incidents(one).is_empty())
            },
        )
        .await;
    // No job is left now that could send anything; the Triggers deliver side by side, in any order.
    let all = onlooker.wait_for_count(limit + 1).await;
    let (first, left): (Vec<Received>, Vec<Received>) =
        all.into_iter().partition(|event| event.id() == "first");
    assert_eq!(first.len(), 1);
    let mut hops: Vec<usize> = left
        .iter()
        .map(|event| {
            event
                .header("ce-bridgehops")
                .and_then(|hops| hops.parse().ok())
        })
        .map(|hops| hops.expect("hops"))
        .collect();
    hops.sort_unstable();
    assert_eq!(hops, (1..=limit).collect::<Vec<_>>());
    let ids: BTreeSet<&str> = left.iter().map(Received::id).collect();
    assert_eq!(ids.len(), limit, "an event came twice");
    assert!(dead_letters.received().is_empty());

    assert_eq!(
        instances.iter().filter(|one| is_completed(one)).count(),
        limit
    );
    let stopped: Vec<_> = instances.iter().filter(|one| !is_completed(one)).collect();
    assert_eq!(stopped.len(), 1, "{stopped:#?}");
    let told = incidents(stopped[0]);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["elementId"], "Turn");
    let message = told[0]["message"].as_str().expect("text");
    assert!(
        message.contains("loop") && message.contains(&limit.to_string()),
        "{message}"
    );
    assert_eq!(source.metric("bridge_source_loops_total").await, 1.0);
}
