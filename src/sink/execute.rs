//! Plans -> engine calls, retried inside the request while that can help.

use std::time::Duration;

use futures_util::future::join_all;
use runtime::telemetry::traces::Span;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use zeebe_client::{Address, EngineError, ErrorKind, Gateway};

use super::acknowledge::{Acknowledgement, Command, Outcome, acknowledge};
use super::limiter::{Lesson, Limiter};
use super::metrics::{SinkMetrics, name};
use super::plan::{Planning, Step};
use super::prepared::{Prepared, at_most_once, command, message_id};
use super::told::{At, REFUSED, without_command};
use super::trace;
use super::turned_away::TurnedAway;
use crate::config::{NotDeployed, SinkConfig};
use crate::rpc::Calls;
use crate::rules::{Plan, Planned};

/// The first pause between attempts inside a request.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What must be left of the window for an attempt to begin: one that is cut off at once says nothing, and
/// a command that must not be repeated would be lost by it.
const LEAST_ATTEMPT: Duration = Duration::from_millis(500);
/// Commands of one request that are smaller together need not wait for each other.
const LEAST_ROOM: usize = 64 * 1024;

/// Gives commands to the engine.
#[derive(Debug)]
pub(super) struct Executor {
    gateway: Gateway,
    calls: Calls,
    limiter: Limiter,
    turned_away: TurnedAway,
    window: Duration,
    not_deployed: NotDeployed,
    metrics: SinkMetrics,
}

/// How a request is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) acknowledgement: Acknowledgement,
    /// Why it was not accepted.
    pub(super) reason: Option<String>,
    /// What was at fault then.
    pub(super) at: Option<At>,
}

impl Answer {
    pub(super) fn accepted() -> Self {
        Self {
            acknowledgement: Acknowledgement::Accepted,
            reason: None,
            at: None,
        }
    }
}

impl Executor {
    pub(super) fn new(
        gateway: Gateway,
        limiter: Limiter,
        config: &SinkConfig,
        metrics: SinkMetrics,
    ) -> Self {
        Self {
            calls: Calls::to(
                &gateway.settings().address,
                &[Command::PublishMessage.name()],
            ),
            gateway,
            limiter,
            turned_away: TurnedAway::default(),
            window: config.retry_in_request,
            not_deployed: config.not_deployed,
            metrics,
        }
    }

    /// Where the engine is.
    pub(super) fn engine(&self) -> &Address {
        &self.gateway.settings().address
    }

    /// Runs all plans of one request; the answer is the worst outcome. All are checked before the
    /// first is sent, so that a request is not half done for what could have been known.
    ///
    /// Plans may share what they bring, but each command on its way has texts of its own. `room` is how
    /// many bytes of them may be on their way at a time, the largest in any case.
    pub(super) async fn run(&self, planning: &Planning, room: usize) -> Answer {
        let mut bounds = Bounds::new(self.window, self.gateway.settings().call_timeout);
        let answers = match (&planning.plans[..], &planning.steps[..]) {
            // One command checks its own size before it is sent.
            ([only], [step]) => vec![self.one(only, step, &bounds).await],
            (several, steps) => {
                if let Some(too_large) = self.too_large(several, steps) {
                    let status = too_large.acknowledgement.status();
                    for (planned, step) in several.iter().zip(steps) {
                        without_command(&step.pen, REFUSED, status, planned.rule.as_ref());
                    }
                    return too_large;
                }
                let largest = several.iter().map(|each| each.plan.bytes()).max();
                bounds.room = Some(Semaphore::new(
                    room.max(LEAST_ROOM).max(largest.unwrap_or_default()),
                ));
                let each = several.iter().zip(steps);
                join_all(each.map(|(planned, step)| self.one(planned, step, &bounds))).await
            }
        };
        answers
            .into_iter()
            .max_by_key(|answer| answer.acknowledgement)
            .unwrap_or_else(Answer::accepted)
    }

    /// The answer where one of several commands is too large to be sent.
    fn too_large(&self, several: &[Planned], steps: &[Step]) -> Option<Answer> {
        let mut each = several.iter().zip(steps);
        each.find_map(|(planned, step)| {
            let error = Prepared::from(&planned.plan)
                .check_size(&self.gateway)
                .err()?;
            let outcome = Outcome::Refused(error.kind());
            let acknowledgement = acknowledge(command(&planned.plan), outcome, self.not_deployed);
            self.metrics
                .acknowledged(planned.rule.as_ref(), acknowledgement);
            Some(Answer {
                acknowledgement,
                reason: Some(error.to_string()),
                at: Some(step.at(planned)),
            })
        })
    }

