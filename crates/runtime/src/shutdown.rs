//! Leaving in order: a first signal asks the program to finish, a second one ends it.
//!
//! A [`Shutdown`] is the one handle every room gets. It knows three moments: *requested* (take
//! nothing new), *expired* (the grace is over, drop what is left) and, between the two, how much
//! time [`remains`](Shutdown::remaining). Who comes last, after all work, has a share of the grace
//! [reserved](Shutdown::reserve), by which it is over earlier for all others. It reads no signals itself: [`Signals::drive`] does, and
//! a test calls [`Shutdown::request`] in its place.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One program's way out, cloned into every room. Clones share their state.
#[derive(Clone, Debug)]
pub struct Shutdown {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    grace: Duration,
    reserved: OnceLock<Duration>,
    /// Of the whole grace.
    deadline: OnceLock<Instant>,
    requested: CancellationToken,
    abandoned: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// A shutdown that nobody has asked for yet; `grace` is the time from the request to the cut.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                grace,
                reserved: OnceLock::new(),
                deadline: OnceLock::new(),
                requested: CancellationToken::new(),
                abandoned: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Keeps the last `share` of the grace for what follows the work: for everybody who asks here it is over
    /// by so much earlier. To be called before the request; a second call changes nothing.
    pub fn reserve(&self, share: Duration) {
        self.shared.reserved.get_or_init(|| share);
    }

    /// Asks the program to finish. The grace starts now; a second call changes nothing.
    pub fn request(&self) {
        self.deadline();
        self.shared.requested.cancel();
    }

    /// Ends the grace now, and requests the shutdown if nobody had.
    pub fn abandon(&self) {
        self.request();
        self.shared.abandoned.cancel();
    }

    /// Whether the program has been asked to finish.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.shared.requested.is_cancelled()
    }

    /// Resolves once the program has been asked to finish. Safe to drop and to ask again.
    pub async fn requested(&self) {
        self.shared.requested.cancelled().await;
    }

    /// Resolves once the grace is over but for what is reserved: at its deadline, or earlier by [`abandon`](Self::abandon).
    pub async fn expired(&self) {
        self.shared.requested.cancelled().await;
        let sleep = pin!(tokio::time::sleep_until(self.deadline()));
        let abandoned = pin!(self.shared.abandoned.cancelled());
        select(abandoned, sleep).await;
    }

    /// What is left of the grace but for what is reserved; `None` before the request, zero after the cut.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        if self.shared.abandoned.is_cancelled() {
            return Some(Duration::ZERO);
        }
        self.shared.deadline.get()?;
        Some(self.deadline().saturating_duration_since(Instant::now()))
    }

    /// When the work has to be over. The first who asks starts the grace.
    fn deadline(&self) -> Instant {
        let grace = self.shared.grace;
        let whole = self.shared.deadline.get_or_init(|| Instant::now() + grace);
        let reserved = self.shared.reserved.get().copied().unwrap_or_default();
        *whole - reserved.min(grace)
    }

    /// A token that is cancelled by the request, for rooms that know only tokens. Cancelling it
    /// does not reach back.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.shared.requested.child_token()
    }

    /// Runs `task` in the background, counted by [`drained`](Self::drained).
    ///
    /// The task is not cancelled by the request: it watches [`requested`](Self::requested) where
    /// it can stop early. When the grace expires it is dropped at its next await.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let shutdown = self.clone();
        self.shared.tasks.spawn(async move {
            select(pin!(task), pin!(shutdown.expired())).await;
        });
    }

    /// Waits for every [spawned](Self::spawn) task, at most until the grace expires.
    ///
    /// # Errors
    /// [`CutOff`] counts the tasks that had not ended by themselves.
    pub async fn drained(&self) -> Result<(), CutOff> {
        self.shared.tasks.close();
        let left = match select(pin!(self.shared.tasks.wait()), pin!(self.expired())).await {
            Either::Left(_) => 0,
            Either::Right(_) => self.shared.tasks.len(),
        };
        // Each is dropped at its next await, so this ends at once unless one blocks its thread.
        self.shared.tasks.wait().await;
        match left {
            0 => Ok(()),
            tasks => Err(CutOff { tasks }),
        }
    }
}

/// Background tasks that the end of the grace cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the grace ended with {tasks} background task(s) unfinished")]
pub struct CutOff {
    /// How many were dropped.
    pub tasks: usize,
}

// === impl Signals ===

/// A signal that asks the program to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `SIGTERM`: the orchestrator stops the pod.
    Terminate,
    /// `SIGINT`: somebody pressed Ctrl-C.
    Interrupt,
}

impl Signal {
    /// The exit code of a program that this signal made leave at once: 128 plus its number, as
    /// shells report it (143 for `SIGTERM`, 130 for `SIGINT`).
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 128 + 15,
            Self::Interrupt => 128 + 2,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        })
    }
}

/// Where signals come from: the operating system, or a channel in a test.
#[derive(Debug)]
pub struct Signals {
    source: Source,
}

#[derive(Debug)]
enum Source {
    System {
        terminate: tokio::signal::unix::Signal,
        interrupt: tokio::signal::unix::Signal,
    },
    Channel(mpsc::Receiver<Signal>),
}

impl Signals {
    /// Listens for `SIGTERM` and `SIGINT` from now on; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the operating system refuses a handler.
    pub fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            source: Source::System {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            },
        })
    }

    /// Signals that a test sends.
    #[must_use]
    pub fn from_channel(signals: mpsc::Receiver<Signal>) -> Self {
        Self {
            source: Source::Channel(signals),
        }
    }

    async fn next(&mut self) -> Signal {
        match &mut self.source {
            Source::System {
                terminate,
                interrupt,
            } => {
                tokio::select! {
                    _ = terminate.recv() => Signal::Terminate,
                    _ = interrupt.recv() => Signal::Interrupt,
                }
            }
            Source::Channel(signals) => match signals.recv().await {
                Some(signal) => signal,
                None => std::future::pending().await,
            },
        }
    }

    /// Requests `shutdown` on the first signal; on the second abandons it and returns that signal.
    ///
    /// Whoever awaits this beside the program leaves with [`Signal::exit_code`] when it returns.
    /// It never returns on a single signal: the program itself ends then.
    pub async fn drive(mut self, shutdown: &Shutdown) -> Signal {
        let first = self.next().await;
        tracing::info!(
            signal = %first,
            grace_seconds = shutdown.shared.grace.as_secs(),
            "shutdown requested; a second signal leaves at once"
        );
        shutdown.request();
        let second = self.next().await;
        tracing::warn!(signal = %second, "second signal: leaving at once, work in hand is dropped");
        shutdown.abandon();
        second
    }
}
