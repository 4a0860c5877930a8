//! Workers that wait for jobs to be pushed, and whose turn it is.

use tokio::sync::mpsc;
use tonic::Status;
use zeebe_client::protocol::{ActivatedJob, StreamActivatedJobsRequest};

use super::{JobState, Jobs};

pub(in crate::gateway) type Pushed = Result<ActivatedJob, Status>;

#[derive(Debug)]
pub(super) struct Stream {
    id: u64,
    request: StreamActivatedJobsRequest,
    pushed: mpsc::UnboundedSender<Pushed>,
}

impl Jobs {
    pub(in crate::gateway) fn open_stream(
        &mut self,
        request: StreamActivatedJobsRequest,
    ) -> (u64, mpsc::UnboundedReceiver<Pushed>) {
        self.last_stream += 1;
        let (pushed, receiver) = mpsc::unbounded_channel();
        self.streams.push_back(Stream {
            id: self.last_stream,
            request,
            pushed,
        });
        (self.last_stream, receiver)
    }

    /// Forgets a stream; what it had not sent yet goes to others.
    pub(in crate::gateway) fn close_stream(&mut self, id: u64, unsent: Vec<i64>) {
        self.streams.retain(|stream| stream.id != id);
        for key in unsent {
            if self.state(key) == Some(JobState::Activated) {
                self.moved(key, JobState::Activatable);
                self.offer(key);
            }
        }
    }

    /// Ends all streams of a type, with a status or cleanly.
    pub(in crate::gateway) fn end_streams(&mut self, job_type: &str, status: Option<&Status>) {
        self.streams.retain(|stream| {
            let ends = stream.request.r#type == job_type;
            if ends && let Some(status) = status {
                // Whoever is gone needs no reason.
                let _ = stream.pushed.send(Err(status.clone()));
            }
            !ends
        });
    }

    pub(in crate::gateway) fn open_streams(&self, job_type: &str) -> usize {
        self.streams
            .iter()
            .filter(|stream| stream.request.r#type == job_type)
            .count()
    }

    /// Pushes a job that has just become activatable; where no stream waits, it waits for a poll.
    pub(super) fn offer(&mut self, key: i64) {
        let Some(job_type) = self.jobs.get(&key).map(|job| job.added.job_type.clone()) else {
            return;
        };
        while !self.muted
            && let Some(place) = self
                .streams
                .iter()
                .position(|stream| stream.request.r#type == job_type)
            && let Some(stream) = self.streams.remove(place)
        {
            if stream.pushed.is_closed() {
                continue;
            }
            let request = &stream.request;
            let job = self.hand_over(
                key,
                &request.worker,
                request.timeout,
                &request.fetch_variable,
            );
            if let Some(job) = job {
                // Closed just now, it gives the job back itself.
                let _ = stream.pushed.send(Ok(job));
            }
            // The next job is another stream's turn.
            self.streams.push_back(stream);
            return;
        }
        self.waiting.entry(job_type).or_default().push_back(key);
    }
}
