//! Where spans wait until they are sent: bounded, and never waited for.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Meter};
use tokio::sync::Notify;

use super::otlp;
use crate::telemetry::otel::Batches;

/// Spans that are sent together, as they are written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) spans: usize,
    pub(super) bytes: Vec<u8>,
}

/// Batches, of which the last may have room.
#[derive(Debug, Default)]
struct Waiting {
    spans: usize,
    batches: Vec<Batch>,
}

/// Spans that wait, and what became of those that no longer do.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// A batch is complete.
    pub(super) complete: Notify,
    pub(super) batches: Batches,
    pub(super) counts: Counts,
}

/// Spans by what became of them.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) sent: BoundCounter<u64>,
    /// No place was left in the queue.
    pub(super) dropped: BoundCounter<u64>,
    /// The collector did not take them.
    pub(super) failed: BoundCounter<u64>,
}

impl Counts {
    /// All are there from the start, at 0.
    fn new(meter: &Meter) -> Self {
        let spans = meter
            .u64_counter("telemetry.spans")
            .with_description("Spans by what became of them")
            .build();
        let of = |outcome: &'static str| {
            let labels = [KeyValue::new("outcome", outcome)];
            let counter = spans.bind(&labels);
            counter.add(0);
            counter
        };
        Self {
            sent: of("sent"),
            dropped: of("dropped"),
            failed: of("failed"),
        }
    }
}

impl Queue {
    pub(super) fn new(batches: Batches, meter: &Meter) -> Self {
        Self {
            waiting: Mutex::default(),
            complete: Notify::new(),
            batches,
            counts: Counts::new(meter),
        }
    }

    /// All that wait.
    pub(super) fn take(&self) -> Vec<Batch> {
        mem::take(&mut *self.waiting()).batches
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self) -> bool {
        self.waiting().spans >= self.batches.queue
    }

    /// A span has ended, and `write` gives its bytes.
    pub(super) fn add(&self, write: impl FnOnce() -> Vec<u8>) {
        // Looked at first, since writing costs more. Several threads may then add one each.
        if self.is_full() {
            self.counts.dropped.add(1);
            return;
        }
        let span = write();
        let mut waiting = self.waiting();
        waiting.spans += 1;
        let complete = waiting.spans == self.batches.batch;
        let batch = match waiting.batches.last_mut() {
            Some(batch) if batch.spans < self.batches.batch => batch,
            Some(_) | None => {
                waiting.batches.push(Batch::default());
                waiting.batches.last_mut().expect("the one just pushed")
            }
        };
        batch.spans += 1;
        otlp::add(&span, &mut batch.bytes);
        drop(waiting);
        if complete {
            self.complete.notify_one();
        }
    }
}
