//! What a listener allows, and what it has seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::body::BodyRate;

/// What one listener allows its peers.
///
/// HTTP/1.1 requests may have at most 100 headers (hyper's fixed table); HTTP/2 requests are held
/// to `max_header_bytes` alone.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections at one time; 0 counts as 1. More wait in the operating system's backlog, health
    /// probes on this port too: set it above what the peers are known to open.
    pub max_connections: usize,
    /// Bytes of a request's head. At least 8 KiB, which smaller values count as. Answered 431.
    pub max_header_bytes: u32,
    /// Concurrent requests on one HTTP/2 connection.
    pub max_streams: u32,
    /// From the connection, or a request's first byte, to the end of its head.
    pub header_deadline: Duration,
    /// How long a connection may stay open without a request in hand. Longer than clients keep
    /// idle connections (Go and Knative: 90 s), so that it is they who close: a server that closes
    /// first races with the next request.
    pub idle_deadline: Duration,
    /// How long a peer may take nothing of what is written to it.
    pub stall_deadline: Duration,
    /// The least rate of request bodies.
    pub body_rate: BodyRate,
    /// HTTP/2: a silent connection is pinged at this interval.
    pub keep_alive_interval: Duration,
    /// HTTP/2: how long the answer to a ping may take.
    pub keep_alive_timeout: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_header_bytes: 32 * 1024,
            max_streams: 128,
            header_deadline: Duration::from_secs(10),
            idle_deadline: Duration::from_secs(120),
            stall_deadline: Duration::from_secs(30),
            body_rate: BodyRate::default(),
            keep_alive_interval: Duration::from_secs(45),
            keep_alive_timeout: Duration::from_secs(20),
        }
    }
}

impl ServeLimits {
    /// How often all connections are looked at: a quarter of the shortest deadline, between 5 ms
    /// and 1 s.
    pub(super) fn round(&self) -> Duration {
        let shortest = self
            .header_deadline
            .min(self.idle_deadline)
            .min(self.stall_deadline);
        (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }
}

/// What a listener left undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a cut request is one that nobody answered"]
pub struct Served {
    /// Connections that were still open when the grace expired.
    pub cut_connections: usize,
    /// Requests that were still being answered on them.
    pub cut_requests: usize,
}

/// What a listener is doing and has done. Counters only grow; all are cheap to read at any time.
#[derive(Debug, Default)]
pub struct Activity {
    pub(super) accepted: AtomicU64,
    pub(super) open: AtomicUsize,
    pub(super) in_flight: AtomicUsize,
    pub(super) evicted: AtomicU64,
    pub(super) cut_slow_head: AtomicU64,
    pub(super) cut_stalled: AtomicU64,
    pub(super) closed_idle: AtomicU64,
}

impl Activity {
    /// Registers these counts on `meter`, as `listener.connections` (accepted),
    /// `listener.connections.open`, `listener.connections.closed` by `reason` and
    /// `listener.requests.in_flight`. One listener for a meter.
    pub fn observe(self: &Arc<Self>, meter: &Meter) {
        let this = Arc::clone(self);
        meter
            .u64_observable_counter("listener.connections")
            .with_description("Connections accepted.")
            .with_callback(move |observer| observer.observe(this.accepted(), &[]))
            .build();
        let this = Arc::clone(self);
        meter
            .u64_observable_gauge("listener.connections.open")
            .with_description("Connections open now.")
            .with_callback(move |observer| observer.observe(this.open() as u64, &[]))
            .build();
        let this = Arc::clone(self);
        meter
            .u64_observable_gauge("listener.requests.in_flight")
            .with_description("Requests being answered now.")
            .with_callback(move |observer| observer.observe(this.in_flight() as u64, &[]))
            .build();
        let this = Arc::clone(self);
        meter
            .u64_observable_counter("listener.connections.closed")
            .with_description("Connections closed from this side, by reason.")
            .with_callback(move |observer| {
                for (reason, count) in [
                    ("evicted", this.evicted()),
                    ("slow_head", this.cut_slow_head()),
                    ("stalled", this.cut_stalled()),
                    ("idle", this.closed_idle()),
                ] {
                    observer.observe(count, &[KeyValue::new("reason", reason)]);
                }
            })
            .build();
    }

    /// Connections accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Requests being answered now, from the complete head to the last byte of the response body.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Idle connections asked to leave because all were taken.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Connections cut because a request's head did not come in time.
    #[must_use]
    pub fn cut_slow_head(&self) -> u64 {
        self.cut_slow_head.load(Ordering::Relaxed)
    }

    /// Connections cut because the peer took nothing of its response.
    #[must_use]
    pub fn cut_stalled(&self) -> u64 {
        self.cut_stalled.load(Ordering::Relaxed)
    }

    /// Connections asked to leave after the idle deadline.
    #[must_use]
    pub fn closed_idle(&self) -> u64 {
        self.closed_idle.load(Ordering::Relaxed)
    }
}
