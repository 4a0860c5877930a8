//! The job streams: one a type, over a connection of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, TryFutureExt};
use tokio::time::{Instant, Sleep};

use super::Shared;
use super::backoff::Backoff;
use super::stats::count;
use crate::command::{ActivatedJob, StreamActivatedJobs};
use crate::error::EngineError;
use crate::gateway::Gateway;

/// A stream that lived so long had been working; what failed before it no longer counts.
const WORKED: Duration = Duration::from_secs(1);
/// At most so many jobs are still read from a stream that is being closed.
const LEFTOVERS: usize = 1024;

type Jobs = Pin<Box<dyn Stream<Item = Result<ActivatedJob, EngineError>> + Send>>;

/// One type's stream: open, or waiting to be opened again.
pub(super) struct TypeStream {
    job_type: String,
    gateway: Gateway,
    shared: Arc<Shared>,
    backoff: Backoff,
    opened: Instant,
    jobs: Option<Jobs>,
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
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// The next job or failure of the stream; it opens itself again and never ends.
    pub(super) fn poll_job(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<ActivatedJob, EngineError>> {
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
                    return Poll::Ready(Ok(job));
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
                    Poll::Pending => return Poll::Pending,
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
        self.alarm
            .as_mut()
            .reset(self.opened + settings.stream_silence);
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

    /// Closes the stream and returns the jobs that had arrived and nobody had read.
    pub(super) fn close(mut self) -> Vec<ActivatedJob> {
        let mut leftovers = Vec::new();
        if let Some(jobs) = &mut self.jobs {
            while let Some(Some(Ok(job))) = jobs.next().now_or_never() {
                leftovers.push(job);
                if leftovers.len() == LEFTOVERS {
                    break;
                }
            }
        }
        leftovers
    }
}
