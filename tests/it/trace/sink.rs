//! An event in: the spans of a request, and what the process goes on from.

use serde_json::{Value, json};
use testkit::collector::Collector;
use testkit::gateway::{FakeGateway, Fault};
use testkit::request;
use testkit::rules_file::RulesFile;

use super::{OTHER, OTHER_SPAN, OTHER_TRACE, shown, spans, traced};
use crate::support::sink;

/// What a message's variables hold for the process to go on from.
pub(super) fn context(gateway: &FakeGateway, message: usize) -> Value {
    let variables: Value =
        serde_json::from_str(&gateway.published()[message].variables).expect("JSON");
    variables["bridgeContext"].clone()
}

#[tokio::test]
async fn an_event_is_one_tree_below_whoever_sent_it_and_its_process_goes_on_from_there() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    let headers = [
        ("traceparent", OTHER),
        ("tracestate", "vendor=1"),
        ("ce-subject", "order-7"),
    ];
    let answered = bridge
        .send_with("Order.Placed", "1", &headers, &json!({"secret": "4711"}))
        .await;
    assert_eq!(answered.status, 202);
    let spans = spans(&collector, "receive Order.Placed", 1).await;
    assert_eq!(
        spans.outline(),
        "Consumer receive Order.Placed\n  \
           Internal select rule\n  \
           Client gateway_protocol.Gateway/PublishMessage\n"
    );
    let receive = spans.one("receive Order.Placed");
    assert_eq!(receive.trace, OTHER_TRACE);
    assert_eq!(receive.parent, OTHER_SPAN);
    assert_eq!(receive.error, None);
    assert_eq!(receive.service, "eventing-zeebe");
    assert_eq!(
        shown(
            receive,
            &[
                "messaging.system",
                "messaging.operation.name",
                "messaging.operation.type",
                "cloudevents.id",
                "cloudevents.source",
                "cloudevents.type",
                "cloudevents.subject",
                "http.response.status_code",
            ]
        ),
        [
            "messaging.system=knative",
            "messaging.operation.name=receive",
            "messaging.operation.type=process",
            "cloudevents.id=1",
            "cloudevents.source=/tests",
            "cloudevents.type=Order.Placed",
            "cloudevents.subject=order-7",
            "http.response.status_code=202",
        ]
    );
    let command = spans.one("gateway_protocol.Gateway/PublishMessage");
    let port = gateway.port().to_string();
    assert_eq!(
        shown(
            command,
            &[
                "rpc.system.name",
                "rpc.method",
                "rpc.response.status_code",
                "server.address",
                "server.port",
                "zeebe.message.name",
                "zeebe.message.correlation_key",
            ]
        ),
        [
            "rpc.system.name=grpc".to_owned(),
            "rpc.method=gateway_protocol.Gateway/PublishMessage".to_owned(),
            "rpc.response.status_code=OK".to_owned(),
            "server.address=127.0.0.1".to_owned(),
            format!("server.port={port}"),
            "zeebe.message.name=Order.Placed".to_owned(),
            "zeebe.message.correlation_key=order-7".to_owned(),
        ]
    );
    let expected =
        json!({"traceparent": receive.traceparent(), "tracestate": "vendor=1", "hops": 0});
    assert_eq!(context(&gateway, 0), expected);
    // No data in any of them.
    assert!(!spans.to_string().contains("4711"), "{spans}");
}

#[tokio::test]
async fn without_a_context_in_the_request_that_of_the_event_is_the_parent() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    let structured = json!({
        "specversion": "1.0", "id": "1", "source": "/s", "type": "Test", "traceparent": OTHER,
    });
    let headers = [("content-type", "application/cloudevents+json")];
    let answered = request::post(bridge.url(), &headers, structured.to_string()).await;
    assert_eq!(answered.status, 202);
    let spans = spans(&collector, "receive Test", 1).await;
    let receive = spans.one("receive Test");
    assert_eq!(
        (receive.trace.as_str(), receive.parent.as_str()),
        (OTHER_TRACE, OTHER_SPAN)
    );
    assert_eq!(receive.links, []);
}

