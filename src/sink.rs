//! The sink role: events in, engine commands out.
//!
//! - `receive`: a request, and the answer to it.
//! - `pending`: what is told of it when it has its answer, or has none.
//! - `plan`: its events -> the commands that they lead to, each paid for.
//! - `execute`: plans -> engine calls, retried while that can help, in a task of their own.
//! - `prepared`: a plan as the command that the client sends.
//! - `limiter`: how many commands are in flight; `line`: who waits; `turned_away`: who goes first.
//! - [`acknowledge`](mod@acknowledge): the table from outcome to status.
//! - `told`: what is told of an event, to whoever asks, to the log and to its trace.
//! - `trace`: the spans of an event.
//! - `metrics`: what is counted.

pub mod acknowledge;
mod execute;
mod limiter;
mod line;
mod metrics;
mod pending;
mod plan;
mod prepared;
mod receive;
mod told;
mod trace;
mod turned_away;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use runtime::telemetry::metrics::Metrics;
use runtime::telemetry::traces::Traces;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeebe_client::Gateway;

use crate::config::{Limits, NoRule, SinkConfig};
use crate::decisions::Decisions;
use crate::recipient::{self, Recipient};
use crate::rules::Rules;

/// The role's state: what every request shares.
#[derive(Debug)]
pub struct Sink {
    rules: Rules,
    executor: execute::Executor,
    recipient: Arc<Recipient>,
    max_commands: usize,
    no_rule: NoRule,
    unmatched: told::Unmatched,
    decisions: Decisions,
    metrics: metrics::SinkMetrics,
    traces: Traces,
    tasks: TaskTracker,
    /// Cancelled when the grace is over.
    cut: CancellationToken,
}

/// Why commands ended without an answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("the grace is over")]
    Cut,
    #[error(transparent)]
    Panic(#[from] JoinError),
}

/// Where the role says what it does.
#[derive(Debug)]
pub struct Signals<'a> {
    /// For what is counted.
    pub metrics: &'a Metrics,
    /// For spans.
    pub traces: Traces,
    /// For what became of an event.
    pub decisions: Decisions,
}

impl Sink {
    /// Puts the role together; nothing is sent yet.
    #[must_use]
    pub fn new(
        rules: Rules,
        gateway: Gateway,
        recipient: Arc<Recipient>,
        config: &SinkConfig,
        limits: &Limits,
        Signals {
            metrics,
            traces,
            decisions,
        }: Signals<'_>,
    ) -> Arc<Self> {
        let limiter = limiter::Limiter::new(limits.max_commands_in_flight);
        metrics::observe_limiter(metrics, &limiter);
        let metrics = metrics::SinkMetrics::new(metrics, &rules);
        Arc::new(Self {
            rules,
            executor: execute::Executor::new(gateway, limiter, config, metrics.clone()),
            recipient,
            max_commands: limits.max_commands_per_request,
            no_rule: config.no_rule,
            unmatched: told::Unmatched::default(),
            decisions,
            metrics,
            traces,
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
        })
    }

    /// The role's routes: `POST /`.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/", post(receive::receive).fallback(wrong_method))
            .with_state(Arc::clone(self))
    }

    /// Runs commands in a task of their own, which goes on when nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        commands: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let commands = self.cut.clone().run_until_cancelled_owned(commands);
        self.tasks.spawn(commands).await?.ok_or(NoAnswer::Cut)
    }

    /// Waits until every command that was begun has ended, also those whose sender went away. Dropping
    /// the future loses nothing.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Drops the commands that are still under way, and waits until they are: their spans end then.
    pub async fn cut(&self) {
        self.cut.cancel();
        self.drained().await;
    }
}

/// Whatever else is asked of `/`.
async fn wrong_method(State(sink): State<Arc<Sink>>) -> http::Response<axum::body::Body> {
    let response = recipient::wrong_method();
    sink.metrics.answered(response.status());
    response
}
