//! The one task that takes jobs from the engine, by streams and polls, under one capacity.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::age::SETTLED;
use super::backoff::Backoff;
use super::held::HeldJob;
use super::intake::{admit, hand_back};
use super::poll::{Polled, poll};
use super::settle;
use super::stats::{WorkerHealth, count};
use super::streams::{self, Arrived, TypeStream};
use super::{Mode, Shared};
use crate::error::EngineError;
use crate::gateway::Gateway;

/// The longest pause between polls for one job: nothing is pushed meanwhile.
const POLL_FOR_ONE: Duration = Duration::from_secs(1);

type Polling = Pin<Box<dyn Future<Output = Polled> + Send>>;

/// Fetches until the worker stops.
pub(super) async fn run(
    shared: Arc<Shared>,
    streaming: Gateway,
    jobs: mpsc::UnboundedSender<HeldJob>,
) {
    let mut fetcher = Fetcher {
        mode: shared.mode.subscribe(),
        asked: shared.asked_polls.subscribe(),
        answers: 0,
        streams: Vec::new(),
        polling: None,
        poll_at: Instant::now(),
        polled_at: Instant::now(),
        backoff: Backoff::default(),
        first_type: 0,
        first_stream: 0,
        read_at: Instant::now(),
        admitting: JoinSet::new(),
        shared,
        streaming,
        jobs,
    };
    loop {
        let mode = *fetcher.mode.borrow_and_update();
        match mode {
            Mode::Fetching => fetcher.fetch().await,
            Mode::Paused | Mode::Served => {
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
    mode: watch::Receiver<Mode>,
    /// Somebody wants a poll at once.
    asked: watch::Receiver<u64>,
    /// The last of those that the latest poll answers.
    answers: u64,
    streams: Vec<TypeStream>,
    polling: Option<Polling>,
    poll_at: Instant,
    /// When the latest poll began.
    polled_at: Instant,
    backoff: Backoff,
    first_type: usize,
    /// The stream that is looked at first: each job taken from one makes it the last in turn.
    first_stream: usize,
    /// When the streams were last looked at.
    read_at: Instant,
    /// Jobs that are renewed before they are passed on.
    admitting: JoinSet<()>,
}

impl Fetcher {
    /// Takes one thing that the engine has for us, or notices that the mode changed.
    async fn fetch(&mut self) {
        while let Some(admitted) = self.admitting.try_join_next() {
            pass_on_panic(admitted);
        }
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
            polled = poll_under_way(&mut self.polling) => return self.polled(&polled),
            _ = self.mode.changed() => return self.mode.mark_changed(),
        };
        let Some(permit) = room else { return };
        let unread = self.read_at.elapsed();
        let streams = &mut self.streams;
        for stream in streams.iter_mut() {
            stream.excuse(unread);
        }
        // Not where polls fail: then their pauses grow.
        if *self.shared.health.borrow() == WorkerHealth::Connected
            && let Some(opened) = streams.iter().filter_map(TypeStream::opened).max()
            && let Some(moment) = settle::next_poll(opened, self.polled_at)
        {
            self.poll_at = self.poll_at.min(moment);
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
        let streaming = self.shared.settings.stream;
        tokio::select! {
            streamed = next_streamed => match streamed {
                Ok(arrived) => {
                    count(&self.shared.stats.streamed, 1);
                    self.shared.health.send_if_modified(|health| set(health, WorkerHealth::Connected));
                    self.deliver(arrived, permit);
                }
                Err(error) => self.failing(&error),
            },
            polled = poll_under_way(&mut self.polling) => self.polled(&polled),
            () = tokio::time::sleep_until(self.poll_at), if idle => self.start_polling(permit),
            _ = self.asked.changed(), if idle => self.start_polling(permit),
            // To have seen that the streams are empty.
            () = tokio::time::sleep(SETTLED), if streaming => {}
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
            // One that was left does not count: whoever asked waits for one to be given out.
            let came = polled.admitted > 0;
            self.polled(&polled);
            if came {
                // Not where another was asked for since.
                self.shared.mode.send_if_modified(|mode| {
                    let served = *mode == Mode::One(number);
                    if served {
                        *mode = Mode::Served;
                    }
                    served
                });
                return;
            }
            self.poll_at = self.poll_at.min(Instant::now() + POLL_FOR_ONE);
        }
    }

    fn deliver(&mut self, arrived: Arrived, permit: OwnedSemaphorePermit) {
        let Arrived { job, since } = arrived;
        self.shared.sizes.saw(job.size());
        let job = HeldJob::new(job, &self.shared, Some(permit), since);
        let (shared, jobs) = (Arc::clone(&self.shared), self.jobs.clone());
        // Beside the others: the next job does not wait for a renewal of this one.
        let mut admit = Box::pin(async move {
            admit(&shared, job, &jobs).await;
        });
        if (&mut admit).now_or_never().is_none() {
            self.admitting.spawn(admit);
        }
    }

    fn start_polling(&mut self, mut permit: OwnedSemaphorePermit) {
        let permits = &self.shared.permits;
        while let Ok(more) = Arc::clone(permits).try_acquire_owned() {
            permit.merge(more);
        }
        self.poll_with(permit);
    }

    fn poll_with(&mut self, permit: OwnedSemaphorePermit) {
        self.answers = *self.asked.borrow_and_update();
        self.polled_at = Instant::now();
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

    fn polled(&mut self, polled: &Polled) {
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
        // Last: whoever waits for it looks at the health too.
        self.shared
            .polled
            .send_replace((self.answers, polled.found()));
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
    /// handed back is pushed again at once, perhaps to ourselves. They are read to their end meanwhile, so
    /// a poll that hangs does not make what lies in them old.
    async fn let_go(&mut self) {
        let streams = std::mem::take(&mut self.streams);
        let polling = self.polling.take();
        let close = async {
            let leftovers = streams::close(&self.shared, streams).await;
            hand_back(leftovers, "handed back unread").await;
        };
        let poll = async {
            // What it activates must not be left locked.
            match polling {
                Some(polling) => Some(polling.await),
                None => None,
            }
        };
        let ((), polled) = tokio::join!(close, poll);
        if let Some(polled) = polled {
            self.polled(&polled);
        }
        while let Some(admitted) = self.admitting.join_next().await {
            pass_on_panic(admitted);
        }
    }
}

fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Waits for a place among the held jobs, and for the bytes they hold to fall below the budget.
async fn room(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    loop {
        let released = shared.released.notified();
        if shared.bytes_held() < shared.settings.max_bytes_held {
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