#[tokio::test]
async fn with_both_the_request_is_the_parent_and_the_event_a_link() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    let request = "00-11111111111111111111111111111111-2222222222222222-01";
    let headers = [("traceparent", request), ("ce-traceparent", OTHER)];
    bridge.send_with("Test", "1", &headers, &json!({})).await;
    let spans = spans(&collector, "receive Test", 1).await;
    let receive = spans.one("receive Test");
    assert_eq!(receive.trace, "1".repeat(32));
    assert_eq!(receive.parent, "2".repeat(16));
    assert_eq!(
        receive.links,
        [(OTHER_TRACE.to_owned(), OTHER_SPAN.to_owned())]
    );
}

#[tokio::test]
async fn without_any_context_a_trace_begins() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    bridge.send("Test", "1", &json!({})).await;
    let spans = spans(&collector, "receive Test", 1).await;
    let receive = spans.one("receive Test");
    assert_eq!(receive.parent, "");
    assert_eq!(context(&gateway, 0)["traceparent"], receive.traceparent());
}

#[tokio::test]
async fn b3_alone_is_understood_where_it_is_asked_for() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.push(("OTEL_PROPAGATORS", "tracecontext,b3,b3multi"));
    let bridge = sink(&gateway, &settings).await;
    let multi = [
        ("x-b3-traceid", OTHER_TRACE),
        ("x-b3-spanid", OTHER_SPAN),
        ("x-b3-sampled", "1"),
    ];
    bridge.send_with("Multi", "1", &multi, &json!({})).await;
    let single = format!("{OTHER_TRACE}-{OTHER_SPAN}-1");
    bridge
        .send_with("Single", "2", &[("b3", &single)], &json!({}))
        .await;
    for name in ["receive Multi", "receive Single"] {
        let spans = spans(&collector, name, 1).await;
        assert_eq!(spans.one(name).trace, OTHER_TRACE);
        assert_eq!(spans.one(name).parent, OTHER_SPAN);
    }
    // What the process goes on from is W3C's, whatever came.
    let parent = context(&gateway, 0)["traceparent"].clone();
    assert!(
        parent
            .as_str()
            .expect("text")
            .starts_with("00-0af7651916cd43dd"),
        "{parent}"
    );
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_is_passed_on_and_not_recorded() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    let unsampled = format!("00-{OTHER_TRACE}-{OTHER_SPAN}-00");
    let headers = [("traceparent", unsampled.as_str())];
    bridge.send_with("Test", "1", &headers, &json!({})).await;
    bridge.send("Recorded", "2", &json!({})).await;
    let spans = spans(&collector, "receive Recorded", 1).await;
    assert_eq!(spans.named("receive Test").len(), 0, "{spans}");
    let parent = context(&gateway, 0)["traceparent"].clone();
    let parent = parent.as_str().expect("text");
    assert!(
        parent.starts_with(&format!("00-{OTHER_TRACE}-")),
        "{parent}"
    );
    assert!(parent.ends_with("-00"), "{parent}");
}

#[tokio::test]
async fn a_redelivery_is_seen_as_one_and_is_no_error() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    for _ in 0..2 {
        let headers = [("traceparent", OTHER)];
        let answered = bridge.send_with("Test", "1", &headers, &json!({})).await;
        assert_eq!(answered.status, 202);
    }
    let spans = spans(&collector, "receive Test", 2).await;
    assert_eq!(gateway.published().len(), 1);
    let commands = spans.named("gateway_protocol.Gateway/PublishMessage");
    let outcomes: Vec<_> = commands
        .iter()
        .map(|span| {
            (
                span.get("rpc.response.status_code"),
                span.get("zeebe.outcome"),
                &span.error,
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [("OK", "", &None), ("ALREADY_EXISTS", "duplicate", &None)]
    );
    assert!(spans.iter().all(|span| span.error.is_none()), "{spans}");
    assert_eq!(spans.orphans(&[OTHER_SPAN]).len(), 0);
}

#[tokio::test]
async fn each_attempt_at_the_engine_is_a_span_and_says_what_went_wrong() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    gateway.fail_next(1, "PublishMessage", Fault::backpressure());
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    let spans = spans(&collector, "receive Test", 1).await;
    assert_eq!(
        spans.outline(),
        "Consumer receive Test\n  \
           Internal select rule\n  \
           Client gateway_protocol.Gateway/PublishMessage !\n  \
           Client gateway_protocol.Gateway/PublishMessage\n"
    );
    let first = spans.named("gateway_protocol.Gateway/PublishMessage")[0];
    assert_eq!(first.get("error.type"), "backpressure");
    assert_eq!(first.get("rpc.response.status_code"), "RESOURCE_EXHAUSTED");
    let error = first.error.as_deref().expect("an error");
    assert!(error.contains("the partition is busy"), "{error}");
}

