//! What the source counts. Labels come from closed sets, and those of a job that goes well are bound
//! once: looking them up costs several times as much as counting. Every series of a counter is there from
//! the start, at 0: whoever asks how much it grew must see the first job too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Counter, Meter};
use runtime::telemetry::metrics::{BoundDurations, Durations, Metrics};
use runtime::telemetry::traces::Span;
use tokio::sync::watch;
use zeebe_client::{JobWorker, WorkerStats};

use super::drain::Outcome;
use super::outcome::Ending;
use super::trouble::Trouble;

/// The scope of the room's instruments.
pub(super) const SCOPE: &str = "source";
/// Every way in which a job ends; the last three are the engine's word against ours.
const ENDINGS: [&str; 8] = [
    "complete",
    "throw_error",
    HAND_BACK,
    USE_RETRY,
    INCIDENT,
    GONE_ALREADY,
    TOO_LATE,
    REFUSED,
];
/// Whether the event of a job was sent before.
const ATTEMPTS: [&str; 2] = ["first", "again"];
/// Every way in which a drain ends.
const DRAINS: [&str; 5] = [
    "drained",
    "limit",
    "stopping",
    "engine_away",
    "destination_away",
];
pub(super) const HAND_BACK: &str = "hand_back";
pub(super) const USE_RETRY: &str = "use_retry";
pub(super) const INCIDENT: &str = "incident";
pub(super) const GONE_ALREADY: &str = "gone_already";
pub(super) const TOO_LATE: &str = "too_late";
pub(super) const REFUSED: &str = "refused";

/// The source's instruments; `docs/OPERATING.md` lists them.
#[derive(Debug, Clone)]
pub(super) struct SourceMetrics {
    deliveries: Durations,
    /// Of a first attempt, and of another.
    completing_deliveries: [BoundDurations; 2],
    accepted: BoundDurations,
    endings: Counter<u64>,
    completed: BoundCounter<u64>,
    loops: BoundCounter<u64>,
    replies: BoundCounter<u64>,
    drains: Counter<u64>,
    drained: BoundCounter<u64>,
    worked: Arc<AtomicU64>,
}

impl SourceMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let meter = metrics.meter(SCOPE);
        let deliveries = metrics.durations(
            SCOPE,
            "bridge.source.delivery.duration",
            "One delivery, by what it means for the job, and whether the event was sent before",
        );
        let accepted = metrics.durations(
            SCOPE,
            "bridge.source.activation_to_delivery",
            "From when a job came to when its event was accepted",
        );
        let endings = meter
            .u64_counter("bridge.source.jobs")
            .with_description("Jobs ended, by how")
            .build();
        let complete = [outcome_label(name(&Ending::Complete))];
        for how in ENDINGS {
            endings.add(0, &[outcome_label(how)]);
        }
        let loops = meter
            .u64_counter("bridge.source.loops")
            .with_description("Events that did not leave because they had come back too often")
            .build()
            .bind(&[]);
        let replies = meter
            .u64_counter("bridge.source.replies.dropped")
            .with_description("Reply events in answers, which are not taken")
            .build()
            .bind(&[]);
        let drains = meter
            .u64_counter("bridge.source.drains")
            .with_description("Drains ended, by how")
            .build();
        for how in DRAINS {
            drains.add(0, &[outcome_label(how)]);
        }
        let drained = meter
            .u64_counter("bridge.source.drains.jobs")
            .with_description("Jobs worked while somebody waited for a drain")
            .build()
            .bind(&[]);
        drained.add(0);
        loops.add(0);
        replies.add(0);
        Self {
            completing_deliveries: ATTEMPTS
                .map(|attempt| deliveries.bind(&delivery_labels(&Ending::Complete, attempt))),
            accepted: accepted.bind(&[]),
            deliveries,
            completed: endings.bind(&complete),
            endings,
            loops,
            replies,
            drains,
            drained,
            worked: Arc::default(),
        }
    }

    /// A delivery with this span was answered, or not in time; `again` where the event was sent before.
    pub(super) fn delivered(&self, ending: &Ending, again: bool, took: Duration, span: &Span) {
        let which = usize::from(again);
        if *ending == Ending::Complete {
            self.completing_deliveries[which].record(took, span);
        } else {
            let labels = delivery_labels(ending, ATTEMPTS[which]);
            self.deliveries.record(took, &labels, span);
        }
    }

    /// An event was accepted by a delivery with this span, so long after its job came.
    pub(super) fn accepted(&self, after: Duration, span: &Span) {
        self.accepted.record(after, span);
    }

    /// A job ended so; `worked` where it was by its event, neither handed back nor another's.
    pub(super) fn ended(&self, how: &'static str, worked: bool) {
        debug_assert!(ENDINGS.contains(&how), "`{how}` is not in the list");
        if worked {
            self.worked.fetch_add(1, Ordering::Relaxed);
        }
        if how == name(&Ending::Complete) {
            self.completed.add(1);
        } else {
            self.endings.add(1, &[outcome_label(how)]);
        }
    }

    /// So many jobs were worked.
    pub(super) fn worked(&self) -> u64 {
        self.worked.load(Ordering::Relaxed)
    }

    pub(super) fn drained(&self, outcome: &Outcome, jobs: u64) {
        let how = outcome.name();
        debug_assert!(DRAINS.contains(&how), "`{how}` is not in the list");
        self.drains.add(1, &[outcome_label(how)]);
        self.drained.add(jobs);
    }

    pub(super) fn looped(&self) {
        self.loops.add(1);
    }

    pub(super) fn reply_dropped(&self) {
        self.replies.add(1);
    }
}

