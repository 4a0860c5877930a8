//! Whether the destination that all jobs share is away, and who finds out when it is back.
//!
//! While it is away no jobs are activated but one at a time, the *probe*. All is decided here, in one
//! state under one lock, which also tells the worker to pause, to fetch one job, or to resume: what the
//! worker does follows from the state in the order in which the state changed.
//!
//! It is *shut* while there is nothing to send with: without a token that is required there is no destination yet.
//! Then nobody probes either, and what is in hand is handed back. The rest is about a destination that there is:
//!
//! - **It begins** with a delivery that could not reach the destination, or with the second in a row that
//!   got no answer where the event may be the reason ([`Doubt::AboutEvent`]): one alone pauses nobody. Jobs in
//!   hand at that time finish the attempt they are in.
//! - **It ends** with any answer to any job that is not a hand-back, be it the probe's or that of a job in
//!   hand.
//! - **The probe** tries again and again where the destination cannot even be reached: its event cannot be
//!   the reason, and no other job need be activated. Where the event may be the reason
//!   each attempt is another job's: the probe is handed back, and the next job to
//!   come probes. So one event that is refused in this way keeps nobody else waiting (one that hangs does,
//!   while it probes, for as long as a delivery may take), and while the destination is really away one job is activated for each attempt, at most one in 2.5 s once the pauses have grown.
//! - **A suspect** is a job whose event may have been the reason, since others were answered after it
//!   had failed. It begins no outage when it fails again, until it is answered. But several suspects that fail
//!   one after another, with no answer between them, do: after a short outage everything that failed in it
//!   is suspect, and the next outage must be noticed all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use zeebe_client::{JobKey, JobWorker};

use super::outcome::Doubt;
use super::pause::jittered;
use super::trouble::Trouble;

/// The longest pause between attempts while the destination is away.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So many attempts in a row that got no answer are no accident.
const IN_A_ROW: usize = 2;
/// So many suspects in a row are none.
const SUSPECTS_IN_A_ROW: usize = 3;
/// So many failed jobs are remembered; beyond it the memory begins anew.
const MOST_FAILED: usize = 4096;

/// Whether the destination is away.
#[derive(Debug)]
pub(super) struct Outage {
    worker: Arc<JobWorker>,
    first_pause: Duration,
    state: Mutex<State>,
    trouble: watch::Sender<Option<Trouble>>,
}

#[derive(Debug, Default)]
struct State {
    /// Why there is nothing to send with.
    shut: Option<String>,
    away: Option<Away>,
    /// So many outages began.
    outages: u64,
    /// So many deliveries were answered.
    answers: u64,
    /// Jobs whose event may be the reason that it was not answered.
    failed: HashMap<JobKey, Failed>,
    /// Attempts that failed since the last answer, but for those of suspects.
    unanswered: usize,
    /// Suspects that failed since the last answer, each counted once.
    suspects_failed: usize,
}

#[derive(Debug)]
struct Away {
    number: u64,
    /// What it last said.
    said: String,
    probed: bool,
    pause: Duration,
    next_attempt: Instant,
}

#[derive(Debug)]
struct Failed {
    /// The answers that others had had when it first failed.
    first: u64,
    /// And when it last failed.
    last: u64,
}

/// One job's part in finding out: its attempts are reported here. Dropped, also by a panic and also without
/// an attempt, it leaves the rest to the next job.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    outage: &'a Outage,
    job: JobKey,
    /// The outage that this job is the probe of.
    probes: Option<u64>,
}

/// What a job does whose delivery got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Try again when [`Turn::due`].
    Again,
    /// Be handed back, not to come again before the destination may be back.
    HandBack,
    /// Be handed back, and come again ever more rarely: its event is the reason.
    HandBackAlone,
}

impl Outage {
    pub(super) fn new(worker: Arc<JobWorker>, first_pause: Duration) -> Self {
        Self {
            worker,
            first_pause,
            state: Mutex::default(),
            trouble: watch::Sender::new(None),
        }
    }

    /// Why no events go to the destination, while none do.
    pub(super) fn trouble(&self) -> watch::Receiver<Option<Trouble>> {
        self.trouble.subscribe()
    }

    /// There is nothing to send with: no job is activated, not even one to probe.
    pub(super) fn shut(&self, why: String) {
        let mut state = self.state();
        if state.shut.as_ref() != Some(&why) {
            state.shut = Some(why);
            self.worker.pause();
            self.tell(&state);
        }
    }

    /// There is what to send with: all goes on as it was.
    pub(super) fn open(&self) {
        let mut state = self.state();
        if state.shut.take().is_none() {
            return;
        }
        match &state.away {
            None => self.worker.resume(),
            Some(away) if !away.probed => self.worker.fetch_one(),
            // Whoever probes still does.
            Some(_) => {}
        }
        self.tell(&state);
    }

