//! A job worker: one capacity for jobs that were polled and jobs that were pushed.
//!
//! - [`JobWorker`]: what its user sees: take a job, pause, resume, poll now, stop.
//! - `fetcher`: the one task that takes jobs from the engine. It never reads a job that it has no
//!   permit for, except to hand it back.
//! - `poll`: asks for as many jobs as there is room for, in number and bytes, and hands back what is more.
//! - `streams`: the job streams, one a type, reopened when they end or go silent, read to their end when
//!   they are closed.
//! - `age`: how long a job can have lain in a stream before it was read.
//! - `intake`: passes on what is certainly ours, renews what may be old, leaves what may be another's.
//! - `held`: a job in hand and its ends.
//! - `lock`: until when a job is ours. It counts from the earliest moment that it can have been activated.
//! - `renewer`: prolongs the activation of what is held for long, as long as it is ours.
//! - `settle`: when to poll because a stream was opened.
//! - `emptying`: what whoever wants to see all work done asks of the worker.
//! - `restart`: begins these tasks again after a panic.

mod age;
mod backoff;
mod emptying;
mod fetcher;
mod held;
mod intake;
mod lock;
mod poll;
mod renewer;
mod restart;
mod settle;
mod stats;
mod streams;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::channel::Windows;
use crate::gateway::Gateway;
use crate::settings::SettingsError;
use lock::{Lock, Standing};

pub use held::{Ended, HeldJob};
pub use poll::Found;
pub use stats::{WorkerHealth, WorkerStats};

/// What a [`JobWorker`] is told.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The job types, each asked for on its own.
    pub job_types: Vec<String>,
    /// The worker's name in the engine, for people.
    pub worker_name: String,
    /// Whose jobs; empty for the default tenant.
    pub tenant_ids: Vec<String>,
    /// The variables that jobs bring; empty for all.
    pub fetch_variables: Vec<String>,
    /// Jobs held at one time, over all types; at least 1.
    pub max_jobs_active: usize,
    /// Bytes of jobs held at one time. While more is held nothing is fetched; one job may lie above it, and
    /// for as long as the rest of it is handed back, one answer of the engine (4 MiB at most).
    pub max_bytes_held: usize,
    /// How long the engine keeps a job for us; renewed at a third of it while the job is held.
    pub job_timeout: Duration,
    /// Between polls that did not fill the capacity.
    pub poll_interval: Duration,
    /// Whether jobs are also pushed.
    pub stream: bool,
    /// Whether it begins as after [`JobWorker::pause`]: no job is activated before somebody says so.
    pub paused: bool,
    /// The flow-control windows of the stream's own connection. What lies in them is activated and
    /// nobody's yet, so they are small.
    pub stream_windows: Windows,
    /// A stream that was silent for so long is opened anew.
    pub stream_silence: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            job_types: Vec::new(),
            worker_name: String::from("zeebe-client"),
            tenant_ids: vec![String::from("<default>")],
            fetch_variables: Vec::new(),
            max_jobs_active: 32,
            max_bytes_held: 16 * 1024 * 1024,
            job_timeout: Duration::from_secs(15),
            poll_interval: Duration::from_secs(10),
            stream: true,
            paused: false,
            stream_windows: Windows {
                stream: 64 * 1024,
                connection: 64 * 1024,
            },
            stream_silence: Duration::from_secs(60),
        }
    }
}

