//! When pods came, became ready and went, as the API server told it.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Deserializer, Value};

use crate::room::Room;

/// The life of one pod. Times are those at which a watch told of it, so a few milliseconds late.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// The pod object was made.
    pub(crate) added: SystemTime,
    /// It has a node.
    pub(crate) scheduled: Option<SystemTime>,
    /// Its network and volumes are there.
    pub(crate) prepared: Option<SystemTime>,
    /// The container `bridge` runs.
    pub(crate) started: Option<SystemTime>,
    /// All its containers are ready.
    pub(crate) ready: Option<SystemTime>,
    /// The pod object is gone.
    pub(crate) gone: Option<SystemTime>,
}

/// Watches the pods of a room that a selector selects.
pub(crate) struct Lives {
    lives: Arc<Mutex<BTreeMap<String, Life>>>,
    watch: Child,
}

impl Lives {
    /// From now on.
    pub(crate) fn watch(room: &Room, selector: &str) -> Self {
        let mut watch = Command::new("kubectl")
            .args(["--namespace", room.name(), "get", "pods"])
            .args(["--selector", selector, "--watch", "--output-watch-events"])
            .args(["--output", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl");
        let lives = Arc::new(Mutex::new(BTreeMap::new()));
        let told = watch.stdout.take().expect("a pipe");
        let kept = Arc::clone(&lives);
        std::thread::spawn(move || {
            for change in Deserializer::from_reader(told).into_iter::<Value>() {
                let Ok(change) = change else { break };
                let mut lives = kept.lock().unwrap_or_else(PoisonError::into_inner);
                take(&mut lives, &change, SystemTime::now());
            }
        });
        Self { lives, watch }
    }

    /// Those seen so far, by name.
    pub(crate) fn all(&self) -> BTreeMap<String, Life> {
        let lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        lives.clone()
    }

    /// Seconds that pods were there, summed up; those that still are, until now.
    pub(crate) fn pod_seconds(&self) -> f64 {
        let until = |life: &Life| life.gone.unwrap_or_else(SystemTime::now);
        self.all()
            .values()
            .map(|life| seconds(life.added, until(life)))
            .sum()
    }
}

impl Drop for Lives {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

/// From one to the other; negative where they came the other way round.
pub(crate) fn seconds(from: SystemTime, to: SystemTime) -> f64 {
    match to.duration_since(from) {
        Ok(duration) => duration.as_secs_f64(),
        Err(error) => -error.duration().as_secs_f64(),
    }
}

fn take(lives: &mut BTreeMap<String, Life>, change: &Value, now: SystemTime) {
    let pod = &change["object"];
    let Some(name) = pod["metadata"]["name"].as_str() else {
        return;
    };
    let life = lives.entry(name.to_owned()).or_insert(Life {
        added: now,
        scheduled: None,
        prepared: None,
        started: None,
        ready: None,
        gone: None,
    });
    if change["type"] == "DELETED" {
        life.gone.get_or_insert(now);
    }
    let status = &pod["status"];
    let is = |kind: &str| {
        let conditions = status["conditions"].as_array();
        conditions.is_some_and(|all| {
            all.iter()
                .any(|one| one["type"] == kind && one["status"] == "True")
        })
    };
    let runs = status["containerStatuses"].as_array().is_some_and(|all| {
        all.iter()
            .any(|one| one["name"] == "bridge" && one["state"]["running"].is_object())
    });
    for (happened, at) in [
        (is("PodScheduled"), &mut life.scheduled),
        (is("PodReadyToStartContainers"), &mut life.prepared),
        (runs, &mut life.started),
        (is("Ready"), &mut life.ready),
    ] {
        if happened {
            at.get_or_insert(now);
        }
    }
}
