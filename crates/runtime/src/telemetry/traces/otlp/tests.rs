use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::*;

const NUMBERS: [i64; 5] = [0, 1, 4_711, -1, i64::MIN];

fn context(span: u64, remote: bool, state: &str) -> SpanContext {
    SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(span),
        TraceFlags::SAMPLED,
        remote,
        TraceState::from_str(state).expect("a trace state"),
    )
}

/// Lengths on both sides of where a length takes one byte more.
fn texts() -> Vec<String> {
    [0, 1, 100, 127, 128, 256]
        .map(|length| "ä".repeat(length / 2) + &"x".repeat(length % 2))
        .to_vec()
}

fn data(kind: SpanKind, status: Status) -> SpanData {
    let texts = texts().into_iter().map(|text| KeyValue::new("text", text));
    let numbers = NUMBERS.map(|number| KeyValue::new("number", number));
    SpanData {
        span_context: context(7, false, ""),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: kind,
        name: Cow::Borrowed("receive Order.Placed"),
        start_time: UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789),
        end_time: UNIX_EPOCH + Duration::from_nanos(1_700_000_000_987_654_321),
        attributes: texts.chain(numbers).collect(),
        dropped_attributes_count: 0,
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
    let mut local = data(SpanKind::Producer, Status::Unset);
    local.parent_span_id = SpanId::from(9);
    vec![
        data(SpanKind::Internal, Status::Unset),
        data(SpanKind::Server, Status::Unset),
        data(SpanKind::Client, Status::error("")),
        local,
        linked,
    ]
}

/// The same span, by our means.
fn written(data: &SpanData) -> Vec<u8> {
    let parent = (data.parent_span_id != SpanId::INVALID).then(|| {
        SpanContext::new(
            data.span_context.trace_id(),
            data.parent_span_id,
            TraceFlags::SAMPLED,
            data.parent_span_is_remote,
            TraceState::default(),
        )
    });
    let mut span = Vec::new();
    let begun = Begun {
        context: &data.span_context,
        parent: parent.as_ref(),
        kind: &data.span_kind,
        at: data.start_time,
    };
    begun.write(&mut span);
    let (first, rest) = data.name.split_at(8);
    name(&[first, rest], &mut span);
    for text in texts() {
        text_attribute("text", &[&text], &mut span);
    }
    for number in NUMBERS {
        number_attribute("number", number, &mut span);
    }
    for of in data.links.iter() {
        link(&of.span_context, &mut span);
    }
    let ended = Ended {
        at: data.end_time,
        links_left_out: data.links.dropped_count,
        failure: match &data.status {
            Status::Error { description } => Some(description),
            Status::Ok | Status::Unset => None,
        },
    };
    ended.write(&mut span);
    span
}

#[test]
fn spans_are_written_as_opentelemetry_writes_them() {
    let attributes = [("service.name", "shop"), ("service.version", "1")];
    let resource = Resource::builder_empty()
        .with_attributes(attributes.map(|(key, value)| KeyValue::new(key, value)))
        .build();
    let mut batch = Vec::new();
    for data in &spans() {
        add(&written(data), &mut batch);
    }
    let request = Frame::new(&resource, &scope()).request(&batch);
    let read = ExportTraceServiceRequest::decode(&request[..]).expect("OTLP");
    let resource = ResourceAttributesWithSchema::from(&resource);
    let mut expected = group_spans_by_resource_and_scope(spans(), &resource);
    // A status that says nothing is left out here, and there said to be nothing.
    for span in &mut expected[0].scope_spans[0].spans {
        span.status.take_if(|status| status.code == 0);
    }
    assert_eq!(read.resource_spans, expected);
}
