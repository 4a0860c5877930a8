//! What is known of one connection while it is served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits::{Activity, ServeLimits};

/// What all seats of a room share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) activity: Arc<Activity>,
    pub(super) limits: ServeLimits,
    /// Somebody waits for a seat, so whoever falls idle says so.
    pub(super) crowded: AtomicBool,
    pub(super) idled: Notify,
    origin: Instant,
}

impl Shared {
    pub(super) fn new(activity: Arc<Activity>, limits: ServeLimits) -> Self {
        Self {
            activity,
            limits,
            crowded: AtomicBool::new(false),
            idled: Notify::new(),
            origin: Instant::now(),
        }
    }

    /// Microseconds since the room opened, never 0, which stands for "not at all".
    pub(super) fn now(&self) -> u64 {
        1 + u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX - 1)
    }
}

/// One connection's state. The connection's own task writes it, the room reads it on its rounds.
#[derive(Debug)]
pub(super) struct Seat {
    shared: Arc<Shared>,
    requests: AtomicUsize,
    /// Without a request in hand: since when a head is owed; 0 if none is.
    head_since: AtomicU64,
    /// Without a request in hand and no head owed: since when.
    idle_since: AtomicU64,
    /// Since when the peer has taken nothing of what is written; 0 if nothing waits.
    stalled_since: AtomicU64,
    /// Since when the connection is asked to leave; 0 if it is not.
    leaving_since: AtomicU64,
    waker: AtomicWaker,
}

/// What a round decides about a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Stay,
    /// Ask it to leave: nothing was in hand for the idle deadline.
    Idle,
    /// Cut it: a head is overdue.
    SlowHead,
    /// Cut it: the peer takes nothing.
    Stalled,
    /// Cut it: asked to leave, with nothing in hand, and still there.
    Lingering,
}

