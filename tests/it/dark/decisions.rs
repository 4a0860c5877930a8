use std::time::Duration;

use serde_json::{Value, json};
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use testkit::request;
use testkit::rules_file::RulesFile;
use tonic::Code;

use super::{decisions, each};
use crate::support::{sink, source};

/// Between looks at a page.
const LOOK: Duration = Duration::from_millis(20);
const KEPT: (&str, &str) = ("BRIDGE_DECISIONS_KEPT", "50");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const RULES: &str = "
rules:
  - name: note
    select: {type: Test.Noted}
    publish: {message: Noted, correlation_key: =event.id}
  - name: count
    select: {type: Test.Noted}
    publish: {message: Counted, correlation_key: =event.id}
  - name: seat
    select: {type: Test.Seated}
    publish: {message: Seated, correlation_key: =data.seat}
";

#[tokio::test]
async fn an_event_that_was_published_and_delivered_again_shows_each_command_with_its_rule() {
    let gateway = FakeGateway::start().await;
    let rules = RulesFile::new(RULES);
    let bridge = sink(&gateway, &[KEPT, ("RULES", rules.path())]).await;
    for _ in 0..2 {
        let answered = bridge
            .send_with(
                "Test.Noted",
                "n-1",
                &[("traceparent", PARENT)],
                &json!({"secret": "1234"}),
            )
            .await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    let told = decisions(&bridge, "id=n-1").await;
    let mut rules = each(&told, "rule");
    rules[..2].sort_unstable();
    rules[2..].sort_unstable();
    assert_eq!(rules, ["count", "note", "count", "note"]);
    assert_eq!(
        each(&told, "outcome"),
        ["duplicate", "duplicate", "done", "done"],
        "newest first"
    );
    for decision in &told {
        assert_eq!(decision["role"], "sink");
        assert_eq!(decision["source"], "/tests");
        assert_eq!(decision["type"], "Test.Noted");
        assert_eq!(decision["command"], "PublishMessage");
        assert_eq!(decision["status"], 202);
        assert_eq!(decision["trace"], TRACE);
    }
    // By its id an expired message leads back to the event.
    let message = gateway.published()[0].message_id.clone();
    let of_message = decisions(&bridge, &format!("message={message}")).await;
    assert_eq!(of_message.len(), 2);
    assert_eq!(each(&of_message, "id"), ["n-1", "n-1"]);
    assert_eq!(
        decisions(&bridge, &format!("trace={TRACE}&rule=note&limit=1"))
            .await
            .len(),
        1
    );
    let all = bridge.get("debug/decisions").await;
    assert!(!all.text().contains("1234"), "no data: {}", all.text());
    let metric = "bridge_sink_rule_commands_total";
    let note = [("rule", "note"), ("acknowledgement", "accepted")];
    assert_eq!(bridge.metric_of(metric, &note).await, 2.0);
    let seat = [("rule", "seat"), ("acknowledgement", "busy")];
    assert_eq!(bridge.metric_of(metric, &seat).await, 0.0);
    assert!(
        bridge
            .get("metrics")
            .await
            .text()
            .contains(r#"rule="seat""#)
    );
}

#[tokio::test]
async fn what_was_refused_did_not_match_or_was_tried_again_is_found_with_its_outcome() {
    let gateway = FakeGateway::start().await;
    let rules = RulesFile::new(RULES);
    let mut bridge = sink(&gateway, &[KEPT, ("RULES", rules.path())]).await;
    let data = json!({});
    assert_eq!(bridge.send("Test.Other", "o-1", &data).await.status, 202);
    // The rule wants a seat.
    assert_eq!(bridge.send("Test.Seated", "s-1", &data).await.status, 422);
    gateway.fail_next(2, "PublishMessage", Fault::backpressure());
    let seat = json!({"seat": "A1"});
    assert_eq!(bridge.send("Test.Seated", "s-2", &seat).await.status, 202);
    gateway.fail_next(
        1,
        "PublishMessage",
        Fault::status(Code::InvalidArgument, "as told"),
    );
    assert_eq!(bridge.send("Test.Seated", "s-3", &seat).await.status, 422);
    // No event at all, but its headers say which it was to be.
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "b-1"),
        ("ce-type", "Test.Seated"),
    ];
    assert_eq!(
        request::post(bridge.url(), &headers, "{}").await.status,
        400
    );

    let cases = [
        ("o-1", "unmatched", 202),
        ("s-1", "refused", 422),
        ("s-2", "done", 202),
        ("s-3", "invalid", 422),
        ("b-1", "refused", 400),
    ];
    for (id, outcome, status) in cases {
        let told = decisions(&bridge, &format!("id={id}")).await;
        assert_eq!(told.len(), 1, "{id}: {told:?}");
        assert_eq!(told[0]["outcome"], outcome, "{told:?}");
        assert_eq!(told[0]["status"], status, "{told:?}");
    }
    let again = &decisions(&bridge, "id=s-2").await[0];
    assert_eq!(again["retries"], 2, "{again}");
    assert_eq!(
        each(&decisions(&bridge, "outcome=refused").await, "id"),
        ["b-1", "s-1"]
    );
    // The log names what no rule selects, too.
    bridge
        .program()
        .wait_for_log("the event's name", |line| {
            let of = |field: &str| line[field].as_str().unwrap_or_default();
            (of("message") == "no rule selects an event")
                .then(|| assert_eq!((of("event_id"), of("event_type")), ("o-1", "Test.Other")))
        })
        .await;
}

