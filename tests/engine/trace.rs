//! The contexts of jobs.

/// Instances of a sub-process, each with a message of its own.
mod each_waits;

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::collector::Collector;
use testkit::collector::span::{Span, Spans};
use testkit::destination::Destination;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use crate::bridge::both_roles;

const FIRST: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const SECOND: &str = "00-11111111111111111111111111111111-2222222222222222-01";

/// The settings that send spans to a collector, soon.
fn traced(url: &str) -> Vec<(&str, &str)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ]
}

/// That all of these spans are there so often, and each goes on from `parent`.
fn assert_go_on_from(spans: &Spans, parent: &Span, names: &[(&str, usize)]) {
    for (name, count) in names {
        let found = spans.named(name);
        assert_eq!(found.len(), *count, "{name} in\n{spans}");
        for span in found {
            assert_eq!(
                (&span.trace, &span.parent),
                (&parent.trace, &parent.id),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn one_trace_goes_through_a_process_with_a_timer_in_it() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "traced-timer");
    scenario
        .deploy_with(
            "timed-task.bpmn",
            &[(
                "<bpmn:outgoing>Started_to_Passed</bpmn:outgoing>",
                "<bpmn:outgoing>Started_to_Passed</bpmn:outgoing>\n\
                 <bpmn:messageEventDefinition id=\"Definition_Started\" messageRef=\"Message_Started\" />",
            ), (
                "<bpmndi:BPMNDiagram ",
                "<bpmn:message id=\"Message_Started\" name=\"Test.Started\" />\n<bpmndi:BPMNDiagram ",
            )],
        )
        .await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let url = collector.url();
    let bridge = both_roles(zeebe, &scenario, &destination, &traced(&url)).await;
    let ty = scenario.of("Test.Started");
    let headers = [("traceparent", FIRST)];
    let answered = bridge.send_with(&ty, "1", &headers, &json!({})).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let spans = collector
        .spans_when("the job's end", |spans| {
            !spans.named("activate Emit").is_empty()
        })
        .await;
    assert_eq!(
        spans.outline(),
        format!(
            "Consumer receive {ty}\n  \
               Internal select rule\n  \
               Client gateway_protocol.Gateway/PublishMessage\n  \
               Consumer activate Emit\n    \
                 Producer deliver Test.Emitted\n    \
                 Client gateway_protocol.Gateway/CompleteJob\n"
        )
    );
    assert!(FIRST.contains(&spans.one("activate Emit").trace));
    let event = &destination.received()[0];
    let delivery = spans.one("deliver Test.Emitted").traceparent();
    assert_eq!(event.header("traceparent"), Some(delivery.as_str()));
}

/// Deploys contexts with what it calls and what its messages move besides.
async fn deploy_contexts(scenario: &Scenario<'_>, call: &str) {
    let called = format!("processId=\"{}\" {call}", scenario.of("contexts-called"));
    let calls = ("processId=\"contexts-called\"", called.as_str());
    scenario.deploy_with("contexts.bpmn", &[calls]).await;
    scenario.deploy("contexts-called.bpmn").await;
    scenario.deploy("contexts-also.bpmn").await;
}

/// Sends an event of somebody's trace; returns the name of its span.
async fn send(bridge: &Bridge, scenario: &Scenario<'_>, name: &str, parent: &str) -> String {
    let ty = scenario.of(name);
    let headers = [("traceparent", parent), ("ce-correlationkey", "k")];
    let data = json!({"items": [1, 2, 3], "key": "k", "seat": "A1"});
    let answered = bridge.send_with(&ty, name, &headers, &data).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    format!("receive {ty}")
}

#[tokio::test]
async fn every_job_goes_on_from_what_last_moved_its_process_wherever_it_is() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "traced-contexts");
    deploy_contexts(&scenario, "").await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let url = collector.url();
    let mut settings = traced(&url);
    // A list that does not name the variable does not hide it.
    settings.push(("FETCH_VARIABLES", "key"));
    let bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    let started = send(&bridge, &scenario, "Test.Started", FIRST).await;
    let spans = collector
        .spans_when("the jobs of both processes", |spans| {
            !spans.named("activate EmitCalled").is_empty()
                && !spans.named("activate EmitAlso").is_empty()
        })
        .await;
    let each = [
        ("activate EmitEach", 3),
        ("activate EmitCalled", 1),
        ("activate EmitAlso", 1),
    ];
    assert_go_on_from(&spans, spans.one(&started), &each);

    // One message moves both. The mapping of the one takes what it names and nothing else, so there the context
    // is the one before.
    let arrived = send(&bridge, &scenario, "Test.Arrived", SECOND).await;
    let spans = collector
        .spans_when("the last jobs", |spans| {
            !spans.named("activate EmitMapped").is_empty()
                && !spans.named("activate EmitMoved").is_empty()
        })
        .await;
    assert_go_on_from(&spans, spans.one(&started), &[("activate EmitMapped", 1)]);
    assert_go_on_from(&spans, spans.one(&arrived), &[("activate EmitMoved", 1)]);
}

