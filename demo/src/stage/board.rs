//! What is known of the programs at this moment, for all who want to know.

use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal};
use serde::Serialize;

use super::warden::signal;

/// The programs, in the order of their start.
#[derive(Debug)]
pub(super) struct Board(Mutex<Vec<Entry>>);

/// How far a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Waits for others, or is on its way to being ready.
    Starting,
    Ready,
    Stopped,
}

/// What is told of a program.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    name: String,
    pid: Option<i32>,
    restarts: u32,
    state: State,
    /// It was killed from here: that is no fault of its own.
    #[serde(skip)]
    killed: bool,
}

/// Why a program cannot be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotKilled {
    Unknown,
    NotRunning,
}

impl Board {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let entries = names.map(|name| Entry {
            name: name.to_owned(),
            pid: None,
            restarts: 0,
            state: State::Starting,
            killed: false,
        });
        Self(Mutex::new(entries.collect()))
    }

    pub(super) fn all(&self) -> Vec<Entry> {
        self.entries().clone()
    }

    /// A run of it has begun.
    pub(super) fn started(&self, name: &str, group: Pid, restarts: u32) {
        self.change(name, |entry| {
            entry.pid = Some(group.as_raw_nonzero().get());
            entry.restarts = restarts;
            entry.killed = false;
        });
    }

    pub(super) fn is(&self, name: &str, state: State) {
        self.change(name, |entry| entry.state = state);
    }

    /// A run of it has ended; returns whether it was killed from here.
    pub(super) fn ended(&self, name: &str) -> bool {
        let mut killed = false;
        self.change(name, |entry| {
            entry.pid = None;
            entry.state = State::Starting;
            killed = entry.killed;
        });
        killed
    }

    /// Kills a program, as a machine that dies would; returns the id that it had.
    pub(super) fn kill(&self, name: &str) -> Result<i32, NotKilled> {
        let mut entries = self.entries();
        let entry = entries.iter_mut().find(|entry| entry.name == name);
        let entry = entry.ok_or(NotKilled::Unknown)?;
        let id = entry.pid.ok_or(NotKilled::NotRunning)?;
        let group = Pid::from_raw(id).ok_or(NotKilled::NotRunning)?;
        entry.killed = true;
        signal(group, Signal::KILL);
        Ok(id)
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries().iter_mut().find(|entry| entry.name == name) {
            change(entry);
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
