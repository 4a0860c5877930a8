//! One attempt to deliver an event.

use cloudevents_http::Event;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use runtime::telemetry::traces::{
    Attributes, Span, SpanContext, SpanKind, Traces, traceparent, tracestate,
};

use super::{context_of, identity, messaging, ty};
use crate::extension::{TRACEPARENT, TRACESTATE};
use crate::{Attempt, NotReached};

/// What the spans of an event say of it, kept since the event itself becomes a message; nothing while tracing
/// is off.
#[derive(Debug, Default)]
pub struct Described {
    identity: Attributes,
    ty: String,
    context: Option<SpanContext>,
    baggage: Option<String>,
}

impl Described {
    /// Of an event that leaves with this baggage, where baggage is asked for.
    #[must_use]
    pub fn of(traces: &Traces, event: &Event, baggage: Option<&str>) -> Self {
        let Some(propagators) = traces.propagators() else {
            return Self::default();
        };
        let mut of_event = Attributes::default();
        identity(&mut of_event, event);
        Self {
            identity: of_event,
            ty: ty(event).into_owned(),
            context: context_of(event, propagators),
            baggage: baggage.filter(|_| propagators.baggage).map(str::to_owned),
        }
    }

    /// The context in the event's own attributes.
    #[must_use]
    pub fn context(&self) -> Option<SpanContext> {
        self.context.clone()
    }
}

/// The span of one attempt to deliver an event in binary mode; its headers then say that they are of it.
pub fn deliver(
    parent: &Span,
    described: &Described,
    destination: &Uri,
    headers: &mut HeaderMap,
) -> Span {
    let span = parent.child(
        SpanKind::Producer,
        || format!("deliver {}", described.ty).into(),
        |attributes| {
            messaging(attributes, "deliver", "send");
            attributes.extend(&described.identity);
            attributes.text("http.request.method", "POST");
            if let Some(host) = destination.host() {
                attributes.text("server.address", host);
            }
            if let Some(port) = destination.port_u16() {
                attributes.number("server.port", port.into());
            }
        },
    );
    if let (Some(context), Some(propagators)) = (span.context(), span.propagators()) {
        propagators.inject(&context, described.baggage.as_deref(), headers);
        if propagators.trace_context {
            attribute(headers, TRACEPARENT, Some(traceparent(&context)));
            attribute(headers, TRACESTATE, tracestate(&context));
        }
    }
    span
}

/// What came of a delivery; `None` where it was given up.
pub fn delivered(span: &Span, attempt: Option<&Attempt>) {
    let status = match attempt {
        Some(Attempt::Accepted { status, .. } | Attempt::Answered { status, .. }) => Some(*status),
        Some(Attempt::NotReached { .. }) | None => None,
    };
    if let Some(status) = status {
        span.describe(|attributes| {
            attributes.number("http.response.status_code", status.as_u16().into());
        });
    }
    match attempt {
        Some(Attempt::Accepted { .. }) => {}
        Some(attempt @ Attempt::Answered { status, .. }) => {
            span.fail(status.as_str(), &attempt.summary());
        }
        Some(attempt @ Attempt::NotReached { why, .. }) => {
            let why = match why {
                NotReached::Refused => "connection_refused",
                NotReached::Dns => "dns",
                NotReached::Tls => "tls",
                NotReached::Unreachable => "unreachable",
                NotReached::TimedOut => "timeout",
                NotReached::ConnectionLost => "connection_lost",
            };
            span.fail(why, &attempt.summary());
        }
        None => span.fail("stopped", "the program stops; the event may have arrived"),
    }
}

/// An attribute of an event in binary mode, set or taken away.
fn attribute(headers: &mut HeaderMap, name: &str, value: Option<String>) {
    let Ok(name) = HeaderName::try_from(format!("ce-{name}")) else {
        return;
    };
    match value.and_then(|value| HeaderValue::try_from(value).ok()) {
        Some(value) => {
            headers.insert(name, value);
        }
        None => {
            headers.remove(name);
        }
    }
}
