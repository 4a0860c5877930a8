//! Spans as OTLP has them, in protobuf.
//!
//! A span is written as bytes by the thread that ends it, and its own memory is freed there. Were it handed to
//! the thread that sends, each of its texts would be allocated by one thread and freed by the other, after two more
//! copies on the way into messages: more than making the span costs.
//!
//! Field numbers are those of `opentelemetry/proto/trace/v1/trace.proto` and its neighbours.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

/// Says that the next flag is known.
const REMOTE_IS_KNOWN: u32 = 0x100;
/// The parent, or what a link leads to, is another program's.
const IS_REMOTE: u32 = 0x200;

/// Writes the fields of one message.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    /// A number; 0 is the default, and not written.
    fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.key(field, 0);
            self.varint(value);
        }
    }

    fn fixed32(&mut self, field: u32, value: u32) {
        self.key(field, 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn fixed64(&mut self, field: u32, value: u64) {
        self.key(field, 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Bytes, a text or a message, written even where it is empty.
    fn bytes(&mut self, field: u32, value: &[u8]) {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn text(&mut self, field: u32, value: &str) {
        if !value.is_empty() {
            self.bytes(field, value.as_bytes());
        }
    }

    /// A message whose length is known once it is there.
    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, 2);
        let at = self.0.len();
        // Most are short, and their length is one byte. What is longer is moved.
        self.0.push(0);
        write(self);
        let length = self.0.len() - at - 1;
        match u8::try_from(length) {
            Ok(length) if length < 0x80 => self.0[at] = length,
            Ok(_) | Err(_) => {
                let mut prefix = Self::default();
                prefix.varint(length as u64);
                self.0.splice(at..=at, prefix.0);
            }
        }
    }

    fn attribute(&mut self, field: u32, pair: &KeyValue) {
        self.message(field, |attribute| {
            attribute.text(1, pair.key.as_str());
            attribute.message(2, |value| match &pair.value {
                Value::Bool(is) => {
                    value.key(2, 0);
                    value.varint(u64::from(*is));
                }
                Value::I64(number) => {
                    value.key(3, 0);
                    value.varint(number.cast_unsigned());
                }
                Value::F64(number) => value.fixed64(4, number.to_bits()),
                text @ (Value::String(_) | Value::Array(_) | _) => {
                    value.bytes(1, text.as_str().as_bytes());
                }
            });
        });
    }

    fn ids(&mut self, context: &SpanContext) {
        self.bytes(1, &context.trace_id().to_bytes());
        self.bytes(2, &context.span_id().to_bytes());
        // Most have none, and what makes the header allocates.
        if context.trace_state() != &TraceState::NONE {
            self.text(3, &context.trace_state().header());
        }
    }
}

/// One span, as a field of what [`Frame`] frames.
pub(super) fn span(data: &SpanData) -> Vec<u8> {
    let mut span = Message(Vec::with_capacity(1_024));
    span.message(2, |span| {
        span.ids(&data.span_context);
        if data.parent_span_id != SpanId::INVALID {
            span.bytes(4, &data.parent_span_id.to_bytes());
        }
        span.text(5, &data.name);
        span.number(6, kind(&data.span_kind));
        span.fixed64(7, nanoseconds(data.start_time));
        span.fixed64(8, nanoseconds(data.end_time));
        for pair in &data.attributes {
            span.attribute(9, pair);
        }
        span.number(10, data.dropped_attributes_count.into());
        for link in data.links.iter() {
            span.message(13, |written| {
                let context = &link.span_context;
                written.ids(context);
                let flags = context.trace_flags().to_u8();
                written.fixed32(6, flags_of(flags, context.is_remote()));
            });
        }
        span.number(14, data.links.dropped_count.into());
        span.message(15, |status| match &data.status {
            Status::Unset => {}
            Status::Ok => status.number(3, 1),
            Status::Error { description } => {
                status.text(2, description);
                status.number(3, 2);
            }
        });
        let flags = data.span_context.trace_flags().to_u8();
        span.fixed32(16, flags_of(flags, data.parent_span_is_remote));
    });
    span.0
}

/// What is around the spans of a request: of whom they are.
#[derive(Debug)]
pub(super) struct Frame {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Frame {
    pub(super) fn new(resource: &Resource, scope: &InstrumentationScope) -> Self {
        let mut of_resource = Message::default();
        of_resource.message(1, |message| {
            for (key, value) in resource {
                message.attribute(1, &KeyValue::new(key.clone(), value.clone()));
            }
        });
        let mut of_scope = Message::default();
        of_scope.message(1, |message| {
            message.text(1, scope.name());
            message.text(2, scope.version().unwrap_or_default());
        });
        Self {
            resource: of_resource.0,
            scope: of_scope.0,
        }
    }

    /// The request with these spans.
    pub(super) fn request(&self, spans: &[u8]) -> Vec<u8> {
        let of_scope = self.scope.len() + spans.len();
        let mut inner = Message(Vec::with_capacity(16));
        inner.key(2, 2);
        inner.varint(of_scope as u64);
        let of_resource = self.resource.len() + inner.0.len() + of_scope;
        let mut request = Message(Vec::with_capacity(of_resource + 16));
        request.key(1, 2);
        request.varint(of_resource as u64);
        for part in [&self.resource, &inner.0, &self.scope, spans] {
            request.0.extend_from_slice(part);
        }
        request.0
    }
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

fn flags_of(flags: u8, remote: bool) -> u32 {
    u32::from(flags) | REMOTE_IS_KNOWN | if remote { IS_REMOTE } else { 0 }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
