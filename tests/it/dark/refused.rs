use serde_json::json;
use testkit::collector::Collector;
use testkit::collector::span::Spans;
use testkit::gateway::{FakeGateway, Fault};
use testkit::request;
use testkit::rules_file::RulesFile;
use tokio::io::AsyncWriteExt;
use tonic::Code;

use super::{decisions, each};
use crate::sink::connect;
use crate::support::sink;
use crate::trace::{OTHER, OTHER_TRACE, spans, traced};

const KEPT: (&str, &str) = ("BRIDGE_DECISIONS_KEPT", "50");
/// What the log says of a request that is refused.
const REFUSED: &str = "an event was not accepted";

#[tokio::test]
async fn why_a_rule_does_not_take_an_event_is_said_without_its_data() {
    for action in [
        "publish: {message: Paid, correlation_key: \"=data.prices[data.card]\"}",
        "set_variables: {element_instance_key: =data.card, variables: {}}",
        "fail_job: {job_key: 1, retries: =data.card}",
    ] {
        let gateway = FakeGateway::start().await;
        let collector = Collector::start().await;
        let url = collector.url();
        let rules = RulesFile::new(&format!(
            "rules:\n- name: paid\n  select: {{type: Test.Paid}}\n  {action}\n"
        ));
        let settings = [traced(&url), vec![KEPT, ("RULES", rules.path())]].concat();
        let mut bridge = sink(&gateway, &settings).await;
        let data = json!({"card": "4111-SECRET-PIN", "prices": {}});
        let answered = bridge.send("Test.Paid", "p-1", &data).await;
        assert_eq!(answered.status, 422, "{action}");
        let line = bridge
            .program()
            .wait_for_log("the refusal", |line| {
                (line["message"] == REFUSED).then(|| line.to_string())
            })
            .await;
        let spans = spans(&collector, "receive Test.Paid", 1).await.to_string();
        let told = decisions(&bridge, "id=p-1").await;
        for said in [
            answered.text(),
            &line,
            &spans,
            &format!("{told:?}"),
            &bridge.program().output().join("\n"),
        ] {
            assert!(!said.contains("4111"), "{action}: {said}");
        }
        assert!(answered.text().contains("rule `paid`"), "{line}");
    }
}

const SALE: &str = "
rules:
  - name: note
    select: {prefix: {type: Test.}}
    publish: {message: Noted, correlation_key: =event.id, variables: {}}
  - name: seat
    select: {type: Test.Seated}
    publish: {message: Seated, correlation_key: =data.seat, variables: {seat: =data.seat}}
  - name: end
    select: {type: Test.Ended}
    cancel: {process_instance_key: =data.instance}
  - name: keep
    select: {type: Test.Kept}
    publish: {message: Kept, correlation_key: =event.id}
";

#[tokio::test]
async fn what_a_rule_refuses_is_counted_and_found_by_its_name() {
    let gateway = FakeGateway::start().await;
    let rules = RulesFile::new(SALE);
    let bridge = sink(&gateway, &[KEPT, ("RULES", rules.path())]).await;
    let large = json!({"text": "x".repeat(4 * 1024 * 1024 - 100)});
    for (ty, rule, data, status, acknowledgement) in [
        ("Test.Seated", "seat", json!({}), 422, "unprocessable"),
        (
            "Test.Ended",
            "end",
            json!({"instance": "none"}),
            422,
            "unprocessable",
        ),
        ("Test.Kept", "keep", large, 413, "too_large"),
    ] {
        let answered = bridge.send(ty, rule, &data).await;
        assert_eq!(answered.status, status, "{}", answered.text());
        let metric = "bridge_sink_rule_commands_total";
        let labels = [("rule", rule), ("acknowledgement", acknowledgement)];
        assert_eq!(bridge.metric_of(metric, &labels).await, 1.0, "{labels:?}");
        let told = decisions(&bridge, &format!("rule={rule}")).await;
        assert_eq!(each(&told, "outcome"), ["refused"], "{told:?}");
        assert_eq!(
            (&told[0]["id"], &told[0]["status"]),
            (&json!(rule), &json!(status))
        );
    }
    for acknowledgement in ["accepted", "unprocessable", "too_large"] {
        let labels = [("rule", "note"), ("acknowledgement", acknowledgement)];
        let count = bridge
            .metric_of("bridge_sink_rule_commands_total", &labels)
            .await;
        assert_eq!(count, 0.0, "the other rule is not at fault: {labels:?}");
    }
    assert_eq!(gateway.calls("PublishMessage"), 0);
}

