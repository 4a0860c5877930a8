//! Bodies that do not end as bodies should.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Interval, interval_at};

use super::CutAsTold;

/// What follows once all bytes are written.
pub(super) enum Then {
    End,
    Silence,
    /// Once what was written had a turn to leave.
    Cut {
        flushed: bool,
    },
    /// The bytes again, with each tick or at once.
    Again(Option<Interval>),
}

impl Then {
    pub(super) fn again(pause: Duration) -> Self {
        Self::Again((!pause.is_zero()).then(|| interval_at(Instant::now() + pause, pause)))
    }
}

/// Bytes, and what follows them.
pub(super) struct Body {
    bytes: Bytes,
    written: bool,
    then: Then,
}

impl Body {
    pub(super) fn new(bytes: Bytes, then: Then) -> Self {
        Self {
            // An empty frame is none.
            written: bytes.is_empty(),
            bytes,
            then,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = CutAsTold;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutAsTold>>> {
        if self.written {
            match &mut self.then {
                Then::End => return Poll::Ready(None),
                Then::Silence => return Poll::Pending,
                Then::Cut { flushed: true } => return Poll::Ready(Some(Err(CutAsTold))),
                Then::Cut { flushed } => {
                    *flushed = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Then::Again(None) => {}
                Then::Again(Some(ticks)) => {
                    ready!(ticks.poll_tick(cx));
                }
            }
        }
        self.written = true;
        Poll::Ready(Some(Ok(Frame::data(self.bytes.clone()))))
    }

    fn is_end_stream(&self) -> bool {
        self.written && matches!(self.then, Then::End)
    }

    fn size_hint(&self) -> SizeHint {
        match self.then {
            Then::End if self.written => SizeHint::with_exact(0),
            Then::End => SizeHint::with_exact(self.bytes.len() as u64),
            Then::Silence | Then::Cut { .. } | Then::Again(_) => SizeHint::default(),
        }
    }
}
