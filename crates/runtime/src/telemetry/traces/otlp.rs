//! Spans as OTLP has them (`opentelemetry/proto/trace/v1/trace.proto`), written where they are made.
//!
//! An attribute becomes bytes when it is said, and a span when it ends, in the thread that does so. As messages each of
//! their texts, keys too, would be allocated once more and copied twice, and where another thread wrote them it would
//! free what it had not allocated: more than all else that a span costs.
//!
//! Protobuf allows it: the order of fields is of no importance, and the bytes of two messages one after the other are
//! those of one message with the fields of both. So a batch is put together without a look into it.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanKind};
use opentelemetry_proto::tonic::resource::v1;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, SpanFlags, span};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use self::head::Head;

mod head;

/// Enough for two fields.
type Short = Head<16>;

/// The field of `ScopeSpans`.
const SPANS: u32 = 2;
/// The field of `ExportTraceServiceRequest`.
const RESOURCE_SPANS: u32 = 1;
/// The field of `ResourceSpans`.
const SCOPE_SPANS: u32 = 2;

/// Fields of `Span`.
mod field {
    pub(super) const TRACE_ID: u32 = 1;
    pub(super) const SPAN_ID: u32 = 2;
    pub(super) const TRACE_STATE: u32 = 3;
    pub(super) const PARENT_SPAN_ID: u32 = 4;
    pub(super) const NAME: u32 = 5;
    pub(super) const KIND: u32 = 6;
    pub(super) const START_TIME_UNIX_NANO: u32 = 7;
    pub(super) const END_TIME_UNIX_NANO: u32 = 8;
    pub(super) const ATTRIBUTES: u32 = 9;
    pub(super) const LINKS: u32 = 13;
    pub(super) const DROPPED_LINKS_COUNT: u32 = 14;
    pub(super) const STATUS: u32 = 15;
    pub(super) const FLAGS: u32 = 16;
}

/// A span's name.
pub(super) fn name(parts: &[&str], span: &mut Vec<u8>) {
    Short::of(field::NAME, length_of(parts)).write(span);
    append(parts, span);
}

/// An attribute of a span.
pub(super) fn text_attribute(key: &str, parts: &[&str], span: &mut Vec<u8>) {
    const STRING_VALUE: u32 = 1;
    let length = length_of(parts);
    let mut head = attribute(key, sized(length), span);
    head.sized(STRING_VALUE, length);
    head.write(span);
    append(parts, span);
}

/// An attribute of a span.
pub(super) fn number_attribute(key: &str, value: i64, span: &mut Vec<u8>) {
    const INT_VALUE: u32 = 3;
    // Protobuf's int64: a negative one is as long as can be.
    let value = value.cast_unsigned();
    let mut head = attribute(key, 1 + encoded_len_varint(value), span);
    head.number(INT_VALUE, value);
    head.write(span);
}

/// `KeyValue`, up to what is in its `AnyValue`, whose length is `value`; what comes next belongs to the head.
fn attribute(key: &str, value: usize, span: &mut Vec<u8>) -> Short {
    const KEY: u32 = 1;
    const VALUE: u32 = 2;
    let mut head = Short::of(field::ATTRIBUTES, sized(key.len()) + sized(value));
    head.sized(KEY, key.len());
    head.write(span);
    span.extend_from_slice(key.as_bytes());
    Short::of(VALUE, value)
}

fn length_of(parts: &[&str]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

fn append(parts: &[&str], span: &mut Vec<u8>) {
    for part in parts {
        span.extend_from_slice(part.as_bytes());
    }
}

/// A link of a span.
pub(super) fn link(to: &SpanContext, span: &mut Vec<u8>) {
    let link = span::Link {
        trace_id: to.trace_id().to_bytes().to_vec(),
        span_id: to.span_id().to_bytes().to_vec(),
        trace_state: to.trace_state().header(),
        flags: flags(to, to.is_remote()),
        ..span::Link::default()
    };
    bytes(field::LINKS, &link.encode_to_vec(), span);
}

/// A span that begins.
#[derive(Debug)]
pub(super) struct Begun<'s> {
    pub(super) context: &'s SpanContext,
    /// None where it begins a trace.
    pub(super) parent: Option<&'s SpanContext>,
    pub(super) kind: &'s SpanKind,
    pub(super) at: SystemTime,
}

