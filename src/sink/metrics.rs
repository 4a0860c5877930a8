//! What the sink counts. Labels come from closed sets: command, outcome, status, the rules of the file.
//!
//! Every series of a counter is there from the start, at 0: whoever asks how much it grew must see the
//! first event too. What every event does is bound to its labels here, once: looking them up costs several times as much
//! as counting. What is refused or repeated pays for the lookup.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use eventing::spans::UNANSWERED;
use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Counter};
use runtime::telemetry::metrics::{BoundDurations, Durations, Metrics};
use runtime::telemetry::traces::Span;
use zeebe_client::ErrorKind;

use super::acknowledge::{Acknowledgement, Command, Outcome};
use super::limiter::Limiter;
use crate::rules::Rules;

/// The scope of the room's instruments.
const SCOPE: &str = "sink";
/// Stands for the rule where there is no rules file.
const NO_RULES_FILE: &str = "default";

/// Every status that the sink answers with.
const STATUSES: [StatusCode; 11] = [
    StatusCode::ACCEPTED,
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
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
    unanswered: BoundCounter<u64>,
    events: BoundCounter<u64>,
    unmatched: BoundCounter<u64>,
    commands: Durations,
    /// For each command, where its outcome is that it was done.
    done: [BoundDurations; Command::ALL.len()],
    retries: Counter<u64>,
    /// For each rule what it led to, by how the event's sender was told.
    by_rule: HashMap<Arc<str>, [BoundCounter<u64>; Acknowledgement::ALL.len()]>,
}

impl SinkMetrics {
    pub(super) fn new(metrics: &Metrics, rules: &Rules) -> Self {
        let meter = metrics.meter(SCOPE);
        let requests = meter
            .u64_counter("bridge.sink.requests")
            .with_description("Requests, by the status that they were answered with")
            .build();
        let commands = metrics.durations(
            SCOPE,
            "bridge.sink.command.duration",
            "From a plan to the engine's last word on it, retries included",
        );
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
        let rule_commands = meter
            .u64_counter("bridge.sink.rule.commands")
            .with_description("Commands that rules led to, by what their events' senders were told")
            .build();
        let by_rule = rules.names().chain(without_file(rules)).map(|rule| {
            let bound = Acknowledgement::ALL.map(|acknowledgement| {
                let counter = rule_commands.bind(&[
                    KeyValue::new("rule", rule.to_owned()),
                    KeyValue::new("acknowledgement", acknowledgement.name()),
                ]);
                counter.add(0);
                counter
            });
            (Arc::from(rule), bound)
        });
        let by_rule = by_rule.collect();
        for status in STATUSES {
            requests.add(0, &[status_label(status)]);
        }
        for command in Command::ALL {
            retries.add(0, &[command_label(command)]);
        }
        let unanswered = requests.bind(&[KeyValue::new("status", UNANSWERED)]);
        unanswered.add(0);
        events.add(0);
        unmatched.add(0);
        Self {
            accepted: requests.bind(&[status_label(StatusCode::ACCEPTED)]),
            unanswered,
            requests,
            events,
            unmatched,
            done: Command::ALL
                .map(|command| commands.bind(&command_labels(command, Outcome::Done))),
            commands,
            retries,
            by_rule,
        }
    }

    pub(super) fn answered(&self, status: StatusCode) {
        if status == StatusCode::ACCEPTED {
            self.accepted.add(1);
        } else {
            self.requests.add(1, &[status_label(status)]);
        }
    }

    /// A request has no answer, and will have none.
    pub(super) fn unanswered(&self) {
        self.unanswered.add(1);
    }

    /// A command that a rule led to has its last word, or a rule was to lead to one and could not.
    pub(super) fn acknowledged(&self, rule: Option<&Arc<str>>, acknowledgement: Acknowledgement) {
        let rule = rule.map_or(NO_RULES_FILE, |rule| rule);
        let counters = self.by_rule.get(rule);
        if let Some(counter) = counters.and_then(|all| all.get(acknowledgement as usize)) {
            counter.add(1);
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

    /// A command of the event with this span has its last word.
    pub(super) fn command(&self, command: Command, outcome: Outcome, took: Duration, span: &Span) {
        match outcome {
            Outcome::Done => {
                if let Some(done) = self.done.get(command as usize) {
                    done.record(took, span);
                }
            }
            Outcome::Refused(_) | Outcome::UnknownAtMostOnce => {
                self.commands
                    .record(took, &command_labels(command, outcome), span);
            }
        }
    }
}

/// The name under which events are counted where there is no rules file.
fn without_file(rules: &Rules) -> Option<&'static str> {
    rules.names().next().is_none().then_some(NO_RULES_FILE)
}

/// Shows how many commands wait for a place among those in flight.
pub(super) fn observe_limiter(metrics: &Metrics, limiter: &Limiter) {
    let limiter = limiter.clone();
    let _ = metrics
        .meter(SCOPE)
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

/// The outcome of a command in one word.
pub(super) fn name(outcome: Outcome) -> &'static str {
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
