//! A job in hand, and its ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::lock::{Lock, Standing};
use super::{Shared, renewer};
use crate::command::{ActivatedJob, CompleteJob, FailJob, ThrowError};
use crate::error::{EngineError, ErrorKind};

/// A job that the engine keeps for us.
///
/// It takes its place in the worker's capacity until it is dropped, and its activation is renewed as
/// long. Dropped without an end, by a panic for instance, it comes back when its activation runs out.
#[derive(Debug)]
pub struct HeldJob {
    job: ActivatedJob,
    activation: u64,
    came: Instant,
    shared: Arc<Shared>,
    _permit: Option<OwnedSemaphorePermit>,
}

/// What became of a job that was ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// The engine has it.
    Done,
    /// The engine knows no such job, or not in this state: somebody else had it, or its instance is gone.
    GoneAlready,
    /// Not sent, or not sent again: the activation has run out or ended with what was sent before, and the
    /// job may be another's.
    TooLate,
    /// The engine refused this end for good, and would again: the activation runs out, the job comes back,
    /// and so does this. Only another end helps: [`HeldJob::fail`] without retries makes an incident.
    Refused(EngineError),
}

impl HeldJob {
    /// Holds a job that was activated at `since` at the earliest. Without a permit it is only held to be
    /// handed back.
    pub(super) fn new(
        job: ActivatedJob,
        shared: &Arc<Shared>,
        permit: Option<OwnedSemaphorePermit>,
        since: Instant,
    ) -> Self {
        let lock = Lock::new(&shared.settings, &job, since);
        let activation = shared.last_activation.fetch_add(1, Ordering::Relaxed);
        shared.held().insert(activation, lock);
        Self {
            job,
            activation,
            came: Instant::now(),
            shared: Arc::clone(shared),
            _permit: permit,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        self.shared
            .held()
            .get(&self.activation)
            .map_or(Standing::Over, Lock::standing)
    }

    /// Asks once to prolong the activation.
    pub(super) async fn renew(&self) {
        renewer::renew(&self.shared, self.activation, self.job.key).await;
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &ActivatedJob {
        &self.job
    }

    /// When it came to us, by our own clock. It was activated before, by as long as it lay on the way.
    #[must_use]
    pub fn came(&self) -> Instant {
        self.came
    }

    /// When the activation runs out at the earliest, by our own clock: counted from the first moment
    /// that it can have begun or been prolonged, not from when we heard of it.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.shared
            .held()
            .get(&self.activation)
            .map_or_else(Instant::now, Lock::deadline)
    }

    /// Completes the job. What the engine did not take, or perhaps took, is sent again until it says
    /// so, also after the activation ran out: nobody else may do the work again. Cancelling the future
    /// leaves the outcome open.
    pub async fn complete(&mut self, variables: &str) -> Ended {
        let mut backoff = Backoff::default();
        loop {
            let command = CompleteJob {
                job_key: self.job.key,
                variables: variables.to_owned(),
            };
            match self.shared.gateway.complete_job(command).await {
                Ok(()) => return Ended::Done,
                Err(error) => match after(error) {
                    After::Ended(ended) => return ended,
                    After::Again => tokio::time::sleep(backoff.next()).await,
                },
            }
        }
    }

    /// Fails the job, unless its activation has run out. What the engine perhaps took is sent again only
    /// while nobody else can have the job.
    pub async fn fail(
        &mut self,
        retries: i32,
        error_message: &str,
        retry_back_off: Duration,
    ) -> Ended {
        let command = FailJob {
            job_key: self.job.key,
            retries,
            error_message: error_message.to_owned(),
            retry_back_off,
            variables: String::new(),
        };
        let gateway = self.shared.gateway.clone();
        let again = if retries <= 0 {
            Again::Always
        } else {
            Again::For(retry_back_off / 2)
        };
        self.while_locked(again, || gateway.fail_job(command.clone()))
            .await
    }

    /// Gives the job back without using one of its retries, to be offered again after `backoff`. One that is
    /// modelled without retries gets one: failing it with none would make an incident of it.
    pub async fn hand_back(&mut self, reason: &str, backoff: Duration) -> Ended {
        self.fail(self.job.retries.max(1), reason, backoff).await
    }

    /// Throws a BPMN error, unless the activation has run out.
    pub async fn throw_error(&mut self, error_code: &str, error_message: &str) -> Ended {
        let command = ThrowError {
            job_key: self.job.key,
            error_code: error_code.to_owned(),
            error_message: error_message.to_owned(),
            variables: String::new(),
        };
        let gateway = self.shared.gateway.clone();
        self.while_locked(Again::Always, || gateway.throw_error(command.clone()))
            .await
    }

    /// Nothing fences a late worker: what may hurt another holder is only sent while we hold the job.
    async fn while_locked<F>(&self, again: Again, mut send: impl FnMut() -> F) -> Ended
    where
        F: Future<Output = Result<(), EngineError>>,
    {
        let mut backoff = Backoff::default();
        let mut perhaps_taken: Option<Instant> = None;
        loop {
            if self.standing() == Standing::Over
                || perhaps_taken.is_some_and(|sent| !again.allows(sent))
            {
                return Ended::TooLate;
            }
            let sent = Instant::now();
            match send().await {
                Ok(()) => return Ended::Done,
                Err(error) => {
                    if error.kind() == ErrorKind::OutcomeUnknown {
                        perhaps_taken.get_or_insert(sent);
                    }
                    match after(error) {
                        After::Ended(ended) => return ended,
                        After::Again => tokio::time::sleep(backoff.next()).await,
                    }
                }
            }
        }
    }
}

/// Whether a command whose outcome is unknown may be sent again.
///
/// If it was taken, our activation ended with it. An error that was thrown, or an incident, leaves nothing
/// for another worker to take: to repeat it has no second effect. A job that failed with retries left is
/// activatable after its backoff, and a failure sent again would then be taken for that of whoever has it:
/// it would be made activatable under his hands, or lose the retry that his own failure set. So that is
/// only repeated well within the backoff. Without one it is left alone: at worst the job comes back when
/// its activation runs out, with the retries it had.
#[derive(Debug, Clone, Copy)]
enum Again {
    Always,
    /// For so long after it was first sent.
    For(Duration),
}

impl Again {
    fn allows(self, sent: Instant) -> bool {
        match self {
            Self::Always => true,
            Self::For(time) => sent.elapsed() < time,
        }
    }
}

impl Drop for HeldJob {
    fn drop(&mut self) {
        self.shared.held().remove(&self.activation);
        self.shared.released.notify_one();
        self.shared.ended.notify_waiters();
    }
}

enum After {
    Ended(Ended),
    Again,
}

fn after(error: EngineError) -> After {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::WrongState => After::Ended(Ended::GoneAlready),
        ErrorKind::Backpressure
        | ErrorKind::Unavailable
        | ErrorKind::OutcomeUnknown
        | ErrorKind::CredentialsRefused => After::Again,
        ErrorKind::Duplicate | ErrorKind::TooLarge | ErrorKind::Invalid | ErrorKind::Denied => {
            After::Ended(Ended::Refused(error))
        }
    }
}
