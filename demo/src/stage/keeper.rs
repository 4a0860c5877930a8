//! Keeps one program running: starts it, waits until it is ready, starts it again when it ends.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::board::{Board, State};
use super::log::Log;
use super::plan::Program;
use super::process::{Process, Run};
use super::variables::{Unknown, Variables};
use super::warden::{CANNOT_START, Warden};
use crate::client::Client;

/// How often it is looked whether a program is ready.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often it is said that a program is not ready yet.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// The first pause before a program is started again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A program that lived for so long has shown that it can: its next end is counted as the first.
const PROVEN_AFTER: Duration = Duration::from_secs(30);
/// How often it may end in a row.
const ENDS_IN_A_ROW: u32 = 5;

/// What all keepers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) demo: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) variables: Variables,
    pub(super) warden: Arc<Warden>,
    pub(super) board: Board,
    pub(super) client: Client,
}

/// Keeps one program.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) program: Program,
    pub(super) shared: Arc<Shared>,
    /// Says that it was ready once.
    pub(super) was_ready: watch::Sender<bool>,
    /// The same of those that it comes after.
    pub(super) after: Vec<watch::Receiver<bool>>,
    pub(super) stop: CancellationToken,
}

/// Why the stage cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(
        "{name} ended {ENDS_IN_A_ROW} times in a row, the last time with {how}; its last lines:\n{end}"
    )]
    KeepsEnding {
        name: String,
        how: String,
        end: String,
    },
    #[error("{name} cannot be started; it says:\n{end}")]
    CannotStart { name: String, end: String },
    #[error("{name} was not ready within {} seconds; its last lines:\n{end}", within.as_secs())]
    NotReady {
        name: String,
        within: Duration,
        end: String,
    },
    #[error("{name}: {file}: {reason}")]
    Exports {
        name: String,
        file: String,
        reason: String,
    },
    #[error("{name}: {cause}")]
    Unknown { name: String, cause: Unknown },
    #[error("{name}: {cause}")]
    System { name: String, cause: io::Error },
}

/// How one run came to its end.
enum End {
    /// It was asked to.
    Stopped,
    /// By itself, or it was killed.
    Ended(String),
}

impl Keeper {
    /// Keeps the program running until it is asked to stop.
    pub(super) async fn keep(mut self) -> Result<(), Failure> {
        let kept = self.keep_on().await;
        self.shared.board.is(&self.program.name, State::Stopped);
        kept
    }

