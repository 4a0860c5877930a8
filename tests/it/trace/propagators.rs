//! What leaves beside an event, as `OTEL_PROPAGATORS` has it.

use serde_json::json;
use testkit::collector::span::Span;
use testkit::destination::{Destination, Received};
use testkit::gateway::FakeGateway;

use super::source::{assert_is_of, job, moved_by_another, works};
use super::{OTHER, OTHER_TRACE};
use crate::support::source;

/// What says whose child an event is, in its header and in its attribute.
const W3C: [&str; 4] = [
    "traceparent",
    "tracestate",
    "ce-traceparent",
    "ce-tracestate",
];
const B3: [&str; 4] = ["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];

fn assert_without(received: &Received, names: &[&str], why: &str) {
    for name in names {
        assert_eq!(received.header(name), None, "{why}: {name}");
    }
}

fn assert_b3_is_of(received: &Received, delivery: &Span) {
    assert_eq!(received.header("x-b3-traceid"), Some(&*delivery.trace));
    assert_eq!(received.header("x-b3-spanid"), Some(&*delivery.id));
}

#[tokio::test]
async fn baggage_and_b3_leave_only_where_they_are_asked_for() {
    let variables = json!({"bridgeContext": {"traceparent": OTHER, "baggage": "tier=gold"}});
    for (propagators, baggage, b3) in [
        ("tracecontext", None, false),
        ("tracecontext,baggage,b3", Some("tier=gold"), true),
    ] {
        let destination = Destination::accepting().await;
        let settings = [("OTEL_PROPAGATORS", propagators)];
        works(&settings, &destination, job(&variables)).await;
        let received = &destination.received()[0];
        assert_eq!(received.header("baggage"), baggage, "{propagators}");
        assert_eq!(received.header("b3").is_some(), b3, "{propagators}");
    }
}

#[tokio::test]
async fn beside_the_context_that_is_asked_for_no_other_leaves() {
    for how in ["parent", "link"] {
        for (propagators, w3c, b3) in [
            ("tracecontext", true, false),
            ("tracecontext,b3multi", true, true),
            ("b3multi", false, true),
            ("none", false, false),
        ] {
            let destination = Destination::accepting().await;
            let settings = [
                ("OTEL_PROPAGATORS", propagators),
                ("BRIDGE_TRACE_CONTINUE", how),
            ];
            let (spans, _) = works(&settings, &destination, job(&moved_by_another())).await;
            let deliver = spans.one("deliver Payment.Requested");
            assert_eq!(deliver.trace == OTHER_TRACE, how == "parent");
            let received = &destination.received()[0];
            if w3c {
                assert_is_of(received, deliver);
            } else {
                assert_without(received, &W3C, propagators);
            }
            if b3 {
                assert_b3_is_of(received, deliver);
            } else {
                assert_without(received, &B3, propagators);
            }
        }
    }
}

#[tokio::test]
async fn with_tracing_off_what_travelled_leaves_as_it_is() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let _bridge = source(&gateway, &destination, &[]).await;
    gateway.add_job(job(&moved_by_another()));
    let received = &destination.wait_for_count(1).await[0];
    assert_eq!(received.header("traceparent"), Some(OTHER));
    assert_eq!(received.header("ce-traceparent"), Some(OTHER));
    assert_eq!(received.header("tracestate"), Some("vendor=1"));
}
