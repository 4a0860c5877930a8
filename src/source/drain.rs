//! One drain: the jobs that wait are worked, and somebody waits until none is left.
//!
//! A pod that a request has woken lives for as long as a request is in hand, whatever else it does. So a
//! drain takes no job itself: the worker does, within its capacity, and pauses while the destination is
//! away. The drain has it poll, looks at what the polls find, and knows when it is over:
//!
//! - **Nothing is left**: nothing was in hand and a poll found no job, twice, and between the two a job's
//!   activation had the time to run out. What a pod held that died comes back only then.
//! - **Its time is over**: what is in hand then is waited for, so far as the queue proxy's patience goes.
//! - **Nothing can be done** for as long as a request may try: the engine gives no jobs, or the destination
//!   takes no events.
//! - **The program stops**: once all in hand is finished or handed back.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use runtime::shutdown::Shutdown;
use runtime::telemetry::traces::Span;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use zeebe_client::{Found, JobWorker, WorkerHealth};

use super::metrics::SourceMetrics;
use super::trace;
use super::trouble::Trouble;
use crate::config::SourceConfig;

/// An engine looks for activations that ran out once a second, and may be late with it.
const NOTICED: Duration = Duration::from_secs(2);
/// What an answer has to get through the queue proxy before that gives up.
const ANSWER_RESERVE: Duration = Duration::from_secs(5);

/// What one drain after the other needs.
#[derive(Debug)]
pub(super) struct Drain {
    worker: Arc<JobWorker>,
    trouble: watch::Receiver<Option<Trouble>>,
    times: Times,
    /// All that was in hand is finished or handed back, and nothing will be again.
    left: CancellationToken,
    metrics: SourceMetrics,
}

#[derive(Debug)]
struct Times {
    /// Of a whole drain.
    limit: Duration,
    /// Beyond the limit, for what is in hand.
    finish: Duration,
    /// Until what a pod held that died is there again.
    comes_back: Duration,
    /// For the engine and the destination to come back.
    patience: Duration,
}

/// How a drain ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No job is left.
    Drained,
    /// Its time was over; there may be more.
    Limit,
    /// The program stops.
    Stopping,
    /// The engine gives no jobs, with what it said.
    EngineAway(String),
    /// The destination takes no events, with what it said.
    DestinationAway(String),
}

impl Outcome {
    /// The table: how a drain ended -> what whoever asked for it is answered.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            // Whoever comes again later finds the rest.
            Self::Drained | Self::Limit | Self::Stopping => StatusCode::ACCEPTED,
            Self::EngineAway(_) | Self::DestinationAway(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Why jobs were left; `None` where it was accepted.
    pub(super) fn reason(&self) -> Option<String> {
        match self {
            Self::Drained | Self::Limit | Self::Stopping => None,
            Self::EngineAway(said) => Some(format!("the engine gives no jobs: {said}")),
            Self::DestinationAway(said) => Some(format!("the destination takes no events: {said}")),
        }
    }

    /// The name in metrics and logs.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Limit => "limit",
            Self::Stopping => "stopping",
            Self::EngineAway(_) => "engine_away",
            Self::DestinationAway(_) => "destination_away",
        }
    }
}

impl Drain {
    pub(super) fn new(
        worker: Arc<JobWorker>,
        trouble: watch::Receiver<Option<Trouble>>,
        config: &SourceConfig,
        patience: Duration,
        left: CancellationToken,
        metrics: SourceMetrics,
    ) -> Self {
        let most = config.service_timeout.saturating_sub(ANSWER_RESERVE);
        Self {
            worker,
            trouble,
            times: Times {
                limit: config.drain,
                finish: most.saturating_sub(config.drain),
                comes_back: config.job_timeout + NOTICED,
                patience,
            },
            left,
            metrics,
        }
    }

    /// Why there is no destination yet, where there is none.
    pub(super) fn no_destination(&self) -> Option<String> {
        match &*self.trouble.borrow() {
            Some(Trouble::NoToken(why)) => Some(why.clone()),
            Some(Trouble::Away(_)) | None => None,
        }
    }

