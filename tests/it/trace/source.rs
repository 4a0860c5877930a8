//! A job out: the spans of a job, and whose children the events are that leave.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::collector::Collector;
use testkit::collector::span::{Span, Spans};
use testkit::destination::{Answer, Destination, Received};
use testkit::gateway::{FakeGateway, JobState, NewJob};

use super::{OTHER, OTHER_SPAN, OTHER_TRACE, shown, spans, traced};
use crate::support::source;

/// A job whose process was last moved by somebody else's event.
pub(super) fn job(variables: &Value) -> NewJob {
    NewJob {
        variables: variables.to_string(),
        custom_headers: json!({"ce-type": "Payment.Requested", "ce-subject": "order-7"})
            .to_string(),
        element_id: String::from("RequestPayment"),
        bpmn_process_id: String::from("sale"),
        ..NewJob::new("cloudevents")
    }
}

pub(super) fn moved_by_another() -> Value {
    json!({"bridgeContext": {"traceparent": OTHER, "tracestate": "vendor=1", "hops": 1}, "secret": "4711"})
}

/// That an event says in header and attribute that it is of this delivery.
pub(super) fn assert_is_of(received: &Received, delivery: &Span) {
    let parent = delivery.traceparent();
    assert_eq!(received.header("traceparent"), Some(parent.as_str()));
    assert_eq!(received.header("ce-traceparent"), Some(parent.as_str()));
}

pub(super) async fn works(
    settings: &[(&str, &str)],
    destination: &Destination,
    new: NewJob,
) -> (Spans, i64) {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut all = traced(&url);
    all.extend_from_slice(settings);
    let _bridge = source(&gateway, destination, &all).await;
    let key = gateway.add_job(new);
    gateway
        .wait_for("its end", |gateway| {
            [JobState::Completed, JobState::Incident].contains(&gateway.job(key).state)
        })
        .await;
    let what = "activate RequestPayment";
    let spans = collector
        .spans_when(what, |spans| {
            spans
                .named(what)
                .iter()
                .any(|span| ["complete", "incident"].contains(&span.get("zeebe.job.end")))
        })
        .await;
    (spans, key.0)
}

#[tokio::test]
async fn a_job_goes_on_in_the_trace_of_its_process_and_its_event_from_its_delivery() {
    let destination = Destination::accepting().await;
    let (spans, key) = works(&[], &destination, job(&moved_by_another())).await;
    assert_eq!(
        spans.outline(),
        "Consumer activate RequestPayment\n  \
           Producer deliver Payment.Requested\n  \
           Client gateway_protocol.Gateway/CompleteJob\n"
    );
    let activate = spans.one("activate RequestPayment");
    assert_eq!(
        (activate.trace.as_str(), activate.parent.as_str()),
        (OTHER_TRACE, OTHER_SPAN)
    );
    assert_eq!(activate.links, []);
    assert_eq!(
        shown(
            activate,
            &[
                "messaging.system",
                "messaging.operation.name",
                "messaging.destination.name",
                "zeebe.process.id",
                "zeebe.element.id",
                "zeebe.job.key",
                "zeebe.job.retries",
                "zeebe.job.end",
            ]
        ),
        [
            "messaging.system=zeebe".to_owned(),
            "messaging.operation.name=activate".to_owned(),
            "messaging.destination.name=cloudevents".to_owned(),
            "zeebe.process.id=sale".to_owned(),
            "zeebe.element.id=RequestPayment".to_owned(),
            format!("zeebe.job.key={key}"),
            "zeebe.job.retries=3".to_owned(),
            "zeebe.job.end=complete".to_owned(),
        ]
    );
    let deliver = spans.one("deliver Payment.Requested");
    let port = destination.address().port().to_string();
    assert_eq!(
        shown(
            deliver,
            &[
                "messaging.system",
                "messaging.operation.type",
                "cloudevents.id",
                "cloudevents.subject",
                "http.request.method",
                "http.response.status_code",
                "server.address",
                "server.port",
            ]
        ),
        [
            "messaging.system=knative".to_owned(),
            "messaging.operation.type=send".to_owned(),
            format!("cloudevents.id={key}"),
            "cloudevents.subject=order-7".to_owned(),
            "http.request.method=POST".to_owned(),
            "http.response.status_code=202".to_owned(),
            "server.address=127.0.0.1".to_owned(),
            format!("server.port={port}"),
        ]
    );
    let received = &destination.received()[0];
    assert_is_of(received, deliver);
    assert_eq!(received.header("tracestate"), Some("vendor=1"));
    assert_eq!(received.header("ce-tracestate"), Some("vendor=1"));
    assert_eq!(received.header("ce-bridgehops"), Some("2"));
    assert!(!spans.to_string().contains("4711"), "{spans}");
}

