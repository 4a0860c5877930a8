//! What a worker has seen.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a worker; they only grow.
#[derive(Debug, Default)]
pub struct WorkerStats {
    pub(super) polled: AtomicU64,
    pub(super) streamed: AtomicU64,
    pub(super) polls: AtomicU64,
    pub(super) stream_openings: AtomicU64,
    pub(super) stream_silences: AtomicU64,
    pub(super) renewals: AtomicU64,
    pub(super) locks_lost: AtomicU64,
    pub(super) stale: AtomicU64,
}

impl WorkerStats {
    /// Jobs that polls brought.
    #[must_use]
    pub fn polled(&self) -> u64 {
        self.polled.load(Ordering::Relaxed)
    }

    /// Jobs that streams brought.
    #[must_use]
    pub fn streamed(&self) -> u64 {
        self.streamed.load(Ordering::Relaxed)
    }

    /// Polls made.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// Streams opened, the first ones included.
    #[must_use]
    pub fn stream_openings(&self) -> u64 {
        self.stream_openings.load(Ordering::Relaxed)
    }

    /// Streams given up because they were silent.
    #[must_use]
    pub fn stream_silences(&self) -> u64 {
        self.stream_silences.load(Ordering::Relaxed)
    }

    /// Activations prolonged.
    #[must_use]
    pub fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Jobs whose activation ran out, or was ended by somebody else, while they were held.
    #[must_use]
    pub fn locks_lost(&self) -> u64 {
        self.locks_lost.load(Ordering::Relaxed)
    }

    /// Jobs that came so late, or waited so long for somebody to take them, that their activation may have
    /// been over: nobody got them from us.
    #[must_use]
    pub fn stale(&self) -> u64 {
        self.stale.load(Ordering::Relaxed)
    }
}

pub(super) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

/// Whether the engine answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WorkerHealth {
    /// Nothing was heard yet.
    #[default]
    Unknown,
    /// The last call was answered.
    Connected,
    /// The last call failed, with the reason.
    Failing(String),
}
