//! A request, and the answer that goes back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{Request, Response};
use runtime::budget::Reservation;
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
    let response = match accept(&sink, request).await {
        Ok(Answer {
            acknowledgement,
            reason,
        }) => {
            // The address is for whoever runs the bridge; senders are not told.
            let engine = sink.executor.engine();
            let status = acknowledgement.status();
            sink.recipient
                .answer(status, reason.as_deref(), Some(engine))
        }
        Err(Refusal { status, reason }) => sink.recipient.answer(status, Some(&reason), None),
    };
    sink.metrics.answered(response.status());
    response
}

async fn accept(sink: &Arc<Sink>, request: Request<Body>) -> Result<Answer, Refusal> {
    let Received {
        headers,
        events,
        mut reservation,
        place,
    } = {
        let pen = told::about_request(sink, request.headers());
        let received = sink.recipient.receive(request).await;
        received.inspect_err(|refusal| told::refused(&pen, refusal.status))?
    };
    sink.metrics.received(events.len());
    let planning = plan(sink, &headers, &events, &mut reservation).await?;
    if planning.plans.is_empty() {
        return Ok(Answer {
            acknowledgement: Acknowledgement::Accepted,
            reason: None,
        });
    }
    drop((headers, events));
    Ok(execute(sink, planning, (reservation, place)).await)
}

/// Runs the commands in a task of their own: a sender that goes away takes its request with it, and
/// must not leave a command half done or its retries unmade.
async fn execute(
    sink: &Arc<Sink>,
    planning: Planning,
    (reservation, place): (Reservation, OwnedSemaphorePermit),
) -> Answer {
    let executing = {
        let sink = Arc::clone(sink);
        async move {
            let room = reservation.bytes() + SLACK;
            let answer = sink.executor.run(&planning, room).await;
            drop((planning, reservation, place));
            answer
        }
    };
    match sink.tasks.spawn(executing).await {
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
