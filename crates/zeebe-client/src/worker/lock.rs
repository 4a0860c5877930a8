//! Until when the engine keeps one job for us, as far as we can know.

use std::time::Duration;

use tokio::time::Instant;

use super::WorkerSettings;
use crate::command::{ActivatedJob, JobKey};

/// The engine's lock on one held job.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) job_key: JobKey,
    pub(super) bytes: usize,
    /// From when on it counts: the engine's lock cannot have begun, or been prolonged, before.
    since: Instant,
    timeout: Duration,
    lost_at: Option<Instant>,
}

/// How a lock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Ours, with most of its time left.
    Fresh,
    /// Ours, with a third of its time gone.
    Aging,
    /// It may be over, and the job another's. It never becomes ours again: a renewal that comes too late
    /// would prolong the lock of whoever has the job now.
    Over,
}

impl Lock {
    pub(super) fn new(settings: &WorkerSettings, job: &ActivatedJob, since: Instant) -> Self {
        Self {
            job_key: job.key,
            bytes: job.size(),
            since,
            timeout: settings.job_timeout,
            lost_at: None,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        let now = Instant::now();
        // What is sent now must arrive before the end.
        if self.lost_at.is_some() || now + self.timeout / 15 >= self.deadline() {
            Standing::Over
        } else if now >= self.since + self.timeout / 3 {
            Standing::Aging
        } else {
            Standing::Fresh
        }
    }

    /// The earliest end.
    pub(super) fn deadline(&self) -> Instant {
        let end = self.since + self.timeout;
        self.lost_at.map_or(end, |lost_at| lost_at.min(end))
    }

    /// The engine says that it was prolonged. Counted from before it was asked: its lock cannot end
    /// before ours. An answer after the end may speak of the lock that somebody else has by now.
    pub(super) fn prolonged(&mut self, asked: Instant) {
        if Instant::now() < self.deadline() {
            self.since = asked;
        }
    }

    /// It is no longer ours; whether that is news.
    pub(super) fn lose(&mut self) -> bool {
        let news = self.lost_at.is_none();
        self.lost_at.get_or_insert_with(Instant::now);
        news
    }
}
