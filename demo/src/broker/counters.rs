//! What became of the events, for tests and for the last line that the program prints.

use std::sync::atomic::{AtomicU64, Ordering};

/// The figures of one Broker program at one moment; they only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events taken from senders, and replies of subscribers.
    pub received: u64,
    /// Deliveries that a subscriber accepted: one for each Trigger that the event is for.
    pub delivered: u64,
    /// Attempts beyond the first of a delivery.
    pub retried: u64,
    /// Deliveries given up, whose event the dead letter sink accepted.
    pub dead_lettered: u64,
    /// Deliveries given up with no dead letter sink, or with one that did not accept either.
    pub lost: u64,
    /// Events that no Trigger was for.
    pub unmatched: u64,
    /// Events that subscribers answered with.
    pub replies: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    received: AtomicU64,
    delivered: AtomicU64,
    retried: AtomicU64,
    dead_lettered: AtomicU64,
    lost: AtomicU64,
    unmatched: AtomicU64,
    replies: AtomicU64,
}

/// What is counted, one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Received,
    Delivered,
    Retried,
    DeadLettered,
    Lost,
    Unmatched,
    Reply,
}

impl Counters {
    pub(super) fn add(&self, count: Count) {
        let counter = match count {
            Count::Received => &self.received,
            Count::Delivered => &self.delivered,
            Count::Retried => &self.retried,
            Count::DeadLettered => &self.dead_lettered,
            Count::Lost => &self.lost,
            Count::Unmatched => &self.unmatched,
            Count::Reply => &self.replies,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            received: read(&self.received),
            delivered: read(&self.delivered),
            retried: read(&self.retried),
            dead_lettered: read(&self.dead_lettered),
            lost: read(&self.lost),
            unmatched: read(&self.unmatched),
            replies: read(&self.replies),
        }
    }
}
