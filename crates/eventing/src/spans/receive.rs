//! A request with events.
//!
//! With one event it is one span. Of a batch, which may bring events of several traces, each event has one
//! more of its own, and it is that which whatever the event leads to goes on from.

use std::sync::LazyLock;
use std::time::SystemTime;

use cloudevents_http::Event;
use http::{HeaderMap, StatusCode};
use runtime::telemetry::traces::{
    Fields, Origin, Propagators, Span, SpanContext, SpanKind, Traces,
};

use super::{context_of, identity, messaging, ty};

/// In place of a status, where a request has no answer.
pub const UNANSWERED: &str = "unanswered";

/// What all spans of such requests say.
static RECEIVES: LazyLock<Fields> =
    LazyLock::new(|| Fields::of(|fields| messaging(fields, "receive", "process")));

/// What is known of a request before its body is there; nothing while tracing is off.
#[derive(Debug)]
pub struct Arrival {
    began: Option<SystemTime>,
    context: Option<SpanContext>,
}

impl Arrival {
    /// That of a request with these headers, now.
    #[must_use]
    pub fn of(traces: &Traces, headers: &HeaderMap) -> Self {
        Self {
            began: traces.now(),
            context: traces.propagators().and_then(|how| how.context(headers)),
        }
    }

    fn origin(self, events: &[Event], propagators: &Propagators) -> Origin {
        let of_event = match events {
            [only] => context_of(only, propagators),
            [..] => None,
        };
        Origin {
            began: self.began,
            ..origin(self.context, of_event)
        }
    }
}

/// The span of a request; `events` is empty where there are none to be had of it.
#[must_use]
pub fn receive(traces: &Traces, arrival: Arrival, events: &[Event]) -> Span {
    traces.start(
        SpanKind::Consumer,
        |propagators| arrival.origin(events, propagators),
        |fields| {
            match events {
                [] => fields.name(&["receive"]),
                [only] => fields.name(&["receive ", &ty(only)]),
                [..] => fields.name(&["receive batch"]),
            }
            fields.extend(&RECEIVES);
            carried(fields, events);
        },
    )
}

/// The span of a request that asks for something, at a route of its own; what its events say is of no interest.
#[must_use]
pub fn ask(traces: &Traces, arrival: Arrival, route: &'static str, events: &[Event]) -> Span {
    traces.start(
        SpanKind::Server,
        |propagators| arrival.origin(events, propagators),
        |fields| {
            fields.name(&["POST ", route]);
            fields.text("http.request.method", "POST");
            fields.text("http.route", route);
            carried(fields, events);
        },
    )
}

/// Which event came, or how many.
fn carried(fields: &mut Fields, events: &[Event]) {
    match events {
        [only] => identity(fields, only),
        [..] => {
            let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
            fields.number("messaging.batch.message_count", count);
        }
    }
}

/// The span of one of so many events of a request.
#[must_use]
pub fn process(request: &Span, event: &Event, of: usize) -> Span {
    if of == 1 {
        return request.clone();
    }
    request.sibling(
        SpanKind::Consumer,
        |propagators| origin(context_of(event, propagators), request.context()),
        |fields| {
            fields.name(&["process ", &ty(event)]);
            messaging(fields, "process", "process");
            identity(fields, event);
        },
    )
}

/// How a request was answered. Whatever was not accepted is an error: the event has not arrived.
pub fn answered(span: &Span, status: StatusCode, reason: Option<&str>) {
    span.describe(|fields| {
        fields.number("http.response.status_code", status.as_u16().into());
    });
    if !status.is_success() {
        span.fail(status.as_str(), reason.unwrap_or_default());
    }
}

/// There will be no answer to a request. What it began may have been done; whoever sent it does not know, and sends it
/// again.
pub fn unanswered(span: &Span) {
    span.fail(
        UNANSWERED,
        "its sender was gone before there was an answer, or a stop did not wait for it",
    );
}

/// The first is the parent, the second the fallback; where both are there and differ, a link.
fn origin(first: Option<SpanContext>, second: Option<SpanContext>) -> Origin {
    let link = second
        .clone()
        .filter(|_| first.is_some() && first != second);
    Origin {
        parent: first.or(second),
        link,
        began: None,
    }
}