/// Takes jobs from the engine as long as there is room for them.
#[derive(Debug)]
pub struct JobWorker {
    shared: Arc<Shared>,
    jobs: tokio::sync::Mutex<mpsc::UnboundedReceiver<HeldJob>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// What the worker's tasks and its held jobs share.
#[derive(Debug)]
struct Shared {
    gateway: Gateway,
    settings: WorkerSettings,
    permits: Arc<Semaphore>,
    /// By activation, as a job can come back while its first activation is still in hand.
    held: Mutex<HashMap<u64, Lock>>,
    last_activation: AtomicU64,
    /// How large jobs were lately.
    sizes: poll::Sizes,
    /// The gateway said that it has no job streams.
    streams_missing: AtomicBool,
    /// Of [`Mode::One`].
    last_asked: AtomicU64,
    released: Notify,
    /// A job that was held no longer is.
    ended: Notify,
    /// How often a poll at once was asked for.
    asked_polls: watch::Sender<u64>,
    /// How often one had been asked for when the latest poll began, and what it found.
    polled: watch::Sender<(u64, Found)>,
    mode: watch::Sender<Mode>,
    stats: WorkerStats,
    health: watch::Sender<WorkerHealth>,
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, HashMap<u64, Lock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes_held(&self) -> usize {
        self.held().values().map(|lock| lock.bytes).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fetching,
    Paused,
    /// One job is asked for, the asking with this number; then paused.
    One(u64),
    /// That job came. Paused, unless it is left before anybody took it.
    Served,
    Stopping,
}

impl JobWorker {
    /// Starts fetching at once, but for a worker that begins paused.
    ///
    /// # Errors
    /// As [`Gateway::new`], for the stream's own connection.
    pub fn start(gateway: Gateway, settings: WorkerSettings) -> Result<Self, SettingsError> {
        let streaming = gateway.with_windows(settings.stream_windows)?;
        let (sender, jobs) = mpsc::unbounded_channel();
        let mode = if settings.paused {
            Mode::Paused
        } else {
            Mode::Fetching
        };
        let shared = Arc::new(Shared {
            gateway,
            permits: Arc::new(Semaphore::new(settings.max_jobs_active.max(1))),
            settings,
            held: Mutex::new(HashMap::new()),
            last_activation: AtomicU64::new(0),
            sizes: poll::Sizes::default(),
            streams_missing: AtomicBool::new(false),
            last_asked: AtomicU64::new(0),
            released: Notify::new(),
            ended: Notify::new(),
            asked_polls: watch::Sender::new(0),
            polled: watch::Sender::new((0, Found::Nothing)),
            mode: watch::Sender::new(mode),
            stats: WorkerStats::default(),
            health: watch::Sender::new(WorkerHealth::default()),
        });
        let tasks = vec![
            tokio::spawn({
                let shared = Arc::clone(&shared);
                async move {
                    let fetch =
                        || fetcher::run(Arc::clone(&shared), streaming.clone(), sender.clone());
                    restart::after_panics(&shared.health, fetch).await;
                }
            }),
            tokio::spawn({
                let shared = Arc::clone(&shared);
                async move {
                    let renew = || renewer::run(Arc::clone(&shared));
                    restart::after_panics(&shared.health, renew).await;
                }
            }),
        ];
        Ok(Self {
            shared,
            jobs: tokio::sync::Mutex::new(jobs),
            tasks: Mutex::new(tasks),
        })
    }

    /// Waits for a job; `None` once the worker stops, and only then. Dropping the future loses nothing.
    pub async fn next(&self) -> Option<HeldJob> {
        let mut mode = self.shared.mode.subscribe();
        let mut jobs = self.jobs.lock().await;
        loop {
            let job = tokio::select! {
                biased;
                _ = mode.wait_for(|mode| *mode == Mode::Stopping) => return None,
                job = jobs.recv() => job?,
            };
            // It may have waited for long, and renewing it may have failed.
            match job.standing() {
                Standing::Fresh | Standing::Aging => return Some(job),
                Standing::Over => {
                    intake::leave(&self.shared, job);
                    self.ask_anew();
                }
            }
        }
    }

    /// Stops activating jobs, until [`JobWorker::resume`]; what is held stays held.
    pub fn pause(&self) {
        self.switch(Mode::Paused);
    }

    /// Activates jobs again, with a poll at once.
    pub fn resume(&self) {
        self.switch(Mode::Fetching);
    }

    /// Activates one job and no more, as soon as there is one, and is paused then. Asked again before
    /// that job was taken it may be two.
    pub fn fetch_one(&self) {
        let number = self.shared.last_asked.fetch_add(1, Ordering::Relaxed);
        self.switch(Mode::One(number));
    }

    /// The job that was asked for was left: whoever asked still waits for one.
    fn ask_anew(&self) {
        let number = self.shared.last_asked.fetch_add(1, Ordering::Relaxed);
        self.shared.mode.send_if_modified(|mode| {
            let left = *mode == Mode::Served;
            if left {
                *mode = Mode::One(number);
            }
            left
        });
    }

    fn switch(&self, to: Mode) {
        self.shared.mode.send_if_modified(|mode| {
            let changes = *mode != to && *mode != Mode::Stopping;
            if changes {
                *mode = to;
            }
            changes
        });
    }

    /// Stops activating, closes the streams, and then hands back what nobody took, without using a
    /// retry. Jobs in hand stay in hand: they are renewed and can be ended until the worker is dropped.
    pub async fn stop(&self) {
        self.shared.mode.send_replace(Mode::Stopping);
        let fetcher = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            if tasks.len() < 2 {
                None
            } else {
                Some(tasks.remove(0))
            }
        };
        if let Some(fetcher) = fetcher {
            // It ends by itself, and is begun again after a panic.
            let _ = fetcher.await;
        }
        let mut unread = Vec::new();
        {
            let mut jobs = self.jobs.lock().await;
            while let Ok(job) = jobs.try_recv() {
                unread.push(job);
            }
        }
        intake::hand_back(unread, "the worker stops").await;
    }

    /// Counters, readable at any time.
    #[must_use]
    pub fn stats(&self) -> &WorkerStats {
        &self.shared.stats
    }

    /// Jobs held now, taken or not.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.held().len()
    }

    /// Whether the engine answers, as it changes.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<WorkerHealth> {
        self.shared.health.subscribe()
    }
}

impl Drop for JobWorker {
    fn drop(&mut self) {
        for task in self
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            task.abort();
        }
    }
}
