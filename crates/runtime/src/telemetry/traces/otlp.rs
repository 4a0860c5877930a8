//! Spans as OTLP has them: the messages of `opentelemetry-proto`, written where a span ends.
//!
//! A span becomes bytes in the thread that ends it, and its own memory is freed there. Were it handed to the thread that
//! sends, each of its texts would be allocated by one thread and freed by the other, after two more copies on
//! the way into messages: more than making the span costs.
//!
//! Protobuf allows it: the bytes of two messages one after the other are those of one message with the fields of both. So
//! a batch is put together without a look into it.

use opentelemetry::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};

/// `ExportTraceServiceRequest.resource_spans`.
const RESOURCE_SPANS: u32 = 1;
/// `ResourceSpans.scope_spans`.
const SCOPE_SPANS: u32 = 2;

/// One span, as a field of what [`Frame`] frames.
pub(super) fn span(data: SpanData) -> Vec<u8> {
    let one = ScopeSpans {
        spans: vec![data.into()],
        ..ScopeSpans::default()
    };
    one.encode_to_vec()
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
