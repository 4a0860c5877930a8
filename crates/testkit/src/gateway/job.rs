//! Jobs: activatable, activated for a time, and their ends.
//!
//! - `seen`: a job as tests add it and as they see it.
//! - `activation`: a job goes to a worker that asked for it.
//! - `streams`: workers that wait for jobs to be pushed.
//! - `ends`: what workers and people make of a job.
//! - `alarms`: activations and backoffs that run out.

mod activation;
mod alarms;
mod ends;
mod seen;
mod streams;

use std::collections::{BTreeSet, HashMap, VecDeque};

use tokio::time::Instant;
use zeebe_client::JobKey;

pub(super) use activation::in_millis;
pub use seen::{Job, JobState, NewJob};
pub(super) use streams::Pushed;
use streams::Stream;

/// All jobs, and the streams that wait for them.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    jobs: HashMap<i64, Job>,
    waiting: HashMap<String, VecDeque<i64>>,
    alarms: BTreeSet<(Instant, i64)>,
    streams: VecDeque<Stream>,
    last_stream: u64,
    active: usize,
    pub(super) most_active: usize,
    pub(super) muted: bool,
}

impl Jobs {
    pub(super) fn add(&mut self, key: i64, added: NewJob) {
        let job = Job {
            state: JobState::Activatable,
            retries: added.retries,
            activations: 0,
            renewals: 0,
            failures: 0,
            error_message: String::new(),
            error_code: String::new(),
            result: String::new(),
            incident_key: None,
            process_instance_key: match added.process_instance_key {
                0 => key + 1,
                other => other,
            },
            due: None,
            added,
        };
        self.jobs.insert(key, job);
        self.offer(key);
    }

    pub(super) fn get(&self, key: JobKey) -> Option<Job> {
        self.jobs.get(&key.0).cloned()
    }

    pub(super) fn count(&self, state: JobState) -> usize {
        self.jobs.values().filter(|job| job.state == state).count()
    }

    fn state(&self, key: i64) -> Option<JobState> {
        self.jobs.get(&key).map(|job| job.state)
    }

    fn moved(&mut self, key: i64, to: JobState) {
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        if let Some(before) = job.due.take() {
            self.alarms.remove(&(before, key));
        }
        self.active -= usize::from(job.state == JobState::Activated);
        self.active += usize::from(to == JobState::Activated);
        self.most_active = self.most_active.max(self.active);
        job.state = to;
    }
}
