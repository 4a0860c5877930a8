//! Whether the program can do its work, and if not, why: named checks with a reason each.

use std::sync::Arc;

use tokio::sync::watch;

/// The reason every check gives once the program is leaving.
pub const STOPPING: &str = "stopping";

const STARTING: &str = "starting";
const ABANDONED: &str = "whoever watched this has ended";

/// All checks of one program. Ready means: every registered check is, and nobody is stopping.
///
/// Clones share their state.
#[derive(Clone, Debug)]
pub struct Readiness {
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Default)]
struct State {
    checks: Vec<Check>,
    next: usize,
    stopping: bool,
}

#[derive(Debug)]
struct Check {
    key: usize,
    name: &'static str,
    /// `None` is ready.
    reason: Option<String>,
}

/// What [`Readiness::snapshot`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The checks that are not ready, in the order of their registration; empty means ready.
    pub reasons: Vec<NotReady>,
    /// The checks that are ready.
    pub ready: Vec<&'static str>,
}

/// One check that is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady {
    /// The name it was registered under.
    pub check: &'static str,
    /// Why, in the words of whoever watches it.
    pub reason: String,
}

impl Snapshot {
    /// Whether nothing stands against working.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// No checks yet, hence ready.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(State::default())),
        }
    }

    /// Adds a check, not ready ("starting") until its handle says otherwise.
    ///
    /// `name` comes from a closed set and is shown to operators. Two checks may share a name; both
    /// then have to be ready.
    pub fn register(&self, name: &'static str) -> ReadinessHandle {
        let mut key = 0;
        self.state.send_modify(|state| {
            key = state.next;
            state.next += 1;
            state.checks.push(Check {
                key,
                name,
                reason: Some(STARTING.to_owned()),
            });
        });
        ReadinessHandle {
            readiness: self.clone(),
            name,
            key,
        }
    }

    /// Makes every check not ready, for good: the program is leaving.
    pub fn stop(&self) {
        self.state.send_modify(|state| state.stopping = true);
    }

    /// The state of all checks now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.borrow().snapshot()
    }

    /// Resolves once `wanted` holds of a snapshot, at once if it already does. Safe to drop.
    pub async fn when(&self, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let mut changes = self.state.subscribe();
        loop {
            let snapshot = changes.borrow_and_update().snapshot();
            if wanted(&snapshot) {
                return snapshot;
            }
            if changes.changed().await.is_err() {
                // Cannot happen while `self` holds the sender; waiting is right if it ever does.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl State {
    fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            reasons: Vec::new(),
            ready: Vec::new(),
        };
        for check in &self.checks {
            let reason = if self.stopping {
                Some(STOPPING)
            } else {
                check.reason.as_deref()
            };
            match reason {
                Some(reason) => snapshot.reasons.push(NotReady {
                    check: check.name,
                    reason: reason.to_owned(),
                }),
                None => snapshot.ready.push(check.name),
            }
        }
        if self.stopping && self.checks.is_empty() {
            snapshot.reasons.push(NotReady {
                check: "program",
                reason: STOPPING.to_owned(),
            });
        }
        snapshot
    }
}

// === impl ReadinessHandle ===

/// The hand that turns one check. Dropping it makes the check not ready: nobody watches any more
/// what it stood for.
#[derive(Debug)]
#[must_use = "dropping the handle makes the check not ready"]
pub struct ReadinessHandle {
    readiness: Readiness,
    name: &'static str,
    key: usize,
}

impl ReadinessHandle {
    /// The check holds.
    pub fn ready(&self) {
        self.set(None);
    }

    /// The check does not hold; `reason` says why and what is being done, and names no secret.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    fn set(&self, reason: Option<String>) {
        self.readiness.state.send_if_modified(|state| {
            let Some(check) = state.checks.iter_mut().find(|check| check.key == self.key) else {
                return false;
            };
            if check.reason == reason {
                return false;
            }
            // Logged here and only on a change, so that a check may be set as often as it is made.
            match &reason {
                None => tracing::info!(check = self.name, "ready"),
                Some(reason) => tracing::warn!(check = self.name, reason, "not ready"),
            }
            check.reason = reason;
            true
        });
    }
}

impl Drop for ReadinessHandle {
    fn drop(&mut self) {
        self.readiness.state.send_modify(|state| {
            if let Some(check) = state.checks.iter_mut().find(|check| check.key == self.key) {
                check.reason = Some(ABANDONED.to_owned());
            }
        });
    }
}
