//! Who waits, and who is next: whoever was refused most often, and of those the first who came.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use tokio::sync::oneshot;

/// Who left is looked for when there are so many more than the last time.
const SWEEP_AFTER: usize = 256;

/// A line of those who wait to be given a `T`.
#[derive(Debug)]
pub(super) struct Line<T> {
    waiting: BinaryHeap<Waiting<T>>,
    joined: u64,
    sweep_at: usize,
}

#[derive(Debug)]
struct Waiting<T> {
    refusals: u32,
    number: Reverse<u64>,
    give: oneshot::Sender<T>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            waiting: BinaryHeap::new(),
            joined: 0,
            sweep_at: SWEEP_AFTER,
        }
    }
}

impl<T> Line<T> {
    /// Joins; whoever drops the receiver has left.
    pub(super) fn join(&mut self, refusals: u32) -> oneshot::Receiver<T> {
        if self.waiting.len() >= self.sweep_at {
            self.waiting.retain(|waiting| !waiting.give.is_closed());
            self.waiting.shrink_to(self.waiting.len() * 2);
            self.sweep_at = self.waiting.len() * 2 + SWEEP_AFTER;
        }
        let (give, receiver) = oneshot::channel();
        self.joined += 1;
        self.waiting.push(Waiting {
            refusals,
            number: Reverse(self.joined),
            give,
        });
        receiver
    }

    /// Takes the next out who has not left.
    pub(super) fn next(&mut self) -> Option<oneshot::Sender<T>> {
        loop {
            let first = self.waiting.pop()?;
            if !first.give.is_closed() {
                return Some(first.give);
            }
        }
    }

    /// How many wait; some of them may have left.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.refusals, self.number).cmp(&(other.refusals, other.number))
    }
}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Waiting<T> {}
