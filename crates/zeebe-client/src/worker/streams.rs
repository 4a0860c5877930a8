//! The job streams: one a type, over a connection of its own.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, TryFutureExt};
use tokio::time::{Instant, Sleep};

use super::Shared;
use super::age::Age;
use super::backoff::Backoff;
use super::held::HeldJob;
use super::stats::count;
use crate::command::{ActivatedJob, StreamActivatedJobs};
use crate::error::EngineError;
use crate::gateway::Gateway;

/// A stream that lived so long had been working; what failed before it no longer counts.
const WORKED: Duration = Duration::from_secs(1);
/// A stream that is to be closed is read until nothing came for so long: a round trip to the gateway, which
/// sends what it kept for want of a window.
const QUIET: Duration = Duration::from_millis(250);
/// Where jobs come all the time it is closed after so long, as soon as there is nothing to read.
const DRAINING: Duration = Duration::from_secs(2);
/// Nor are more jobs than this read from streams that are being closed.
const LEFTOVERS: usize = 2048;

/// A gateway without streams is asked for them again after so long: it may be another by then.
const MISSING: Duration = Duration::from_secs(600);

type Jobs = Pin<Box<dyn Stream<Item = Result<ActivatedJob, EngineError>> + Send>>;

/// One type's stream: open, or waiting to be opened again.
pub(super) struct TypeStream {
    job_type: String,
    gateway: Gateway,
    shared: Arc<Shared>,
    backoff: Backoff,
    opened: Instant,
    jobs: Option<Jobs>,
    age: Age,
    /// While open: when it has been silent for too long. While closed: when to open it.
    alarm: Pin<Box<Sleep>>,
}

impl TypeStream {
    /// Not open yet; it opens when it is first read.
    pub(super) fn new(shared: &Arc<Shared>, gateway: &Gateway, job_type: &str) -> Self {
        Self {
            job_type: job_type.to_owned(),
            gateway: gateway.clone(),
            shared: Arc::clone(shared),
            backoff: Backoff::default(),
            opened: Instant::now(),
            jobs: None,
            age: Age::of_new(shared.settings.stream_windows.stream),
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// The next job of the stream, with the earliest moment of its activation, or the next failure; it opens
    /// itself again and never ends.
    pub(super) fn poll_job(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Arrived, EngineError>> {
        loop {
            let Some(jobs) = &mut self.jobs else {
                match self.alarm.poll_unpin(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => self.open(),
                }
                continue;
            };
            match jobs.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(job))) => {
                    self.backoff.reset();
                    self.alarm
                        .as_mut()
                        .reset(Instant::now() + self.shared.settings.stream_silence);
                    let since = self.age.read(job.transferred());
                    return Poll::Ready(Ok(Arrived { job, since }));
                }
                Poll::Ready(Some(Err(error))) if error.is_unimplemented() => {
                    // One warning for all types and all times; the polls go on.
                    if !self.shared.streams_missing.swap(true, Ordering::Relaxed) {
                        tracing::warn!(
                            %error,
                            "the gateway has no job streams; jobs are polled for only"
                        );
                    }
                    self.close_until(Instant::now() + MISSING);
                }
                Poll::Ready(Some(Err(error))) => {
                    if self.opened.elapsed() >= WORKED {
                        self.backoff.reset();
                    }
                    let pause = self.backoff.next();
                    self.close_until(Instant::now() + pause);
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(None) => {
                    let pause = if self.opened.elapsed() >= WORKED {
                        self.backoff.reset();
                        Duration::ZERO
                    } else {
                        self.backoff.next()
                    };
                    self.close_until(Instant::now() + pause);
                }
                Poll::Pending => match self.alarm.poll_unpin(context) {
                    Poll::Pending => {
                        self.age.saw_nothing();
                        return Poll::Pending;
                    }
                    Poll::Ready(()) => {
                        count(&self.shared.stats.stream_silences, 1);
                        tracing::debug!(
                            job_type = self.job_type,
                            "a job stream was silent and is opened anew"
                        );
                        self.close_until(Instant::now());
                    }
                },
            }
        }
    }

    fn open(&mut self) {
        count(&self.shared.stats.stream_openings, 1);
        let settings = &self.shared.settings;
        let command = StreamActivatedJobs {
            job_type: self.job_type.clone(),
            worker: settings.worker_name.clone(),
            timeout: settings.job_timeout,
            fetch_variables: settings.fetch_variables.clone(),
            tenant_ids: settings.tenant_ids.clone(),
        };
        let gateway = self.gateway.clone();
        // The gateway answers with headers only once it has a job: opening is part of reading.
        let opening = async move { gateway.stream_activated_jobs(command).await };
        self.jobs = Some(opening.try_flatten_stream().boxed());
        self.opened = Instant::now();
        self.age = Age::of_new(settings.stream_windows.stream);
        self.alarm
            .as_mut()
            .reset(self.opened + settings.stream_silence);
    }

    /// When it was opened; `None` while it is not open.
    pub(super) fn opened(&self) -> Option<Instant> {
        self.jobs.as_ref().map(|_| self.opened)
    }

    /// Time in which nobody read it does not count as its silence.
    pub(super) fn excuse(&mut self, unread: Duration) {
        if self.jobs.is_some() {
            let alarm = self.alarm.deadline() + unread;
            self.alarm.as_mut().reset(alarm);
        }
    }

    fn close_until(&mut self, when: Instant) {
        self.jobs = None;
        self.alarm.as_mut().reset(when);
    }

    /// The next job that had been pushed before the stream was to be closed; none once it ended.
    fn poll_leftover(&mut self, context: &mut Context<'_>) -> Poll<Option<Arrived>> {
        let Some(jobs) = &mut self.jobs else {
            return Poll::Ready(None);
        };
        match jobs.poll_next_unpin(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(job))) => {
                let since = self.age.read(job.transferred());
                Poll::Ready(Some(Arrived { job, since }))
            }
            Poll::Ready(Some(Err(_)) | None) => {
                self.jobs = None;
                Poll::Ready(None)
            }
        }
    }
}

/// A job that a stream brought.
pub(super) struct Arrived {
    pub(super) job: ActivatedJob,
    /// It was not activated before.
    pub(super) since: Instant,
}

/// Closes streams and returns the jobs that nobody had read.
///
/// There is no way to tell the gateway to push nothing more and to wait for what it has pushed: to close is
/// to drop what is on its way. So they are read until nothing comes any more, and what is pushed in the
/// moment of closing is all that is left to its time-out.
pub(super) async fn close(shared: &Arc<Shared>, mut streams: Vec<TypeStream>) -> Vec<HeldJob> {
    let began = Instant::now();
    let mut leftovers = Vec::new();
    let mut bytes = 0;
    while leftovers.len() < LEFTOVERS && bytes <= shared.settings.max_bytes_held {
        let next = poll_fn(|context| {
            let mut ended = true;
            for stream in &mut streams {
                match stream.poll_leftover(context) {
                    Poll::Ready(Some(arrived)) => return Poll::Ready(Some(arrived)),
                    Poll::Ready(None) => {}
                    Poll::Pending => ended = false,
                }
            }
            if ended {
                Poll::Ready(None)
            } else {
                Poll::Pending
            }
        });
        let patience = if began.elapsed() < DRAINING {
            QUIET
        } else {
            Duration::ZERO
        };
        let Ok(Some(Arrived { job, since })) = tokio::time::timeout(patience, next).await else {
            break;
        };
        bytes += job.size();
        leftovers.push(HeldJob::new(job, shared, None, since));
    }
    leftovers
}
