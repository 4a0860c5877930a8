//! What leaves beside an event, as `OTEL_PROPAGATORS` has it.

use serde_json::{Value, json};
use testkit::collector::span::Span;
use testkit::destination::{Destination, Received};
use testkit::gateway::FakeGateway;

use super::sink::context;
use super::source::{assert_is_of, job, moved_by_another, works};
use super::{OTHER, OTHER_TRACE};
use crate::support::{sink, source};

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

/// What comes to the sink, what its process keeps of it, and what leaves the source again: the names of headers and
/// their values.
struct Untraced {
    propagators: &'static str,
    came: &'static [(&'static str, &'static str)],
    kept: Value,
    leaves: &'static [(&'static str, &'static str)],
}

fn untraced() -> Vec<Untraced> {
    const W3C_AND_BAGGAGE: &[(&str, &str)] = &[
        ("traceparent", OTHER),
        ("tracestate", "vendor=1"),
        ("baggage", "tier=gold"),
    ];
    const OF_B3: &str = "00-11111111111111111111111111111111-2222222222222222-01";
    const MULTI: &[(&str, &str)] = &[
        ("x-b3-traceid", "11111111111111111111111111111111"),
        ("x-b3-spanid", "2222222222222222"),
        ("x-b3-sampled", "1"),
    ];
    const SINGLE: &[(&str, &str)] =
        &[("b3", "11111111111111111111111111111111-2222222222222222-1")];
    let of = |propagators, came, kept, leaves| Untraced {
        propagators,
        came,
        kept,
        leaves,
    };
    vec![
        of(
            "tracecontext",
            W3C_AND_BAGGAGE,
            json!({"traceparent": OTHER, "tracestate": "vendor=1", "hops": 0}),
            &[
                ("traceparent", OTHER),
                ("tracestate", "vendor=1"),
                ("ce-traceparent", OTHER),
                ("ce-tracestate", "vendor=1"),
            ],
        ),
        of(
            "tracecontext,baggage",
            W3C_AND_BAGGAGE,
            json!({"traceparent": OTHER, "tracestate": "vendor=1", "baggage": "tier=gold", "hops": 0}),
            &[
                ("traceparent", OTHER),
                ("tracestate", "vendor=1"),
                ("ce-traceparent", OTHER),
                ("ce-tracestate", "vendor=1"),
                ("baggage", "tier=gold"),
            ],
        ),
        of(
            "baggage",
            &[("baggage", "tier=gold")],
            json!({"baggage": "tier=gold", "hops": 0}),
            &[("baggage", "tier=gold")],
        ),
        of(
            "b3multi",
            MULTI,
            json!({"traceparent": OF_B3, "hops": 0}),
            MULTI,
        ),
        of(
            "b3",
            SINGLE,
            json!({"traceparent": OF_B3, "hops": 0}),
            SINGLE,
        ),
        of("b3", W3C_AND_BAGGAGE, json!({"hops": 0}), &[]),
        of("none", W3C_AND_BAGGAGE, json!({"hops": 0}), &[]),
    ]
}

#[tokio::test]
async fn with_tracing_off_what_is_asked_for_goes_through_as_it_came_and_nothing_else() {
    for case in untraced() {
        let why = format!("{} of {:?}", case.propagators, case.came);
        let settings = [("OTEL_PROPAGATORS", case.propagators)];
        let gateway = FakeGateway::start().await;
        let bridge = sink(&gateway, &settings).await;
        let sent = bridge.send_with("Test", "1", case.came, &json!({})).await;
        assert_eq!(sent.status, 202, "{why}");
        let kept = context(&gateway, 0);
        assert_eq!(kept, case.kept, "{why}");
        let page = bridge.get("metrics").await;
        assert!(!page.text().contains("telemetry_spans"), "{}", page.text());

        let gateway = FakeGateway::start().await;
        let destination = Destination::accepting().await;
        let _bridge = source(&gateway, &destination, &settings).await;
        gateway.add_job(job(&json!({ "bridgeContext": kept })));
        let received = &destination.wait_for_count(1).await[0];
        for name in W3C.iter().chain(&B3).chain(&["baggage"]) {
            let leaves = case.leaves.iter().find(|(known, _)| known == name);
            let expected = leaves.map(|(_, value)| *value);
            assert_eq!(received.header(name), expected, "{why}: {name}");
        }
    }
}

#[tokio::test]
async fn with_tracing_off_the_context_of_the_event_itself_is_w3c_and_goes_through_where_that_is_asked_for()
 {
    let gateway = FakeGateway::start().await;
    let of_event = [("ce-traceparent", OTHER)];
    for (place, (propagators, kept)) in [
        ("tracecontext", json!({"traceparent": OTHER, "hops": 0})),
        ("b3multi", json!({"hops": 0})),
    ]
    .into_iter()
    .enumerate()
    {
        let bridge = sink(&gateway, &[("OTEL_PROPAGATORS", propagators)]).await;
        bridge
            .send_with("Test", propagators, &of_event, &json!({}))
            .await;
        assert_eq!(context(&gateway, place), kept, "{propagators}");
    }
}

#[tokio::test]
async fn with_tracing_off_an_older_context_does_not_leave_where_w3c_is_not_asked_for() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [("OTEL_PROPAGATORS", "none")];
    let _bridge = source(&gateway, &destination, &settings).await;
    gateway.add_job(job(&moved_by_another()));
    let received = &destination.wait_for_count(1).await[0];
    assert_without(received, &W3C, "none");
    assert_without(received, &B3, "none");
}
