//! Traces: spans, made by OpenTelemetry's SDK and sent by OTLP.
//!
//! [`Traces`] is handed on like a meter. Without a collector it is off: then a span is nothing, no
//! attribute is looked at and no closure is called, at the cost of one comparison.
//!
//! Spans are sent by a thread with a runtime of its own: an exporter that waited on the runtime whose
//! work it reports would wait for itself, where that has one thread.
//!
//! - `span`: [`Traces`] and [`Span`].
//! - `context`: a span's context as text, and [`Propagators`], which read and write it in headers.
//! - `queue`: where spans wait, bounded; `sender`: the thread that sends them; `trouble`: what the log is told of it.
//! - `otlp`: spans as bytes; `exporter`, `http`: these by gRPC or by HTTP.

mod context;
mod exporter;
mod http;
mod otlp;
mod queue;
mod sender;
mod span;
mod trouble;

pub use context::{Propagators, read_traceparent, traceparent, tracestate};
pub use opentelemetry::trace::{SpanContext, SpanKind, TraceId};
pub use sender::{Flush, TraceError, start};
pub use span::{Attributes, Origin, Scoped, Span, Traces};