#[tokio::test]
async fn the_log_names_the_event_that_was_refused_and_its_rule() {
    let rules = RulesFile::new(SALE);
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/tests"),
        ("content-type", "application/json"),
    ];
    let of = |ty: &'static str| [&binary[..], &[("ce-type", ty)]].concat();
    let batch = json!([
        {"specversion": "1.0", "id": "0", "source": "/tests", "type": "Test.Kept"},
        {"specversion": "1.0", "id": "1", "source": "/tests", "type": "Test.Seated", "data": {}},
    ]);
    let batched = vec![("content-type", "application/cloudevents-batch+json")];
    let seat = json!({"seat": "A1"});
    for (headers, body, ty, status, rule, events) in [
        // By a rule, by the engine, by the codec, for want of a rule, and with others.
        (
            of("Test.Seated"),
            &json!({}),
            "Test.Seated",
            422,
            json!("seat"),
            json!(null),
        ),
        (
            of("Test.Noted"),
            &seat,
            "Test.Noted",
            422,
            json!("note"),
            json!(null),
        ),
        (of(""), &seat, "", 400, json!(null), json!(null)),
        (of("Other"), &seat, "Other", 422, json!(null), json!(null)),
        (batched, &batch, "Test.Seated", 422, json!("seat"), json!(2)),
    ] {
        let gateway = FakeGateway::start().await;
        let invalid = Fault::status(Code::InvalidArgument, "as told");
        gateway.fail("PublishMessage", invalid);
        let settings = [("RULES", rules.path()), ("BRIDGE_NO_RULE", "refuse")];
        let mut bridge = sink(&gateway, &settings).await;
        let answered = request::post(bridge.url(), &headers, body.to_string()).await;
        assert_eq!(answered.status, status, "{ty}: {}", answered.text());
        let line = bridge
            .program()
            .wait_for_log("the refusal", |line| {
                (line["message"] == REFUSED).then(|| line.clone())
            })
            .await;
        let said = ["event_id", "event_source", "event_type"].map(|field| &line[field]);
        assert_eq!(said, [&json!("1"), &json!("/tests"), &json!(ty)], "{line}");
        assert_eq!((&line["rule"], &line["batch"]), (&rule, &events), "{line}");
        assert_eq!(line["status"], status, "{line}");
    }
}

#[tokio::test]
async fn a_sender_that_does_not_wait_is_counted_and_seen_in_its_trace_and_its_command_is_done() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let settings = [traced(&url), vec![KEPT]].concat();
    let bridge = sink(&gateway, &settings).await;
    let requests = "bridge_sink_requests_total";
    let unanswered = [("status", "unanswered")];
    assert_eq!(bridge.metric_of(requests, &unanswered).await, 0.0);
    gateway.fail_next(1, "PublishMessage", Fault::Hang);
    let mut sender = connect(bridge.url()).await;
    let event = "POST / HTTP/1.1\r\nhost: b\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /tests\r\n\
                 ce-type: Test.Left\r\ncontent-length: 0\r\n\r\n";
    sender.write_all(event.as_bytes()).await.expect("sent");
    gateway
        .wait_for("the command", |gateway| {
            gateway.calls("PublishMessage") == 1
        })
        .await;
    drop(sender);
    bridge
        .metric_of_when(requests, &unanswered, |count| count == 1.0)
        .await;
    // The engine's connection is lost, and the command is given again though nobody waits for it.
    gateway.cut_connections();
    let spans = spans(&collector, "receive Test.Left", 1).await;
    let receive = spans.one("receive Test.Left");
    assert_eq!(receive.get("error.type"), "unanswered");
    assert_eq!(receive.get("http.response.status_code"), "");
    let error = receive.error.as_deref().expect("an error");
    assert!(error.contains("its sender was gone"), "{error}");
    assert_eq!(gateway.published().len(), 1);
    assert_eq!(each(&decisions(&bridge, "id=1").await, "outcome"), ["done"]);
    assert_eq!(bridge.metric_of(requests, &[("status", "202")]).await, 0.0);
}

