//! A request until it is answered, and what is told of it then: in its spans, in the log, in the counts. And of one
//! that has no answer, since its sender is gone.

use std::fmt::Display;
use std::sync::Arc;

use axum::body::Body;
use cloudevents::Event;
use eventing::spans::{self, Arrival};
use http::{HeaderMap, Response, StatusCode};
use runtime::telemetry::traces::Span;

use super::Sink;
use super::told::{At, Claimed, REFUSED, Told, without_command};
use crate::recipient::{Details, Refusal};

/// A request without an answer. Whoever drops it leaves it so.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) sink: Arc<Sink>,
    /// Its events, once they are known. Before the span: theirs end before that of the request.
    pub(super) events: Vec<Told>,
    /// That of the request, once it is known whose child it is.
    pub(super) span: Span,
    /// Until there is a span.
    arrival: Option<Arrival>,
    claimed: Claimed,
    answered: bool,
}

impl Pending {
    /// One that just came.
    pub(super) fn new(sink: Arc<Sink>, headers: &HeaderMap) -> Self {
        Self {
            arrival: Some(Arrival::of(&sink.traces, headers)),
            claimed: Claimed::by(headers),
            span: Span::none(),
            events: Vec::new(),
            answered: false,
            sink,
        }
    }

    /// It was read, and brought these.
    pub(super) fn read(&mut self, headers: &HeaderMap, events: &[Event]) {
        self.begin(events);
        let (sink, span) = (&self.sink, &self.span);
        let told = events
            .iter()
            .map(|event| Told::about(sink, span, headers, event, events.len()));
        self.events = told.collect();
    }

    /// It was not, or is no event.
    pub(super) fn unread(&mut self, refusal: &Refusal) {
        self.begin(&[]);
        let pen = self.claimed.pen(&self.sink);
        without_command(&pen, REFUSED, refusal.status, None);
    }

    fn begin(&mut self, events: &[Event]) {
        if let Some(arrival) = self.arrival.take() {
            self.span = spans::receive(&self.sink.traces, arrival, events);
        }
    }

    /// Answers it; `at` is what was at fault, `engine` where the engine is that was asked.
    pub(super) fn answer(
        mut self,
        status: StatusCode,
        reason: Option<&str>,
        at: Option<&At>,
        engine: bool,
    ) -> Response<Body> {
        self.answered = true;
        spans::answered(&self.span, status, reason);
        for (place, event) in self.of_batch().iter().enumerate() {
            let another = reason
                .filter(|_| at.is_some_and(|at| at.event != place))
                .map(|reason| format!("another event of its batch was not accepted: {reason}"));
            spans::answered(&event.span, status, another.as_deref().or(reason));
        }
        let claimed = match &self.events[..] {
            [] if !status.is_success() => self.claimed.named(),
            _ => None,
        };
        let at_fault = at.and_then(|at| self.events.get(at.event));
        let event = at_fault.map(|event| &event.named).or(claimed.as_ref());
        let details = Details {
            id: event.map(|event| &*event.id),
            source: event.map(|event| &*event.source),
            ty: event.map(|event| &*event.ty),
            rule: at.and_then(|at| at.rule.as_deref()),
            batch: Some(self.of_batch().len()).filter(|events| *events > 0),
            // The address is for whoever runs the bridge; senders are not told.
            engine: engine.then(|| self.sink.executor.engine() as &dyn Display),
        };
        let answer = || self.sink.recipient.answer(status, reason, Some(&details));
        let response = self.span.within(answer);
        self.sink.metrics.answered(response.status());
        response
    }

    /// The events that have a span of their own: those of a request with several.
    fn of_batch(&self) -> &[Told] {
        match &self.events[..] {
            [_] => &[],
            several => several,
        }
    }
}

impl Drop for Pending {
    /// What was begun goes on, and nobody is told how it ended.
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        self.begin(&[]);
        spans::unanswered(&self.span);
        for event in self.of_batch() {
            spans::unanswered(&event.span);
        }
        self.sink.metrics.unanswered();
    }
}
