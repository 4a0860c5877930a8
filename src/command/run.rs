//! `run`: the roles that the environment configures, from start to graceful stop.

mod checks;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use eventing::Verifier;
use runtime::body::BodyRate;
use runtime::listener::{Listener, ServeLimits};
use runtime::readiness::Readiness;
use runtime::shutdown::Shutdown;
use runtime::telemetry::collector::Flush;
use runtime::telemetry::logs::LogFilter;
use runtime::telemetry::metrics::{Metrics, MetricsError};
use runtime::telemetry::traces::{self, Traces};
use zeebe_client::Gateway;

use super::deploy::{models, nothing_in};
use crate::admin;
use crate::config::{Config, ConfigErrors, Limits, RulesConfig};
use crate::decisions::Decisions;
use crate::recipient::{Recipient, Senders};
use crate::rules::{DefaultRule, Rules, Settings};
use crate::sink::{Signals, Sink};
use crate::source::{NoSource, Source, drain_router};

/// The name of the program in telemetry.
const SERVICE: &str = "eventing-zeebe";
/// What part of the grace is kept for the last spans and the last push of metrics, which leave at one time.
const FLUSH_SHARE: u32 = 5;
/// Requests at one time on one HTTP/2 connection: their heads are in memory before anybody can refuse them.
const MAX_STREAMS: u32 = 32;
/// How long a sender may be silent in the middle of a body.
const BODY_GRACE: Duration = Duration::from_secs(5);

/// Runs until `shutdown` is requested and what was begun has ended.
///
/// # Errors
/// Rules, certificates or ports that cannot be used; all of them before the first event is taken.
pub async fn run(
    config: Config,
    log_filter: LogFilter,
    shutdown: &Shutdown,
) -> Result<(), Box<dyn Error>> {
    let rules = load_rules(&config.rules)?;
    let models = models(&config.models).map_err(|error| ConfigErrors::one("MODELS", error))?;
    // A ConfigMap that may be missing is mounted as an empty directory.
    for folder in &models.empty {
        tracing::warn!(
            "MODELS: {}: nothing is deployed from it",
            nothing_in(folder)
        );
    }
    for warning in config
        .warnings
        .iter()
        .map(String::as_str)
        .chain(rules.warnings().iter().map(String::as_str))
    {
        tracing::warn!("{warning}");
    }
    let verifier = match config.senders.clone() {
        None => None,
        Some(settings) => {
            let verifier = Verifier::new(settings).map_err(|error| {
                ConfigErrors::one("BRIDGE_OIDC_CA_CERTIFICATE_PATH", error.to_string())
            })?;
            Some(Arc::new(verifier))
        }
    };
    let (metrics, last_push) = start_metrics(&config)?;
    let (traces, last_spans) = start_traces(&config, &metrics);
    let flush_time = config.grace / FLUSH_SHARE;
    if last_push.is_some() || last_spans.is_some() {
        shutdown.reserve(flush_time);
    }
    let gateway = Gateway::new(config.engine.clone())?;
    let main = Listener::bind(config.bind.main).await?;
    let admin = match config.bind.admin {
        Some(address) => Some(Listener::bind(address).await?),
        None => None,
    };
    let readiness = Readiness::new();
    let decisions = Decisions::keep(config.decisions_kept);
    let senders = verifier
        .as_ref()
        .map(|verifier| Senders::new(Arc::clone(verifier), &metrics.meter("recipient")));
    let recipient = Arc::new(Recipient::new(&config.limits, senders));
    let sink = config.roles.sink.then(|| {
        Sink::new(
            rules,
            gateway.clone(),
            Arc::clone(&recipient),
            &config.sink,
            &config.limits,
            Signals {
                metrics: &metrics,
                traces: traces.clone(),
                decisions: decisions.clone(),
            },
        )
    });

    let address = main.address();
    tracing::info!(
        %address,
        admin = admin.as_ref().map(|admin| admin.address().to_string()),
        sink = config.roles.sink,
        source = config.roles.source,
        engine = %config.engine.address,
        destination = config.source.binding.as_ref().map(|binding| binding.destination().to_string()),
        "listening"
    );
    if config.roles.by_binding && !config.roles.source {
        tracing::info!(
            "no source role, so no jobs are worked: K_SINK is not set; a SinkBinding sets it"
        );
    }
    let limits = serve_limits(&config.limits);
    let admin_routes = admin::router(readiness.clone(), metrics.clone(), decisions.clone());
    let (routes, admin_serving) = match admin {
        Some(listener) => {
            let routes = admin_routes.merge(admin::log_router(log_filter));
            let serving = listener.serve(routes, limits, shutdown.clone());
            (admin::health_router(), Some(serving))
        }
        None => (admin_routes, None),
    };
    let routes = match &sink {
        Some(sink) => routes.merge(sink.router()),
        None => routes,
    };
    let source = start_source(&config, &gateway, decisions, &metrics, traces.clone())?;
    let routes = routes.merge(drain_router(
        source.as_ref().ok_or(no_source(&config)),
        recipient,
        &config.source,
        config.sink.retry_in_request,
        shutdown,
        traces,
    ));
    checks::watch(&config, &gateway, source.as_ref(), &readiness, shutdown);
    if let Some(verifier) = verifier {
        let check = readiness.register("senders");
        shutdown.spawn(checks::watch_keys(verifier, check, shutdown.clone()));
    }
    if !models.found.is_empty() {
        let check = readiness.register("models");
        shutdown.spawn(checks::deploy_at_start(
            gateway.clone(),
            models.found,
            config.tenant_id.clone(),
            check,
            shutdown.clone(),
        ));
    }

    let stopping = async {
        shutdown.requested().await;
        readiness.stop();
    };
    let working = async {
        if let Some(source) = &source {
            source.run(shutdown).await;
        }
    };
    let serving_admin = async {
        if let Some(serving) = admin_serving {
            let _ = serving.await;
        }
    };
    let ((), (), (), served) = tokio::join!(
        stopping,
        working,
        serving_admin,
        serve(main, routes, limits, shutdown)
    );
    if served.cut_requests > 0 {
        tracing::warn!(
            requests = served.cut_requests,
            "the grace ended with requests unanswered; their senders will repeat them"
        );
    }
    if let Some(sink) = &sink {
        tokio::select! {
            biased;
            () = sink.drained() => {}
            () = shutdown.expired() => {
                tracing::warn!("the grace ended with commands under way");
                sink.cut().await;
            }
        }
    }
    // What was still in hand is dropped by now, so that its spans are among the last ones.
    let _ = shutdown.drained().await;
    tokio::join!(
        flushed(last_spans, flush_time),
        flushed(last_push, flush_time)
    );
    tracing::info!("stopped");
    Ok(())
}

