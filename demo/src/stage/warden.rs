//! What sees to it that nothing is left behind, however the stage ends.
//!
//! Every program has a process group of its own, so that Ctrl-C reaches the stage alone, and so that all a
//! program has started ends with it. The warden is a small process beside the stage that reads which groups
//! there are; when its standard input ends, which it also does when the stage is killed with -9, it kills the
//! groups that are left. A program is started through a gate, which waits until the warden knows of it: there
//! is no moment in which one could be forgotten.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};

use clap::Subcommand;
use rustix::process::{Pid, Signal, kill_process_group};

/// How a gate ends whose program cannot be started, as shells do.
pub(super) const CANNOT_START: u8 = 127;

/// The stage's side of the warden. When it is dropped, all groups that are left are killed.
#[derive(Debug)]
pub(super) struct Warden {
    child: Child,
    tell: Mutex<Option<ChildStdin>>,
}

impl Warden {
    /// Starts it; `demo` is this executable. It removes the folder `temporary` when all is over.
    pub(super) fn start(demo: &Path, temporary: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new(demo);
        command.arg("warden").stdin(Stdio::piped());
        if let Some(folder) = temporary {
            command.arg(folder);
        }
        let mut child = command.process_group(0).spawn()?;
        let tell = Mutex::new(child.stdin.take());
        Ok(Self { child, tell })
    }

    /// From now on this group is ended with the stage.
    pub(super) fn watch(&self, group: Pid) -> io::Result<()> {
        self.say(&format!("+{}", group.as_raw_nonzero()))
    }

    /// The group has ended.
    pub(super) fn forget(&self, group: Pid) -> io::Result<()> {
        self.say(&format!("-{}", group.as_raw_nonzero()))
    }

    /// The temporary folder stays: there is something in it to read.
    pub(super) fn keep(&self) -> io::Result<()> {
        self.say("keep")
    }

    fn say(&self, line: &str) -> io::Result<()> {
        let mut tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner);
        match tell.as_mut() {
            Some(tell) => writeln!(tell, "{line}"),
            None => Ok(()),
        }
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        drop(
            self.tell
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // It has ended, or does so now; there is nothing to do about anything else.
        let _ = self.child.wait();
    }
}

/// Sends a signal to a group; that it may have ended is no mistake.
pub(super) fn signal(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

/// What this executable is besides, started by a stage alone.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Sees to it that nothing of a stage is left behind
    #[command(hide = true)]
    Warden {
        /// The folder to be removed at the end
        temporary: Option<PathBuf>,
    },
    /// Waits until the warden knows of it, then becomes a program of a stage
    #[command(hide = true)]
    Gate {
        /// The program and its arguments
        #[arg(required = true, last = true)]
        command: Vec<OsString>,
    },
}

impl Part {
    /// Plays the part until its end.
    #[must_use]
    pub fn play(self) -> ExitCode {
        match self {
            Self::Warden { temporary } => guard(temporary),
            Self::Gate { command } => gate(&command),
        }
    }
}

/// Reads which groups there are until standard input ends, then kills what is left.
fn guard(temporary: Option<PathBuf>) -> ExitCode {
    let mut groups = BTreeSet::new();
    let mut temporary = temporary;
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_at_checked(1) {
            Some(("+", group)) => drop(groups.insert(group.to_owned())),
            Some(("-", group)) => drop(groups.remove(group)),
            Some(_) | None => temporary = None,
        }
    }
    for group in groups {
        if let Some(group) = group.parse().ok().and_then(Pid::from_raw) {
            signal(group, Signal::KILL);
        }
    }
    if let Some(folder) = temporary {
        remove(&folder);
    }
    ExitCode::SUCCESS
}

/// What was killed a moment ago may still write there.
fn remove(folder: &Path) {
    for _ in 0..50 {
        if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    eprintln!("stage: cannot remove {}", folder.display());
}

/// Waits for a byte on standard input, then becomes `command`; ends without one.
fn gate(command: &[OsString]) -> ExitCode {
    let opened = io::stdin().lock().read_exact(&mut [0]);
    let Some((program, arguments)) = command.split_first() else {
        return ExitCode::from(CANNOT_START);
    };
    if opened.is_err() {
        return ExitCode::from(CANNOT_START);
    }
    let error = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .exec();
    eprintln!(
        "cannot be started: {}: {error}",
        Path::new(program).display()
    );
    ExitCode::from(CANNOT_START)
}
