//! One job: its event, its delivery, its end.

use std::sync::Arc;
use std::time::Duration;

use cloudevents_http::{Message, into_binary};
use eventing::{Attempt, Sender, SinkBinding, reply};
use http::{HeaderValue, Uri};
use opentelemetry::metrics::Meter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeebe_client::{Ended, HeldJob, JobWorker};

use super::event::{self, Outgoing};
use super::metrics::{SourceMetrics, name};
use super::outage::{Outage, Probe};
use super::outcome::{Ending, ending};
use super::task::{Task, TaskError, Tasks};
use crate::config::SourceConfig;

/// The longest pause between attempts of a probe, and before a job that was handed back is offered again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause that retries of the model grow to.
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(60);
/// What an incident's message may say at most.
const LONGEST_MESSAGE: usize = 1000;

/// Where jobs are worked: what all of them share.
#[derive(Debug)]
pub(super) struct Bench {
    sender: Sender,
    binding: SinkBinding,
    config: SourceConfig,
    worker: Arc<JobWorker>,
    tasks: Tasks,
    pub(super) outage: Outage,
    /// Cancelled when the grace is nearly over.
    pub(super) give_up: CancellationToken,
    metrics: SourceMetrics,
}

impl Bench {
    pub(super) fn new(
        sender: Sender,
        binding: SinkBinding,
        config: SourceConfig,
        worker: Arc<JobWorker>,
        meter: &Meter,
    ) -> Self {
        Self {
            sender,
            binding,
            config,
            worker,
            tasks: Tasks::default(),
            outage: Outage::new(),
            give_up: CancellationToken::new(),
            metrics: SourceMetrics::new(meter),
        }
    }

    /// Works one job to its end.
    pub(super) async fn work(self: Arc<Self>, mut job: HeldJob) {
        match self.event_of(&job) {
            Ok((task, message)) => self.deliver(&mut job, &task, message).await,
            Err(error) => {
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
                let ended = job.fail(0, &shortened(&text), Duration::ZERO).await;
                self.log(&job, "incident", &ended);
            }
        }
    }

    fn event_of(&self, job: &HeldJob) -> Result<(Arc<Task>, Message), TaskError> {
        let job = job.job();
        let task = self.tasks.of(job)?;
        let outgoing = event::build(job, &task, &self.config.event_source)?;
        if outgoing.hops > self.config.hop_limit {
            self.metrics.looped();
            return Err(TaskError::new(
                "hops",
                format!(
                    "the event went through processes {} times, more than the limit of {}: events and processes start each other in a loop",
                    outgoing.hops, self.config.hop_limit
                ),
            ));
        }
        self.message(outgoing).map(|message| (task, message))
    }