#[tokio::test]
async fn a_job_shows_its_event_each_delivery_and_its_end() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Status(503)).await;
    let bridge = source(&gateway, &destination, &[KEPT]).await;
    let key = gateway.add_job(NewJob {
        variables: json!({"bridgeContext": {"traceparent": PARENT, "hops": 1}, "pin": "1234"})
            .to_string(),
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        element_id: String::from("RequestPayment"),
        ..NewJob::new("cloudevents")
    });
    destination.wait_for_count(2).await;
    destination.answer(|_| Answer::Status(202));
    gateway
        .wait_for("its end", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
    // The engine has the end a moment before the program knows it.
    let told = loop {
        let told = decisions(&bridge, &format!("job={key}")).await;
        if told
            .iter()
            .any(|decision| decision["outcome"] == "complete")
        {
            break told;
        }
        tokio::time::sleep(LOOK).await;
    };
    assert_eq!(told[0]["outcome"], "complete");
    assert_eq!(told[0]["status"], 202);
    let before = &told[1..];
    assert!(!before.is_empty());
    for decision in before {
        let outcome = decision["outcome"].as_str().expect("a word");
        assert!(["retried", "hand_back"].contains(&outcome), "{decision}");
        assert_eq!(decision["status"], 503);
    }
    for decision in &told {
        assert_eq!(decision["role"], "source");
        assert_eq!(decision["id"], key.to_string());
        assert_eq!(decision["job"], key.to_string());
        assert_eq!(decision["type"], "Test.Emitted");
        assert_eq!(decision["source"], "/zeebe/default");
        assert_eq!(decision["element"], "RequestPayment");
        assert_eq!(decision["trace"], TRACE);
    }
    let all = bridge.get("debug/decisions").await;
    assert!(!all.text().contains("1234"), "no data: {}", all.text());
}

#[tokio::test]
async fn a_job_that_no_event_can_be_made_of_is_there_too() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let bridge = source(&gateway, &destination, &[KEPT]).await;
    let key = gateway.add_job(NewJob::new("cloudevents"));
    bridge
        .metric_when("bridge_source_jobs_total", |ended| ended > 0.0)
        .await;
    let told = decisions(&bridge, &format!("job={key}")).await;
    assert_eq!(each(&told, "outcome"), ["incident"]);
}

#[tokio::test]
async fn only_the_last_are_kept_and_a_long_id_is_cut_and_found_by_its_whole() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[("BRIDGE_DECISIONS_KEPT", "3")]).await;
    let long = "x".repeat(5000);
    for id in ["1", "2", &long, "4", "5"] {
        assert_eq!(bridge.send("Test", id, &json!({})).await.status, 202);
    }
    let answered = bridge.get("debug/decisions").await;
    assert!(answered.body.len() < 3 * 2048, "{}", answered.body.len());
    let page: Value = serde_json::from_slice(&answered.body).expect("JSON");
    assert_eq!((&page["kept"], &page["written"]), (&json!(3), &json!(5)));
    assert_eq!(
        each(page["decisions"].as_array().expect("an array"), "id"),
        ["5", "4", &long[..256]]
    );
    assert_eq!(decisions(&bridge, &format!("id={long}")).await.len(), 1);
    assert_eq!(decisions(&bridge, "id=1").await.len(), 0);
}

#[tokio::test]
async fn a_question_that_is_none_is_refused_and_without_a_ring_it_is_said_how_to_have_one() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let answered = bridge.get("debug/decisions?id=1").await;
    assert_eq!(answered.status, 404);
    assert!(answered.text().contains("BRIDGE_DECISIONS_KEPT"));
    for (query, word) in [
        ("ID=1", "`ID`"),
        ("job=seven", "`seven`"),
        ("limit=-1", "`limit`"),
    ] {
        let answered = bridge.get(&format!("debug/decisions?{query}")).await;
        assert_eq!(answered.status, 400, "{query}");
        assert!(answered.text().contains(word), "{}", answered.text());
    }
}
