//! One attempt to deliver an event.

use std::sync::LazyLock;

use cloudevents_http::Event;
use http::{HeaderMap, HeaderName, Uri};
use runtime::telemetry::traces::{
    Fields, Propagators, Span, SpanContext, SpanKind, TRACEPARENT, TRACESTATE, Traces,
};

use super::{identity, messaging, ty, written_in};
use crate::{Attempt, NotReached};

/// What all such spans say.
static DELIVERS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::of(|fields| {
        messaging(fields, "deliver", "send");
        fields.text("http.request.method", "POST");
    })
});

/// The attributes of an event in binary mode that say which span it is of.
const EVENT_TRACEPARENT: HeaderName = HeaderName::from_static("ce-traceparent");
const EVENT_TRACESTATE: HeaderName = HeaderName::from_static("ce-tracestate");

/// What the spans of an event say of it, kept since the event itself becomes a message; nothing while tracing
/// is off.
#[derive(Debug, Default)]
pub struct Described {
    fields: Fields,
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
        Self {
            fields: Fields::of(|fields| {
                fields.name(&["deliver ", &ty(event)]);
                fields.extend(&DELIVERS);
                identity(fields, event);
            }),
            context: written_in(event),
            baggage: baggage.filter(|_| propagators.baggage).map(str::to_owned),
        }
    }

    /// The context in the event's own attributes: whoever keeps it until it is sent has written it there.
    #[must_use]
    pub fn context(&self) -> Option<SpanContext> {
        self.context.clone()
    }
}

/// What the spans of deliveries say of where they go.
#[derive(Debug)]
pub struct Recipient {
    authority: String,
    fields: Fields,
}

impl Recipient {
    /// That of a destination.
    #[must_use]
    pub fn of(destination: &Uri) -> Self {
        Self {
            authority: authority(destination).to_owned(),
            fields: Fields::of(|fields| address(fields, destination)),
        }
    }

    fn describe(&self, destination: &Uri, fields: &mut Fields) {
        if self.authority == authority(destination) {
            fields.extend(&self.fields);
        } else {
            address(fields, destination);
        }
    }
}

fn authority(destination: &Uri) -> &str {
    destination
        .authority()
        .map_or("", |authority| authority.as_str())
}

fn address(fields: &mut Fields, destination: &Uri) {
    if let Some(host) = destination.host() {
        fields.text("server.address", host);
    }
    if let Some(port) = destination.port_u16() {
        fields.number("server.port", port.into());
    }
}

/// The span of one attempt to deliver an event in binary mode; its headers then say that they are of it. `usual` is
/// where most go.
pub fn deliver(
    parent: &Span,
    described: &Described,
    destination: &Uri,
    usual: &Recipient,
    headers: &mut HeaderMap,
) -> Span {
    let span = parent.child(SpanKind::Producer, |fields| {
        fields.extend(&described.fields);
        usual.describe(destination, fields);
    });
    if let (Some(context), Some(propagators)) = (span.context(), span.propagators()) {
        pass_on(
            propagators,
            Some(&context),
            described.baggage.as_deref(),
            headers,
        );
    }
    span
}

/// Writes a context into the headers of an event in binary mode, and into the event's own attributes, as the
/// propagators have it; no other is left beside it. Without a context only what is not to leave is taken out.
pub fn pass_on(
    propagators: &Propagators,
    context: Option<&SpanContext>,
    baggage: Option<&str>,
    headers: &mut HeaderMap,
) {
    propagators.inject(context, baggage, headers);
    if context.is_none() && propagators.trace_context {
        return;
    }
    for (of_request, of_event) in [
        (TRACEPARENT, EVENT_TRACEPARENT),
        (TRACESTATE, EVENT_TRACESTATE),
    ] {
        match headers.get(of_request).cloned() {
            Some(value) => headers.insert(of_event, value),
            None => headers.remove(of_event),
        };
    }
}

/// What came of a delivery; `None` where it was given up.
pub fn delivered(span: &Span, attempt: Option<&Attempt>) {
    let status = match attempt {
        Some(Attempt::Accepted { status, .. } | Attempt::Answered { status, .. }) => Some(*status),
        Some(Attempt::NotReached { .. }) | None => None,
    };
    if let Some(status) = status {
        span.describe(|fields| {
            fields.number("http.response.status_code", status.as_u16().into());
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
