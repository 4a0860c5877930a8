//! What is wrong with a configuration: unknown names, bad values, and values that contradict each other.

use std::fmt;
use std::time::Duration;

use super::Config;
use super::env::SETTINGS;
use super::read::Reader;

/// One thing wrong, with the variable it is wrong in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub variable: String,
    /// What is wrong with it, and what to write instead. Never a secret's value.
    pub problem: String,
}

impl Problem {
    pub(super) fn new(variable: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            variable: variable.into(),
            problem: problem.into(),
        }
    }
}

/// Everything wrong with a configuration, at least one [`Problem`]. Fatal before a port is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// A single problem.
    pub fn one(variable: &str, problem: String) -> Self {
        Self(vec![Problem::new(variable, problem)])
    }

    /// The problems, in the order in which the variables are read.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { variable, problem }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{variable}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Refuses `BRIDGE_*` variables that nobody reads: a misspelt setting must not be a silent default.
pub(super) fn unknown_variables<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Problem> {
    names
        .filter(|name| name.starts_with("BRIDGE_"))
        .filter(|name| SETTINGS.iter().all(|setting| setting.name != *name))
        .map(|name| {
            let nearest = SETTINGS
                .iter()
                .map(|setting| (strsim::jaro_winkler(name, setting.name), setting.name))
                .filter(|(_, known)| known.starts_with("BRIDGE_"))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map_or("", |(_, known)| known);
            Problem::new(name, format!("is not a setting; did you mean {nearest}?"))
        })
        .collect()
}

/// Compares settings with each other.
pub(super) fn relations(config: &Config, reader: &mut Reader<'_>) {
    if config.sink.retry_in_request >= config.sink.trigger_timeout {
        reader.problem(
            "BRIDGE_RETRY_IN_REQUEST_SECONDS",
            "must be below BRIDGE_TRIGGER_TIMEOUT_SECONDS: else the Broker gives up before it is answered",
        );
    }
    if config.sink.retry_in_request.is_zero()
        && config.engine.call_timeout >= config.sink.trigger_timeout
    {
        reader.problem(
            "BRIDGE_CALL_TIMEOUT_MS",
            "must be below BRIDGE_TRIGGER_TIMEOUT_SECONDS where BRIDGE_RETRY_IN_REQUEST_SECONDS is 0: else the Broker gives up before it is answered",
        );
    }
    if config.sink.trigger_timeout >= config.rules.time_to_live {
        reader.problem(
            "BRIDGE_TIME_TO_LIVE_SECONDS",
            "must be above BRIDGE_TRIGGER_TIMEOUT_SECONDS: else a redelivery is no longer recognised",
        );
    } else if config.rules.time_to_live < config.rules.trigger_horizon {
        reader.warn(format!(
            "BRIDGE_TIME_TO_LIVE_SECONDS is {} s, below the {} s over which Triggers redeliver: a late redelivery acts again",
            config.rules.time_to_live.as_secs(),
            config.rules.trigger_horizon.as_secs(),
        ));
    }
    if config.limits.max_batch_events > config.limits.max_commands_per_request {
        reader.warn(format!(
            "BRIDGE_MAX_BATCH_EVENTS is {}, above BRIDGE_MAX_COMMANDS_PER_REQUEST ({}): a full batch is refused where each event leads to a command",
            config.limits.max_batch_events, config.limits.max_commands_per_request,
        ));
    }
    if config.limits.max_event_bytes > config.limits.body_budget_bytes {
        reader.problem(
            "BRIDGE_BODY_BUDGET_BYTES",
            "must hold at least one event of BRIDGE_MAX_EVENT_BYTES",
        );
    }
    open_pages(config, reader);
    wake_ups(config, reader);
}

/// Pages that tell of events, or of who sends them, ask nobody for a token: on the port that events come to, whoever may send
/// may read them.
fn open_pages(config: &Config, reader: &mut Reader<'_>) {
    if config.bind.admin.is_some() {
        return;
    }
    if config.decisions_kept > 0 {
        reader.warn(format!(
            "BRIDGE_DECISIONS_KEPT is {} and BRIDGE_ADMIN_PORT is not set: whoever reaches PORT may read /debug/decisions, without a token; set BRIDGE_ADMIN_PORT, and let nobody else reach that port",
            config.decisions_kept,
        ));
    }
    if config.senders.is_some() {
        reader.warn(String::from(
            "BRIDGE_OIDC_ISSUER is set and BRIDGE_ADMIN_PORT is not: /readyz and /metrics are answered on PORT, where events need a token, without one; set BRIDGE_ADMIN_PORT, and let nobody else reach that port",
        ));
    }
}

/// How long queue proxies of Knative go on taking requests once their pod is to end: so much of the
/// Service's time is gone before our own grace begins.
const QUEUE_PROXY_QUIET: Duration = Duration::from_secs(30);

fn wake_ups(config: &Config, reader: &mut Reader<'_>) {
    let (drain, service_timeout) = (config.source.drain, config.source.service_timeout);
    if drain >= service_timeout {
        reader.problem(
            "BRIDGE_DRAIN_SECONDS",
            "must be below BRIDGE_SERVICE_TIMEOUT_SECONDS: else the queue proxy gives up before the drain is answered",
        );
    }
    if config.roles.source && drain <= config.source.job_timeout {
        reader.warn(format!(
            "BRIDGE_DRAIN_SECONDS is {} s, not above the {} s of BRIDGE_JOB_TIMEOUT_SECONDS: a drain ends before the jobs of a pod that died come back",
            drain.as_secs(),
            config.source.job_timeout.as_secs(),
        ));
    }
    if reader.is_given("BRIDGE_SERVICE_TIMEOUT_SECONDS")
        && config.grace + QUEUE_PROXY_QUIET > service_timeout
    {
        reader.warn(format!(
            "BRIDGE_GRACE_SECONDS is {} s, and the queue proxy takes {} s of the {} s of BRIDGE_SERVICE_TIMEOUT_SECONDS before: a stop may be cut off",
            config.grace.as_secs(),
            QUEUE_PROXY_QUIET.as_secs(),
            service_timeout.as_secs(),
        ));
    }
}
