//! What `/readyz` tells: each check, and the task that keeps it up to date.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eventing::{KeysHealth, Verifier};
use runtime::readiness::{Readiness, ReadinessHandle};
use runtime::shutdown::Shutdown;
use zeebe_client::{Gateway, Topology, WorkerHealth};

use crate::command::deploy::{Deployed, deploy_files};
use crate::config::Config;
use crate::source::Source;

/// Between looks at an engine that answers.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Between looks at one that does not.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Keeps the checks of `/readyz` up to date.
pub(super) fn watch(
    config: &Config,
    gateway: &Gateway,
    source: Option<&Source>,
    readiness: &Readiness,
    shutdown: &Shutdown,
) {
    let engine = readiness.register("engine");
    shutdown.spawn(watch_engine(gateway.clone(), engine, shutdown.clone()));
    if !config.roles.source {
        return;
    }
    let destination = readiness.register("destination");
    let Some(source) = source else {
        let reason =
            "K_SINK is not set: the source waits for a SinkBinding to name the destination";
        tracing::warn!("{reason}");
        destination.not_ready(reason);
        shutdown.spawn(hold(destination, shutdown.clone()));
        return;
    };
    let mut trouble = source.destination_trouble();
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        loop {
            match trouble.borrow_and_update().clone() {
                None => destination.ready(),
                Some(trouble) => destination.not_ready(trouble.to_string()),
            }
            tokio::select! {
                changed = trouble.changed() => if changed.is_err() { return },
                () = stop.requested() => return,
            }
        }
    });
    let jobs = readiness.register("jobs");
    let mut health = source.engine_health();
    let address = config.engine.address.clone();
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        loop {
            match health.borrow_and_update().clone() {
                WorkerHealth::Unknown => jobs.not_ready("no answer to a request for jobs yet"),
                WorkerHealth::Connected => jobs.ready(),
                WorkerHealth::Failing(reason) => jobs.not_ready(format!("{address}: {reason}")),
            }
            tokio::select! {
                changed = health.changed() => if changed.is_err() { return },
                () = stop.requested() => return,
            }
        }
    });
}

/// A check that stays as it is until the end.
async fn hold(check: ReadinessHandle, shutdown: Shutdown) {
    shutdown.requested().await;
    drop(check);
}

/// Keeps the keys that senders are checked with.
pub(super) async fn watch_keys(
    verifier: Arc<Verifier>,
    check: ReadinessHandle,
    shutdown: Shutdown,
) {
    let mut health = verifier.health();
    let telling = async {
        loop {
            match health.borrow_and_update().clone() {
                KeysHealth::Unknown => check.not_ready("no answer from the issuer of tokens yet"),
                KeysHealth::Known => check.ready(),
                KeysHealth::Missing(why) => check.not_ready(why),
            }
            if health.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = verifier.keep_keys() => {}
        () = telling => {}
        () = shutdown.requested() => {}
    }
}

async fn watch_engine(gateway: Gateway, check: ReadinessHandle, shutdown: Shutdown) {
    check.not_ready("no answer from the engine yet");
    let mut answered = None;
    loop {
        let pause = match gateway.topology(Topology).await {
            Ok(topology) if topology.healthy_leaders > 0 => {
                check.ready();
                if answered != Some(true) {
                    tracing::info!(version = topology.gateway_version, "the engine answers");
                }
                answered = Some(true);
                LOOK_EVERY
            }
            Ok(_) => {
                check.not_ready("the engine has no partition with a healthy leader");
                LOOK_AGAIN
            }
            Err(error) => {
                let engine = &gateway.settings().address;
                check.not_ready(format!("{engine}: {error}"));
                if answered != Some(false) {
                    tracing::warn!(%engine, %error, "the engine does not answer");
                }
                answered = Some(false);
                LOOK_AGAIN
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.requested() => return,
        }
    }
}

/// Deploys the models of `MODELS` once the engine takes them; what is wrong with a model is said once
/// and keeps the program unready.
pub(super) async fn deploy_at_start(
    gateway: Gateway,
    models: Vec<PathBuf>,
    tenant_id: Option<String>,
    check: ReadinessHandle,
    shutdown: Shutdown,
) {
    check.not_ready("MODELS are not deployed yet");
    loop {
        match deploy_files(&gateway, &models, tenant_id.clone()).await {
            Ok(Deployed { answer, overlooked }) => {
                for line in overlooked {
                    tracing::warn!("{line}");
                }
                for resource in answer.resources {
                    tracing::info!(id = resource.id, version = resource.version, "deployed");
                }
                check.ready();
                break;
            }
            // The check logs a reason once, however often it is given.
            Err(error) => check.not_ready(format!("MODELS: {error}; trying again")),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN * 3) => {}
            () = shutdown.requested() => return,
        }
    }
    shutdown.requested().await;
}
