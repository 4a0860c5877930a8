//! The source role: jobs in, events out.
//!
//! - `custom_headers`: which headers a task may have.
//! - `task`: a service task's custom headers, compiled once.
//! - `event`: a job -> the event that leaves, with its stable id.
//! - [`outcome`](mod@outcome): the table from the delivery's result to the end of the job.
//! - `error_map`: which answers a task wants as BPMN errors.
//! - `destination`: where an event goes, and how many jobs a destination may keep busy.
//! - `outage`: while the destination is away one job at a time is activated, and probes.
//! - [`Trouble`]: why no events go to the destination.
//! - `token`: whether the token is there that the destination asks for.
//! - `pause`: how long a job stays away that was not delivered.
//! - `tried`: which jobs' events were sent before.
//! - `told`: which of the jobs that were not done the log names.
//! - `in_hand`: a job that is worked, and what writes down what becomes of it.
//! - `work`: joins worker, event, delivery and outcome.
//! - `drain`: the jobs that wait are worked, and somebody waits until none is left.
//! - `wake_up`: the request that waits.
//! - `trace`: the spans of a job, and of a drain.
//! - `metrics`: what is counted.

mod custom_headers;
mod destination;
mod drain;
mod error_map;
mod event;
mod in_hand;
mod metrics;
mod outage;
pub mod outcome;
mod pause;
mod task;
mod token;
mod told;
mod trace;
mod tried;
mod trouble;
mod wake_up;
mod work;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use eventing::{Sender, SenderError, SenderSettings, SinkBinding};
use runtime::shutdown::Shutdown;
use runtime::telemetry::metrics::Metrics;
use runtime::telemetry::traces::Traces;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeebe_client::{Gateway, JobWorker, SettingsError, WorkerHealth, WorkerSettings};

use crate::config::SourceConfig;
use crate::decisions::Decisions;
use crate::recipient::Recipient;
use crate::rules::TRAVEL_VARIABLE;

pub use trouble::Trouble;
pub use wake_up::NoSource;

/// What is left of the grace for handing back, once deliveries under way are given up.
const HAND_BACK_RESERVE: Duration = Duration::from_secs(3);

/// The role, running: it holds the worker.
#[derive(Debug)]
pub struct Source {
    worker: Arc<JobWorker>,
    bench: Arc<work::Bench>,
    /// Cancelled when nothing is in hand any more, for good.
    left: CancellationToken,
}