#[tokio::test]
async fn a_process_that_is_called_without_variables_or_started_by_hand_begins_a_trace_and_says_so()
{
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "traced-alone");
    deploy_contexts(&scenario, "propagateAllParentVariables=\"false\"").await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let url = collector.url();
    let bridge = both_roles(zeebe, &scenario, &destination, &traced(&url)).await;
    send(&bridge, &scenario, "Test.Started", FIRST).await;
    scenario.start("contexts-called", &json!({})).await;
    let spans = collector
        .spans_when("the jobs of both instances", |spans| {
            spans.named("activate EmitCalled").len() == 2
        })
        .await;
    for alone in spans.named("activate EmitCalled") {
        assert_eq!(alone.parent, "", "{spans}");
        assert_eq!(alone.get("zeebe.context"), "missing");
        let deliveries = spans.children(alone);
        assert!(!deliveries.is_empty(), "its event is of its trace: {spans}");
    }
}

/// What the right one of two branches takes from its message, in the model.
const MAPPING: &str = "<zeebe:output source=\"=right\" target=\"right\" />";

/// A message into each of two branches before anybody works the jobs behind: which of the two each job goes on from.
async fn branches(
    name: &'static str,
    (model, replacements): (&str, &[(&str, &str)]),
    [left_from, right_from]: [&str; 2],
) {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, name);
    let file = format!("{model}.bpmn");
    scenario.deploy_with(&file, replacements).await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let url = collector.url();
    let mut settings = traced(&url);
    settings.push(("ROLES", "sink"));
    let sink = both_roles(zeebe, &scenario, &destination, &settings).await;
    let variables = json!({"key": "k", "bridgeContext": {}});
    scenario.start(model, &variables).await;
    for (message, variable, parent) in [
        ("Left.Arrived", "left", FIRST),
        ("Right.Arrived", "right", SECOND),
    ] {
        let headers = [("traceparent", parent), ("ce-correlationkey", "k")];
        let ty = scenario.of(message);
        let data = json!({variable: "here"});
        let answered = sink.send_with(&ty, message, &headers, &data).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
        scenario
            .instances_when(model, message, |all| {
                all.iter().any(|one| one["variables"][variable] == "here")
            })
            .await;
    }
    collector
        .spans_when("both messages", |spans| {
            let arrived = |message| spans.named(&format!("receive {}", scenario.of(message)));
            arrived("Left.Arrived").len() + arrived("Right.Arrived").len() == 2
        })
        .await;
    drop(sink);
    let _source = both_roles(zeebe, &scenario, &destination, &traced(&url)).await;
    let spans = collector
        .spans_when("the jobs of both branches", |spans| {
            !spans.named("activate EmitLeft").is_empty()
                && !spans.named("activate EmitRight").is_empty()
        })
        .await;
    for (job, from) in [
        ("activate EmitLeft", left_from),
        ("activate EmitRight", right_from),
    ] {
        let message = spans.one(&format!("receive {}", scenario.of(from)));
        assert_go_on_from(&spans, message, &[(job, 1)]);
    }
}

#[tokio::test]
async fn of_parallel_branches_the_last_message_counts_for_both() {
    let without = ("parallel", &[(MAPPING, "")][..]);
    branches("traced-last", without, ["Right.Arrived"; 2]).await;
}

#[tokio::test]
async fn a_mapping_keeps_a_messages_context_from_the_other_branch_unless_it_names_it() {
    branches("traced-mapped", ("parallel", &[]), ["Left.Arrived"; 2]).await;
    let named = "<zeebe:output source=\"=bridgeContext\" target=\"bridgeContext\" />";
    let naming = format!("{MAPPING}{named}");
    let naming = ("parallel", &[(MAPPING, naming.as_str())][..]);
    branches("traced-named", naming, ["Right.Arrived"; 2]).await;
}

#[tokio::test]
async fn branches_that_hold_the_variable_for_themselves_go_on_each_from_its_own_message() {
    let own = ["Left.Arrived", "Right.Arrived"];
    branches("traced-own", ("parallel-local", &[]), own).await;
}
