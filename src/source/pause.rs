//! How long a job stays away that was not delivered: longer each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zeebe_client::JobKey;

/// So many jobs are remembered; beyond it the memory begins anew.
const MOST_JOBS: usize = 4096;

/// How often each job was handed back undelivered. The engine keeps no such count: a hand-back leaves
/// `retries` as they were.
#[derive(Debug, Default)]
pub(super) struct HandBacks(Mutex<HashMap<JobKey, u32>>);

impl HandBacks {
    /// Counts one, and says how many there were before.
    pub(super) fn count(&self, job: JobKey) -> u32 {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() == MOST_JOBS && !jobs.contains_key(&job) {
            jobs.clear();
        }
        let count = jobs.entry(job).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }

    /// The job was answered.
    pub(super) fn forget(&self, job: JobKey) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !jobs.is_empty() {
            jobs.remove(&job);
        }
    }
}

/// Doubles with each time before, up to the longest, and is shortened at random by up to half.
pub(super) fn grown(first: Duration, times_before: u32, longest: Duration) -> Duration {
    jittered(
        first
            .saturating_mul(1 << times_before.min(16))
            .min(longest.max(first)),
    )
}

pub(super) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
