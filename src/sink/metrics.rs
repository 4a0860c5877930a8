//! What the sink counts. Labels come from closed sets: command, outcome, status.

use std::time::Duration;

use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use runtime::telemetry::metrics::DURATION_BOUNDARIES;
use zeebe_client::ErrorKind;

use super::acknowledge::{Command, Outcome};

/// The sink's instruments; `docs/OPERATING.md` lists them.
#[derive(Debug, Clone)]
pub(super) struct SinkMetrics {
    requests: Counter<u64>,
    events: Counter<u64>,
    unmatched: Counter<u64>,
    commands: Histogram<f64>,
    retries: Counter<u64>,
}

impl SinkMetrics {
    pub(super) fn new(meter: &Meter) -> Self {
        Self {
            requests: meter
                .u64_counter("bridge.sink.requests")
                .with_description("Requests answered, by status")
                .build(),
            events: meter
                .u64_counter("bridge.sink.events")
                .with_description("Events received")
                .build(),
            unmatched: meter
                .u64_counter("bridge.sink.events.unmatched")
                .with_description("Events that no rule selected")
                .build(),
            commands: meter
                .f64_histogram("bridge.sink.command.duration")
                .with_unit("s")
                .with_description("From a plan to the engine's last word on it, retries included")
                .with_boundaries(DURATION_BOUNDARIES.to_vec())
                .build(),
            retries: meter
                .u64_counter("bridge.sink.command.retries")
                .with_description("Attempts after the first inside one request")
                .build(),
        }
    }

    pub(super) fn answered(&self, status: StatusCode) {
        self.requests
            .add(1, &[KeyValue::new("status", i64::from(status.as_u16()))]);
    }

    pub(super) fn received(&self, events: usize) {
        self.events.add(events as u64, &[]);
    }

    pub(super) fn unmatched(&self) {
        self.unmatched.add(1, &[]);
    }

    pub(super) fn retried(&self, command: Command) {
        self.retries
            .add(1, &[KeyValue::new("command", command.name())]);
    }

    pub(super) fn command(&self, command: Command, outcome: Outcome, took: Duration) {
        self.commands.record(
            took.as_secs_f64(),
            &[
                KeyValue::new("command", command.name()),
                KeyValue::new("outcome", name(outcome)),
            ],
        );
    }
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::UnknownAtMostOnce => "unknown_at_most_once",
        Outcome::Refused(kind) => match kind {
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
        },
    }
}
