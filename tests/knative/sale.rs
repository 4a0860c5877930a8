use demo::customer::Card;
use testkit::collector::Collector;
use testkit::destination::Destination;
use testkit::relay::Relay;
use testkit::rules_file::RulesFile;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use crate::bridge;
use crate::dataplane::{Dataplane, Manifests};
use crate::rules::rules;
use crate::services::Services;
use crate::whole::{PAYS, assert_attributes, assert_tree, documented, has_come, of_click};

/// The services as they are, the shipped Triggers, rules and model. The data plane is not told to make spans, so none
/// of its own may be a parent: it passes on what it gets.
#[tokio::test]
async fn the_trace_of_a_sale_goes_through_the_broker_as_through_the_local_one() {
    let scenario = Scenario::new(Zeebe::shared().await, "sale-trace");
    scenario.deploy("bpmn/tickets/4-repair.bpmn").await;
    let rules = RulesFile::new(&rules(&scenario, &[]));
    let collector = Collector::start().await;
    let endpoint = collector.url();
    let traced = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let sink = bridge::sink(&[
        traced[0],
        traced[1],
        ("ZEEBE_GRPC_ADDRESS", scenario.zeebe().gateway()),
        ("RULES", rules.path()),
    ])
    .await;
    sink.ready().await;
    let to_broker = Relay::open().await;
    let broker = format!("{}/default/default", to_broker.url());
    let services = Services::open(&broker, &traced).await;
    let dead_letters = Destination::accepting().await;
    let others = [
        ("Service/eventing-zeebe", sink.url().to_owned()),
        ("Service/dead-letters", dead_letters.url()),
    ];
    let references: Vec<(&str, &str)> = services
        .references()
        .iter()
        .chain(&others)
        .map(|(name, url)| (*name, url.as_str()))
        .collect();
    let manifests = Manifests::shipped(&["tickets/triggers"]);
    let dataplane = Dataplane::start(manifests.path(), &references).await;
    let before_path = dataplane.broker().strip_suffix("/default/default");
    to_broker.leads_to(before_path.expect("the Broker's path"));
    let source = bridge::source(scenario.zeebe(), &scenario, &broker, &traced).await;

    services.sell(Card::Valid).await;
    scenario.all_completed("ticket-sale", 1).await;
    let tree = documented();
    collector
        .spans_when("the whole trace", |spans| has_come(spans, PAYS, &tree))
        .await;
    // Whatever is too much has come as well when they have ended.
    services.end().await;
    for mut role in [source, sink] {
        role.program().terminate();
        role.program().ended().await;
    }
    let trace = of_click(&collector.spans(), PAYS);
    assert_tree(&trace, &tree);
    assert_attributes(&trace, &scenario);
    assert_eq!(dead_letters.received().len(), 0);
}
