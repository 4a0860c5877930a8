//! One job: its event, its delivery, its end.
//!
//! - `parcel`: the event that it becomes, ready to be sent.
//! - `end`: what the engine is told.
//! - `why`: why a job is not done.

mod end;
mod parcel;
mod why;

use std::sync::Arc;
use std::time::Duration;

use eventing::{Attempt, Sender, SinkBinding, spans};
use http::Uri;
use runtime::telemetry::metrics::Metrics;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeebe_client::{HeldJob, JobWorker};

use super::destination::{Destination, Destinations, OwnDestination};
use super::event;
use super::in_hand::InHand;
use super::metrics::SourceMetrics;
use super::outage::{LONGEST_PAUSE, Outage, Then, Turn};
use super::outcome::{Ending, ending};
use super::pause::HandBacks;
use super::task::{TaskError, Tasks};
use super::told::Told;
use super::trace::JobTraces;
use super::tried::Tried;
use crate::config::SourceConfig;
use crate::decisions::Decisions;
use parcel::Parcel;
use why::Why;

/// The longest pause before one job is tried again whose event is at fault.
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(60);

/// Where jobs are worked: what all of them share.
#[derive(Debug)]
pub(super) struct Bench {
    sender: Sender,
    pub(super) binding: SinkBinding,
    config: SourceConfig,
    tasks: Tasks,
    destinations: Destinations,
    hand_backs: HandBacks,
    tried: Tried,
    pub(super) outage: Outage,
    /// Cancelled when the grace is nearly over.
    pub(super) give_up: CancellationToken,
    decisions: Decisions,
    told: Told,
    pub(super) metrics: SourceMetrics,
    traces: JobTraces,
}

impl Bench {
    pub(super) fn new(
        sender: Sender,
        binding: SinkBinding,
        config: SourceConfig,
        worker: &Arc<JobWorker>,
        decisions: Decisions,
        metrics: &Metrics,
        traces: JobTraces,
    ) -> Self {
        Self {
            sender,
            tasks: Tasks::default(),
            destinations: Destinations::new(binding.destination(), &config),
            hand_backs: HandBacks::default(),
            tried: Tried::default(),
            outage: Outage::new(Arc::clone(worker), config.retry_backoff),
            binding,
            config,
            give_up: CancellationToken::new(),
            decisions,
            told: Told::default(),
            metrics: SourceMetrics::new(metrics),
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
                let headers = &parcel.message.headers;
                job.becomes(headers, self.traces.trace_id(), &self.decisions);
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
                // The same model and variables would fail again: no retries are used up in loops.
                self.incident(&mut job, &Why::ours(&text)).await;
            }
        }
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
                return self.lost(job).await;
            }
            let Some((attempt, ending)) = self.attempt(job, uri, parcel).await else {
                return self.stopped(job).await;
            };
            let longest = match &ending {
                Ending::Complete | Ending::ThrowError(_) | Ending::UseRetry | Ending::Incident => {
                    turn.answered();
                    Duration::ZERO
                }
                // Without a token nothing was sent, nor will be: it says nothing about the destination.
                Ending::HandBack(_) if !self.look_for_token() => LONGEST_PAUSE,
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
            return self.hand_back(job, &Why::ours(&reason), backoff).await;
        };
        if is_lost(job) {
            return self.lost(job).await;
        }
        let Some((attempt, ending)) = self.attempt(job, own.uri, parcel).await else {
            return self.stopped(job).await;
        };
        drop(place);
        self.end(job, &attempt, &ending, LONGEST_RETRY_PAUSE).await;
    }

    /// One attempt and what it means; `None` where it was given up since the program stops.
    async fn attempt(
        &self,
        job: &InHand,
        destination: &Uri,
        parcel: &Parcel,
    ) -> Option<(Attempt, Ending)> {
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
        let attempt = attempt?;
        let ending = ending(&attempt, &parcel.task.error_map);
        let again = self.tried.before(job.job().key, &ending);
        self.metrics
            .delivered(&ending, again, began.elapsed(), &span);
        if ending == Ending::Complete {
            self.metrics.accepted(job.came().elapsed(), &span);
        }
        Some((attempt, ending))
    }
}

/// Another has the job, or its instance is gone: then its event is not ours to send.
fn is_lost(job: &InHand) -> bool {
    job.deadline() <= Instant::now()
}
