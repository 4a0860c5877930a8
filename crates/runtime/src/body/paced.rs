//! The least rate at which a body has to arrive.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// The least rate of a body: a sender starts with `grace` of patience, loses it while it is waited
/// for, and earns it back, up to `grace`, with each byte.
///
/// So a steady sender at `bytes_per_second` is never cut, however small its pieces within `grace`
/// are, and a silence longer than `grace` always ends the body, however fast it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyRate {
    /// Bytes a second that keep a body alive; 0 counts as 1.
    pub bytes_per_second: u32,
    /// The longest silence.
    pub grace: Duration,
}

impl Default for BodyRate {
    /// 1 KiB/s with 10 s of grace: below what any working network gives, above what makes it cheap
    /// to hold a connection.
    fn default() -> Self {
        Self {
            bytes_per_second: 1024,
            grace: Duration::from_secs(10),
        }
    }
}

impl BodyRate {
    fn earned(self, bytes: usize) -> Duration {
        let rate = u64::from(self.bytes_per_second.max(1));
        let nanos = (bytes as u64).saturating_mul(1_000_000_000) / rate;
        Duration::from_nanos(nanos)
    }
}

/// A body that ends with an error when its sender is slower than a [`BodyRate`].
///
/// Only time in which the reader waits for the sender counts, not time in which nobody reads. A
/// body whose bytes are there when asked for costs no clock reading and no timer.
pub struct Paced<B> {
    body: B,
    rate: BodyRate,
    patience: Duration,
    waiting_since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
    received: u64,
}

/// A body's sender was slower than the least rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the body came slower than {} bytes a second: {received} bytes so far; send it faster",
    rate.bytes_per_second
)]
pub struct TooSlow {
    /// The rate that was not kept.
    pub rate: BodyRate,
    /// The bytes that had come.
    pub received: u64,
}

/// Why a [`Paced`] body ended early.
#[derive(Debug)]
pub enum PacedError<E> {
    /// Its sender was too slow.
    TooSlow(TooSlow),
    /// The body itself failed.
    Body(E),
}

impl<B> Paced<B> {
    /// Holds `body` to `rate`.
    pub fn new(body: B, rate: BodyRate) -> Self {
        Self {
            body,
            rate,
            patience: rate.grace,
            waiting_since: None,
            alarm: None,
            received: 0,
        }
    }

    fn stop_waiting(&mut self) {
        if let Some(since) = self.waiting_since.take() {
            self.patience = self.patience.saturating_sub(since.elapsed());
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = match (&mut self.alarm, self.waiting_since) {
            (Some(alarm), Some(_)) => alarm,
            (Some(alarm), None) => {
                let now = Instant::now();
                self.waiting_since = Some(now);
                alarm.as_mut().reset(now + self.patience);
                alarm
            }
            (alarm @ None, _) => {
                let now = Instant::now();
                self.waiting_since = Some(now);
                alarm.insert(Box::pin(tokio::time::sleep_until(now + self.patience)))
            }
        };
        alarm.as_mut().poll(cx)
    }
}

impl<B> Body for Paced<B>
where
    B: Body + Unpin,
{
    type Data = B::Data;
    type Error = PacedError<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        let frame = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                ready!(this.poll_alarm(cx));
                return Poll::Ready(Some(Err(PacedError::TooSlow(TooSlow {
                    rate: this.rate,
                    received: this.received,
                }))));
            }
        };
        this.stop_waiting();
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining);
                this.received += bytes as u64;
                if this.patience < this.rate.grace {
                    let patience = this.patience + this.rate.earned(bytes);
                    this.patience = patience.min(this.rate.grace);
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => Some(Err(PacedError::Body(error))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: fmt::Debug> fmt::Debug for Paced<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paced")
            .field("body", &self.body)
            .field("rate", &self.rate)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl<E: fmt::Display> fmt::Display for PacedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow(slow) => slow.fmt(f),
            Self::Body(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for PacedError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Itself a source, so that whoever gets this in a box can find it there.
            Self::TooSlow(slow) => Some(slow),
            Self::Body(error) => error.source(),
        }
    }
}
