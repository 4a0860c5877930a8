//! What the sink counts. Labels come from closed sets: command, outcome, status.
//!
//! Every series of a counter is there from the start, at 0: whoever asks how much it grew must see the
//! first event too. What every event does is bound to its labels here, once: looking them up costs several times as much
//! as counting. What is refused or repeated pays for the lookup.

use std::time::Duration;

use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter};
use runtime::telemetry::metrics::DURATION_BOUNDARIES;
use zeebe_client::ErrorKind;

use super::acknowledge::{Command, Outcome};
use super::limiter::Limiter;

/// Every status that the sink answers with.
const STATUSES: [StatusCode; 9] = [
    StatusCode::ACCEPTED,
    StatusCode::BAD_REQUEST,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// The sink's instruments; `docs/OPERATING.md` lists them.
#[derive(Debug, Clone)]
pub(super) struct SinkMetrics {
    requests: Counter<u64>,
    accepted: BoundCounter<u64>,
    events: BoundCounter<u64>,
    unmatched: BoundCounter<u64>,
    commands: Histogram<f64>,
    /// For each command, where its outcome is that it was done.
    done: [BoundHistogram<f64>; Command::ALL.len()],
    retries: Counter<u64>,
}

impl SinkMetrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let requests = meter
            .u64_counter("bridge.sink.requests")
            .with_description("Requests answered, by status")
            .build();
        let commands = meter
            .f64_histogram("bridge.sink.command.duration")
            .with_unit("s")
            .with_description("From a plan to the engine's last word on it, retries included")
            .with_boundaries(DURATION_BOUNDARIES.to_vec())
            .build();
        let events = meter
            .u64_counter("bridge.sink.events")
            .with_description("Events received")
            .build()
            .bind(&[]);
        let unmatched = meter
            .u64_counter("bridge.sink.events.unmatched")
            .with_description("Events that no rule selected")
            .build()
            .bind(&[]);
        let retries = meter
            .u64_counter("bridge.sink.command.retries")
            .with_description("Attempts after the first inside one request")
            .build();
        for status in STATUSES {
            requests.add(0, &[status_label(status)]);
        }
        for command in Command::ALL {
            retries.add(0, &[command_label(command)]);
        }
        events.add(0);
        unmatched.add(0);
        Self {
            accepted: requests.bind(&[status_label(StatusCode::ACCEPTED)]),
            requests,
            events,
            unmatched,
            done: Command::ALL
                .map(|command| commands.bind(&command_labels(command, Outcome::Done))),
            commands,
            retries,
        }
    }

    pub(super) fn answered(&self, status: StatusCode) {
        if status == StatusCode::ACCEPTED {
            self.accepted.add(1);
        } else {
            self.requests.add(1, &[status_label(status)]);
        }
    }

    pub(super) fn received(&self, events: usize) {
        self.events.add(events as u64);
    }

    pub(super) fn unmatched(&self) {
        self.unmatched.add(1);
    }

    pub(super) fn retried(&self, command: Command) {
        self.retries.add(1, &[command_label(command)]);
    }

    pub(super) fn command(&self, command: Command, outcome: Outcome, took: Duration) {
        let seconds = took.as_secs_f64();
        match outcome {
            Outcome::Done => {
                if let Some(done) = self.done.get(command as usize) {
                    done.record(seconds);
                }
            }
            Outcome::Refused(_) | Outcome::UnknownAtMostOnce => {
                self.commands
                    .record(seconds, &command_labels(command, outcome));
            }
        }
    }
}

/// Shows how many commands wait for a place among those in flight.
pub(super) fn observe_limiter(meter: &Meter, limiter: &Limiter) {
    let limiter = limiter.clone();
    let _ = meter
        .u64_observable_gauge("bridge.sink.commands.waiting")
        .with_description("Commands that wait for a place among those in flight")
        .with_callback(move |gauge| gauge.observe(limiter.waiting() as u64, &[]))
        .build();
}

fn status_label(status: StatusCode) -> KeyValue {
    KeyValue::new("status", i64::from(status.as_u16()))
}

fn command_label(command: Command) -> KeyValue {
    KeyValue::new("command", command.name())
}

fn command_labels(command: Command, outcome: Outcome) -> [KeyValue; 2] {
    [
        command_label(command),
        KeyValue::new("outcome", name(outcome)),
    ]
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::UnknownAtMostOnce => "unknown_at_most_once",
        Outcome::Refused(kind) => refused(kind),
    }
}

/// Why the engine did not take a command, in one word.
pub(super) fn refused(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Duplicate => "duplicate",
        ErrorKind::Backpressure => "backpressure",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::OutcomeUnknown => "outcome_unknown",
        ErrorKind::NotFound => "not_found",
        ErrorKind::WrongState => "wrong_state",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::Invalid => "invalid",
        ErrorKind::CredentialsRefused => "credentials_refused",
        ErrorKind::Denied => "denied",
    }
}
