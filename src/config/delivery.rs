//! The source role's settings: the destination, the job worker, the deliveries.

use std::path::Path;
use std::time::Duration;

use super::allowed::AllowedDestination;
use super::read::{Reader, shown};

/// The source role's settings.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Where events go; `None` where no SinkBinding has spoken yet.
    pub binding: Option<eventing::SinkBinding>,
    /// The job types worked.
    pub job_types: Vec<String>,
    /// The variables jobs bring; empty for all they can see.
    pub fetch_variables: Vec<String>,
    /// The `source` attribute of our events.
    pub event_source: String,
    /// What a `Host` header may choose.
    pub allowed_destinations: Vec<AllowedDestination>,
    /// Jobs held at one time.
    pub max_jobs_active: usize,
    /// Bytes of jobs held at one time.
    pub job_budget_bytes: usize,
    /// How long the engine keeps a job for us without a sign of life.
    pub job_timeout: Duration,
    /// Between polls, and of a long poll.
    pub poll_interval: Duration,
    /// Whether the job stream is used.
    pub stream: bool,
    /// Of one delivery.
    pub delivery_timeout: Duration,
    /// The first pause of a job whose delivery failed.
    pub retry_backoff: Duration,
    /// How often an event may come back through a process.
    pub hop_limit: u32,
    /// How long a drain may go on before it takes nothing more into account.
    pub drain: Duration,
    /// The Knative Service's `timeoutSeconds`, to compare with and to answer before.
    pub service_timeout: Duration,
    /// How a job goes on from the trace of its process.
    pub trace_continue: TraceContinue,
}

/// How a job goes on from the trace that its process was last moved by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceContinue {
    /// In the same trace, however long ago that was.
    Parent,
    /// In a trace of its own, with a link to it.
    Link,
}

pub(super) fn read(reader: &mut Reader<'_>) -> SourceConfig {
    let token_path = reader.text("BRIDGE_OIDC_TOKEN_PATH");
    let binding = eventing::SinkBinding::from_parts(
        reader.optional("K_SINK").as_deref(),
        reader.optional("K_CE_OVERRIDES").as_deref(),
        reader.optional("K_CA_CERTS").as_deref(),
        Some(Path::new(&token_path)),
    );
    let token_required = reader.flag("BRIDGE_OIDC_TOKEN_REQUIRED");
    let binding = match binding {
        Ok(binding) if token_required => binding.map(eventing::SinkBinding::requiring_token),
        Ok(binding) => binding,
        Err(error) => {
            reader.problem(error.variable(), error.to_string());
            None
        }
    };
    let job_types = reader.list("ZEEBE_JOB_TYPES");
    if job_types.is_empty() {
        reader.problem("ZEEBE_JOB_TYPES", "names no job type");
    }
    SourceConfig {
        binding,
        job_types,
        fetch_variables: reader.list("FETCH_VARIABLES"),
        event_source: event_source(reader),
        allowed_destinations: allowed_destinations(reader),
        max_jobs_active: reader.number("BRIDGE_MAX_JOBS_ACTIVE", 1, 10_000) as usize,
        job_budget_bytes: reader.number("BRIDGE_JOB_BUDGET_BYTES", 4 << 20, 64 << 30) as usize,
        job_timeout: reader.seconds("BRIDGE_JOB_TIMEOUT_SECONDS", 3, 3600),
        poll_interval: reader.seconds("BRIDGE_POLL_INTERVAL_SECONDS", 1, 3600),
        stream: reader.flag_on("BRIDGE_STREAM"),
        delivery_timeout: reader.seconds("BRIDGE_DELIVERY_TIMEOUT_SECONDS", 1, 86_400),
        retry_backoff: reader.millis("BRIDGE_RETRY_BACKOFF_MS", 1, 60_000),
        hop_limit: reader.number("BRIDGE_HOP_LIMIT", 1, 255) as u32,
        trace_continue: reader.one_of(
            "BRIDGE_TRACE_CONTINUE",
            &[
                ("parent", TraceContinue::Parent),
                ("link", TraceContinue::Link),
            ],
        ),
        drain: reader.seconds("BRIDGE_DRAIN_SECONDS", 1, 86_400),
        service_timeout: reader.seconds("BRIDGE_SERVICE_TIMEOUT_SECONDS", 1, 86_400),
    }
}

fn event_source(reader: &mut Reader<'_>) -> String {
    let name = reader.text("BRIDGE_ENGINE_NAME");
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
    {
        reader.problem(
            "BRIDGE_ENGINE_NAME",
            format!("`{name}` cannot stand in a URI; use letters, digits and `-._~`"),
        );
    }
    format!("/zeebe/{name}")
}

fn allowed_destinations(reader: &mut Reader<'_>) -> Vec<AllowedDestination> {
    let mut allowed = Vec::new();
    for item in reader.list("BRIDGE_ALLOWED_DESTINATIONS") {
        let read = item
            .parse::<http::Uri>()
            .map_err(|_| "is not a URL")
            .and_then(|uri| AllowedDestination::new(&uri));
        match read {
            Ok(destination) => allowed.push(destination),
            Err(why) => reader.problem(
                "BRIDGE_ALLOWED_DESTINATIONS",
                format!(
                    "`{}` {why}; write an absolute URL such as http://tickets.shop.svc.cluster.local/",
                    shown(&item)
                ),
            ),
        }
    }
    allowed
}
