//! Traces: spans, made by OpenTelemetry's SDK and sent by OTLP.
//!
//! [`Traces`] is handed on like a meter. Without a collector it is off: then a span is nothing, no
//! attribute is looked at and no closure is called, at the cost of one comparison.
//!
//! - `span`: [`Traces`] and [`Span`].
//! - `context`: a span's context as text, and [`Propagators`], which read and write it in headers.
//! - `queue`: where spans wait, bounded; `sender`: what sends them; `otlp`: spans as bytes.

mod context;
mod otlp;
mod queue;
mod sender;
mod span;

pub use context::{Propagators, read_traceparent, traceparent, tracestate};
pub use opentelemetry::trace::{SpanContext, SpanKind, TraceId};
pub use sender::start;
pub use span::{Attributes, Origin, Scoped, Span, Traces};
