//! From a request to the store.

use std::sync::Arc;

use cloudevents_http::{DataKind, Event, Limits, data_kind, decode};
use http::StatusCode;
use runtime::body::{ReadError, read_body};
use runtime::listener::PacedRequest;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Answer, Desk, Routes, Service, json_answer, text};
use crate::store::{Fault, Trace};

/// The largest event, in bytes of its body: those of the sale are small.
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// The data of an event.
///
/// # Errors
/// It has none, or not what the type needs.
pub fn data<T: DeserializeOwned>(event: &Event) -> Result<T, Fault> {
    use cloudevents::AttributesReader;
    let refused = |what: &str| Fault::Refused(format!("data of {}: {what}", event.ty()));
    match data_kind(event) {
        Ok(DataKind::Json(json)) => {
            serde_json::from_slice(json).map_err(|error| refused(&error.to_string()))
        }
        Ok(DataKind::None) => Err(refused("is missing")),
        Ok(DataKind::Bytes(_)) => Err(refused("is not JSON")),
        Err(error) => Err(refused(&error.to_string())),
    }
}

impl<S: Service, R: Routes> Desk<S, R> {
    pub(super) async fn receive(&self, request: PacedRequest) -> Answer {
        let (parts, body) = request.into_parts();
        let limits = Limits {
            max_data_bytes: MAX_EVENT_BYTES,
            ..Limits::default()
        };
        let (body, _reservation) = match read_body(body, MAX_EVENT_BYTES, &self.budget).await {
            Ok(read) => read,
            Err(error) => return refused(status_of(&error), &error.to_string()),
        };
        let events = match decode(&parts.headers, body, &limits) {
            Ok(events) => events,
            Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let service = Arc::clone(&self.service);
        let applied = match events.len() {
            0 => Ok(()),
            _ => {
                let trace = Trace::of(&parts.headers, &events[0]);
                self.store
                    .transact(trace, move |transaction| {
                        // All of a batch or nothing: it is answered as a whole.
                        for event in &events {
                            if transaction.first_time(event)? {
                                service.apply(event, transaction)?;
                            }
                        }
                        Ok(())
                    })
                    .await
            }
        };
        match applied {
            Ok(()) => text(StatusCode::ACCEPTED, ""),
            Err(Fault::Refused(reason)) => refused(StatusCode::UNPROCESSABLE_ENTITY, &reason),
            Err(fault @ Fault::Store(_)) => {
                tracing::error!(%fault, "an event could not be stored; it comes again");
                refused(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the store did not take it; come again",
                )
            }
        }
    }
}

fn refused(status: StatusCode, reason: &str) -> Answer {
    json_answer(status, &json!({"error": reason}))
}

fn status_of(error: &ReadError) -> StatusCode {
    match error {
        ReadError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ReadError::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
        ReadError::Aborted(_) => StatusCode::BAD_REQUEST,
        ReadError::BudgetExhausted(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
