use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::collector::Collector;
use testkit::collector::span::Spans;
use testkit::destination::Destination;
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use super::{FIRST, assert_go_on_from, traced};
use crate::bridge::both_roles;

const MODEL: &str = "each-waits";
const ITEMS: [&str; 3] = ["1", "2", "3"];

/// What has an instance hold its context for itself, in the model.
const OWN: &str = "<zeebe:input source=\"=bridgeContext\" target=\"bridgeContext\" />";
/// And what gives it back when the instance ends.
const BACK: &str = "<zeebe:output source=\"=bridgeContext\" target=\"bridgeContext\" />";

/// The trace that an item's message is of; each sub-process has traces of its own.
fn trace_of(message: &str, item: &str) -> String {
    let begins = if message == "Together.Arrived" {
        "a"
    } else {
        "b"
    };
    format!("{begins}{}", item.repeat(31))
}

/// Sends an item's message into the process.
async fn send(bridge: &Bridge, scenario: &Scenario<'_>, message: &str, item: &str) {
    let trace = trace_of(message, item);
    let parent = format!("00-{trace}-{}-01", &trace[..16]);
    let headers = [
        ("traceparent", parent.as_str()),
        ("ce-correlationkey", item),
    ];
    let ty = scenario.of(message);
    let data = json!({format!("seat{item}"): "taken"});
    let answered = bridge.send_with(&ty, &trace, &headers, &data).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
}

/// The items whose messages the process has.
fn arrived(instance: &Value) -> usize {
    let has = |item: &str| instance["variables"][format!("seat{item}")] == "taken";
    ITEMS.iter().filter(|item| has(item)).count()
}

/// The messages of all items before anybody works a job, those in turn before their instances are there; then the jobs.
async fn worked(name: &'static str, replacements: &[(&str, &str)]) -> Spans {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, name);
    scenario.deploy_with("each-waits.bpmn", replacements).await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let url = collector.url();
    let mut settings = traced(&url);
    settings.push(("ROLES", "sink"));
    let sink = both_roles(zeebe, &scenario, &destination, &settings).await;
    let headers = [("traceparent", FIRST)];
    let (ty, data) = (scenario.of("Test.Started"), json!({"items": ITEMS}));
    let answered = sink.send_with(&ty, "start", &headers, &data).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    for (count, item) in ITEMS.iter().enumerate() {
        send(&sink, &scenario, "Together.Arrived", item).await;
        let what = format!("the message of {item}");
        scenario
            .instances_when(MODEL, &what, |all| {
                all.first().is_some_and(|one| arrived(one) > count)
            })
            .await;
    }
    for item in ITEMS.iter().rev() {
        send(&sink, &scenario, "InTurn.Arrived", item).await;
    }
    collector
        .spans_when("all messages", |spans| {
            let received = |message| spans.named(&format!("receive {}", scenario.of(message)));
            received("Together.Arrived").len() + received("InTurn.Arrived").len() == 6
        })
        .await;
    drop(sink);
    let _source = both_roles(zeebe, &scenario, &destination, &traced(&url)).await;
    collector
        .spans_when("the last job", |spans| {
            !spans.named("activate EmitDone").is_empty()
        })
        .await
}

/// The item and the trace of each job of an element.
fn traces(spans: &Spans, element: &str) -> Vec<(String, String)> {
    let jobs = spans.named(&format!("activate {element}"));
    let mut traces: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let deliveries = spans.children(job);
            let subject = deliveries
                .iter()
                .map(|delivery| delivery.get("cloudevents.subject"))
                .find(|subject| !subject.is_empty());
            let item = subject.unwrap_or_else(|| panic!("no delivery of {element} in\n{spans}"));
            let parent = spans.iter().find(|span| span.id == job.parent);
            let parent = parent.unwrap_or_else(|| panic!("{element} has no parent in\n{spans}"));
            assert!(parent.name.starts_with("receive "), "{}", parent.name);
            (item.to_owned(), job.trace.clone())
        })
        .collect();
    traces.sort();
    traces
}

fn own(message: &str) -> Vec<(String, String)> {
    let own = |item: &str| (item.to_owned(), trace_of(message, item));
    ITEMS.iter().map(|item| own(item)).collect()
}

fn trace(spans: &Spans, element: &str) -> String {
    spans.one(&format!("activate {element}")).trace.clone()
}

#[tokio::test]
async fn instances_that_hold_the_variable_for_themselves_go_on_each_from_its_own_message() {
    let spans = worked("each-own", &[]).await;
    assert_eq!(traces(&spans, "EmitTogether"), own("Together.Arrived"));
    assert_eq!(traces(&spans, "EmitInTurn"), own("InTurn.Arrived"));
    // Behind them it goes on from the one that ended last.
    let joined = trace(&spans, "EmitJoined");
    assert!(
        ITEMS
            .map(|item| trace_of("Together.Arrived", item))
            .contains(&joined)
    );
    assert_eq!(trace(&spans, "EmitDone"), trace_of("InTurn.Arrived", "3"));
}

#[tokio::test]
async fn instances_that_give_nothing_back_leave_the_process_with_what_moved_it_before() {
    let spans = worked("each-kept", &[(BACK, "")]).await;
    assert_eq!(traces(&spans, "EmitTogether"), own("Together.Arrived"));
    let started = spans.named("receive Test.Started-each-kept")[0];
    let after = [("activate EmitJoined", 1), ("activate EmitDone", 1)];
    assert_go_on_from(&spans, started, &after);
}

#[tokio::test]
async fn of_instances_that_share_the_variable_all_go_on_from_the_last_message_if_they_wait_together()
 {
    let spans = worked("each-shared", &[(OWN, ""), (BACK, "")]).await;
    let last = trace_of("Together.Arrived", "3");
    let all = ITEMS.map(|item| (item.to_owned(), last.clone()));
    assert_eq!(traces(&spans, "EmitTogether"), all);
    assert_eq!(trace(&spans, "EmitJoined"), last);
    // One after the other there is only one message at a time.
    assert_eq!(traces(&spans, "EmitInTurn"), own("InTurn.Arrived"));
    assert_eq!(trace(&spans, "EmitDone"), trace_of("InTurn.Arrived", "3"));
}