fn delivery_labels(ending: &Ending, attempt: &'static str) -> [KeyValue; 2] {
    [
        KeyValue::new("attempt", attempt),
        outcome_label(name(ending)),
    ]
}

fn outcome_label(outcome: &'static str) -> KeyValue {
    KeyValue::new("outcome", outcome)
}

pub(super) fn name(ending: &Ending) -> &'static str {
    match ending {
        Ending::Complete => "complete",
        Ending::ThrowError(_) => "throw_error",
        Ending::HandBack(_) => HAND_BACK,
        Ending::UseRetry => USE_RETRY,
        Ending::Incident => INCIDENT,
    }
}

/// Shows whether the destination is away, or there is no token for it: 1 while that is so, by the same finding as in `/readyz`.
pub(super) fn observe_destination(meter: &Meter, trouble: watch::Receiver<Option<Trouble>>) {
    let _ = meter
        .u64_observable_gauge("bridge.source.destination.away")
        .with_description("1 while the destination takes no events")
        .with_callback(move |gauge| gauge.observe(u64::from(trouble.borrow().is_some()), &[]))
        .build();
}

/// Shows the worker's own counters.
pub(super) fn observe_worker(meter: &Meter, worker: &Arc<JobWorker>) {
    let held = Arc::downgrade(worker);
    let _ = meter
        .u64_observable_gauge("bridge.source.jobs.held")
        .with_description("Jobs held now")
        .with_callback(move |gauge| {
            if let Some(worker) = held.upgrade() {
                gauge.observe(worker.held() as u64, &[]);
            }
        })
        .build();
    type Read = fn(&WorkerStats) -> u64;
    let counters: [(&'static str, &'static str, Read); 7] = [
        (
            "bridge.source.jobs.polled",
            "Jobs that polls brought",
            WorkerStats::polled,
        ),
        (
            "bridge.source.jobs.streamed",
            "Jobs that streams brought",
            WorkerStats::streamed,
        ),
        ("bridge.source.polls", "Polls made", WorkerStats::polls),
        (
            "bridge.source.streams.opened",
            "Job streams opened",
            WorkerStats::stream_openings,
        ),
        (
            "bridge.source.streams.silent",
            "Job streams given up because they were silent",
            WorkerStats::stream_silences,
        ),
        (
            "bridge.source.renewals",
            "Job activations prolonged",
            WorkerStats::renewals,
        ),
        (
            "bridge.source.locks.lost",
            "Jobs that were lost while they were held",
            WorkerStats::locks_lost,
        ),
    ];
    for (name, description, read) in counters {
        let worker: Weak<JobWorker> = Arc::downgrade(worker);
        let _ = meter
            .u64_observable_counter(name)
            .with_description(description)
            .with_callback(move |counter| {
                if let Some(worker) = worker.upgrade() {
                    counter.observe(read(worker.stats()), &[]);
                }
            })
            .build();
    }
}
