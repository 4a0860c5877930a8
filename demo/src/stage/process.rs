//! One run of one program: a process group of its own, its output in a file.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::warden::{Warden, signal};

/// What is run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) command: String,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
}

/// A program that runs. When it is dropped, all of its group is killed.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Pid,
    warden: Arc<Warden>,
}

impl Process {
    /// Starts it; its output goes to the stage's own where there is no file. `demo` is this executable.
    pub(super) async fn start(
        run: &Run,
        demo: &Path,
        output: Option<File>,
        warden: &Arc<Warden>,
    ) -> io::Result<Self> {
        let mut command = Command::new(demo);
        command.args(["gate", "--", &run.command]).args(&run.args);
        command.envs(run.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).process_group(0);
        if let Some(output) = output {
            command.stdout(output.try_clone()?).stderr(output);
        }
        let child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = id
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("it has no id"))?;
        let mut started = Self {
            child,
            group,
            warden: Arc::clone(warden),
        };
        started.warden.watch(group)?;
        if let Some(mut gate) = started.child.stdin.take() {
            gate.write_all(b"\n").await?;
        }
        Ok(started)
    }

    pub(super) fn group(&self) -> Pid {
        self.group
    }

    /// Waits until it has ended by itself, and ends what it left in its group.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        signal(self.group, Signal::KILL);
        Ok(status)
    }

    /// Asks its group to end; after `grace`, kills it. Returns whether it ended in time.
    pub(super) async fn stop(mut self, grace: Duration) -> io::Result<bool> {
        signal(self.group, Signal::TERM);
        let in_time = match tokio::time::timeout(grace, self.child.wait()).await {
            Ok(status) => status.map(|_| true)?,
            Err(_) => false,
        };
        signal(self.group, Signal::KILL);
        self.child.wait().await?;
        Ok(in_time)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        signal(self.group, Signal::KILL);
        // Where the warden is gone, the stage ends for that reason.
        let _ = self.warden.forget(self.group);
    }
}
