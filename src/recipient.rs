//! What every request with events passes on its way in, whichever role it is for, and what the answer looks like.
//!
//! A [`Recipient`] is one for the whole program: memory is bounded only if all bodies are paid from one
//! budget.
//!
//! - [`Recipient::receive`]: a sender who may, a place, a body within limits, events.
//! - [`Recipient::answer`]: the answer, and a line in the log where it is a refusal.
//! - [`Senders`]: who may send.
//! - `refusals`: which of them are logged.

mod answer;
mod refusals;
mod senders;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use cloudevents_http::{ErrorKind, Event, decode};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Request, Response, StatusCode};
use runtime::body::{ReadError, read_body};
use runtime::budget::{Budget, Reservation};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

pub use answer::{respond, wrong_method};
pub use refusals::Refusals;
pub use senders::Senders;

/// How long a body may wait for room in the budget.
const BUDGET_PATIENCE: Duration = Duration::from_secs(2);

/// Takes requests in.
#[derive(Debug)]
pub struct Recipient {
    budget: Budget,
    /// For requests at one time, and for commands whose sender has gone: HTTP/2 must not multiply what a
    /// connection may cost.
    places: Arc<Semaphore>,
    codec_limits: cloudevents_http::Limits,
    max_event_bytes: usize,
    /// `None` where nobody is asked.
    senders: Option<Senders>,
    refusals: refusals::Refusals,
}

/// A request that was taken in.
#[derive(Debug)]
pub struct Received {
    /// The request's headers.
    pub headers: HeaderMap,
    /// Its events; one, but for a batch.
    pub events: Vec<Event>,
    /// What was paid for their bytes: to be held as long as they are.
    pub reservation: Reservation,
    /// The request's place among all.
    pub place: OwnedSemaphorePermit,
}

/// A request that nothing was done for.
#[derive(Debug)]
pub struct Refusal {
    /// What it is answered.
    pub status: StatusCode,
    /// Why, for its sender.
    pub reason: String,
}

/// What the log says of a request that was not accepted; its sender is not told.
#[derive(Default)]
pub struct Details<'a> {
    /// The `id` of the event at fault, where it is known.
    pub id: Option<&'a str>,
    /// Its `source`.
    pub source: Option<&'a str>,
    /// Its `type`.
    pub ty: Option<&'a str>,
    /// The rule that it led to.
    pub rule: Option<&'a str>,
    /// How many events the request brought, where there were several: none of them was accepted.
    pub batch: Option<usize>,
    /// Where the engine is, where it was asked.
    pub engine: Option<&'a dyn fmt::Display>,
}

impl fmt::Debug for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Recipient {
    /// One that nobody has sent anything yet.
    #[must_use]
    pub fn new(limits: &Limits, senders: Option<Senders>) -> Self {
        Self {
            budget: Budget::new(limits.body_budget_bytes, BUDGET_PATIENCE),
            places: Arc::new(Semaphore::new(limits.max_connections)),
            codec_limits: cloudevents_http::Limits {
                max_data_bytes: limits.max_event_bytes,
                max_batch_events: limits.max_batch_events,
                ..cloudevents_http::Limits::default()
            },
            max_event_bytes: limits.max_event_bytes,
            senders,
            refusals: refusals::Refusals::default(),
        }
    }

    /// Reads the events of a request.
    ///
    /// # Errors
    /// A sender who may not, what is no event, larger than the limits or slower than the least rate, and what there is no room for now.
    pub async fn receive(&self, request: Request<Body>) -> Result<Received, Refusal> {
        let (head, body) = request.into_parts();
        // Before a place and a byte of the body: neither is for strangers, who may make a check wait for the issuer.
        if let Some(senders) = &self.senders {
            senders.check(&head.headers).await?;
        }
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Refusal {
                status: StatusCode::TOO_MANY_REQUESTS,
                reason: String::from(
                    "too many requests at one time, by the limit that BRIDGE_MAX_CONNECTIONS sets; try again later",
                ),
            })?;
        let (body, reservation) = read_body(body, self.max_event_bytes, &self.budget)
            .await
            .map_err(|error| unread(&error))?;
        if let Some(encoding) = encoded(&head.headers) {
            return Err(Refusal {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                reason: format!(
                    "the body is encoded, by `content-encoding: {encoding}`; send it as it is"
                ),
            });
        }
        let events = decode(&head.headers, body, &self.codec_limits).map_err(|error| Refusal {
            status: match error.kind() {
                ErrorKind::BadEvent => StatusCode::BAD_REQUEST,
                ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            },
            reason: error.to_string(),
        })?;
        Ok(Received {
            headers: head.headers,
            events,
            reservation,
            place,
        })
    }

    /// The answer to a request. One that is not 2xx is logged with its reason and the details, but for a crowd of them.
    pub fn answer(
        &self,
        status: StatusCode,
        reason: Option<&str>,
        details: Option<&Details<'_>>,
    ) -> Response<Body> {
        if let Some(reason) = reason.filter(|_| !status.is_success())
            && let Some(passed_over) = self.refusals.turn()
        {
            let status = status.as_u16();
            let none = Details::default();
            let details = details.unwrap_or(&none);
            tracing::warn!(
                status,
                reason,
                event_id = details.id,
                event_source = details.source,
                event_type = details.ty,
                rule = details.rule,
                batch = details.batch,
                engine = details.engine.map(tracing::field::display),
                passed_over,
                "an event was not accepted"
            );
        }
        respond(status, reason)
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

/// How the body was encoded, if it was: what is compressed must not be taken for the event's data.
fn encoded(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .find(|encoding| !encoding.eq_ignore_ascii_case("identity"))
        .map(|encoding| encoding.chars().take(60).collect())
}
