//! Where spans wait until they are sent: bounded, and never waited for.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::metrics::{BoundCounter, Meter};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
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

    fn add(&self, span: SpanData) {
        // Looked at first, since writing it is most of what it costs. Several threads may then add one each.
        if self.is_full() {
            self.counts.dropped.add(1);
            return;
        }
        let written = otlp::span(span);
        let mut waiting = self.waiting();
        waiting.spans += 1;
        let complete = waiting.spans == self.batches.batch;
        match waiting.batches.last_mut() {
            Some(batch) if batch.spans < self.batches.batch => {
                batch.spans += 1;
                batch.bytes.extend_from_slice(&written);
            }
            Some(_) | None => waiting.batches.push(Batch {
                spans: 1,
                bytes: written,
            }),
        }
        drop(waiting);
        if complete {
            self.complete.notify_one();
        }
    }
}

/// The SDK's way into the queue.
#[derive(Debug)]
pub(super) struct Entrance(pub(super) Arc<Queue>);

impl SpanProcessor for Entrance {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.0.add(span);
        }
    }

    /// What waits is flushed by [`Flush`](crate::telemetry::collector::Flush), which knows how long that may take.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