    /// A job came.
    pub(super) fn turn(&self, job: JobKey) -> Turn<'_> {
        Turn {
            outage: self,
            job,
            probes: None,
        }
    }

    fn tell(&self, state: &State) {
        let away = || {
            state
                .away
                .as_ref()
                .map(|away| Trouble::Away(away.said.clone()))
        };
        let shut = state.shut.clone().map(Trouble::NoToken);
        self.trouble.send_replace(shut.or_else(away));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Turn ===

impl Turn<'_> {
    /// The job is about to be delivered to the destination; it probes where nobody does.
    pub(super) fn take(&mut self) {
        let mut state = self.outage.state();
        if let Some(away) = state.away.as_mut().filter(|away| !away.probed) {
            away.probed = true;
            self.probes = Some(away.number);
        }
    }

    /// Waits until an attempt is due: at once but for a probe.
    pub(super) async fn due(&self) {
        let next_attempt = match &self.outage.state().away {
            Some(away) if self.probes == Some(away.number) => away.next_attempt,
            Some(_) | None => return,
        };
        let mut trouble = self.outage.trouble();
        tokio::select! {
            () = tokio::time::sleep_until(next_attempt) => {}
            _ = trouble.wait_for(Option::is_none) => {}
        }
    }

    /// The destination answered this job's event, whatever it said.
    pub(super) fn answered(&self) {
        let mut state = self.outage.state();
        state.answers += 1;
        state.unanswered = 0;
        state.suspects_failed = 0;
        if !state.failed.is_empty() {
            state.failed.remove(&self.job);
        }
        if state.away.take().is_some() {
            self.outage.tell(&state);
            if state.shut.is_none() {
                self.outage.worker.resume();
            }
            tracing::info!("the destination answers again");
        }
    }

    /// The destination did not answer this job's event.
    pub(super) fn failed(&mut self, doubt: Doubt, what: &str) -> Then {
        let mut guard = self.outage.state();
        let state = &mut *guard;
        // Whatever it says of its event: the pauses between probes grow.
        if let Some(away) = &mut state.away
            && self.probes == Some(away.number)
        {
            away.pause = (away.pause * 2).min(LONGEST_PAUSE);
            away.next_attempt = Instant::now() + jittered(away.pause);
        }
        match doubt {
            Doubt::None => {}
            Doubt::AboutEvent => {
                if let Some(then) = state.no_outage_yet(self.job) {
                    return then;
                }
            }
        }
        let away = match &mut state.away {
            Some(away) => away,
            None => {
                state.outages += 1;
                self.outage.worker.pause();
                tracing::warn!(
                    answer = what,
                    "the destination is away; no jobs are activated but one at a time, until it answers"
                );
                state.away.insert(Away {
                    number: state.outages,
                    said: String::new(),
                    probed: false,
                    pause: self.outage.first_pause,
                    next_attempt: Instant::now() + jittered(self.outage.first_pause),
                })
            }
        };
        away.said = what.to_owned();
        let then = match doubt {
            Doubt::None if !away.probed => {
                away.probed = true;
                self.probes = Some(away.number);
                Then::Again
            }
            Doubt::None if self.probes == Some(away.number) => Then::Again,
            Doubt::None | Doubt::AboutEvent => Then::HandBack,
        };
        self.outage.tell(state);
        then
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.outage.state();
        if let Some(away) = &mut state.away {
            if self.probes == Some(away.number) {
                away.probed = false;
            }
            if !away.probed && state.shut.is_none() {
                self.outage.worker.fetch_one();
            }
        }
    }
}

// === impl State ===

impl State {
    /// Notes that a job failed whose event may be the reason; what it does if that says nothing yet about
    /// the destination.
    fn no_outage_yet(&mut self, job: JobKey) -> Option<Then> {
        if self.failed.len() == MOST_FAILED && !self.failed.contains_key(&job) {
            self.failed.clear();
        }
        let answers = self.answers;
        let failed = self.failed.entry(job).or_insert(Failed {
            first: answers,
            last: answers,
        });
        let suspect = answers > failed.first;
        if suspect && failed.last < answers {
            self.suspects_failed += 1;
        }
        failed.last = answers;
        if suspect {
            (self.suspects_failed < SUSPECTS_IN_A_ROW).then_some(Then::HandBackAlone)
        } else {
            self.unanswered += 1;
            (self.away.is_none() && self.unanswered < IN_A_ROW).then_some(Then::HandBack)
        }
    }
}

#[cfg(test)]
mod tests;
