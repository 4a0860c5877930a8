//! From a request to the store.

use std::sync::Arc;

use cloudevents_http::{DataKind, Event, Limits, data_kind, decode};
use eventing::spans::{self, Arrival};
use http::StatusCode;
use runtime::body::{ReadError, read_body};
use runtime::listener::PacedRequest;
use runtime::telemetry::traces::Span;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::door::is_of_a_page;
use super::{Answer, Desk, PATIENCE, Routes, Service, json_answer, text};
use crate::store::{Fault, Trace};

/// The largest event, in bytes of its body: those of the sale are small.
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// JSON that is not what is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// It is no JSON.
    #[error("{0}")]
    Syntax(String),
    /// It is JSON of another shape; names the member.
    #[error("{0}")]
    Shape(String),
}

/// Reads JSON, to its end.
pub(crate) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, JsonError> {
    let of = |error: &serde_json::Error, text: String| {
        if error.is_data() {
            JsonError::Shape(text)
        } else {
            JsonError::Syntax(text)
        }
    };
    let mut json = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let member = error.path().to_string();
        let cause = error.inner();
        match member.as_str() {
            // The message names what is missing.
            "." => of(cause, cause.to_string()),
            member => of(cause, format!("`{member}`: {cause}")),
        }
    })?;
    json.end().map_err(|error| of(&error, error.to_string()))?;
    Ok(value)
}

/// The data of an event.
///
/// # Errors
/// It has none, or not what the type needs.
pub fn data<T: DeserializeOwned>(event: &Event) -> Result<T, Fault> {
    use cloudevents::AttributesReader;
    let refused = |what: &str| Fault::Refused(format!("data of `{}`: {what}", event.ty()));
    match data_kind(event) {
        Ok(DataKind::Json(json)) => from_json(json).map_err(|error| refused(&error.to_string())),
        Ok(DataKind::None) => Err(refused("is missing")),
        Ok(DataKind::Bytes(_)) => Err(refused("is not JSON")),
        Err(error) => Err(refused(&error.to_string())),
    }
}

impl<S: Service, R: Routes> Desk<S, R> {
    pub(super) async fn receive(&self, request: PacedRequest) -> Answer {
        let mut span = Span::none();
        let (status, reason) = match self.accept(request, &mut span).await {
            Ok(()) => (StatusCode::ACCEPTED, None),
            Err((status, reason)) => (status, Some(reason)),
        };
        spans::answered(&span, status, reason.as_deref());
        match reason {
            None => text(status, ""),
            Some(reason) => refused(status, &reason),
        }
    }

    /// `span` becomes that of the request once it is known whose child it is.
    async fn accept(
        &self,
        request: PacedRequest,
        span: &mut Span,
    ) -> Result<(), (StatusCode, String)> {
        let traces = self.store.traces();
        let arrival = Arrival::of(traces, request.headers());
        let (parts, body) = request.into_parts();
        if is_of_a_page(&parts.headers) {
            let reason = "events come from a Broker, not from a page";
            return Err((StatusCode::FORBIDDEN, reason.to_owned()));
        }
        let limits = Limits {
            max_data_bytes: MAX_EVENT_BYTES,
            ..Limits::default()
        };
        let (body, reservation) = match read_body(body, MAX_EVENT_BYTES, &self.budget).await {
            Ok(read) => read,
            Err(error) => return Err((status_of(&error), error.to_string())),
        };
        let events = match decode(&parts.headers, body, &limits) {
            Ok(events) => events,
            Err(error) => return Err((StatusCode::BAD_REQUEST, error.to_string())),
        };
        *span = spans::receive(traces, arrival, &events);
        let count = events.len();
        let events: Vec<_> = events
            .into_iter()
            .map(|event| {
                let span = spans::process(span, &event, count);
                let trace = Trace::of_span(&span);
                let trace = trace.unwrap_or_else(|| Trace::of(&parts.headers, &event));
                (trace, event)
            })
            .collect();
        let service = Arc::clone(&self.service);
        let applied = self.store.transact(Trace::default(), move |transaction| {
            // The store may do this when nobody waits for it any more: its bytes count until then.
            let _reservation = reservation;
            // All of a batch or nothing: it is answered as a whole.
            for (trace, event) in events {
                if transaction.first_time(&event)? {
                    transaction.continue_trace(trace);
                    service.apply(&event, transaction)?;
                }
            }
            Ok(())
        });
        match tokio::time::timeout(PATIENCE, applied).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Fault::Refused(reason))) => Err((StatusCode::UNPROCESSABLE_ENTITY, reason)),
            Ok(Err(fault @ Fault::Store(_))) => {
                tracing::error!(%fault, "an event could not be stored; it comes again");
                let reason = "the store did not take it; come again";
                Err((StatusCode::SERVICE_UNAVAILABLE, reason.to_owned()))
            }
            // It may be stored yet; then it is known when it comes again.
            Err(_) => {
                let reason = "the store is busy; come again";
                Err((StatusCode::SERVICE_UNAVAILABLE, reason.to_owned()))
            }
        }
    }
}

/// An answer that says why not, in JSON.
pub(crate) fn refused(status: StatusCode, reason: &str) -> Answer {
    json_answer(status, &json!({"error": reason}))
}

/// What a body that cannot be read is answered with.
pub(crate) fn status_of(error: &ReadError) -> StatusCode {
    match error {
        ReadError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ReadError::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
        ReadError::Aborted(_) => StatusCode::BAD_REQUEST,
        ReadError::BudgetExhausted(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
