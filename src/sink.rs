//! The sink role: events in, engine commands out.
//!
//! - `receive`: a request, and the answer to it.
//! - `plan`: its events -> the commands that they lead to, each paid for.
//! - `execute`: plans -> engine calls, retried while that can help, in a task of their own.
//! - `prepared`: a plan as the command that the client sends.
//! - `limiter`: how many commands are in flight; `line`: who waits; `turned_away`: who goes first.
//! - [`acknowledge`](mod@acknowledge): the table from outcome to status.
//! - `trace`: the spans of an event.
//! - `refusals`: which of them are logged.
//! - `metrics`: what is counted.

pub mod acknowledge;
mod execute;
mod limiter;
mod line;
mod metrics;
mod plan;
mod prepared;
mod receive;
mod refusals;
mod trace;
mod turned_away;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::header::ALLOW;
use http::{HeaderValue, StatusCode};
use opentelemetry::metrics::Meter;
use runtime::budget::Budget;
use runtime::telemetry::traces::Traces;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use zeebe_client::Gateway;

use crate::config::{Limits, NoRule, SinkConfig};
use crate::rules::Rules;

/// How long a body may wait for room in the budget.
const BUDGET_PATIENCE: Duration = Duration::from_secs(2);

/// The role's state: what every request shares.
#[derive(Debug)]
pub struct Sink {
    rules: Rules,
    executor: execute::Executor,
    budget: Budget,
    /// For requests at one time, and for commands whose sender has gone: HTTP/2 must not multiply what a
    /// connection may cost.
    requests: Arc<Semaphore>,
    codec_limits: cloudevents_http::Limits,
    max_event_bytes: usize,
    max_commands: usize,
    no_rule: NoRule,
    refusals: refusals::Refusals,
    metrics: metrics::SinkMetrics,
    traces: Traces,
    tasks: TaskTracker,
}

impl Sink {
    /// Puts the role together; nothing is sent yet.
    #[must_use]
    pub fn new(
        rules: Rules,
        gateway: Gateway,
        config: &SinkConfig,
        limits: &Limits,
        meter: &Meter,
        traces: Traces,
    ) -> Arc<Self> {
        let metrics = metrics::SinkMetrics::new(meter);
        let limiter = limiter::Limiter::new(limits.max_commands_in_flight);
        metrics::observe_limiter(meter, &limiter);
        Arc::new(Self {
            rules,
            executor: execute::Executor::new(gateway, limiter, config, metrics.clone()),
            budget: Budget::new(limits.body_budget_bytes, BUDGET_PATIENCE),
            requests: Arc::new(Semaphore::new(limits.max_connections)),
            codec_limits: cloudevents_http::Limits {
                max_data_bytes: limits.max_event_bytes,
                max_batch_events: limits.max_batch_events,
                ..cloudevents_http::Limits::default()
            },
            max_event_bytes: limits.max_event_bytes,
            max_commands: limits.max_commands_per_request,
            no_rule: config.no_rule,
            refusals: refusals::Refusals::default(),
            metrics,
            traces,
            tasks: TaskTracker::new(),
        })
    }

    /// The role's routes: `POST /`.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/", post(receive::receive).fallback(wrong_method))
            .with_state(Arc::clone(self))
    }

    /// Waits until every command that was begun has ended, also those whose sender went away. Dropping
    /// the future loses nothing.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Whatever else is asked of `/`; the one method that is there is named, as RFC 9110 (15.5.6) wants it.
async fn wrong_method(State(sink): State<Arc<Sink>>) -> http::Response<axum::body::Body> {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = receive::respond(status, Some("events come by POST"));
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST"));
    sink.metrics.answered(status);
    response
}
