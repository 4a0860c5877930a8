use std::borrow::Cow;
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::KeyValue;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::*;

fn context(span: u64, remote: bool, state: &str) -> SpanContext {
    SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(span),
        TraceFlags::SAMPLED,
        remote,
        TraceState::from_str(state).expect("a trace state"),
    )
}

fn data(kind: SpanKind, status: Status) -> SpanData {
    SpanData {
        span_context: context(7, false, ""),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: kind,
        name: Cow::Borrowed("receive Order.Placed"),
        start_time: UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789),
        end_time: UNIX_EPOCH + Duration::from_nanos(1_700_000_000_987_654_321),
        attributes: vec![
            KeyValue::new("text", "x".repeat(300)),
            KeyValue::new("empty", ""),
            KeyValue::new("number", 4_711),
            KeyValue::new("negative", -1),
            KeyValue::new("zero", 0),
            KeyValue::new("half", 0.5),
            KeyValue::new("no", false),
        ],
        dropped_attributes_count: 3,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status,
        instrumentation_scope: scope(),
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("eventing-zeebe").build()
}

/// All kinds of spans, with and without what a span may have.
fn spans() -> Vec<SpanData> {
    let error = Status::error("the engine is away");
    let mut linked = data(SpanKind::Consumer, error);
    linked.span_context = context(8, false, "vendor=a,other=b");
    linked.parent_span_id = SpanId::from(9);
    linked.parent_span_is_remote = true;
    linked.links.links = vec![
        Link::with_context(context(10, true, "vendor=1")),
        Link::with_context(context(11, false, "")),
    ];
    linked.links.dropped_count = 2;
    vec![
        data(SpanKind::Internal, Status::Unset),
        data(SpanKind::Server, Status::Ok),
        data(SpanKind::Client, Status::Unset),
        data(SpanKind::Producer, Status::Unset),
        linked,
    ]
}

#[test]
fn spans_that_were_written_one_by_one_are_read_as_one_request() {
    let attributes = [("service.name", "shop"), ("service.version", "1")];
    let resource = Resource::builder_empty()
        .with_attributes(attributes.map(|(key, value)| KeyValue::new(key, value)))
        .build();
    let written: Vec<u8> = spans().into_iter().flat_map(span).collect();
    let request = Frame::new(&resource, &scope()).request(&written);
    let read = ExportTraceServiceRequest::decode(&request[..]).expect("OTLP");
    let resource = ResourceAttributesWithSchema::from(&resource);
    let expected = group_spans_by_resource_and_scope(spans(), &resource);
    assert_eq!(read.resource_spans, expected);
}
