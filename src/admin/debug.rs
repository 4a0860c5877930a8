//! What a person asks while the program runs: what became of an event, and more or fewer log lines.

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use http::{Request, Response, StatusCode};
use runtime::telemetry::logs::LogFilter;
use serde_json::{Value, json};

use super::answer;
use crate::decisions::{Decisions, Question};

/// No filter that a person writes is longer.
const LONGEST_FILTER: usize = 4096;

/// `GET /debug/decisions`.
pub(super) fn decisions_router(decisions: Decisions) -> Router {
    Router::new()
        .route("/debug/decisions", get(ask))
        .with_state(decisions)
}

/// `GET /debug/log`: the filter. `POST /debug/log`: another one.
pub(super) fn log_router(filter: LogFilter) -> Router {
    Router::new()
        .route("/debug/log", get(filter_now).post(change_filter))
        .with_state(filter)
}

async fn ask(State(decisions): State<Decisions>, RawQuery(query): RawQuery) -> Response<Body> {
    let question: Question = match query.unwrap_or_default().parse() {
        Ok(question) => question,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error),
    };
    match decisions.answer(&question) {
        Some(found) => json_answer(StatusCode::OK, &found),
        None => refused(
            StatusCode::NOT_FOUND,
            &"no decisions are kept; BRIDGE_DECISIONS_KEPT says how many",
        ),
    }
}

async fn filter_now(State(filter): State<LogFilter>) -> Response<Body> {
    json_answer(StatusCode::OK, &json!({ "filter": filter.text() }))
}

async fn change_filter(State(filter): State<LogFilter>, request: Request<Body>) -> Response<Body> {
    let body = match axum::body::to_bytes(request.into_body(), LONGEST_FILTER).await {
        Ok(body) => body,
        Err(error) => return refused(StatusCode::PAYLOAD_TOO_LARGE, &error),
    };
    let new = String::from_utf8_lossy(&body);
    let new = new.trim();
    // By the filter that is there: the other may let no line through.
    let before = |old: &str| tracing::warn!(old, new, "the log filter is changed");
    match filter.change(new, before) {
        Ok(old) => {
            tracing::info!(old, new, "the log filter was changed");
            json_answer(StatusCode::OK, &json!({ "old": old, "new": new }))
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error),
    }
}

fn refused(status: StatusCode, reason: &dyn std::fmt::Display) -> Response<Body> {
    json_answer(status, &json!({ "error": reason.to_string() }))
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    answer(status, "application/json", body.to_string())
}
