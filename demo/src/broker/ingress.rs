//! Requests to the Broker, answered as Knative's ingress answers them.
//!
//! | request | answer |
//! |---|---|
//! | an event for a Broker that is here, all Triggers done | 202, empty body |
//! | the same, and a Trigger lost it | 500 |
//! | no event, a batch, no hops left, a path that is none | 400 |
//! | a Broker that is not here | 404 |
//! | an event beyond the greatest size | 413 (Knative has no limit) |
//! | no memory left in the budget | 503 (Knative has no budget) |
//! | another method than POST; OPTIONS is answered 200 | 405 |
//!
//! The path is `/NAMESPACE/NAME`, and nothing else: a misspelt one must not look like success.
//! `GET /healthz` is answered 200.

use std::sync::Arc;

use bytes::Bytes;
use cloudevents_http::{ErrorKind, Limits};
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use runtime::body::{ReadError, read_body};
use runtime::budget::Budget;
use runtime::listener::PacedRequest;

use super::arrival::{self, Arrival, Unread, carried_along};
use super::hub::{BrokerName, Hub, Published};

/// What an event takes beside its data: headers, futures, buffers.
const OVERHEAD_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Ingress {
    pub(super) hub: Arc<Hub>,
    pub(super) limits: Limits,
    pub(super) budget: Budget,
}

/// Status and reason; what is accepted has no reason, and an empty body.
type Answer = (StatusCode, Option<String>);

impl Ingress {
    pub(super) async fn answer(self, request: PacedRequest) -> Response<Full<Bytes>> {
        let method = request.method();
        let (status, reason) = if method == Method::POST {
            let receive = self.receive(request);
            let (Ok(answer) | Err(answer)) = receive.await;
            answer
        } else if method == Method::OPTIONS || is_health(&request) {
            (StatusCode::OK, None)
        } else {
            (StatusCode::METHOD_NOT_ALLOWED, None)
        };
        response(status, reason)
    }

    async fn receive(self, request: PacedRequest) -> Result<Answer, Answer> {
        let bad = |reason: String| (StatusCode::BAD_REQUEST, Some(reason));
        let broker = Self::broker(request.uri().path())
            .ok_or_else(|| bad("the path must be /NAMESPACE/NAME of a Broker".to_owned()))?;
        let (parts, body) = request.into_parts();
        let (body, mut reservation) = read_body(body, self.limits.max_data_bytes, &self.budget)
            .await
            .map_err(unread)?;
        reservation
            .grow(OVERHEAD_BYTES)
            .await
            .map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, Some(error.to_string())))?;
        let event = arrival::read(&parts.headers, body, &self.limits).map_err(refused)?;
        // Only now, as Knative: what is no event is told so even where there is no Broker.
        let routes = self.hub.brokers.get(&broker).ok_or_else(|| {
            let reason = format!("there is no Broker `{broker}`");
            (StatusCode::NOT_FOUND, Some(reason))
        })?;
        let arrival = Arrival::from_sender(event, carried_along(&parts.headers))
            .map_err(|error| bad(error.to_string()))?;
        Ok(match self.hub.publish(routes, &arrival).await {
            Published::Done => (StatusCode::ACCEPTED, None),
            Published::Lost => (
                StatusCode::INTERNAL_SERVER_ERROR,
                Some(
                    "a Trigger could not deliver, and has no dead letter sink that took it"
                        .to_owned(),
                ),
            ),
        })
    }

    fn broker(path: &str) -> Option<BrokerName> {
        let path = path.strip_prefix('/')?;
        let (namespace, name) = path.strip_suffix('/').unwrap_or(path).split_once('/')?;
        if name.contains('/') {
            return None;
        }
        Some(BrokerName {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}

fn is_health(request: &PacedRequest) -> bool {
    request.method() == Method::GET && request.uri().path() == "/healthz"
}

fn unread(error: ReadError) -> Answer {
    let status = match &error {
        ReadError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ReadError::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
        ReadError::Aborted(_) => StatusCode::BAD_REQUEST,
        ReadError::BudgetExhausted(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Some(error.to_string()))
}

fn refused(error: Unread) -> Answer {
    let status = match &error {
        Unread::Batch => StatusCode::BAD_REQUEST,
        Unread::Bad(bad) => match bad.kind() {
            // Knative tells a media type that it cannot read from a bad event no more than this.
            ErrorKind::BadEvent | ErrorKind::UnsupportedMediaType => StatusCode::BAD_REQUEST,
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        },
    };
    (status, Some(error.to_string()))
}

fn response(status: StatusCode, reason: Option<String>) -> Response<Full<Bytes>> {
    if let Some(reason) = &reason {
        tracing::warn!(status = status.as_u16(), reason, "answered");
    }
    let text = reason.is_some();
    let mut response = Response::new(Full::new(reason.map(Bytes::from).unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    if text {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, plain);
    }
    response
}
