//! A request, and the answer that goes back.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use eventing::spans::{self, Arrival};
use http::{Request, Response};
use runtime::budget::Reservation;
use runtime::telemetry::traces::Span;
use tokio::sync::OwnedSemaphorePermit;

use super::Sink;
use super::acknowledge::Acknowledgement;
use super::execute::Answer;
use super::plan::{Planning, SLACK, plan};
use super::told;
use crate::recipient::{Received, Refusal};

/// `POST /`: takes one event, or a batch of them.
pub(super) async fn receive(
    State(sink): State<Arc<Sink>>,
    request: Request<Body>,
) -> Response<Body> {
    let mut span = Span::none();
    let (status, reason, engine) = match accept(&sink, request, &mut span).await {
        Ok(Answer {
            acknowledgement,
            reason,
        }) => {
            // The address is for whoever runs the bridge; senders are not told.
            let engine = sink.executor.engine();
            (acknowledgement.status(), reason, Some(engine))
        }
        Err(Refusal { status, reason }) => (status, Some(reason), None),
    };
    spans::answered(&span, status, reason.as_deref());
    let engine = engine.map(|engine| engine as &dyn fmt::Display);
    let response = span.within(|| sink.recipient.answer(status, reason.as_deref(), engine));
    sink.metrics.answered(response.status());
    response
}

/// `span` becomes that of the request once it is known whose child it is.
async fn accept(
    sink: &Arc<Sink>,
    request: Request<Body>,
    span: &mut Span,
) -> Result<Answer, Refusal> {
    let arrival = Arrival::of(&sink.traces, request.headers());
    let pen = told::about_request(sink, request.headers());
    let received = sink.recipient.receive(request).await;
    let known = received.as_ref().map_or(&[][..], |all| &all.events);
    *span = spans::receive(&sink.traces, arrival, known);
    let Received {
        headers,
        events,
        mut reservation,
        place,
    } = received.inspect_err(|refusal| told::refused(&pen, refusal.status))?;
    sink.metrics.received(events.len());
    let work = async {
        let commands = plan(sink, &headers, &events, span, &mut reservation).await?;
        if commands.plans.is_empty() {
            return Ok(Answer {
                acknowledgement: Acknowledgement::Accepted,
                reason: None,
            });
        }
        drop((headers, events));
        Ok(execute(sink, commands, (reservation, place), span).await)
    };
    span.scope(work).await
}

/// Runs the commands in a task of their own: a sender that goes away takes its request with it, and
/// must not leave a command half done or its retries unmade.
async fn execute(
    sink: &Arc<Sink>,
    commands: Planning,
    (reservation, place): (Reservation, OwnedSemaphorePermit),
    span: &Span,
) -> Answer {
    let executing = {
        let sink = Arc::clone(sink);
        async move {
            let room = reservation.bytes() + SLACK;
            let answer = sink.executor.run(&commands, room).await;
            drop((commands, reservation, place));
            answer
        }
    };
    match sink.run(span.scope(executing)).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "the task of a command ended without an answer");
            Answer {
                acknowledgement: Acknowledgement::Unavailable,
                reason: Some(String::from(
                    "the command ended without an answer; send the event again",
                )),
            }
        }
    }
}
