//! What is told of an event: to whoever asks what became of it, and to the log where no rule selects it.

use cloudevents::{AttributesReader, Event};
use http::{HeaderMap, StatusCode};

use super::Sink;
use crate::decisions::{Decision, Pen, Role, shortened};
use crate::recipient::Refusals;
use crate::rules::Travel;

/// The outcome of an event that no rule selects.
pub(super) const UNMATCHED: &str = "unmatched";
/// Of one that no command was given for, since one of its request could not be made.
pub(super) const REFUSED: &str = "refused";

/// A pen for what is decided about an event.
pub(super) fn about(sink: &Sink, event: &Event, travel: &Travel<'_>) -> Pen {
    sink.decisions.about(|| Decision {
        role: Role::Sink,
        id: event.id().into(),
        source: event.source().as_str().into(),
        ty: event.ty().into(),
        trace: travel.trace_id(event).unwrap_or_default().into(),
        ..Decision::default()
    })
}

/// A pen for a request that may turn out to be no event: what its HTTP headers say, as in binary mode.
pub(super) fn about_request(sink: &Sink, headers: &HeaderMap) -> Pen {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    sink.decisions.about(|| Decision {
        role: Role::Sink,
        id: text("ce-id").unwrap_or_default().into(),
        source: text("ce-source").unwrap_or_default().into(),
        ty: text("ce-type").unwrap_or_default().into(),
        ..Decision::default()
    })
}

/// Writes down an event that no command was given for.
pub(super) fn refused(pen: &Pen, status: StatusCode) {
    pen.decided(|decision| {
        decision.outcome = REFUSED;
        decision.status = Some(status.as_u16());
    });
}

/// Names events that no rule selects in the log: one a second, or a Trigger without a filter would fill it.
#[derive(Debug, Default)]
pub(super) struct Unmatched(Refusals);

impl Unmatched {
    pub(super) fn tell(&self, event: &Event) {
        if let Some(passed_over) = self.0.turn() {
            tracing::info!(
                event_id = &*shortened(event.id()),
                event_source = &*shortened(event.source()),
                event_type = &*shortened(event.ty()),
                passed_over,
                "no rule selects an event"
            );
        }
    }
}
