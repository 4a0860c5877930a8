use serde_json::json;
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

#[tokio::test]
async fn every_job_goes_on_from_what_last_moved_its_process_wherever_it_is() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "traced-contexts");
    let called = (
        "processId=\"contexts-called\"",
        &*format!("processId=\"{}\"", scenario.of("contexts-called")),
    );
    scenario.deploy_with("contexts.bpmn", &[called]).await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let url = collector.url();
    let mut settings = traced(&url);
    // A list that does not name the variable does not hide it.
    settings.push(("FETCH_VARIABLES", "key"));
    let bridge = both_roles(zeebe, &scenario, &destination, &settings).await;
    let send = async |name: &str, parent: &str| {
        let ty = scenario.of(name);
        let headers = [("traceparent", parent), ("ce-correlationkey", "k")];
        let data = json!({"items": [1, 2, 3], "key": "k", "seat": "A1"});
        let answered = bridge.send_with(&ty, name, &headers, &data).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
        format!("receive {ty}")
    };
    let started = send("Test.Started", FIRST).await;
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

    // The mapping of the message event takes what it names and nothing else, so the context is the one before.
    send("Test.Arrived", SECOND).await;
    let spans = collector
        .spans_when("the last job", |spans| {
            !spans.named("activate EmitMapped").is_empty()
        })
        .await;
    assert_go_on_from(&spans, spans.one(&started), &[("activate EmitMapped", 1)]);
}