impl Begun<'_> {
    pub(super) fn write(&self, span: &mut Vec<u8>) {
        let context = self.context;
        let mut head = Head::<80>::new();
        head.short(field::TRACE_ID, context.trace_id().to_bytes());
        head.short(field::SPAN_ID, context.span_id().to_bytes());
        if let Some(parent) = self.parent {
            head.short(field::PARENT_SPAN_ID, parent.span_id().to_bytes());
        }
        head.number(field::KIND, kind(self.kind));
        head.fixed64(field::START_TIME_UNIX_NANO, nanoseconds(self.at));
        let remote = self.parent.is_some_and(SpanContext::is_remote);
        head.fixed32(field::FLAGS, flags(context, remote));
        head.write(span);
        let state = context.trace_state().header();
        if !state.is_empty() {
            bytes(field::TRACE_STATE, state.as_bytes(), span);
        }
    }
}

/// The end of a span.
#[derive(Debug)]
pub(super) struct Ended<'s> {
    pub(super) at: SystemTime,
    pub(super) links_left_out: u32,
    pub(super) failure: Option<&'s str>,
}

impl Ended<'_> {
    pub(super) fn write(&self, span: &mut Vec<u8>) {
        let mut head = Short::new();
        head.fixed64(field::END_TIME_UNIX_NANO, nanoseconds(self.at));
        if self.links_left_out > 0 {
            head.number(field::DROPPED_LINKS_COUNT, self.links_left_out.into());
        }
        head.write(span);
        if let Some(message) = self.failure {
            failure(message, span);
        }
    }
}

fn failure(message: &str, span: &mut Vec<u8>) {
    const MESSAGE: u32 = 2;
    const CODE: u32 = 3;
    const ERROR: u64 = 2;
    let mut head = Short::of(field::STATUS, sized(message.len()) + 2);
    head.number(CODE, ERROR);
    head.sized(MESSAGE, message.len());
    head.write(span);
    span.extend_from_slice(message.as_bytes());
}

fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// The trace's flags, and whether the parent (of a link: what it leads to) is of another program.
fn flags(context: &SpanContext, remote: bool) -> u32 {
    let mut flags =
        u32::from(context.trace_flags().to_u8()) | SpanFlags::ContextHasIsRemoteMask as u32;
    if remote {
        flags |= SpanFlags::ContextIsRemoteMask as u32;
    }
    flags
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// How long a field is whose number is below 16 and that holds so many bytes.
fn sized(bytes: usize) -> usize {
    1 + encoded_len_varint(bytes as u64) + bytes
}

fn bytes(field: u32, value: &[u8], out: &mut Vec<u8>) {
    Short::of(field, value.len()).write(out);
    out.extend_from_slice(value);
}

/// Adds a span to those that [`Frame`] frames.
pub(super) fn add(span: &[u8], batch: &mut Vec<u8>) {
    bytes(SPANS, span, batch);
}

/// What is around the spans of a request: of whom they are.
#[derive(Debug)]
pub(super) struct Frame {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Frame {
    pub(super) fn new(resource: &Resource, scope: &InstrumentationScope) -> Self {
        let resource = ResourceAttributesWithSchema::from(resource);
        let of_resource = ResourceSpans {
            resource: Some(v1::Resource {
                attributes: resource.attributes.0,
                ..v1::Resource::default()
            }),
            ..ResourceSpans::default()
        };
        let of_scope = ScopeSpans {
            scope: Some((scope, None).into()),
            ..ScopeSpans::default()
        };
        Self {
            resource: of_resource.encode_to_vec(),
            scope: of_scope.encode_to_vec(),
        }
    }

    /// The request with these spans.
    pub(super) fn request(&self, spans: &[u8]) -> Vec<u8> {
        let of_scope = self.scope.len() + spans.len();
        let mut inner = Vec::with_capacity(16);
        encode_key(SCOPE_SPANS, WireType::LengthDelimited, &mut inner);
        encode_varint(of_scope as u64, &mut inner);
        let of_resource = self.resource.len() + inner.len() + of_scope;
        let mut request = Vec::with_capacity(of_resource + 16);
        encode_key(RESOURCE_SPANS, WireType::LengthDelimited, &mut request);
        encode_varint(of_resource as u64, &mut request);
        for part in [&self.resource, &inner, &self.scope, spans] {
            request.extend_from_slice(part);
        }
        request
    }
}

#[cfg(test)]
mod tests;
