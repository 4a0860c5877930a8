//! The one task that takes jobs from the engine, by streams and polls, under one capacity.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::held::HeldJob;
use super::stats::{WorkerHealth, count};
use super::streams::TypeStream;
use super::{Mode, Shared};
use crate::command::{ActivateJobs, ActivatedJob, FailJob};
use crate::error::EngineError;
use crate::gateway::Gateway;

/// So many hand-backs are under way at one time.
const CONCURRENT: usize = 16;
/// The longest pause between polls for one job: nothing is pushed meanwhile.
const POLL_FOR_ONE: Duration = Duration::from_secs(1);

type Polling = Pin<Box<dyn Future<Output = Polled> + Send>>;

struct Polled {
    /// As many jobs came as there was room for: there are probably more.
    full: bool,
    failed: Option<EngineError>,
}

/// Fetches until the worker stops.
pub(super) async fn run(
    shared: Arc<Shared>,
    streaming: Gateway,
    jobs: mpsc::UnboundedSender<HeldJob>,
) {
    let mut fetcher = Fetcher {
        mode: shared.mode.subscribe(),
        streams: Vec::new(),
        polling: None,
        poll_at: Instant::now(),
        backoff: Backoff::default(),
        first_type: 0,
        first_stream: 0,
        read_at: Instant::now(),
        shared,
        streaming,
        jobs,
    };
    loop {
        let mode = *fetcher.mode.borrow_and_update();
        match mode {
            Mode::Fetching => fetcher.fetch().await,
            Mode::Paused => {
                fetcher.let_go().await;
                if fetcher.mode.changed().await.is_err() {
                    return;
                }
                fetcher.poll_at = Instant::now();
            }
            Mode::One(number) => {
                fetcher.let_go().await;
                fetcher.poll_at = Instant::now();
                fetcher.fetch_one(number).await;
                fetcher.poll_at = Instant::now();
            }
            Mode::Stopping => {
                fetcher.let_go().await;
                return;
            }
        }
    }
}

struct Fetcher {
    shared: Arc<Shared>,
    streaming: Gateway,
    jobs: mpsc::UnboundedSender<HeldJob>,
    mode: tokio::sync::watch::Receiver<Mode>,
    streams: Vec<TypeStream>,
    polling: Option<Polling>,
    poll_at: Instant,
    backoff: Backoff,
    first_type: usize,
    /// The stream that is looked at first: each job taken from one makes it the last in turn.
    first_stream: usize,
    /// When the streams were last looked at.
    read_at: Instant,
}

impl Fetcher {
    /// Takes one thing that the engine has for us, or notices that the mode changed.
    async fn fetch(&mut self) {
        if self.streams.is_empty() && self.shared.settings.stream {
            self.streams = self
                .shared
                .settings
                .job_types
                .iter()
                .map(|job_type| TypeStream::new(&self.shared, &self.streaming, job_type))
                .collect();
        }
        let room = tokio::select! {
            room = room(&self.shared) => room,
            polled = poll_under_way(&mut self.polling) => return self.polled(polled),
            _ = self.mode.changed() => return self.mode.mark_changed(),
        };
        let Some(permit) = room else { return };
        let unread = self.read_at.elapsed();
        let streams = &mut self.streams;
        for stream in streams.iter_mut() {
            stream.excuse(unread);
        }
        let first_stream = &mut self.first_stream;
        let next_streamed = poll_fn(|context| {
            for turn in 0..streams.len() {
                let place = (*first_stream + turn) % streams.len();
                if let Poll::Ready(item) = streams[place].poll_job(context) {
                    *first_stream = place + 1;
                    return Poll::Ready(item);
                }
            }
            Poll::Pending
        });
        let idle = self.polling.is_none();
        tokio::select! {
            streamed = next_streamed => match streamed {
                Ok(job) => {
                    count(&self.shared.stats.streamed, 1);
                    self.shared.health.send_if_modified(|health| set(health, WorkerHealth::Connected));
                    self.deliver(job, permit);
                }
                Err(error) => self.failing(&error),
            },
            polled = poll_under_way(&mut self.polling) => self.polled(polled),
            () = tokio::time::sleep_until(self.poll_at), if idle => self.start_polling(permit),
            _ = self.mode.changed() => self.mode.mark_changed(),
        }
        self.read_at = Instant::now();
    }

    /// Polls with a single permit until a job has come or the mode changes.
    async fn fetch_one(&mut self, number: u64) {
        loop {
            let room = tokio::select! {
                room = room(&self.shared) => room,
                _ = self.mode.changed() => return self.mode.mark_changed(),
            };
            let Some(permit) = room else { return };
            tokio::select! {
                () = tokio::time::sleep_until(self.poll_at) => {}
                _ = self.mode.changed() => return self.mode.mark_changed(),
            }
            self.poll_with(permit);
            let polled = tokio::select! {
                polled = poll_under_way(&mut self.polling) => polled,
                // What it brings is taken in whichever mode follows.
                _ = self.mode.changed() => return self.mode.mark_changed(),
            };
            let came = polled.full;
            self.polled(polled);
            if came {
                // Not where another was asked for since.
                self.shared.mode.send_if_modified(|mode| {
                    let served = *mode == Mode::One(number);
                    if served {
                        *mode = Mode::Paused;
                    }
                    served
                });
                return;
            }
            self.poll_at = self.poll_at.min(Instant::now() + POLL_FOR_ONE);
        }
    }