#[tokio::test]
async fn a_delivery_to_a_destination_of_the_tasks_own_says_where_that_is() {
    let (shared, own) = (
        Destination::accepting().await,
        Destination::accepting().await,
    );
    let allowed = own.url();
    let new = NewJob {
        custom_headers: json!({"ce-type": "Payment.Requested", "Host": own.url()}).to_string(),
        ..job(&moved_by_another())
    };
    let settings = [("BRIDGE_ALLOWED_DESTINATIONS", allowed.as_str())];
    let (spans, _) = works(&settings, &shared, new).await;
    let deliver = spans.one("deliver Payment.Requested");
    let port = own.address().port().to_string();
    assert_eq!(
        shown(deliver, &["server.address", "server.port"]),
        [
            "server.address=127.0.0.1".to_owned(),
            format!("server.port={port}"),
        ]
    );
    assert_is_of(&own.received()[0], deliver);
    assert_eq!(shared.received().len(), 0);
}

#[tokio::test]
async fn each_attempt_is_a_span_and_its_event_is_of_it_with_the_same_id() {
    let destination = Destination::accepting().await;
    let answered = AtomicUsize::new(0);
    destination.answer(move |_| {
        let before = answered.fetch_add(1, Ordering::Relaxed);
        Answer::Status(if before == 0 { 500 } else { 202 })
    });
    let (spans, _) = works(&[], &destination, job(&moved_by_another())).await;
    assert_eq!(
        spans.outline(),
        "Consumer activate RequestPayment !\n  \
           Producer deliver Payment.Requested !\n  \
           Client gateway_protocol.Gateway/FailJob\n\
         Consumer activate RequestPayment\n  \
           Producer deliver Payment.Requested\n  \
           Client gateway_protocol.Gateway/CompleteJob\n"
    );
    assert_eq!(spans.orphans(&[OTHER_SPAN]).len(), 0);
    let received = destination.received();
    let deliveries = spans.named("deliver Payment.Requested");
    assert_eq!((received.len(), deliveries.len()), (2, 2));
    for (received, delivery) in received.iter().zip(&deliveries) {
        assert_is_of(received, delivery);
    }
    assert_eq!(received[0].id(), received[1].id());
    assert_eq!(deliveries[0].get("error.type"), "500");
    let first = spans.named("activate RequestPayment")[0];
    assert_eq!(first.get("zeebe.job.end"), "use_retry");
}

#[tokio::test]
async fn a_process_that_nobody_traced_begins_a_trace_with_its_job() {
    let destination = Destination::accepting().await;
    for overwritten in [
        json!({}),
        json!({"bridgeContext": "mine"}),
        json!({"bridgeContext": {"traceparent": "mine\nor yours"}}),
        json!({"bridgeContext": {"tracestate": "vendor=1"}}),
    ] {
        let (spans, _) = works(&[], &destination, job(&overwritten)).await;
        let activate = spans.one("activate RequestPayment");
        assert_eq!(activate.parent, "");
        assert_eq!(activate.get("zeebe.context"), "missing");
        let received = destination.received();
        let last = received.last().expect("an event");
        assert_is_of(last, spans.one("deliver Payment.Requested"));
    }
}