impl Seat {
    /// A new connection owes a head from the start.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let now = shared.now();
        shared.activity.accepted.fetch_add(1, Ordering::Relaxed);
        shared.activity.open.fetch_add(1, Ordering::Relaxed);
        Self {
            shared,
            requests: AtomicUsize::new(0),
            head_since: AtomicU64::new(now),
            idle_since: AtomicU64::new(now),
            stalled_since: AtomicU64::new(0),
            leaving_since: AtomicU64::new(0),
            waker: AtomicWaker::new(),
        }
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }

    // -- told by the socket

    /// HTTP/1: bytes came. Between requests they begin a head.
    pub(super) fn head_begins(&self) {
        if self.requests() == 0 && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(self.shared.now(), Ordering::Relaxed);
        }
    }

    /// HTTP/2 is spoken: bytes between requests are not a head (pings, settings), and none is owed.
    pub(super) fn head_not_owed(&self) {
        self.idle_since.store(self.shared.now(), Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
    }

    pub(super) fn write_stalls(&self) {
        if self.stalled_since.load(Ordering::Relaxed) == 0 {
            self.stalled_since
                .store(self.shared.now(), Ordering::Relaxed);
        }
    }

    pub(super) fn write_advances(&self) {
        if self.stalled_since.load(Ordering::Relaxed) != 0 {
            self.stalled_since.store(0, Ordering::Relaxed);
        }
    }

    // -- told by the service

    /// A request is in hand until the returned guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InHand {
        self.requests.fetch_add(1, Ordering::AcqRel);
        self.head_since.store(0, Ordering::Relaxed);
        let in_flight = &self.shared.activity.in_flight;
        in_flight.fetch_add(1, Ordering::Relaxed);
        InHand(Arc::clone(self))
    }

    // -- asked and told by the room

    /// When it fell idle, if it is and has not been asked to leave.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let idle = self.requests() == 0
            && self.head_since.load(Ordering::Relaxed) == 0
            && self.leaving_since.load(Ordering::Relaxed) == 0;
        idle.then(|| self.idle_since.load(Ordering::Relaxed))
    }

    /// Whether it will make room soon: asked to leave, and nothing in hand.
    pub(super) fn is_on_the_way_out(&self) -> bool {
        self.leaving_since.load(Ordering::Relaxed) != 0 && self.requests() == 0
    }

    /// Asks the connection to finish its request, if any, and close.
    pub(super) fn ask_to_leave(&self) {
        let now = self.shared.now();
        let _already =
            self.leaving_since
                .compare_exchange(0, now, Ordering::Release, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Whether it was asked to leave; if not, `waker` is woken when it is.
    pub(super) fn is_asked_to_leave(&self, waker: &Waker) -> bool {
        self.waker.register(waker);
        self.leaving_since.load(Ordering::Acquire) != 0
    }

    pub(super) fn verdict(&self, now: u64) -> Verdict {
        let limits = &self.shared.limits;
        let past = |since: &AtomicU64, deadline: std::time::Duration| {
            let since = since.load(Ordering::Relaxed);
            since != 0 && u128::from(now.saturating_sub(since)) > deadline.as_micros()
        };
        if past(&self.stalled_since, limits.stall_deadline) {
            return Verdict::Stalled;
        }
        if self.requests() > 0 {
            return Verdict::Stay;
        }
        if past(&self.head_since, limits.header_deadline) {
            return Verdict::SlowHead;
        }
        // Counted from its last request too: an answer may still be on its way out.
        if past(&self.leaving_since, limits.header_deadline)
            && past(&self.idle_since, limits.header_deadline)
        {
            return Verdict::Lingering;
        }
        match self.idle_since() {
            Some(since)
                if u128::from(now.saturating_sub(since)) > limits.idle_deadline.as_micros() =>
            {
                Verdict::Idle
            }
            Some(_) | None => Verdict::Stay,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let open = &self.shared.activity.open;
        open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request in hand.
#[derive(Debug)]
pub(super) struct InHand(Arc<Seat>);

impl Drop for InHand {
    fn drop(&mut self) {
        let Seat {
            shared,
            requests,
            idle_since,
            ..
        } = &*self.0;
        shared.activity.in_flight.fetch_sub(1, Ordering::Relaxed);
        idle_since.store(shared.now(), Ordering::Relaxed);
        if requests.fetch_sub(1, Ordering::AcqRel) == 1 && shared.crowded.load(Ordering::Acquire) {
            shared.idled.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::{Activity, Arc, Seat, ServeLimits, Shared, Verdict};

    const TICK: Duration = Duration::from_secs(1);

    fn seat() -> (Arc<Shared>, Arc<Seat>) {
        let shared = Arc::new(Shared::new(
            Arc::<Activity>::default(),
            ServeLimits::default(),
        ));
        let seat = Arc::new(Seat::new(Arc::clone(&shared)));
        (shared, seat)
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_request_is_never_cut_and_its_answer_has_time_to_leave() {
        let (shared, seat) = seat();
        let verdict = || seat.verdict(shared.now());
        let in_hand = seat.begin();
        seat.ask_to_leave();
        advance(Duration::from_secs(3600)).await;
        assert_eq!(verdict(), Verdict::Stay);
        drop(in_hand);
        assert_eq!(verdict(), Verdict::Stay);
        advance(ServeLimits::default().header_deadline + TICK).await;
        assert_eq!(verdict(), Verdict::Lingering);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_advances_is_no_stall() {
        let (shared, seat) = seat();
        let verdict = || seat.verdict(shared.now());
        let _in_hand = seat.begin();
        seat.write_stalls();
        advance(ServeLimits::default().stall_deadline - TICK).await;
        seat.write_advances();
        seat.write_stalls();
        advance(ServeLimits::default().stall_deadline - TICK).await;
        assert_eq!(verdict(), Verdict::Stay);
        // Waiting on, it does not start anew.
        seat.write_stalls();
        advance(TICK + TICK).await;
        assert_eq!(verdict(), Verdict::Stalled);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_idle_from_its_last_request_and_asked_only_once() {
        let (shared, seat) = seat();
        let verdict = || seat.verdict(shared.now());
        drop(seat.begin());
        advance(ServeLimits::default().idle_deadline - TICK).await;
        drop(seat.begin());
        advance(ServeLimits::default().idle_deadline - TICK).await;
        assert_eq!(verdict(), Verdict::Stay);
        advance(TICK + TICK).await;
        assert_eq!(verdict(), Verdict::Idle);
        seat.ask_to_leave();
        assert_eq!(verdict(), Verdict::Stay);
    }
}
