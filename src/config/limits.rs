//! What the network may ask of the sink, and how the sink answers.

use std::path::PathBuf;
use std::time::Duration;

use super::read::Reader;

/// Bounds that hold whatever is sent.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at one time.
    pub max_connections: usize,
    /// The time a sender has for a request's head.
    pub header_timeout: Duration,
    /// Bytes a second, the least a body may bring.
    pub min_body_rate: u64,
    /// Bytes of bodies held at one time.
    pub body_budget_bytes: usize,
    /// Bytes of the largest body.
    pub max_event_bytes: usize,
    /// Events in one batch.
    pub max_batch_events: usize,
    /// Engine commands that one request may lead to.
    pub max_commands_per_request: usize,
    /// Engine commands at one time.
    pub max_commands_in_flight: usize,
}

/// The sink role's settings.
#[derive(Debug, Clone)]
pub struct SinkConfig {
    /// What an event gets that no rule selects.
    pub no_rule: NoRule,
    /// What an event gets whose process is not deployed.
    pub not_deployed: NotDeployed,
    /// How long a command is retried inside one request.
    pub retry_in_request: Duration,
    /// The `delivery.timeout` of the Triggers, to compare with.
    pub trigger_timeout: Duration,
}

/// What rules are read against.
#[derive(Debug, Clone)]
pub struct RulesConfig {
    /// The rules file; `None` where every event is published.
    pub file: Option<PathBuf>,
    /// Of messages whose rule names none.
    pub time_to_live: Duration,
    /// Takes data that is not a JSON object.
    pub data_variable: String,
    /// Takes the context attributes, if asked.
    pub event_variable: Option<String>,
    /// How long the Triggers redeliver, to compare with.
    pub trigger_horizon: Duration,
    /// The tenant named in commands; `None` is the engine's default.
    pub tenant_id: Option<String>,
}

/// What an event gets that no rule selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRule {
    /// 202 and a metric.
    Accept,
    /// 422: the dead letter sink has it.
    Refuse,
}

/// What an event gets whose process is not deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDeployed {
    /// 503: the order of deployments does not matter.
    Retry,
    /// 422: the dead letter sink has it at once.
    Refuse,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Limits {
    const GIB: u64 = 1 << 30;
    Limits {
        max_connections: reader.number("BRIDGE_MAX_CONNECTIONS", 1, 1_000_000) as usize,
        header_timeout: reader.millis("BRIDGE_HEADER_TIMEOUT_MS", 10, 600_000),
        min_body_rate: reader.number("BRIDGE_MIN_BODY_RATE_BYTES_PER_SECOND", 1, GIB),
        body_budget_bytes: reader.number("BRIDGE_BODY_BUDGET_BYTES", 1024, 64 * GIB) as usize,
        max_event_bytes: reader.number("BRIDGE_MAX_EVENT_BYTES", 1024, 64 << 20) as usize,
        max_batch_events: reader.number("BRIDGE_MAX_BATCH_EVENTS", 1, 100_000) as usize,
        max_commands_per_request: reader.number("BRIDGE_MAX_COMMANDS_PER_REQUEST", 1, 100_000)
            as usize,
        max_commands_in_flight: reader.number("BRIDGE_MAX_COMMANDS_IN_FLIGHT", 1, 100_000) as usize,
    }
}

pub(super) fn read_sink(reader: &mut Reader<'_>) -> SinkConfig {
    SinkConfig {
        no_rule: reader.one_of(
            "BRIDGE_NO_RULE",
            &[("accept", NoRule::Accept), ("refuse", NoRule::Refuse)],
        ),
        not_deployed: reader.one_of(
            "BRIDGE_NOT_DEPLOYED",
            &[
                ("retry", NotDeployed::Retry),
                ("refuse", NotDeployed::Refuse),
            ],
        ),
        retry_in_request: reader.seconds("BRIDGE_RETRY_IN_REQUEST_SECONDS", 0, 3600),
        trigger_timeout: reader.seconds("BRIDGE_TRIGGER_TIMEOUT_SECONDS", 1, 86_400),
    }
}

pub(super) fn read_rules(reader: &mut Reader<'_>) -> RulesConfig {
    const YEAR: u64 = 366 * 86_400;
    RulesConfig {
        file: reader.optional("RULES").map(PathBuf::from),
        time_to_live: reader.seconds("BRIDGE_TIME_TO_LIVE_SECONDS", 1, YEAR),
        data_variable: variable_name(reader, "BRIDGE_DATA_VARIABLE").unwrap_or_default(),
        event_variable: variable_name(reader, "BRIDGE_EVENT_VARIABLE"),
        trigger_horizon: reader.seconds("BRIDGE_TRIGGER_HORIZON_SECONDS", 1, YEAR),
        tenant_id: reader.optional("ZEEBE_DEFAULT_TENANT_ID"),
    }
}

/// A variable's name as expressions in models can say it.
fn variable_name(reader: &mut Reader<'_>, variable: &'static str) -> Option<String> {
    let name = reader.text(variable);
    if name.is_empty() {
        return None;
    }
    let mut characters = name.chars();
    let first = characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        reader.problem(
            variable,
            format!("`{name}` is not a name for a variable; use letters, digits and `_`, not a digit first"),
        );
    } else if name == crate::rules::TRAVEL_VARIABLE {
        reader.problem(
            variable,
            format!("`{name}` is taken: it carries trace context and hops"),
        );
    }
    Some(name)
}
