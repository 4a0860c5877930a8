//! Prolongs the activation of jobs that are held for long.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, MissedTickBehavior};

use super::Shared;
use super::lock::Standing;
use super::stats::count;
use crate::command::{JobKey, UpdateJobTimeout};
use crate::error::ErrorKind;

/// So many renewals are under way at one time.
const CONCURRENT: usize = 16;

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

/// What is to be renewed. What may be over is given up.
fn due(shared: &Shared) -> Vec<(u64, JobKey)> {
    let mut held = shared.held();
    held.iter_mut()
        .filter_map(|(activation, lock)| match lock.standing() {
            Standing::Fresh => None,
            Standing::Aging => Some((*activation, lock.job_key)),
            Standing::Over => {
                if lock.lose() {
                    count(&shared.stats.locks_lost, 1);
                    tracing::warn!(
                        job_key = lock.job_key.0,
                        "the activation of a job that is held could not be prolonged in time"
                    );
                }
                None
            }
        })
        .collect()
}

/// Asks once to prolong an activation that is not over.
pub(super) async fn renew(shared: &Shared, activation: u64, job_key: JobKey) {
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
    let mut held = shared.held();
    let Some(lock) = held.get_mut(&activation) else {
        return;
    };
    match answer {
        Ok(Ok(())) => {
            count(&shared.stats.renewals, 1);
            lock.prolonged(asked);
        }
        Ok(Err(error)) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::WrongState => {
                if lock.lose() {
                    count(&shared.stats.locks_lost, 1);
                    tracing::warn!(job_key = job_key.0, %error, "a job that is held is no longer ours");
                }
            }
            // Tried again at the next tick, until the activation may be over.
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
