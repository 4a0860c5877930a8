//! Plans -> engine calls, retried inside the request while that can help.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use zeebe_client::{EngineError, ErrorKind, Gateway};

use super::acknowledge::{Acknowledgement, Command, Outcome, acknowledge};
use super::limiter::{Lesson, Limiter};
use super::metrics::SinkMetrics;
use super::prepared::Prepared;
use crate::rules::Planned;

/// The first pause between attempts inside a request.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Gives commands to the engine.
#[derive(Debug)]
pub(super) struct Executor {
    gateway: Gateway,
    limiter: Limiter,
    window: Duration,
    metrics: SinkMetrics,
}

/// How a request is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) acknowledgement: Acknowledgement,
    /// Why it was not accepted.
    pub(super) reason: Option<String>,
}

impl Executor {
    pub(super) fn new(
        gateway: Gateway,
        most_in_flight: usize,
        window: Duration,
        metrics: SinkMetrics,
    ) -> Self {
        Self {
            gateway,
            limiter: Limiter::new(most_in_flight),
            window,
            metrics,
        }
    }

    /// Runs all plans of one request; the answer is the worst outcome. All are checked before the
    /// first is sent, so that a request is not half done for what could have been known.
    pub(super) async fn run(&self, plans: Vec<Planned>) -> Answer {
        let mut plans = plans
            .into_iter()
            .map(|planned| Prepared::from(planned.plan));
        match (plans.next(), plans.len()) {
            (None, _) => Answer {
                acknowledgement: Acknowledgement::Accepted,
                reason: None,
            },
            // One command checks its own size before it is sent.
            (Some(only), 0) => self.one(only).await,
            (Some(first), _) => {
                let all: Vec<Prepared> = std::iter::once(first).chain(plans).collect();
                if let Some(too_large) = all.iter().find_map(|command| self.too_large(command)) {
                    return too_large;
                }
                let answers = join_all(all.into_iter().map(|command| self.one(command))).await;
                answers
                    .into_iter()
                    .max_by_key(|answer| answer.acknowledgement)
                    .unwrap_or(Answer {
                        acknowledgement: Acknowledgement::Accepted,
                        reason: None,
                    })
            }
        }
    }

    fn too_large(&self, command: &Prepared) -> Option<Answer> {
        let error = command.check_size(&self.gateway).err()?;
        let outcome = Outcome::Refused(error.kind());
        Some(Answer {
            acknowledgement: acknowledge(command.command(), outcome),
            reason: Some(error.to_string()),
        })
    }

    /// One command, until the engine has taken or refused it, or the request's time is up.
    async fn one(&self, command: Prepared) -> Answer {
        let began = Instant::now();
        let end = began + self.window;
        let kind = command.command();
        let mut pause = FIRST_PAUSE;
        loop {
            let (outcome, error) = match self.attempt(&command, end).await {
                Ok(()) => (Outcome::Done, None),
                Err(error)
                    if error.kind() == ErrorKind::OutcomeUnknown && command.at_most_once() =>
                {
                    tracing::warn!(%error, "a command that must not be repeated has an unknown outcome; it is taken as done");
                    (Outcome::UnknownAtMostOnce, None)
                }
                Err(error) => (Outcome::Refused(error.kind()), Some(error)),
            };
            let acknowledgement = acknowledge(kind, outcome);
            let next = Instant::now() + jittered(pause);
            if !acknowledgement.is_retryable() || next >= end {
                self.metrics.command(kind, outcome, began.elapsed());
                if let Some(error) = &error {
                    tracing::debug!(%error, ?acknowledgement, "a command was not taken");
                }
                let reason = match acknowledgement {
                    Acknowledgement::Accepted => None,
                    Acknowledgement::Unprocessable
                    | Acknowledgement::TooLarge
                    | Acknowledgement::Busy
                    | Acknowledgement::Unavailable => error.map(|error| error.to_string()),
                };
                return Answer {
                    acknowledgement,
                    reason,
                };
            }
            self.metrics.retried(kind);
            tokio::time::sleep_until(next).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, command: &Prepared, end: Instant) -> Result<(), EngineError> {
        let place = match tokio::time::timeout_at(end, self.limiter.place()).await {
            Ok(Some(place)) => place,
            Ok(None) | Err(_) => return Err(command.crowded_out()),
        };
        let result = command.send(&self.gateway).await;
        let lesson = match &result {
            Ok(()) => Lesson::Success,
            Err(error) if error.kind() == ErrorKind::Backpressure => Lesson::Backpressure,
            Err(_) => Lesson::Nothing,
        };
        self.limiter.done(place, lesson);
        result
    }
}

/// A random part of a pause, so that many who were refused together do not come back together.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

impl Command {
    /// The name in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PublishMessage => "PublishMessage",
            Self::CreateProcessInstance => "CreateProcessInstance",
            Self::BroadcastSignal => "BroadcastSignal",
            Self::SetVariables => "SetVariables",
            Self::CancelProcessInstance => "CancelProcessInstance",
            Self::CompleteJob => "CompleteJob",
            Self::FailJob => "FailJob",
            Self::ThrowError => "ThrowError",
        }
    }
}