    /// One command, until the engine has taken or refused it, or the request's time is up.
    async fn one(&self, planned: &Planned, step: &Step, bounds: &Bounds) -> Answer {
        let began = Instant::now();
        let plan = &planned.plan;
        let kind = command(plan);
        let event = message_id(plan);
        let turned_away = event.map_or(0, |event| self.turned_away.times(event));
        let mut pause = FIRST_PAUSE;
        let mut retries = 0;
        loop {
            let (outcome, error) = match self.attempt(plan, &step.span, bounds, turned_away).await {
                Ok(()) => (Outcome::Done, None),
                Err(error) if error.kind() == ErrorKind::OutcomeUnknown && at_most_once(plan) => {
                    tracing::warn!(%error, "a command that must not be repeated has an unknown outcome; it is taken as done");
                    (Outcome::UnknownAtMostOnce, None)
                }
                Err(error) => (Outcome::Refused(error.kind()), Some(error)),
            };
            let acknowledgement = acknowledge(kind, outcome, self.not_deployed);
            let next = Instant::now() + jittered(pause);
            if !acknowledgement.is_retryable() || !bounds.retried || next > bounds.last_begin {
                self.metrics
                    .command(kind, outcome, began.elapsed(), &step.span);
                self.metrics
                    .acknowledged(planned.rule.as_ref(), acknowledgement);
                step.pen.decided(|decision| {
                    decision.rule.clone_from(&planned.rule);
                    decision.command = Some(kind.name());
                    decision.message_id = event.unwrap_or_default().into();
                    decision.retries = retries;
                    decision.outcome = name(outcome);
                    decision.status = Some(acknowledgement.status().as_u16());
                });
                if let Some(event) = event {
                    if acknowledgement.is_retryable() {
                        self.turned_away.again(event);
                    } else if turned_away > 0 {
                        self.turned_away.no_more(event);
                    }
                }
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
                    at: reason.is_some().then(|| step.at(planned)),
                    reason,
                };
            }
            self.metrics.retried(kind);
            retries += 1;
            tokio::time::sleep_until(next).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(
        &self,
        plan: &Plan,
        span: &Span,
        bounds: &Bounds,
        turned_away: u32,
    ) -> Result<(), EngineError> {
        let placed = async {
            let room = bounds.room_for(plan).await?;
            let place = self.limiter.place(turned_away).await;
            Some((room, place))
        };
        let (_room, place) = match tokio::time::timeout_at(bounds.last_begin, placed).await {
            Ok(Some(placed)) => placed,
            Ok(None) | Err(_) => return Err(crowded_out(command(plan))),
        };
        let span = trace::command(span, plan, &self.calls);
        let sending = span.scope(Prepared::from(plan).send(&self.gateway));
        let result = match tokio::time::timeout_at(bounds.end, sending).await {
            Ok(result) => result,
            // It was sent: nobody knows what became of it.
            Err(_) => Err(EngineError::new(
                command(plan).name(),
                ErrorKind::OutcomeUnknown,
                "the engine did not answer within the time that a request has",
            )),
        };
        trace::commanded(&span, &result);
        let lesson = match &result {
            Ok(()) => Lesson::Success,
            Err(error) if error.kind() == ErrorKind::Backpressure => Lesson::Backpressure,
            Err(_) => Lesson::Nothing,
        };
        place.done(lesson);
        result
    }
}

/// What the commands of one request have together.
struct Bounds {
    /// Whether there is a second attempt.
    retried: bool,
    /// No attempt begins later.
    last_begin: Instant,
    /// No attempt takes longer.
    end: Instant,
    /// For bytes of commands on their way, where there are several.
    room: Option<Semaphore>,
}

impl Bounds {
    /// Without a window there is one attempt, as long as a call may take.
    fn new(window: Duration, call: Duration) -> Self {
        let retried = !window.is_zero();
        let whole = if retried { window } else { call };
        let now = Instant::now();
        Self {
            retried,
            last_begin: now + whole.saturating_sub(LEAST_ATTEMPT),
            end: now + whole,
            room: None,
        }
    }

    /// Waits for room; the outer `None` means that there will be none.
    async fn room_for(&self, plan: &Plan) -> Option<Option<SemaphorePermit<'_>>> {
        let Some(room) = &self.room else {
            return Some(None);
        };
        let bytes = u32::try_from(plan.bytes()).ok()?;
        room.acquire_many(bytes).await.ok().map(Some)
    }
}

/// The failure of a command that found no place among those in flight.
fn crowded_out(command: Command) -> EngineError {
    EngineError::new(
        command.name(),
        ErrorKind::Backpressure,
        "too many commands are in flight; the engine is busy",
    )
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
