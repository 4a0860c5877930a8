//! A request, and the answer that goes back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use runtime::body::{ReadError, read_body};
use runtime::budget::Reservation;
use runtime::telemetry::traces::Span;
use tokio::sync::OwnedSemaphorePermit;

use super::Sink;
use super::acknowledge::Acknowledgement;
use super::execute::Answer;
use super::plan::{Planning, SLACK, events, plan};
use super::trace;

/// What a sender that comes too fast is asked to wait, in seconds.
const COME_BACK: HeaderValue = HeaderValue::from_static("1");
/// The longest body of a refusal. Knative's in-memory channel makes base64 of it in a buffer of a
/// kilobyte, and ends with a panic where it does not fit.
const LONGEST_BODY: usize = 768;

/// `POST /`: takes one event, or a batch of them.
pub(super) async fn receive(
    State(sink): State<Arc<Sink>>,
    request: Request<Body>,
) -> Response<Body> {
    let mut span = Span::none();
    let (status, reason, engine) = match accept(&sink, request, &mut span).await {
        Ok(answer) => {
            let engine = Some(sink.executor.engine());
            (answer.acknowledgement.status(), answer.reason, engine)
        }
        Err(refusal) => (refusal.status, Some(refusal.reason), None),
    };
    let response = respond(status, reason.as_deref());
    if let Some(reason) = reason.as_deref().filter(|_| !status.is_success())
        && let Some(passed_over) = sink.refusals.turn()
    {
        let status = status.as_u16();
        // The address is for whoever runs the bridge; senders are not told.
        let engine = engine.map(tracing::field::display);
        span.within(|| {
            tracing::warn!(
                status,
                reason,
                engine,
                passed_over,
                "an event was not accepted"
            );
        });
    }
    trace::answered(&span, status, reason.as_deref());
    sink.metrics.answered(response.status());
    response
}

/// A request that no command was given for.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: String,
}

/// `span` becomes that of the request once it is known whose child it is.
async fn accept(
    sink: &Arc<Sink>,
    request: Request<Body>,
    span: &mut Span,
) -> Result<Answer, Refusal> {
    let began = sink.traces.now();
    let place = Arc::clone(&sink.requests)
        .try_acquire_owned()
        .map_err(|_| Refusal {
            status: StatusCode::TOO_MANY_REQUESTS,
            reason: String::from(
                "too many requests at one time, by the limit that BRIDGE_MAX_CONNECTIONS sets; try again later",
            ),
        })?;
    let (head, body) = request.into_parts();
    let read = read_body(body, sink.max_event_bytes, &sink.budget)
        .await
        .map_err(|error| unread(&error))
        .and_then(|(body, reservation)| Ok((events(sink, &head.headers, body)?, reservation)));
    let known = read.as_ref().map_or(&[][..], |(events, _)| events);
    *span = trace::receive(&sink.traces, &head.headers, known, began);
    let (events, mut reservation) = read?;
    let work = async {
        let commands = plan(sink, &head.headers, &events, span, &mut reservation).await?;
        drop(events);
        if commands.plans.is_empty() {
            return Ok(Answer {
                acknowledgement: Acknowledgement::Accepted,
                reason: None,
            });
        }
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
    match sink.tasks.spawn(span.scope(executing)).await {
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

fn unread(error: &ReadError) -> Refusal {
    let status = match error {
        ReadError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ReadError::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
        ReadError::Aborted(_) => StatusCode::BAD_REQUEST,
        ReadError::BudgetExhausted(_) => StatusCode::TOO_MANY_REQUESTS,
    };
    Refusal {
        status,
        reason: error.to_string(),
    }
}

/// Accepted is an empty 202: any body in it would be taken for a reply event, and a broken one.
pub(super) fn respond(status: StatusCode, reason: Option<&str>) -> Response<Body> {
    let mut response = match reason {
        None => Response::new(Body::empty()),
        Some(reason) => {
            let body = reason_body(reason);
            let mut response = Response::new(Body::from(body));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    };
    *response.status_mut() = status;
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // As RFC 9110 (12.5.3) wants it where the encoding was at fault; true where it was not.
        response
            .headers_mut()
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, COME_BACK);
    }
    response
}

/// `{"error": REASON}`, the reason cut so that the whole is short enough for everyone on the way.
fn reason_body(reason: &str) -> String {
    let mut end = reason.len().min(LONGEST_BODY);
    loop {
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let body = serde_json::json!({ "error": &reason[..end] }).to_string();
        if body.len() <= LONGEST_BODY {
            return body;
        }
        // Escapes make text longer; what is over has to go at least.
        end -= (body.len() - LONGEST_BODY).min(end);
    }
}
