//! All connections of one listener: who is seated, who has to go.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::Response;
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio_util::task::TaskTracker;
use tower::Service;

use super::PacedRequest;
use super::connection::{Streams, converse, protocol};
use super::limits::{Activity, ServeLimits, Served};
use super::seat::{Seat, Shared, Verdict};
use super::socket::Socket;

pub(super) struct Room<S> {
    service: S,
    shared: Arc<Shared>,
    protocol: Arc<auto::Builder<Streams>>,
    connections: JoinSet<()>,
    seats: HashMap<Id, (Arc<Seat>, AbortHandle)>,
    streams: TaskTracker,
}

impl<S> Room<S> {
    pub(super) fn new(service: S, limits: ServeLimits, activity: Arc<Activity>) -> Self {
        let streams = TaskTracker::new();
        Self {
            service,
            shared: Arc::new(Shared::new(activity, limits)),
            protocol: Arc::new(protocol(&limits, Streams(streams.clone()))),
            connections: JoinSet::new(),
            seats: HashMap::new(),
            streams,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.seats.len() >= self.shared.limits.max_connections.max(1)
    }

    /// Serves `stream` in a task of its own.
    pub(super) fn seat<B>(&mut self, stream: TcpStream)
    where
        S: Service<PacedRequest, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.shared.crowded.store(false, Ordering::Release);
        // Answers are small and complete: none gains from waiting for more. A socket that refuses
        // is gone, which the connection finds out by itself.
        let _ = stream.set_nodelay(true);
        let seat = Arc::new(Seat::new(Arc::clone(&self.shared)));
        let socket = Socket::new(stream, Arc::clone(&seat));
        let handle = self.connections.spawn(converse(
            Arc::clone(&self.protocol),
            socket,
            Arc::clone(&seat),
            self.service.clone(),
            self.shared.limits,
        ));
        self.seats.insert(handle.id(), (seat, handle));
    }

    /// Somebody waits for a seat: asks the connection idle for longest to leave, unless one is on
    /// its way out already. If none is idle, [`moved`](Self::moved) tells when one falls idle.
    pub(super) fn make_room(&self) {
        // Before looking, or a seat that falls idle right after the look would keep silent.
        self.shared.crowded.store(true, Ordering::SeqCst);
        let seats = || self.seats.values().map(|(seat, _)| seat);
        if seats().any(|seat| seat.is_on_the_way_out()) {
            return;
        }
        let longest = seats()
            .filter_map(|seat| Some((seat.idle_since()?, seat)))
            .min_by_key(|(since, _)| *since);
        if let Some((_, seat)) = longest {
            self.count(|activity| &activity.evicted);
            seat.ask_to_leave();
        }
    }

    /// Resolves when a connection has ended, or fell idle while somebody waits for a seat.
    pub(super) async fn moved(&mut self) {
        tokio::select! {
            Some(ended) = self.connections.join_next_with_id() => self.forget(ended),
            () = self.shared.idled.notified() => {}
        }
    }

    /// Resolves when all connections have ended, and everything they had started.
    pub(super) async fn emptied(&mut self) {
        while let Some(ended) = self.connections.join_next_with_id().await {
            self.forget(ended);
        }
        self.streams.close();
        self.streams.wait().await;
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(error = %error, "a handler panicked; its connection was closed");
                }
                error.id()
            }
        };
        self.seats.remove(&id);
    }

    /// Looks at every connection once: asks the idle to leave, cuts those past a deadline.
    pub(super) fn round(&self) {
        let now = self.shared.now();
        for (seat, task) in self.seats.values() {
            match seat.verdict(now) {
                Verdict::Stay => {}
                Verdict::Idle => {
                    self.count(|activity| &activity.closed_idle);
                    seat.ask_to_leave();
                }
                Verdict::SlowHead => {
                    self.count(|activity| &activity.cut_slow_head);
                    task.abort();
                }
                Verdict::Stalled => {
                    self.count(|activity| &activity.cut_stalled);
                    task.abort();
                }
                Verdict::Lingering => task.abort(),
            }
        }
    }

    fn count(&self, counter: impl Fn(&Activity) -> &AtomicU64) {
        counter(&self.shared.activity).fetch_add(1, Ordering::Relaxed);
    }

    /// Asks every connection to leave after the request it has in hand.
    pub(super) fn close(&self) {
        for (seat, _) in self.seats.values() {
            seat.ask_to_leave();
        }
    }

    /// Cuts off what is left and says what it was.
    pub(super) async fn clear(&mut self) -> Served {
        let served = Served {
            cut_connections: self.seats.len(),
            cut_requests: self.seats.values().map(|(seat, _)| seat.requests()).sum(),
        };
        self.connections.shutdown().await;
        self.seats.clear();
        // Their connection is gone, which ends them at their next await.
        self.streams.close();
        self.streams.wait().await;
        served
    }
}
