//! The spans of events on their way in and out, by OpenTelemetry's conventions for messaging, and by
//! Knative's names for the attributes of an event.
//!
//! They say which event it is and what became of it, never what its data holds. While tracing is off nothing
//! is made.
//!
//! - `receive`: a request with events.
//! - `deliver`: one attempt to deliver an event.

mod deliver;
mod receive;

use std::borrow::Cow;

use cloudevents_http::{Event, attribute};
use runtime::telemetry::traces::{Fields, Propagators, SpanContext, read_traceparent};

use crate::extension::{TRACEPARENT, TRACESTATE};

pub use deliver::{Described, Recipient, deliver, delivered, pass_on};
pub use receive::{Arrival, UNANSWERED, answered, ask, process, receive, unanswered};

/// How an event came or goes.
fn messaging(fields: &mut Fields, operation: &'static str, kind: &'static str) {
    fields.text("messaging.system", "knative");
    fields.text("messaging.operation.name", operation);
    fields.text("messaging.operation.type", kind);
}

/// Which event it is.
fn identity(fields: &mut Fields, event: &Event) {
    for (key, name) in [
        ("cloudevents.id", "id"),
        ("cloudevents.source", "source"),
        ("cloudevents.type", "type"),
        ("cloudevents.subject", "subject"),
    ] {
        if let Some(value) = attribute(event, name) {
            fields.text(key, &value);
        }
    }
}

fn ty(event: &Event) -> Cow<'_, str> {
    attribute(event, "type").unwrap_or_default()
}

/// The context in the attributes of an event that came, where the propagators read it.
fn context_of(event: &Event, propagators: &Propagators) -> Option<SpanContext> {
    written_in(event).filter(|_| propagators.trace_context)
}

/// The context in an event's own attributes.
fn written_in(event: &Event) -> Option<SpanContext> {
    let parent = attribute(event, TRACEPARENT)?;
    read_traceparent(&parent, attribute(event, TRACESTATE).as_deref())
}