    /// One was asked for and not begun: whoever watches a source that goes to zero sees nothing else of it.
    pub(super) fn not_begun(&self, why: &str) {
        let outcome = Outcome::DestinationAway(why.to_owned());
        self.metrics.drained(&outcome, 0);
    }

    /// Runs one drain to its end; `span` says how it ended.
    pub(super) async fn run(&self, shutdown: &Shutdown, span: &Span) -> Outcome {
        let began = Instant::now();
        let before = self.metrics.worked();
        tracing::info!("a drain begins");
        let outcome = tokio::select! {
            biased;
            () = shutdown.requested() => {
                // The role finishes and hands back; it needs no help.
                self.left.cancelled().await;
                Outcome::Stopping
            }
            outcome = self.until_over() => outcome,
        };
        // Whatever else was worked in that time was found by the same worker.
        let jobs = self.metrics.worked() - before;
        self.metrics.drained(&outcome, jobs);
        trace::drained(span, &outcome, jobs);
        tracing::info!(
            outcome = outcome.name(),
            reason = outcome.reason(),
            jobs,
            seconds = began.elapsed().as_secs(),
            "a drain ended"
        );
        outcome
    }

    async fn until_over(&self) -> Outcome {
        let limit = Instant::now() + self.times.limit;
        let emptied = async {
            tokio::select! {
                () = self.until_empty() => Outcome::Drained,
                outcome = self.until_stuck() => outcome,
            }
        };
        if let Ok(outcome) = timeout_at(limit, emptied).await {
            return outcome;
        }
        tokio::select! {
            () = self.worker.settled() => {}
            // What is in hand cannot be finished; it stays in hand.
            _ = self.until_stuck() => {}
            () = sleep_until(limit + self.times.finish) => {}
        }
        Outcome::Limit
    }

    /// Waits until nothing is left.
    async fn until_empty(&self) {
        let mut last_look = None;
        loop {
            let idle = self.worker.held() == 0;
            match self.worker.poll_now().await {
                Found::Jobs => {}
                Found::Unknown(_) => {
                    // The worker polls again by itself, after pauses that grow.
                    let mut health = self.worker.health();
                    let _ = health
                        .wait_for(|health| *health == WorkerHealth::Connected)
                        .await;
                }
                Found::Nothing => {
                    let last_look =
                        *last_look.get_or_insert_with(|| Instant::now() + self.times.comes_back);
                    if self.worker.held() > 0 {
                        self.worker.settled().await;
                    } else if Instant::now() < last_look {
                        sleep_until(last_look).await;
                    } else if idle && self.trouble.borrow().is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// Waits until nothing could be done for too long.
    async fn until_stuck(&self) -> Outcome {
        let mut health = self.worker.health();
        let mut trouble = self.trouble.clone();
        let mut since = None;
        loop {
            let obstacle = obstacle(
                &health.borrow_and_update(),
                trouble.borrow_and_update().as_ref(),
            );
            let end = match obstacle {
                None => {
                    since = None;
                    None
                }
                Some(outcome) => {
                    let end = *since.get_or_insert_with(Instant::now) + self.times.patience;
                    if Instant::now() >= end {
                        return outcome;
                    }
                    Some(end)
                }
            };
            tokio::select! {
                _ = health.changed() => {}
                _ = trouble.changed() => {}
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => {}
            }
        }
    }
}

/// What stands against working a job, if anything.
fn obstacle(health: &WorkerHealth, trouble: Option<&Trouble>) -> Option<Outcome> {
    match health {
        WorkerHealth::Unknown => Some(Outcome::EngineAway(String::from("no answer yet"))),
        WorkerHealth::Failing(reason) => Some(Outcome::EngineAway(reason.clone())),
        WorkerHealth::Connected => trouble.map(|said| Outcome::DestinationAway(said.to_string())),
    }
}
