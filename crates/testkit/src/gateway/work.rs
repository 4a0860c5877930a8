//! The jobs that the gateway gives, and the streams that it gives them by.

use tonic::Status;
use zeebe_client::JobKey;

use super::{FakeGateway, Job, JobState, NewJob};

/// Jobs.
impl FakeGateway {
    /// Adds jobs, to be pushed to streams that are open or to wait for a poll.
    pub fn add_jobs(&self, jobs: impl IntoIterator<Item = NewJob>) -> Vec<JobKey> {
        self.shared.change(|state| {
            jobs.into_iter()
                .map(|job| {
                    let key = state.key();
                    state.jobs.add(key, job);
                    JobKey(key)
                })
                .collect()
        })
    }

    /// Adds one job.
    pub fn add_job(&self, job: NewJob) -> JobKey {
        self.shared.change(|state| {
            let key = state.key();
            state.jobs.add(key, job);
            JobKey(key)
        })
    }

    /// The job, as it stands.
    ///
    /// # Panics
    /// When there never was one.
    #[must_use]
    pub fn job(&self, key: JobKey) -> Job {
        self.shared
            .look(|state| state.jobs.get(key))
            .unwrap_or_else(|| panic!("no job with the key {key} was added"))
    }

    /// How many jobs stand so.
    #[must_use]
    pub fn jobs(&self, state: JobState) -> usize {
        self.shared.look(|shared| shared.jobs.count(state))
    }

    /// The most jobs that were activated at one time.
    #[must_use]
    pub fn most_active(&self) -> usize {
        self.shared.look(|state| state.jobs.most_active)
    }

    /// How many streams of this type are open.
    #[must_use]
    pub fn open_streams(&self, job_type: &str) -> usize {
        self.shared.look(|state| state.jobs.open_streams(job_type))
    }

    /// Ends the streams of this type cleanly; what was pushed before still arrives.
    pub fn end_streams(&self, job_type: &str) {
        self.shared
            .change(|state| state.jobs.end_streams(job_type, None));
    }

    /// Ends the streams of this type with a status.
    pub fn break_streams(&self, job_type: &str, status: &Status) {
        self.shared
            .change(|state| state.jobs.end_streams(job_type, Some(status)));
    }

    /// Streams stay open and nothing is pushed, as has been seen of the real gateway; or again.
    pub fn mute_streams(&self, muted: bool) {
        self.shared.change(|state| state.jobs.muted = muted);
    }
}