/// Why the role cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The sender's settings.
    #[error("K_CA_CERTS: {0}")]
    Sender(#[from] SenderError),
    /// The engine's settings.
    #[error(transparent)]
    Engine(#[from] SettingsError),
}

impl Source {
    /// Puts the role together and begins to fetch jobs; must be called inside a runtime.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub fn start(
        gateway: Gateway,
        binding: &SinkBinding,
        config: &SourceConfig,
        tenant_id: Option<&str>,
        decisions: Decisions,
        metrics: &Metrics,
        traces: Traces,
    ) -> Result<Self, SourceError> {
        let sender = Sender::new(&SenderSettings {
            max_idle_connections: config.max_jobs_active,
            ..SenderSettings::for_binding(binding)
        })?;
        let traces = trace::JobTraces::new(
            traces,
            config.trace_continue,
            &gateway.settings().address,
            binding.destination(),
        );
        let missing = binding.missing_token();
        let settings = WorkerSettings {
            paused: missing.is_some(),
            ..worker_settings(config, tenant_id)
        };
        let worker = Arc::new(JobWorker::start(gateway, settings)?);
        let meter = metrics.meter(metrics::SCOPE);
        metrics::observe_worker(&meter, &worker);
        let bench = Arc::new(work::Bench::new(
            sender,
            binding.clone(),
            config.clone(),
            &worker,
            decisions,
            metrics,
            traces,
        ));
        if let Some(missing) = missing {
            bench.no_token(&missing);
        }
        metrics::observe_destination(&meter, bench.outage.trouble());
        Ok(Self {
            worker,
            bench,
            left: CancellationToken::new(),
        })
    }

    /// Whether the engine gives jobs, as it changes.
    #[must_use]
    pub fn engine_health(&self) -> tokio::sync::watch::Receiver<WorkerHealth> {
        self.worker.health()
    }

    /// Whether events go to the destination: `None`, or why not, as it changes.
    #[must_use]
    pub fn destination_trouble(&self) -> tokio::sync::watch::Receiver<Option<Trouble>> {
        self.bench.outage.trouble()
    }

    /// What whoever wants the jobs that wait to be worked asks of this role. `patience` is how long the engine
    /// or the destination may be away before that fails.
    fn drain(&self, config: &SourceConfig, patience: Duration) -> drain::Drain {
        drain::Drain::new(
            Arc::clone(&self.worker),
            self.destination_trouble(),
            config,
            patience,
            self.left.clone(),
            self.bench.metrics.clone(),
        )
    }

    /// Works jobs until the shutdown; then stops activating, lets deliveries finish, and hands back what
    /// cannot finish within the grace, without using a retry.
    pub async fn run(&self, shutdown: &Shutdown) {
        let _left = self.left.clone().drop_guard();
        token::watch(&self.bench, shutdown);
        let (jobs, cut) = (TaskTracker::new(), CancellationToken::new());
        loop {
            let job = tokio::select! {
                biased;
                () = shutdown.requested() => break,
                job = self.worker.next() => job,
            };
            let Some(job) = job else { break };
            let work = Arc::clone(&self.bench).work(job);
            jobs.spawn(cut.clone().run_until_cancelled_owned(work));
        }
        jobs.close();
        let reserve = shutdown
            .remaining()
            .map_or(HAND_BACK_RESERVE, |left| HAND_BACK_RESERVE.min(left / 4));
        let deliveries = shutdown
            .remaining()
            .unwrap_or_default()
            .saturating_sub(reserve);
        let mut leaving = pin!(async {
            // It waits for the poll under way, whose jobs would be left locked: as long as there is time.
            tokio::join!(self.worker.stop(), jobs.wait());
        });
        if tokio::time::timeout(deliveries, &mut leaving).await.is_ok() {
            return;
        }
        tracing::info!(
            jobs = self.worker.held(),
            "the grace is nearly over: jobs in hand are handed back"
        );
        self.bench.give_up.cancel();
        tokio::select! {
            biased;
            () = leaving => {}
            () = shutdown.expired() => {
                tracing::warn!(
                    jobs = self.worker.held(),
                    "not all jobs could be handed back; what is left, and what a poll under way still brings, comes back when its activation runs out"
                );
                // Their spans end while they can still be sent.
                cut.cancel();
                jobs.wait().await;
            }
        }
    }
}

/// The route `POST /drain`, also where there is no source: then with the reason as its answer.
pub fn drain_router(
    source: Result<&Source, NoSource>,
    recipient: Arc<Recipient>,
    config: &SourceConfig,
    patience: Duration,
    shutdown: &Shutdown,
    traces: Traces,
) -> Router {
    let drain = source.map(|source| Arc::new(source.drain(config, patience)));
    wake_up::router(recipient, drain, shutdown.clone(), traces)
}

fn worker_settings(config: &SourceConfig, tenant_id: Option<&str>) -> WorkerSettings {
    let mut fetch_variables = config.fetch_variables.clone();
    if !fetch_variables.is_empty() && fetch_variables.iter().all(|name| name != TRAVEL_VARIABLE) {
        fetch_variables.push(TRAVEL_VARIABLE.to_owned());
    }
    WorkerSettings {
        job_types: config.job_types.clone(),
        worker_name: String::from("eventing-zeebe"),
        tenant_ids: vec![tenant_id.unwrap_or("<default>").to_owned()],
        fetch_variables,
        max_jobs_active: config.max_jobs_active,
        max_bytes_held: config.job_budget_bytes,
        job_timeout: config.job_timeout,
        poll_interval: config.poll_interval,
        stream: config.stream,
        ..WorkerSettings::default()
    }
}
