//! Jobs on their way out: long polls, answers of a size, streams.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use zeebe_client::protocol::{ActivateJobsRequest, ActivatedJob};

use super::job::Pushed;
use super::service::Service;
use super::{MAX_MESSAGE_BYTES, Shared};

/// What the gateway waits for jobs where a poll leaves it open.
const DEFAULT_POLL: Duration = Duration::from_secs(10);

impl Service {
    /// Waits for jobs, as a long poll does.
    pub(super) async fn poll(&self, request: &ActivateJobsRequest) -> Vec<ActivatedJob> {
        let patience = match request.request_timeout {
            0 => DEFAULT_POLL,
            millis => Duration::from_millis(millis.try_into().unwrap_or_default()),
        };
        let until = Instant::now() + patience;
        let mut changed = self.0.changed.subscribe();
        loop {
            changed.borrow_and_update();
            let jobs = self.0.look(|state| state.jobs.activate(request));
            if !jobs.is_empty() {
                self.0.change(|_| ());
                return jobs;
            }
            tokio::select! {
                () = sleep_until(until) => return jobs,
                _ = changed.changed() => {}
            }
        }
    }
}

/// Cuts what was activated into answers of at most the gateway's size, but for a single job above it.
pub(super) fn batches(jobs: Vec<ActivatedJob>) -> Vec<Vec<ActivatedJob>> {
    let mut batches: Vec<Vec<ActivatedJob>> = Vec::new();
    let mut bytes = usize::MAX;
    for job in jobs {
        let more = job.encoded_len();
        match batches.last_mut() {
            Some(batch) if bytes + more <= MAX_MESSAGE_BYTES => {
                bytes += more;
                batch.push(job);
            }
            _ => {
                bytes = more;
                batches.push(vec![job]);
            }
        }
    }
    batches
}

/// A stream of jobs; closed when it is dropped, with what it had not sent going to others.
pub(super) struct OpenStream {
    pub(super) id: u64,
    pub(super) pushed: mpsc::UnboundedReceiver<Pushed>,
    pub(super) first: Option<Pushed>,
    pub(super) shared: Arc<Shared>,
}

impl stream::Stream for OpenStream {
    type Item = Pushed;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Pushed>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => self.pushed.poll_recv(context),
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.pushed.close();
        let mut unsent: Vec<i64> = Vec::new();
        let mut next = self.first.take();
        while let Some(pushed) = next.or_else(|| self.pushed.try_recv().ok()) {
            unsent.extend(pushed.ok().map(|job| job.key));
            next = None;
        }
        self.shared
            .change(|state| state.jobs.close_stream(self.id, unsent));
    }
}
