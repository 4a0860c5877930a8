//! One connection: hyper, the service, and leaving when asked to.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use super::PacedRequest;
use super::limits::ServeLimits;
use super::seat::{InHand, Seat};
use super::socket::Socket;
use crate::body::Paced;

/// The least that hyper takes for its HTTP/1 buffer.
const LEAST_BUFFER: u32 = 8 * 1024;

/// What lies unread in front of a handler on HTTP/2, for one request and for one connection. The
/// budget of bodies does not see it, so it is kept small; hyper's own value is 1 MiB.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// Runs the requests of HTTP/2 connections as tasks that somebody counts.
#[derive(Clone, Debug)]
pub(super) struct Streams(pub(super) TaskTracker);

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}

/// How every connection of a room speaks.
pub(super) fn protocol(limits: &ServeLimits, streams: Streams) -> auto::Builder<Streams> {
    let max_header_bytes = limits.max_header_bytes.max(LEAST_BUFFER);
    let mut builder = auto::Builder::new(streams);
    builder
        .http1()
        // The room's rounds do it: hyper's would also close idle connections this early, and
        // allocates a timer for each request.
        .header_read_timeout(None)
        .max_buf_size(usize::try_from(max_header_bytes).unwrap_or(usize::MAX));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.keep_alive_interval)
        .keep_alive_timeout(limits.keep_alive_timeout)
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(max_header_bytes)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    builder
}

/// Serves one connection to its end. Errors are the peer's (it went away, it broke the protocol)
/// and nobody is left to be told.
pub(super) async fn converse<S, B>(
    protocol: Arc<auto::Builder<Streams>>,
    socket: Socket,
    seat: Arc<Seat>,
    service: S,
    limits: ServeLimits,
) where
    S: Service<PacedRequest, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let hyper_service = {
        let seat = Arc::clone(&seat);
        service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let in_hand = seat.begin();
            let request = request.map(|body| Paced::new(body, limits.body_rate));
            let response = service.clone().oneshot(request);
            async move {
                let response = response.await?;
                Ok::<_, Infallible>(response.map(|body| Answer {
                    body,
                    _in_hand: in_hand,
                }))
            }
        })
    };
    let mut connection = pin!(protocol.serve_connection(TokioIo::new(socket), hyper_service));
    let mut leaving = false;
    let ended = poll_fn(|cx| {
        // First, so that a request which is there already is taken before the connection closes.
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(ended);
        }
        if !leaving && seat.is_asked_to_leave(cx.waker()) {
            leaving = true;
            connection.as_mut().graceful_shutdown();
            return connection.as_mut().poll(cx);
        }
        Poll::Pending
    });
    if let Err(error) = ended.await {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

/// A response body whose request is in hand until it is sent or dropped.
struct Answer<B> {
    body: B,
    _in_hand: InHand,
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
