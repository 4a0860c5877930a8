//! A request, and the answer that goes back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{Request, Response};
use runtime::budget::Reservation;
use runtime::telemetry::traces::Span;
use tokio::sync::OwnedSemaphorePermit;

use super::Sink;
use super::acknowledge::Acknowledgement;
use super::execute::Answer;
use super::pending::Pending;
use super::plan::{Planning, Refused, SLACK, plan};
use crate::recipient::{Received, Refusal};

/// `POST /`: takes one event, or a batch of them.
pub(super) async fn receive(
    State(sink): State<Arc<Sink>>,
    request: Request<Body>,
) -> Response<Body> {
    let mut pending = Pending::new(sink, request.headers());
    match accept(&mut pending, request).await {
        Ok(Answer {
            acknowledgement,
            reason,
            at,
        }) => {
            let status = acknowledgement.status();
            pending.answer(status, reason.as_deref(), at.as_ref(), true)
        }
        Err(Refused {
            refusal: Refusal { status, reason },
            at,
            ..
        }) => pending.answer(status, Some(&reason), at.as_ref(), false),
    }
}

async fn accept(pending: &mut Pending, request: Request<Body>) -> Result<Answer, Refused> {
    let received = pending.sink.recipient.receive(request).await;
    let Received {
        headers,
        events,
        mut reservation,
        place,
    } = received.inspect_err(|refusal| pending.unread(refusal))?;
    pending.read(&headers, &events);
    let Pending {
        sink,
        span,
        events: told,
        ..
    } = &*pending;
    sink.metrics.received(events.len());
    let work = async {
        let commands = plan(sink, &headers, &events, told, &mut reservation).await?;
        if commands.plans.is_empty() {
            return Ok(Answer::accepted());
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
                at: None,
            }
        }
    }
}