/// Metrics are read as text alone where nobody takes them, and where the settings cannot be used.
fn start_metrics(config: &Config) -> Result<(Metrics, Option<Flush>), MetricsError> {
    let version = env!("CARGO_PKG_VERSION");
    let Some(settings) = &config.telemetry.metrics else {
        return Ok((Metrics::new(SERVICE, version)?, None));
    };
    let (metrics, pushed) = Metrics::pushed(SERVICE, version, settings)?;
    match pushed {
        Ok(flush) => {
            tracing::info!(
                collector = settings.collector.endpoint,
                "metrics are pushed"
            );
            Ok((metrics, Some(flush)))
        }
        Err(error) => {
            tracing::warn!(%error, "metrics are not pushed");
            Ok((metrics, None))
        }
    }
}

/// Traces are off where nobody takes them, and where their settings cannot be used: the work goes on without.
fn start_traces(config: &Config, metrics: &Metrics) -> (Traces, Option<Flush>) {
    let off = Traces::passing_on(config.telemetry.propagators);
    let Some(settings) = &config.telemetry.traces else {
        return (off, None);
    };
    let meter = metrics.meter("telemetry");
    match traces::start(settings, SERVICE, env!("CARGO_PKG_VERSION"), &meter) {
        Ok((traces, flush)) => {
            tracing::info!(collector = settings.collector.endpoint, "traces are sent");
            (traces, Some(flush))
        }
        Err(error) => {
            tracing::warn!(%error, "traces are off");
            (off, None)
        }
    }
}

async fn flushed(flush: Option<Flush>, limit: Duration) {
    if let Some(flush) = flush {
        flush.within(limit).await;
    }
}

async fn serve(
    listener: Listener,
    routes: Router,
    limits: ServeLimits,
    shutdown: &Shutdown,
) -> runtime::listener::Served {
    listener.serve(routes, limits, shutdown.clone()).await
}

/// Reads the rules file, or falls back to what happens without one.
///
/// # Errors
/// A file that cannot be read, or the first mistake in it.
pub fn load_rules(config: &RulesConfig) -> Result<Rules, ConfigErrors> {
    let defaults = DefaultRule {
        time_to_live: config.time_to_live,
        data_variable: config.data_variable.clone(),
        event_variable: config.event_variable.clone(),
        tenant_id: config.tenant_id.clone(),
    };
    let Some(path) = &config.file else {
        return Ok(Rules::default_rules(defaults));
    };
    let mistake = |problem: String| ConfigErrors::one("RULES", problem);
    let text = std::fs::read_to_string(path)
        .map_err(|error| mistake(format!("cannot read {}: {error}", path.display())))?;
    let settings = Settings {
        defaults,
        retry_horizon: config.trigger_horizon,
    };
    Rules::load(&text, &path.display().to_string(), settings)
        .map_err(|error| mistake(error.to_string()))
}

fn serve_limits(limits: &Limits) -> ServeLimits {
    ServeLimits {
        max_connections: limits.max_connections,
        max_streams: MAX_STREAMS,
        header_deadline: limits.header_timeout,
        body_rate: BodyRate {
            bytes_per_second: u32::try_from(limits.min_body_rate).unwrap_or(u32::MAX),
            grace: BODY_GRACE,
        },
        ..ServeLimits::default()
    }
}

fn start_source(
    config: &Config,
    gateway: &Gateway,
    decisions: Decisions,
    metrics: &Metrics,
    traces: Traces,
) -> Result<Option<Source>, Box<dyn Error>> {
    match &config.source.binding {
        Some(binding) if config.roles.source => {
            let tenant_id = config.tenant_id.as_deref();
            Ok(Some(Source::start(
                gateway.clone(),
                binding,
                &config.source,
                tenant_id,
                decisions,
                metrics,
                traces,
            )?))
        }
        Some(_) | None => Ok(None),
    }
}

/// Why there is no source, where there is none.
fn no_source(config: &Config) -> NoSource {
    if config.roles.source || config.roles.by_binding {
        NoSource::Destination
    } else {
        NoSource::Role
    }
}
