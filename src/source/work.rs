//! One job: its event, its delivery, its end.

use std::sync::Arc;
use std::time::Duration;

use cloudevents_http::{Message, into_binary};
use eventing::extension::{TRACEPARENT, TRACESTATE};
use eventing::spans::{self, Described};
use eventing::{Attempt, Sender, SinkBinding, reply};
use http::{HeaderValue, Uri};
use opentelemetry::metrics::Meter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeebe_client::{Ended, EngineError, HeldJob, JobWorker};

use super::destination::{Destination, Destinations, OwnDestination};
use super::event::{self, Travelled};
use super::in_hand::InHand;
use super::metrics::{GONE_ALREADY, HAND_BACK, REFUSED, SourceMetrics, TOO_LATE, name};
use super::outage::{LONGEST_PAUSE, Outage, Then, Turn};
use super::outcome::{Ending, ending};
use super::pause::{HandBacks, grown};
use super::task::{Task, TaskError, Tasks};
use super::trace::JobTraces;
use crate::config::SourceConfig;
use crate::decisions::Decisions;

/// The shortest pause before a job that was handed back is offered again, before it is shortened at random.
const FIRST_HAND_BACK_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause before one job is tried again whose event is at fault.
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(60);
/// What an incident's message may say at most.
const LONGEST_MESSAGE: usize = 1000;

/// Where jobs are worked: what all of them share.
#[derive(Debug)]
pub(super) struct Bench {
    sender: Sender,
    binding: SinkBinding,
    config: SourceConfig,
    tasks: Tasks,
    destinations: Destinations,
    hand_backs: HandBacks,
    pub(super) outage: Outage,
    /// Cancelled when the grace is nearly over.
    pub(super) give_up: CancellationToken,
    decisions: Decisions,
    pub(super) metrics: SourceMetrics,
    traces: JobTraces,
}

/// An event on its way.
struct Parcel {
    task: Arc<Task>,
    message: Message,
    described: Described,
}

impl Bench {
    pub(super) fn new(
        sender: Sender,
        binding: SinkBinding,
        config: SourceConfig,
        worker: &Arc<JobWorker>,
        decisions: Decisions,
        meter: &Meter,
        traces: JobTraces,
    ) -> Self {
        Self {
            sender,
            tasks: Tasks::default(),
            destinations: Destinations::new(binding.destination(), &config),
            hand_backs: HandBacks::default(),
            outage: Outage::new(Arc::clone(worker), config.retry_backoff),
            binding,
            config,
            give_up: CancellationToken::new(),
            decisions,
            metrics: SourceMetrics::new(meter),
            traces,
        }
    }

    /// Works one job to its end.
    pub(super) async fn work(self: Arc<Self>, job: HeldJob) {
        let began = self.traces.now();
        let read = event::split(&job.job().variables);
        let travelled = read.as_ref().ok().map(|(_, travelled)| travelled);
        let span = self.traces.activate(job.job(), travelled, began);
        let parcel =
            read.and_then(|(variables, travelled)| self.parcel(&job, &variables, &travelled));
        span.scope(self.work_out(job, parcel)).await;
    }

    async fn work_out(&self, job: HeldJob, parcel: Result<Parcel, TaskError>) {
        let mut job = InHand::new(job, &self.decisions);
        let turn = self.outage.turn(job.job().key);
        match parcel {
            Ok(parcel) => {
                job.becomes(&parcel.message.headers, &self.decisions);
                self.deliver(&mut job, turn, &parcel).await;
            }
            Err(error) => {
                drop(turn);
                let text = format!(
                    "no event can be made of this job: `{}` of element `{}`: {}",
                    error.field,
                    job.job().element_id,
                    error.reason
                );
                tracing::warn!(
                    job_key = job.job().key.0,
                    element_id = job.job().element_id,
                    field = error.field,
                    "{text}"
                );
                // The same model and variables would fail again: no retries are used up in loops.
                self.incident(&mut job, &text).await;
            }
        }
    }

    fn parcel(
        &self,
        job: &HeldJob,
        variables: &str,
        travelled: &Travelled,
    ) -> Result<Parcel, TaskError> {
        let job = job.job();
        let task = self.tasks.of(job)?;
        let source = &self.config.event_source;
        let mut event = event::build(job, &task, source, variables, travelled)?;
        let hops = travelled.hops();
        if hops > self.config.hop_limit {
            self.metrics.looped();
            return Err(TaskError::new(
                "hops",
                format!(
                    "the event went through processes {} times, more than the limit of {}: events and processes start each other in a loop",
                    hops, self.config.hop_limit
                ),
            ));
        }
        self.binding.apply_overrides(&mut event);
        let described = self.traces.describe(&event, travelled);
        let mut message =
            into_binary(event).map_err(|error| TaskError::new("event", error.to_string()))?;
        for (name, value) in [
            (TRACEPARENT, &travelled.traceparent),
            (TRACESTATE, &travelled.tracestate),
        ] {
            if let Some(Ok(value)) = value.as_ref().map(HeaderValue::try_from) {
                message.headers.insert(name, value);
            }
        }
        Ok(Parcel {
            task,
            message,
            described,
        })
    }

