//! A program under test: spawned, watched through its log lines, stopped by signal.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a condition is awaited before the test fails with what the program printed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child process with a clean environment, whose output lines are kept. Killed when dropped.
pub struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    count: watch::Receiver<usize>,
    /// They end with the streams that they read.
    readers: Vec<JoinHandle<()>>,
}

impl Program {
    /// Starts `executable` with exactly these arguments and variables.
    ///
    /// # Errors
    /// What the operating system says when it cannot be started.
    pub fn start(
        executable: impl AsRef<Path>,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> io::Result<Self> {
        let mut command = Command::new(executable.as_ref());
        command
            .args(arguments.iter().map(OsStr::new))
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (sender, count) = watch::channel(0);
        let sender = Arc::new(sender);
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(keep_lines(stdout, Arc::clone(&lines), Arc::clone(&sender)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(keep_lines(stderr, Arc::clone(&lines), sender));
        }
        Ok(Self {
            child,
            lines,
            count,
            readers,
        })
    }

    /// The process id; `None` once it was seen to have ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Everything printed so far, on either stream.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for a JSON log line that `wanted` turns into something.
    ///
    /// # Panics
    /// When the program ends or a minute passes without one; the message has its output.
    pub async fn wait_for_log<T>(&mut self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        self.wait_for_line(what, |line| {
            serde_json::from_str(line).ok().as_ref().and_then(&wanted)
        })
        .await
    }

    /// Waits for a line that `wanted` turns into something.
    ///
    /// # Panics
    /// When the program ends or a minute passes without one; the message has its output.
    pub async fn wait_for_line<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let mut seen = 0;
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let lines = self.output();
                for line in &lines[seen..] {
                    if let Some(found) = wanted(line) {
                        return Some(found);
                    }
                }
                seen = lines.len();
                if self.count.changed().await.is_err() && self.output().len() == seen {
                    return None;
                }
            }
        })
        .await;
        match found {
            Ok(Some(found)) => found,
            Ok(None) => panic!(
                "the program ended before {what}; it printed:\n{}",
                self.output().join("\n")
            ),
            Err(_) => panic!(
                "no {what} within {PATIENCE:?}; it printed:\n{}",
                self.output().join("\n")
            ),
        }
    }

    /// Sends SIGTERM: the graceful stop.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal by name, such as `TERM`, `KILL`, `STOP` or `CONT`.
    ///
    /// # Panics
    /// When the program has already ended or `kill` cannot be run.
    pub fn signal(&self, name: &str) {
        let id = self.id().expect("the program still runs");
        let status = std::process::Command::new("kill")
            .args([&format!("-{name}"), &id.to_string()])
            .status()
            .expect("kill can be run");
        assert!(status.success(), "kill -{name} {id}: {status}");
    }

    /// Ends it at once, as a node that dies would.
    ///
    /// # Panics
    /// When the operating system refuses.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the program can be killed");
    }

    /// Waits until it has ended and all that it printed was read.
    ///
    /// # Panics
    /// When it does not end within a minute; the message has its output.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = async {
            let status = self.child.wait().await;
            for reader in self.readers.drain(..) {
                reader.await.expect("a reader that ends");
            }
            status
        };
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(status) => status.expect("the program can be waited for"),
            Err(_) => panic!(
                "it did not end within {PATIENCE:?}; it printed:\n{}",
                self.output().join("\n")
            ),
        }
    }
}

fn keep_lines(
    stream: impl AsyncRead + Unpin + Send + 'static,
    lines: Arc<Mutex<Vec<String>>>,
    count: Arc<watch::Sender<usize>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut reader = BufReader::new(stream).lines();
        while let Ok(Some(line)) = reader.next_line().await {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(line);
            count.send_replace(lines.len());
        }
    })
}
