//! Traces: spans by OpenTelemetry's model, sampled and numbered by its SDK, and sent by OTLP.
//!
//! [`Traces`] is handed on like a meter. Without a collector it is off: then a span is nothing, no
//! attribute is looked at and no closure is called, at the cost of one comparison.
//!
//! - `span`: [`Traces`] and [`Span`]; `fields`: [`Fields`].
//! - `live`: a span's beginning, and its end; `current`: which one something is done in.
//! - `context`: a span's context as text, and [`Propagators`], which read and write it in headers.
//! - `queue`: where spans wait, bounded; `sender`: what sends them; `otlp`: spans as bytes.

mod context;
mod current;
mod fields;
mod live;
mod otlp;
mod queue;
mod sender;
mod span;

pub use context::{
    Propagators, TRACEPARENT, TRACESTATE, read_traceparent, traceparent, tracestate,
};
pub use current::Scoped;
pub(super) use current::current_context;
pub use fields::Fields;
pub use opentelemetry::trace::{SpanContext, SpanKind, TraceId};
pub use sender::start;
pub use span::{Origin, Span, Traces};