    async fn deliver(&self, job: &mut InHand, turn: Turn<'_>, parcel: &Parcel) {
        match self.destinations.of(&parcel.task) {
            Destination::Shared(uri) => self.deliver_to_shared(job, turn, uri, parcel).await,
            Destination::Own(own) => {
                // It says nothing about the shared one.
                drop(turn);
                self.deliver_to_own(job, own, parcel).await;
            }
        }
    }

    async fn deliver_to_shared(
        &self,
        job: &mut InHand,
        mut turn: Turn<'_>,
        uri: &Uri,
        parcel: &Parcel,
    ) {
        turn.take();
        loop {
            tokio::select! {
                () = turn.due() => {}
                () = self.give_up.cancelled() => return self.stopped(job).await,
            }
            if is_lost(job) {
                drop(turn);
                return self.hand_back(job, "not delivered", Duration::ZERO).await;
            }
            let Some((attempt, ending)) = self.attempt(uri, parcel).await else {
                return self.stopped(job).await;
            };
            let longest = match &ending {
                Ending::Complete | Ending::ThrowError(_) | Ending::UseRetry | Ending::Incident => {
                    turn.answered();
                    Duration::ZERO
                }
                Ending::HandBack(doubt) => match turn.failed(*doubt, &attempt.summary()) {
                    Then::Again => {
                        job.again(&attempt);
                        continue;
                    }
                    Then::HandBack => LONGEST_PAUSE,
                    Then::HandBackAlone => LONGEST_RETRY_PAUSE,
                },
            };
            drop(turn);
            return self.end(job, &attempt, &ending, longest).await;
        }
    }

    /// A destination of a task's own has no outage: what is not answered is handed back each for itself.
    async fn deliver_to_own(&self, job: &mut InHand, own: OwnDestination<'_>, parcel: &Parcel) {
        let place = tokio::select! {
            place = own.place() => place,
            () = self.give_up.cancelled() => return self.stopped(job).await,
        };
        let Some(place) = place else {
            let reason = format!("not delivered: all places for `{}` are taken", own.uri);
            let backoff = self.hand_back_pause(job, LONGEST_PAUSE);
            return self.hand_back(job, &shortened(&reason), backoff).await;
        };
        if is_lost(job) {
            return self.hand_back(job, "not delivered", Duration::ZERO).await;
        }
        let Some((attempt, ending)) = self.attempt(own.uri, parcel).await else {
            return self.stopped(job).await;
        };
        drop(place);
        self.end(job, &attempt, &ending, LONGEST_RETRY_PAUSE).await;
    }

    /// One attempt and what it means; `None` where it was given up since the program stops.
    async fn attempt(&self, destination: &Uri, parcel: &Parcel) -> Option<(Attempt, Ending)> {
        let began = Instant::now();
        let mut message = parcel.message.clone();
        let span = self
            .traces
            .deliver(&parcel.described, destination, &mut message.headers);
        let sending = self
            .sender
            .send(destination, message, self.config.delivery_timeout);
        let attempt = tokio::select! {
            // An answer that is there counts, also at the very end.
            biased;
            attempt = span.scope(sending) => Some(attempt),
            () = self.give_up.cancelled() => None,
        };
        spans::delivered(&span, attempt.as_ref());
        drop(span);
        let attempt = attempt?;
        let ending = ending(&attempt, &parcel.task.error_map);
        self.metrics.delivered(&ending, began.elapsed());
        Some((attempt, ending))
    }

    async fn stopped(&self, job: &mut InHand) {
        self.hand_back(job, "the program stops", Duration::ZERO)
            .await;
    }

    /// Longer each time that this job was handed back since it was last answered.
    fn hand_back_pause(&self, job: &InHand, longest: Duration) -> Duration {
        let first = self.config.retry_backoff.max(FIRST_HAND_BACK_PAUSE);
        grown(first, self.hand_backs.count(job.job().key), longest)
    }

    async fn hand_back(&self, job: &mut InHand, reason: &str, backoff: Duration) {
        self.traces.failed(HAND_BACK, reason);
        let ended = self
            .traces
            .command("FailJob", job.hand_back(reason, backoff))
            .await;
        self.log(job, HAND_BACK, &ended);
    }