#[tokio::test]
async fn what_was_not_accepted_says_why_in_its_span_and_its_log_line_leads_there() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let rules = RulesFile::new(
        "rules:\n- name: placed\n  select: {type: Order.Placed}\n  publish: {message: placed, correlation_key: =data.order}\n",
    );
    let mut settings = traced(&url);
    settings.extend([("RULES", rules.path()), ("BRIDGE_NO_RULE", "refuse")]);
    let mut bridge = sink(&gateway, &settings).await;
    assert_eq!(
        bridge.send("Order.Placed", "1", &json!({})).await.status,
        422
    );
    let refused = spans(&collector, "receive Order.Placed", 1).await;
    let receive = refused.one("receive Order.Placed");
    assert_eq!(receive.get("error.type"), "422");
    let error = receive.error.as_deref().expect("an error");
    assert!(error.contains("correlation_key"), "{error}");
    assert!(refused.one("select rule").error.is_some());
    let (trace, span) = (receive.trace.clone(), receive.id.clone());
    bridge
        .program()
        .wait_for_log("the line of this span", |line| {
            (line["trace_id"] == trace.as_str() && line["span_id"] == span.as_str()).then_some(())
        })
        .await;
    assert_eq!(bridge.send("Other", "2", &json!({})).await.status, 422);
    let unmatched = spans(&collector, "receive Other", 1).await;
    let error = unmatched
        .one("receive Other")
        .error
        .as_deref()
        .expect("an error");
    assert!(error.contains("no rule selects"), "{error}");
}

#[tokio::test]
async fn the_events_of_a_batch_stay_each_in_its_own_trace() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    let batch = json!([
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "First", "traceparent": OTHER},
        {"specversion": "1.0", "id": "2", "source": "/s", "type": "Second"},
    ]);
    let headers = [("content-type", "application/cloudevents-batch+json")];
    let answered = request::post(bridge.url(), &headers, batch.to_string()).await;
    assert_eq!(answered.status, 202);
    let spans = spans(&collector, "receive batch", 1).await;
    let request = spans.one("receive batch");
    assert_eq!(request.get("messaging.batch.message_count"), "2");
    let first = spans.one("process First");
    assert_eq!(
        (first.trace.as_str(), first.parent.as_str()),
        (OTHER_TRACE, OTHER_SPAN)
    );
    assert_eq!(first.links, [(request.trace.clone(), request.id.clone())]);
    let second = spans.one("process Second");
    assert_eq!(
        (&second.trace, &second.parent),
        (&request.trace, &request.id)
    );
    for (message, event) in [first, second].into_iter().enumerate() {
        assert_eq!(
            context(&gateway, message)["traceparent"],
            event.traceparent()
        );
        assert_eq!(spans.children(event).len(), 2, "{spans}");
    }
}

#[tokio::test]
async fn a_span_stays_small_however_long_a_type_is_that_somebody_sends() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    let ty = "T".repeat(8_000);
    bridge.send_with(&ty, "1", &[], &json!({})).await;
    let kept = &ty[..256];
    let spans = spans(&collector, &format!("receive {kept}")[..256], 1).await;
    assert_eq!(
        spans.iter().map(|span| span.name.len()).max(),
        Some(256),
        "{spans}"
    );
}

#[tokio::test]
async fn baggage_goes_with_the_process_only_where_it_is_asked_for() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.push(("OTEL_PROPAGATORS", "tracecontext,baggage"));
    let bridge = sink(&gateway, &settings).await;
    let headers = [("traceparent", OTHER), ("baggage", "tier=gold")];
    bridge.send_with("Test", "1", &headers, &json!({})).await;
    assert_eq!(context(&gateway, 0)["baggage"], "tier=gold");
}
