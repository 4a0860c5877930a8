//! What is told of an event: to whoever asks what became of it, to the log, and to its trace.

use std::sync::Arc;

use cloudevents::{AttributesReader, Event};
use eventing::spans;
use http::{HeaderMap, HeaderValue, StatusCode};
use runtime::telemetry::traces::{Propagators, Span, traceparent, tracestate};

use super::Sink;
use crate::decisions::{Decision, Pen, Role, shortened};
use crate::recipient::Refusals;
use crate::rules::Travel;

/// The outcome of an event that no rule selects.
pub(super) const UNMATCHED: &str = "unmatched";
/// Of one that no command was given for, since one of its request could not be made.
pub(super) const REFUSED: &str = "refused";

/// What identifies an event, as far as it is kept and logged.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: Box<str>,
    pub(super) source: Box<str>,
    pub(super) ty: Box<str>,
}

/// What was at fault where a request was not accepted.
#[derive(Debug, Clone)]
pub(super) struct At {
    /// The event's place in the request.
    pub(super) event: usize,
    /// The rule that it led to, if there was one.
    pub(super) rule: Option<Arc<str>>,
}

/// One event of a request.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) named: Named,
    /// Of a batch, the event's own; else that of the request.
    pub(super) span: Span,
    /// Writes down what becomes of it.
    pub(super) pen: Pen,
    /// Trace parent and state of our own span, or of what came and is not W3C's; without either, what came goes on.
    ours: Option<(String, Option<String>)>,
    how: Propagators,
}

impl Told {
    /// About one of so many events of a request.
    pub(super) fn about(
        sink: &Sink,
        request: &Span,
        headers: &HeaderMap,
        event: &Event,
        of: usize,
    ) -> Self {
        let span = spans::process(request, event, of);
        let how = sink.traces.how();
        let ours = span.context().or_else(|| how.context_of_b3(headers));
        let mut told = Self {
            named: Named {
                id: Box::from(&*shortened(event.id())),
                source: Box::from(&*shortened(event.source())),
                ty: Box::from(&*shortened(event.ty())),
            },
            ours: ours.map(|context| (traceparent(&context), tracestate(&context))),
            span,
            how,
            pen: Pen::default(),
        };
        told.pen = sink.decisions.about(|| Decision {
            role: Role::Sink,
            id: (&*told.named.id).into(),
            source: (&*told.named.source).into(),
            ty: (&*told.named.ty).into(),
            trace: told
                .travel(headers)
                .trace_id(event)
                .unwrap_or_default()
                .into(),
            ..Decision::default()
        });
        told
    }

    /// What goes with a process that it moves.
    pub(super) fn travel<'a>(&'a self, headers: &'a HeaderMap) -> Travel<'a> {
        let baggage = self.how.baggage(headers);
        let came = |name: &str| text(headers.get(name)).filter(|_| self.how.trace_context);
        match &self.ours {
            Some((parent, state)) => Travel {
                traceparent: Some(parent),
                tracestate: state.as_deref(),
                baggage,
                alone: true,
            },
            None => Travel {
                traceparent: came("traceparent"),
                tracestate: came("tracestate"),
                baggage,
                alone: !self.how.trace_context,
            },
        }
    }
}

/// What the HTTP headers of a request say of its event, as in binary mode; it may turn out to be none.
#[derive(Debug)]
pub(super) struct Claimed {
    id: Option<HeaderValue>,
    source: Option<HeaderValue>,
    ty: Option<HeaderValue>,
}

impl Claimed {
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let of = |name: &str| headers.get(name).cloned();
        Self {
            id: of("ce-id"),
            source: of("ce-source"),
            ty: of("ce-type"),
        }
    }

    /// As an event of that name; `None` where the headers say nothing of one.
    pub(super) fn named(&self) -> Option<Named> {
        let all = [&self.id, &self.source, &self.ty];
        if all.iter().all(|said| said.is_none()) {
            return None;
        }
        let [id, source, ty] =
            all.map(|said| Box::from(&*shortened(text(said.as_ref()).unwrap_or_default())));
        Some(Named { id, source, ty })
    }

    pub(super) fn pen(&self, sink: &Sink) -> Pen {
        let said = |value: &Option<HeaderValue>| text(value.as_ref()).unwrap_or_default().into();
        sink.decisions.about(|| Decision {
            role: Role::Sink,
            id: said(&self.id),
            source: said(&self.source),
            ty: said(&self.ty),
            ..Decision::default()
        })
    }
}

/// Writes down an event that no command was given for, and the rule that was at fault.
pub(super) fn without_command(
    pen: &Pen,
    outcome: &'static str,
    status: StatusCode,
    rule: Option<&Arc<str>>,
) {
    pen.decided(|decision| {
        decision.rule = rule.cloned();
        decision.outcome = outcome;
        decision.status = Some(status.as_u16());
    });
}

/// Names events that no rule selects in the log: one a second, or a Trigger without a filter would fill it.
#[derive(Debug, Default)]
pub(super) struct Unmatched(Refusals);

impl Unmatched {
    pub(super) fn tell(&self, event: &Named) {
        if let Some(passed_over) = self.0.turn() {
            tracing::info!(
                event_id = &*event.id,
                event_source = &*event.source,
                event_type = &*event.ty,
                passed_over,
                "no rule selects an event"
            );
        }
    }
}

fn text(header: Option<&HeaderValue>) -> Option<&str> {
    header.and_then(|value| value.to_str().ok())
}
