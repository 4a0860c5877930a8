//! Health, readiness, metrics, and what a person asks while the program runs.
//!
//! `/healthz`: the listener is up. A Knative Service's readiness probe uses it: a Revision must become
//! ready while the engine is away, and engine trouble is answered per request. `/readyz`: everything this
//! process needs, with reasons. `/metrics`: Prometheus text, or OpenMetrics. `debug`: decisions, and the log's filter.

mod debug;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use runtime::readiness::Readiness;
use runtime::telemetry::logs::LogFilter;
use runtime::telemetry::metrics::{Format, Metrics};
use serde_json::json;

use crate::decisions::Decisions;

struct Admin {
    readiness: Readiness,
    metrics: Metrics,
}

/// `GET /healthz` alone: for the port of the sink where the rest has a port of its own.
pub fn health_router() -> Router {
    Router::new().route("/healthz", get(healthz))
}

/// `GET /healthz`, `/readyz`, `/metrics` and `/debug/decisions`.
pub fn router(readiness: Readiness, metrics: Metrics, decisions: Decisions) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(render))
        .with_state(Arc::new(Admin { readiness, metrics }))
        .merge(debug::decisions_router(decisions))
}

/// `/debug/log`: for a port of its own alone, since whoever may send events must not change the logs.
pub fn log_router(filter: LogFilter) -> Router {
    debug::log_router(filter)
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response<Body> {
    let snapshot = admin.readiness.snapshot();
    let status = if snapshot.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let waiting: serde_json::Map<String, serde_json::Value> = snapshot
        .reasons
        .iter()
        .map(|not_ready| (not_ready.check.to_owned(), json!(not_ready.reason)))
        .collect();
    let body =
        json!({ "ready": snapshot.is_ready(), "waiting": waiting, "checked": snapshot.ready });
    answer(status, "application/json", body.to_string())
}

async fn render(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response<Body> {
    let format = Format::asked(&headers);
    match admin.metrics.render(format) {
        Ok(text) => answer(StatusCode::OK, format.content_type(), text),
        Err(error) => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            format!("{error}\n"),
        ),
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