    async fn incident(&self, job: &mut InHand, text: &str) {
        let how = name(&Ending::Incident);
        let ended = self.fail(job, how, 0, text, Duration::ZERO).await;
        self.log(job, how, &ended);
    }

    async fn fail(
        &self,
        job: &mut InHand,
        how: &'static str,
        retries: i32,
        text: &str,
        pause: Duration,
    ) -> Ended {
        let text = shortened(text);
        self.traces.failed(how, &text);
        let failing = job.fail(retries, &text, pause);
        self.traces.command("FailJob", failing).await
    }

    /// Ends a job as the answer says; `longest` bounds the pause of one that is handed back.
    async fn end(&self, job: &mut InHand, attempt: &Attempt, ending: &Ending, longest: Duration) {
        job.answered(attempt);
        let said = || shortened(&format!("the destination answered {}", attempt.summary()));
        let retries_left = job.job().retries.saturating_sub(1).max(0);
        let (how, ended) = match ending {
            Ending::HandBack(_) => {
                let reason = format!("not delivered: {}", attempt.summary());
                let backoff = self.hand_back_pause(job, longest);
                return self.hand_back(job, &shortened(&reason), backoff).await;
            }
            Ending::Complete => {
                self.notice_reply(job, attempt);
                let completing = job.complete("");
                let ended = self.traces.command("CompleteJob", completing).await;
                (name(ending), ended)
            }
            Ending::ThrowError(code) => {
                let said = said();
                let throwing = job.throw_error(code, &said);
                let ended = self.traces.command("ThrowError", throwing).await;
                (name(ending), ended)
            }
            Ending::UseRetry if retries_left > 0 => {
                let how = name(ending);
                let pause = self.retry_pause(job.job().retries);
                let ended = self.fail(job, how, retries_left, &said(), pause).await;
                (how, ended)
            }
            Ending::UseRetry | Ending::Incident => {
                let how = name(&Ending::Incident);
                (how, self.fail(job, how, 0, &said(), Duration::ZERO).await)
            }
        };
        self.hand_backs.forget(job.job().key);
        self.log(job, how, &ended);
        if let Ended::Refused(error) = ended {
            self.end_refused(job, attempt, how, &error).await;
        }
    }

    /// The engine will not take this end, ever: left alone, the job would come back and its event be
    /// delivered again each time that its activation runs out.
    async fn end_refused(
        &self,
        job: &mut InHand,
        attempt: &Attempt,
        how: &'static str,
        error: &EngineError,
    ) {
        let text = format!(
            "the event was delivered and answered {}, but the engine refused the end `{how}` of its job: {error}; once this is resolved the event is delivered again, with the same id",
            attempt.summary()
        );
        self.incident(job, &text).await;
    }

    fn notice_reply(&self, job: &InHand, attempt: &Attempt) {
        if let Attempt::Accepted {
            status, headers, ..
        } = attempt
            && reply::is_reply(*status, headers)
        {
            self.metrics.reply_dropped();
            tracing::debug!(
                job_key = job.job().key.0,
                "a reply event was dropped: replies are not taken"
            );
        }
    }

    /// Doubles with each retry used, counted from the three that tasks have by default.
    fn retry_pause(&self, retries: i32) -> Duration {
        let used = 3_i32.saturating_sub(retries).max(0).unsigned_abs();
        grown(self.config.retry_backoff, used, LONGEST_RETRY_PAUSE)
    }

    fn log(&self, job: &InHand, how: &'static str, ended: &Ended) {
        let job_key = job.job().key.0;
        self.traces.ended(how);
        job.ended(how, ended);
        match ended {
            Ended::Done => {
                self.metrics.ended(how);
                tracing::debug!(job_key, how, "a job ended");
            }
            Ended::GoneAlready => {
                self.metrics.ended(GONE_ALREADY);
                tracing::info!(
                    job_key,
                    how,
                    "a job was gone: somebody else had it, or its instance ended"
                );
            }
            Ended::TooLate => {
                self.metrics.ended(TOO_LATE);
                tracing::warn!(
                    job_key,
                    how,
                    "a job's activation had run out; it comes back"
                );
            }
            Ended::Refused(error) => {
                self.metrics.ended(REFUSED);
                tracing::error!(job_key, how, %error, "the engine refused the end of a job; it comes back");
            }
        }
    }
}

/// Another has the job, or its instance is gone: then its event is not ours to send.
fn is_lost(job: &InHand) -> bool {
    job.deadline() <= Instant::now()
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
