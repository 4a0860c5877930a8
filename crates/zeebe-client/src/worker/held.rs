//! A job in hand, and its ends.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Shared;
use super::backoff::Backoff;
use super::renewer::Lock;
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
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

/// What became of a job that was ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// The engine has it.
    Done,
    /// The engine knows no such job, or not in this state: somebody else had it, or its instance is gone.
    GoneAlready,
    /// Not sent: the activation has run out, and the job may be another's.
    TooLate,
    /// The engine refused it for good; the activation runs out and the job comes back.
    Refused(EngineError),
}

impl HeldJob {
    pub(super) fn new(
        job: ActivatedJob,
        shared: Arc<Shared>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let lock = Lock::taken_now(&shared.settings, &job);
        let activation = shared.last_activation.fetch_add(1, Ordering::Relaxed);
        shared
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(activation, lock);
        Self {
            job,
            activation,
            shared,
            _permit: permit,
        }
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &ActivatedJob {
        &self.job
    }

    /// When the activation runs out, by our own clock counted from receipt or the last renewal.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let held = self
            .shared
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.get(&self.activation)
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

    /// Fails the job, unless its activation has run out.
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
        self.while_locked(|| gateway.fail_job(command.clone()))
            .await
    }

    /// Gives the job back without using one of its retries, to be offered again after `backoff`.
    pub async fn hand_back(&mut self, reason: &str, backoff: Duration) -> Ended {
        self.fail(self.job.retries, reason, backoff).await
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
        self.while_locked(|| gateway.throw_error(command.clone()))
            .await
    }

    /// Nothing fences a late worker: what may hurt another holder is only sent while we hold the job.
    async fn while_locked<F>(&self, mut send: impl FnMut() -> F) -> Ended
    where
        F: Future<Output = Result<(), EngineError>>,
    {
        let mut backoff = Backoff::default();
        loop {
            if Instant::now() >= self.deadline() {
                return Ended::TooLate;
            }
            match send().await {
                Ok(()) => return Ended::Done,
                Err(error) => match after(error) {
                    After::Ended(ended) => return ended,
                    After::Again => tokio::time::sleep(backoff.next()).await,
                },
            }
        }
    }
}

impl Drop for HeldJob {
    fn drop(&mut self) {
        self.shared
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.activation);
        self.shared.released.notify_one();
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
