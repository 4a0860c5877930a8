//! One poll: jobs that wait, as far as there is room for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use super::Shared;
use super::held::HeldJob;
use super::intake::{admit, hand_back};
use super::stats::count;
use crate::command::ActivateJobs;
use crate::error::{EngineError, ErrorKind};

/// A call's own deadline ends with the head of its answer; its batches have this long each. A gateway that
/// stops in the middle must not hold up whoever waits for the end of the poll.
const BETWEEN_BATCHES: Duration = Duration::from_secs(15);
/// What a job is taken to have before one was seen.
const UNSEEN: usize = 256 * 1024;

/// What a poll came to.
pub(super) struct Polled {
    /// As many jobs came as there was room for: there are probably more.
    pub(super) full: bool,
    /// How many came, passed on or not.
    pub(super) came: usize,
    /// How many were passed on.
    pub(super) admitted: usize,
    pub(super) failed: Option<EngineError>,
}

impl Polled {
    /// What it says about jobs that wait.
    pub(super) fn found(&self) -> Found {
        match &self.failed {
            Some(error) => Found::Unknown(error.clone()),
            // Without a permit left some types were not asked for.
            None if self.came > 0 || self.full => Found::Jobs,
            None => Found::Nothing,
        }
    }
}

/// What a poll for jobs of all types found.
#[derive(Debug, Clone)]
pub enum Found {
    /// No job waited.
    Nothing,
    /// Jobs came; there may be more.
    Jobs,
    /// The engine did not say.
    Unknown(EngineError),
}

/// How large jobs were lately: at once as large as the largest, and slowly less.
#[derive(Debug)]
pub(super) struct Sizes(AtomicUsize);

impl Default for Sizes {
    fn default() -> Self {
        Self(AtomicUsize::new(UNSEEN))
    }
}

impl Sizes {
    pub(super) fn saw(&self, bytes: usize) {
        // Two at a time may lose one, of many.
        let before = self.0.load(Ordering::Relaxed);
        self.0
            .store(bytes.max(before - before / 16).max(1), Ordering::Relaxed);
    }

    fn lately(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One poll of each type, as far as permits and bytes go; what the permits are not used for falls back.
pub(super) async fn poll(
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedSender<HeldJob>,
    types: Vec<String>,
    mut permits: OwnedSemaphorePermit,
) -> Polled {
    let settings = &shared.settings;
    let mut full = false;
    let mut came = 0;
    let mut admitted = 0;
    for job_type in types {
        let left = settings.max_bytes_held.saturating_sub(shared.bytes_held());
        if permits.num_permits() == 0 || left == 0 {
            full = true;
            break;
        }
        let affordable = (left / shared.sizes.lately()).max(1);
        let wanted = permits.num_permits().min(affordable);
        let command = ActivateJobs {
            job_type,
            worker: settings.worker_name.clone(),
            timeout: settings.job_timeout,
            max_jobs_to_activate: i32::try_from(wanted).unwrap_or(i32::MAX),
            fetch_variables: settings.fetch_variables.clone(),
            // A long poll would hold permits that the streams could use.
            request_timeout: None,
            tenant_ids: settings.tenant_ids.clone(),
        };
        let asked = Instant::now();
        let mut batches = match shared.gateway.activate_jobs(command).await {
            Ok(batches) => batches,
            Err(error) => {
                return Polled {
                    full,
                    came,
                    admitted,
                    failed: Some(error),
                };
            }
        };
        let mut got = 0;
        loop {
            let batch = match tokio::time::timeout(BETWEEN_BATCHES, batches.next()).await {
                Ok(None) => break,
                Ok(Some(Ok(batch))) => batch,
                Ok(Some(Err(error))) => {
                    return Polled {
                        full,
                        came,
                        admitted,
                        failed: Some(error),
                    };
                }
                Err(_) => {
                    let silent = "the gateway began to answer and then sent nothing more";
                    return Polled {
                        full,
                        came,
                        admitted,
                        failed: Some(EngineError::new(
                            "ActivateJobs",
                            ErrorKind::OutcomeUnknown,
                            silent,
                        )),
                    };
                }
            };
            got += batch.len();
            came += batch.len();
            count(&shared.stats.polled, batch.len() as u64);
            let mut fitting = Vec::with_capacity(batch.len());
            let mut beyond = Vec::new();
            for job in batch {
                shared.sizes.saw(job.size());
                let fits = shared.bytes_held() < settings.max_bytes_held;
                // The engine may also give more than was asked for.
                let permit = if fits { permits.split(1) } else { None };
                let place = if permit.is_some() {
                    &mut fitting
                } else {
                    &mut beyond
                };
                place.push(HeldJob::new(job, &shared, permit, asked));
            }
            full |= !beyond.is_empty();
            // Only then the next batch is read: one at a time lies above the budget.
            let admitting = fitting.into_iter().map(|job| admit(&shared, job, &jobs));
            let (passed_on, ()) = tokio::join!(
                join_all(admitting),
                hand_back(beyond, "there is no room for it")
            );
            admitted += passed_on.into_iter().filter(|passed_on| *passed_on).count();
        }
        full |= got >= wanted;
    }
    Polled {
        full,
        came,
        admitted,
        failed: None,
    }
}