    fn message(&self, outgoing: Outgoing) -> Result<Message, TaskError> {
        let Outgoing {
            mut event,
            traceparent,
            tracestate,
            hops: _,
        } = outgoing;
        self.binding.apply_overrides(&mut event);
        let mut message =
            into_binary(event).map_err(|error| TaskError::new("event", error.to_string()))?;
        for (name, value) in [("traceparent", traceparent), ("tracestate", tracestate)] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                message.headers.insert(name, value);
            }
        }
        Ok(message)
    }

    /// Where the event goes: the task's own destination only where configuration allows it.
    fn destination<'a>(&'a self, task: &'a Task) -> &'a Uri {
        match &task.host {
            Some(host) if allowed(&self.config.allowed_destinations, host) => host,
            Some(_) | None => self.binding.destination(),
        }
    }

    async fn deliver(&self, job: &mut HeldJob, task: &Task, message: Message) {
        let destination = self.destination(task);
        let shared_destination = destination == self.binding.destination();
        let mut probe: Option<Probe<'_>> = None;
        let mut pause = self.config.retry_backoff;
        loop {
            let began = Instant::now();
            let attempt = tokio::select! {
                attempt = self.sender.send(destination, message.clone(), self.config.delivery_timeout) => attempt,
                () = self.give_up.cancelled() => return self.hand_back(job, "the program stops", Duration::ZERO).await,
            };
            let ending = ending(&attempt, &task.error_map);
            self.metrics.delivered(&ending, began.elapsed());
            if ending != Ending::HandBack {
                if let Some(probe) = probe.take() {
                    drop(probe);
                    tracing::info!(%destination, "the destination answers again");
                    self.worker.resume();
                }
                return self.end(job, &attempt, ending).await;
            }
            // Only the destination that all jobs share can stop all of them.
            if probe.is_none() && shared_destination {
                probe = self.outage.noticed(&attempt.summary());
                if probe.is_some() {
                    tracing::warn!(%destination, answer = attempt.summary(), "the destination is away; no jobs are activated until it answers");
                    self.worker.pause();
                }
            }
            if probe.is_none() {
                let reason = format!("not delivered: {}", attempt.summary());
                return self
                    .hand_back(
                        job,
                        &shortened(&reason),
                        jittered(pause.max(Duration::from_secs(1))),
                    )
                    .await;
            }
            tokio::select! {
                () = tokio::time::sleep(jittered(pause)) => {}
                () = self.give_up.cancelled() => return self.hand_back(job, "the program stops", Duration::ZERO).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn hand_back(&self, job: &mut HeldJob, reason: &str, backoff: Duration) {
        let ended = job.hand_back(reason, backoff).await;
        self.log(job, "hand_back", &ended);
    }

    async fn end(&self, job: &mut HeldJob, attempt: &Attempt, ending: Ending) {
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
        let said = || shortened(&format!("the destination answered {}", attempt.summary()));
        let retries = job.job().retries;
        let ended = match &ending {
            Ending::Complete => job.complete("").await,
            Ending::ThrowError(code) => job.throw_error(code, &said()).await,
            Ending::UseRetry => {
                job.fail((retries - 1).max(0), &said(), self.retry_pause(retries))
                    .await
            }
            Ending::Incident => job.fail(0, &said(), Duration::ZERO).await,
            Ending::HandBack => job.hand_back(&said(), Duration::ZERO).await,
        };
        self.log(job, name(&ending), &ended);
    }

    /// Doubles with each retry used, counted from the three that tasks have by default.
    fn retry_pause(&self, retries_left: i32) -> Duration {
        let used = 3_i32.saturating_sub(retries_left).clamp(0, 16);
        jittered(
            self.config
                .retry_backoff
                .saturating_mul(1 << used)
                .min(LONGEST_RETRY_PAUSE),
        )
    }

    fn log(&self, job: &HeldJob, how: &'static str, ended: &Ended) {
        let job_key = job.job().key.0;
        match ended {
            Ended::Done => {
                self.metrics.ended(how);
                tracing::debug!(job_key, how, "a job ended");
            }
            Ended::GoneAlready => {
                self.metrics.ended("gone_already");
                tracing::info!(
                    job_key,
                    how,
                    "a job was gone: somebody else had it, or its instance ended"
                );
            }
            Ended::TooLate => {
                self.metrics.ended("too_late");
                tracing::warn!(
                    job_key,
                    how,
                    "a job's activation had run out; it comes back"
                );
            }
            Ended::Refused(error) => {
                self.metrics.ended("refused");
                tracing::error!(job_key, how, %error, "the engine refused the end of a job; it comes back");
            }
        }
    }
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Whether a destination that a model chose lies under one that configuration allows: the same scheme
/// and authority, and a path below the allowed one.
fn allowed(prefixes: &[Uri], destination: &Uri) -> bool {
    prefixes.iter().any(|prefix| {
        let below = destination
            .path()
            .strip_prefix(prefix.path().trim_end_matches('/'));
        prefix.scheme() == destination.scheme()
            && prefix.authority() == destination.authority()
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && !destination.path().split('/').any(|step| step == "..")
    })
}