#[tokio::test]
async fn what_no_header_can_hold_is_dropped_and_stops_no_job() {
    let destination = Destination::accepting().await;
    let settings = [("OTEL_PROPAGATORS", "tracecontext,baggage")];
    let overwritten = json!({"bridgeContext": {
        "traceparent": OTHER,
        "tracestate": "vendor=a\nb",
        "baggage": "user=".to_owned() + &"x".repeat(9_000),
    }});
    let (spans, _) = works(&settings, &destination, job(&overwritten)).await;
    assert_eq!(spans.one("activate RequestPayment").parent, OTHER_SPAN);
    let received = &destination.received()[0];
    for name in ["tracestate", "ce-tracestate", "baggage"] {
        assert_eq!(received.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn the_last_decisions_name_the_trace_that_an_event_left_in() {
    let destination = Destination::accepting().await;
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.extend([
        ("BRIDGE_TRACE_CONTINUE", "link"),
        ("BRIDGE_DECISIONS_KEPT", "10"),
    ]);
    let bridge = source(&gateway, &destination, &settings).await;
    gateway.add_job(job(&moved_by_another()));
    gateway.add_job(job(&json!({})));
    let spans = spans(&collector, "deliver Payment.Requested", 2).await;
    let mut left: Vec<_> = spans
        .named("deliver Payment.Requested")
        .iter()
        .map(|span| span.trace.clone())
        .collect();
    let mut decided = loop {
        let answered = bridge.get("debug/decisions").await;
        let page: Value = serde_json::from_slice(&answered.body).expect("JSON");
        let decisions = page["decisions"].as_array().expect("an array");
        if decisions.len() == 2 {
            break decisions
                .iter()
                .map(|decision| decision["trace"].as_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>();
        }
        tokio::task::yield_now().await;
    };
    left.sort();
    decided.sort();
    assert_eq!(decided, left);
}

#[tokio::test]
async fn a_job_begins_a_trace_of_its_own_that_points_back_where_it_is_told_to() {
    let destination = Destination::accepting().await;
    let settings = [("BRIDGE_TRACE_CONTINUE", "link")];
    let (spans, _) = works(&settings, &destination, job(&moved_by_another())).await;
    let activate = spans.one("activate RequestPayment");
    assert_eq!(activate.parent, "");
    assert_ne!(activate.trace, OTHER_TRACE);
    assert_eq!(
        activate.links,
        [(OTHER_TRACE.to_owned(), OTHER_SPAN.to_owned())]
    );
    assert_is_of(
        &destination.received()[0],
        spans.one("deliver Payment.Requested"),
    );
}

#[tokio::test]
async fn a_job_that_no_event_can_be_made_of_says_so_in_its_span() {
    let destination = Destination::accepting().await;
    let mut bad = job(&moved_by_another());
    bad.custom_headers = json!({"ce-type": "=missing"}).to_string();
    let (spans, _) = works(&[], &destination, bad).await;
    let activate = spans.one("activate RequestPayment");
    assert_eq!(activate.trace, OTHER_TRACE);
    assert_eq!(activate.get("error.type"), "incident");
    let error = activate.error.as_deref().expect("an error");
    assert!(error.contains("ce-type"), "{error}");
}

#[tokio::test]
async fn a_destination_that_is_away_says_so_in_the_delivery() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut destination = Destination::accepting().await;
    let _bridge = source(&gateway, &destination, &traced(&url)).await;
    destination.stop().await;
    gateway.add_job(job(&moved_by_another()));
    let spans = collector
        .spans_when("a delivery", |spans| {
            !spans.named("deliver Payment.Requested").is_empty()
        })
        .await;
    let deliver = spans.named("deliver Payment.Requested")[0];
    assert_eq!(deliver.get("error.type"), "connection_refused");
    assert_eq!(deliver.trace, OTHER_TRACE);
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_goes_on_unsampled_and_unrecorded() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::accepting().await;
    let _bridge = source(&gateway, &destination, &traced(&url)).await;
    let unsampled = format!("00-{OTHER_TRACE}-{OTHER_SPAN}-00");
    gateway.add_job(job(&json!({"bridgeContext": {"traceparent": unsampled}})));
    let mut recorded = job(&json!({}));
    recorded.element_id = String::from("Recorded");
    destination.wait_for_count(1).await;
    gateway.add_job(recorded);
    let spans = spans(&collector, "activate Recorded", 1).await;
    assert_eq!(spans.named("activate RequestPayment").len(), 0);
    let received = &destination.received()[0];
    let parent = received.header("traceparent").expect("a context");
    assert!(
        parent.starts_with(&format!("00-{OTHER_TRACE}-")),
        "{parent}"
    );
    assert!(parent.ends_with("-00"), "{parent}");
    assert_eq!(received.header("ce-traceparent"), Some(parent));
}