    fn deliver(&self, job: ActivatedJob, permit: OwnedSemaphorePermit) {
        // The receiver lives as long as the worker; what it never reads is handed back by `stop`.
        let _ = self
            .jobs
            .send(HeldJob::new(job, Arc::clone(&self.shared), permit));
    }

    fn start_polling(&mut self, mut permit: OwnedSemaphorePermit) {
        let permits = &self.shared.permits;
        while let Ok(more) = Arc::clone(permits).try_acquire_owned() {
            permit.merge(more);
        }
        self.poll_with(permit);
    }

    fn poll_with(&mut self, permit: OwnedSemaphorePermit) {
        let types = &self.shared.settings.job_types;
        let mut turn = types.clone();
        turn.rotate_left(self.first_type % types.len().max(1));
        self.first_type = self.first_type.wrapping_add(1);
        self.polling = Some(Box::pin(poll(
            Arc::clone(&self.shared),
            self.jobs.clone(),
            turn,
            permit,
        )));
    }

    fn polled(&mut self, polled: Polled) {
        count(&self.shared.stats.polls, 1);
        let pause = match &polled.failed {
            Some(error) => {
                self.failing(error);
                self.backoff.next()
            }
            None => {
                self.shared
                    .health
                    .send_if_modified(|health| set(health, WorkerHealth::Connected));
                self.backoff.reset();
                if polled.full {
                    Duration::ZERO
                } else {
                    self.shared.settings.poll_interval
                }
            }
        };
        self.poll_at = Instant::now() + pause;
    }

    fn failing(&self, error: &EngineError) {
        let reason = error.to_string();
        let news = self
            .shared
            .health
            .send_if_modified(|health| set(health, WorkerHealth::Failing(reason)));
        if news {
            tracing::warn!(%error, "no jobs can be had from the engine");
        }
    }

    /// Takes nothing more, and gives back what nobody read. Streams are closed first: a job that is
    /// handed back is pushed again at once, perhaps to ourselves.
    async fn let_go(&mut self) {
        if let Some(polling) = self.polling.take() {
            // What it activates must not be left locked.
            let polled = polling.await;
            self.polled(polled);
        }
        let leftovers: Vec<ActivatedJob> =
            self.streams.drain(..).flat_map(TypeStream::close).collect();
        let gateway = &self.shared.gateway;
        futures_util::stream::iter(leftovers)
            .for_each_concurrent(CONCURRENT, |job| async move {
                let command = FailJob {
                    job_key: job.key,
                    retries: job.retries,
                    error_message: String::from("handed back unread"),
                    retry_back_off: Duration::ZERO,
                    variables: String::new(),
                };
                if let Err(error) = gateway.fail_job(command).await {
                    tracing::debug!(job_key = job.key.0, %error, "an unread job comes back when its activation runs out");
                }
            })
            .await;
    }
}

/// One poll of each type, as far as the permits go; what they are not used for falls back.
async fn poll(
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedSender<HeldJob>,
    types: Vec<String>,
    mut permits: OwnedSemaphorePermit,
) -> Polled {
    let settings = &shared.settings;
    let mut full = false;
    for job_type in types {
        let wanted = permits.num_permits();
        if wanted == 0 {
            full = true;
            break;
        }
        let command = ActivateJobs {
            job_type,
            worker: settings.worker_name.clone(),
            timeout: settings.job_timeout,
            max_jobs_to_activate: i32::try_from(wanted).unwrap_or(i32::MAX),
            fetch_variables: settings.fetch_variables.clone(),
            // A long poll would hold permits that the streams could use.
            request_timeout: None,
            tenant_ids: settings.tenant_ids.clone(),
        };
        let mut batches = match shared.gateway.activate_jobs(command).await {
            Ok(batches) => batches,
            Err(error) => {
                return Polled {
                    full,
                    failed: Some(error),
                };
            }
        };
        let mut got = 0;
        while let Some(batch) = batches.next().await {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    return Polled {
                        full,
                        failed: Some(error),
                    };
                }
            };
            for job in batch {
                got += 1;
                count(&shared.stats.polled, 1);
                // An engine that gives more than was asked for is answered by leaving the rest to their time-out.
                if let Some(permit) = permits.split(1) {
                    let _ = jobs.send(HeldJob::new(job, Arc::clone(&shared), permit));
                }
            }
        }
        full |= got >= wanted;
    }
    Polled { full, failed: None }
}

/// Waits for a place among the held jobs, and for the bytes they hold to fall below the budget.
async fn room(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    loop {
        let released = shared.released.notified();
        let bytes: usize = {
            let held = shared.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.values().map(super::renewer::Lock::bytes).sum()
        };
        if bytes < shared.settings.max_bytes_held {
            break;
        }
        released.await;
    }
    Arc::clone(&shared.permits).acquire_owned().await.ok()
}

async fn poll_under_way(polling: &mut Option<Polling>) -> Polled {
    let polled = match polling {
        Some(polling) => polling.await,
        None => pending().await,
    };
    *polling = None;
    polled
}

fn set(health: &mut WorkerHealth, to: WorkerHealth) -> bool {
    let news = *health != to;
    *health = to;
    news
}
