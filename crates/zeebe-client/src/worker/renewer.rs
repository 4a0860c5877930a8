//! Prolongs the activation of jobs that are held for long.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, MissedTickBehavior};

use super::stats::count;
use super::{Shared, WorkerSettings};
use crate::command::{ActivatedJob, JobKey, UpdateJobTimeout};
use crate::error::ErrorKind;

/// So many renewals are under way at one time.
const CONCURRENT: usize = 16;

/// Until when the engine keeps one held job for us.
#[derive(Debug)]
pub(super) struct Lock {
    job_key: JobKey,
    bytes: usize,
    deadline: Instant,
    renew_at: Instant,
    lost: bool,
}

impl Lock {
    pub(super) fn taken_now(settings: &WorkerSettings, job: &ActivatedJob) -> Self {
        let now = Instant::now();
        Self {
            job_key: job.key,
            bytes: job.size(),
            deadline: now + settings.job_timeout,
            renew_at: now + settings.job_timeout / 3,
            lost: false,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Looks at what is held and renews what has used a third of its time.
pub(super) async fn run(shared: Arc<Shared>) {
    // Fine enough that a renewal which was refused is repeated several times before the end.
    let mut ticks =
        tokio::time::interval((shared.settings.job_timeout / 15).max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let due = due(&shared);
        stream::iter(due)
            .for_each_concurrent(CONCURRENT, |(activation, job_key)| {
                renew(&shared, activation, job_key)
            })
            .await;
    }
}

fn due(shared: &Shared) -> Vec<(u64, JobKey)> {
    let now = Instant::now();
    let held = shared.held.lock().unwrap_or_else(PoisonError::into_inner);
    held.iter()
        .filter(|(_, lock)| !lock.lost && now >= lock.renew_at)
        .map(|(activation, lock)| (*activation, lock.job_key))
        .collect()
}

async fn renew(shared: &Shared, activation: u64, job_key: JobKey) {
    // Counted from before the call: the engine's lock cannot end before ours.
    let asked = Instant::now();
    let command = UpdateJobTimeout {
        job_key,
        timeout: shared.settings.job_timeout,
    };
    // A renewal that hangs must leave time for another.
    let answer = tokio::time::timeout(
        shared.settings.job_timeout / 3,
        shared.gateway.update_job_timeout(command),
    )
    .await;
    let mut held = shared.held.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(lock) = held.get_mut(&activation) else {
        return;
    };
    match answer {
        Ok(Ok(())) => {
            count(&shared.stats.renewals, 1);
            lock.deadline = asked + shared.settings.job_timeout;
            lock.renew_at = asked + shared.settings.job_timeout / 3;
        }
        Ok(Err(error)) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::WrongState => {
                count(&shared.stats.locks_lost, 1);
                tracing::warn!(job_key = job_key.0, %error, "a job that is held is no longer ours");
                lock.lost = true;
                lock.deadline = asked;
            }
            // Tried again at the next tick, for as long as the job is held.
            ErrorKind::Backpressure
            | ErrorKind::Unavailable
            | ErrorKind::OutcomeUnknown
            | ErrorKind::CredentialsRefused
            | ErrorKind::Duplicate
            | ErrorKind::TooLarge
            | ErrorKind::Invalid
            | ErrorKind::Denied => {
                tracing::debug!(job_key = job_key.0, %error, "a job's activation could not be prolonged yet");
            }
        },
        Err(_) => {}
    }
}