#[tokio::test]
async fn of_a_refused_batch_each_event_is_an_error_in_its_own_trace_and_found_by_it() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let rules = RulesFile::new(SALE);
    let settings = [
        traced(&url),
        vec![KEPT, ("RULES", rules.path()), ("BRIDGE_NO_RULE", "refuse")],
    ]
    .concat();
    let bridge = sink(&gateway, &settings).await;
    let batch = json!([
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "Test.Kept", "traceparent": OTHER},
        {"specversion": "1.0", "id": "2", "source": "/s", "type": "Test.Seated"},
        {"specversion": "1.0", "id": "3", "source": "/s", "type": "Test.Late"},
    ]);
    let headers = [("content-type", "application/cloudevents-batch+json")];
    let answered = request::post(bridge.url(), &headers, batch.to_string()).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    let refused = spans(&collector, "receive batch", 1).await;
    let told = decisions(&bridge, &format!("trace={OTHER_TRACE}")).await;
    assert_eq!(
        (each(&told, "id"), each(&told, "outcome")),
        (vec!["1"], vec!["refused"])
    );
    let ours = refused.one("receive batch").trace.clone();
    let told = decisions(&bridge, &format!("trace={ours}")).await;
    assert_eq!(
        (each(&told, "id"), each(&told, "rule")),
        (vec!["3", "2"], vec!["", "seat"])
    );
    assert_batch(&refused, "422", ["Test.Kept", "Test.Late"], "Test.Seated");

    // One that no rule selects, where that is refused, is at fault by its own name.
    let batch = json!([
        {"specversion": "1.0", "id": "6", "source": "/s", "type": "Test.Before"},
        {"specversion": "1.0", "id": "7", "source": "/s", "type": "Other"},
    ]);
    let answered = request::post(bridge.url(), &headers, batch.to_string()).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    let told = decisions(&bridge, "outcome=unmatched").await;
    assert_eq!(
        (each(&told, "id"), &told[0]["status"]),
        (vec!["7"], &json!(422))
    );
    assert_eq!(
        each(&decisions(&bridge, "id=6").await, "outcome"),
        ["refused"]
    );
    let all = spans(&collector, "receive batch", 2).await;
    assert_batch(&all, "422", ["Test.Before"], "Other");

    // The engine refuses one; what it took of the other does not make the batch accepted.
    gateway.fail_next(
        1,
        "CancelProcessInstance",
        Fault::status(Code::InvalidArgument, "as told"),
    );
    let batch = json!([
        {"specversion": "1.0", "id": "4", "source": "/s", "type": "Test.Taken"},
        {"specversion": "1.0", "id": "5", "source": "/s", "type": "Test.Ended", "data": {"instance": 7}},
    ]);
    let answered = request::post(bridge.url(), &headers, batch.to_string()).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    let all = spans(&collector, "receive batch", 3).await;
    assert_batch(&all, "422", ["Test.Taken"], "Test.Ended");
    let taken = all.one("process Test.Taken");
    let commands = all.children(taken);
    assert!(commands.iter().all(|span| span.error.is_none()), "{all}");
}

/// Each event's span ends with the answer, and says which of them was at fault.
fn assert_batch<const N: usize>(spans: &Spans, status: &str, others: [&str; N], at_fault: &str) {
    for (ty, another) in others
        .map(|ty| (ty, true))
        .into_iter()
        .chain([(at_fault, false)])
    {
        let span = spans.one(&format!("process {ty}"));
        assert_eq!(span.get("error.type"), status, "{spans}");
        assert_eq!(span.get("http.response.status_code"), status, "{spans}");
        let error = span.error.as_deref().expect("an error");
        assert_eq!(
            error.starts_with("another event of its batch"),
            another,
            "{error}"
        );
    }
}