    async fn keep_on(&mut self) -> Result<(), Failure> {
        for after in &mut self.after {
            tokio::select! {
                ready = after.wait_for(|ready| *ready) => if ready.is_err() {
                    // Its keeper has failed, and the stage ends for that.
                    return Ok(());
                },
                () = self.stop.cancelled() => return Ok(()),
            }
        }
        if self.program.command.is_none() {
            self.shared.board.is(&self.program.name, State::Stopped);
            self.was_ready.send_replace(true);
            self.stop.cancelled().await;
            return Ok(());
        }
        let log = Log::of(&self.shared.folder, &self.program.name);
        let (mut ends, mut restarts) = (0, 0);
        loop {
            let begun = Instant::now();
            let how = match self.run_once(&log, restarts).await? {
                End::Stopped => return Ok(()),
                End::Ended(how) => how,
            };
            restarts += 1;
            let name = &self.program.name;
            if self.shared.board.ended(name) {
                super::tell(&format!("{name} was killed, and is started again"));
                continue;
            }
            ends = if begun.elapsed() > PROVEN_AFTER {
                1
            } else {
                ends + 1
            };
            if ends >= ENDS_IN_A_ROW {
                return Err(Failure::KeepsEnding {
                    name: name.clone(),
                    how,
                    end: log.end(),
                });
            }
            super::tell(&format!("{name} ended with {how}, and is started again"));
            let pause = (FIRST_PAUSE * 2_u32.pow(ends - 1)).min(LONGEST_PAUSE);
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn run_once(&self, log: &Log, restarts: u32) -> Result<End, Failure> {
        let name = &self.program.name;
        let run = self.run()?;
        if let Some(exports) = &self.program.exports {
            // What an earlier run wrote says nothing about this one.
            match std::fs::remove_file(self.resolve(&exports.file)?) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(self.system(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        let title = format!("{} {}", run.command, run.args.join(" "));
        let (output, begin) = log.append(&title).map_err(|error| self.system(error))?;
        let shared = &self.shared;
        let started = Process::start(&run, &shared.demo, Some(output), &shared.warden).await;
        let mut process = started.map_err(|error| self.system(error))?;
        shared.board.started(name, process.group(), restarts);
        let begun = Instant::now();

        let ready = timeout(self.program.within, self.ready(log, begin));
        let ready = self.telling(begun, ready);
        tokio::select! {
            ready = ready => match ready {
                Ok(ready) => ready?,
                Err(_) => return Err(Failure::NotReady {
                    name: name.clone(), within: self.program.within, end: log.end(),
                }),
            },
            status = process.ended() => return self.ended(status, log),
            () = self.stop.cancelled() => return self.end(process).await,
        }
        shared.board.is(name, State::Ready);
        if !self.was_ready.send_replace(true) {
            super::tell(&format!(
                "{name} is ready after {:.1} s",
                begun.elapsed().as_secs_f64()
            ));
        }
        tokio::select! {
            status = process.ended() => self.ended(status, log),
            () = self.stop.cancelled() => self.end(process).await,
        }
    }

    /// Says now and then what is waited for: a busy machine must not look like one that hangs.
    async fn telling<T>(&self, begun: Instant, ready: impl Future<Output = T>) -> T {
        let mut ready = std::pin::pin!(ready);
        loop {
            tokio::select! {
                ready = &mut ready => return ready,
                () = sleep(TELL_EVERY) => super::tell(&format!(
                    "{} is not ready yet, after {} s", self.program.name, begun.elapsed().as_secs()
                )),
            }
        }
    }

    fn ended(&self, status: io::Result<ExitStatus>, log: &Log) -> Result<End, Failure> {
        let status = status.map_err(|error| self.system(error))?;
        if status.code() == Some(i32::from(CANNOT_START)) {
            return Err(Failure::CannotStart {
                name: self.program.name.clone(),
                end: log.end(),
            });
        }
        Ok(End::Ended(status.to_string()))
    }

    async fn end(&self, process: Process) -> Result<End, Failure> {
        let stopped = process.stop(self.program.grace).await;
        if !stopped.map_err(|error| self.system(error))? {
            let (name, grace) = (&self.program.name, self.program.grace.as_secs());
            super::tell(&format!(
                "{name} did not end within {grace} s, and was killed"
            ));
        }
        Ok(End::Stopped)
    }

    /// Comes back once the program is ready and what it exports is known.
    async fn ready(&self, log: &Log, begin: u64) -> Result<(), Failure> {
        let url = self.program.url.as_ref();
        let url = url.map(|url| self.resolve(url)).transpose()?;
        let line = self.program.line.as_ref();
        let line = line.map(|line| self.resolve(line)).transpose()?;
        loop {
            let answers = match &url {
                None => true,
                Some(url) => {
                    let answered = self.shared.client.send(Method::GET, url, &[], Bytes::new());
                    answered.await.is_ok_and(|it| it.status == StatusCode::OK)
                }
            };
            // A file that cannot be read yet has no line yet.
            let said = |line: &String| log.has(line, begin).unwrap_or(false);
            if answers && line.as_ref().is_none_or(said) && self.exported()? {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Reads what the program exports, if it has written that by now.
    fn exported(&self) -> Result<bool, Failure> {
        let Some(exports) = &self.program.exports else {
            return Ok(true);
        };
        let file = self.resolve(&exports.file)?;
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.system(error)),
        };
        let failure = |reason: String| Failure::Exports {
            name: self.program.name.clone(),
            file: file.clone(),
            reason,
        };
        for name in &exports.names {
            let value = text
                .lines()
                .filter_map(|line| line.split_once('='))
                .find_map(|(key, value)| (key == name).then_some(value));
            let value = value.ok_or_else(|| failure(format!("has no `{name}`")))?;
            if let Some(before) = self.shared.variables.export(name, value) {
                return Err(failure(format!(
                    "`{name}` is {value} and was {before}: those that were told cannot follow"
                )));
            }
        }
        Ok(true)
    }

    fn run(&self) -> Result<Run, Failure> {
        let program = &self.program;
        let command = program.command.as_ref();
        let args = program.args.iter().map(|text| self.resolve(text));
        let env = program.env.iter();
        Ok(Run {
            command: command
                .map(|it| self.resolve(it))
                .transpose()?
                .unwrap_or_default(),
            args: args.collect::<Result<_, _>>()?,
            env: env
                .map(|(name, value)| Ok((name.clone(), self.resolve(value)?)))
                .collect::<Result<_, _>>()?,
        })
    }

    fn resolve(&self, text: &super::text::Text) -> Result<String, Failure> {
        let resolved = self.shared.variables.resolve(text);
        resolved.map_err(|cause| Failure::Unknown {
            name: self.program.name.clone(),
            cause,
        })
    }

    fn system(&self, cause: io::Error) -> Failure {
        Failure::System {
            name: self.program.name.clone(),
            cause,
        }
    }
}
