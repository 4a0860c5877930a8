//! A socket that tells its seat what the peer does.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::seat::Seat;

/// What every HTTP/2 connection begins with (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection's socket, watched.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    seat: Arc<Seat>,
    speaks: Speaks,
}

#[derive(Clone, Copy, Debug)]
enum Speaks {
    /// So many bytes agree with the preface of HTTP/2 so far.
    Unknown(usize),
    Http1,
    Http2,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, seat: Arc<Seat>) -> Self {
        Self {
            stream,
            seat,
            speaks: Speaks::Unknown(0),
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        if let Speaks::Unknown(agreed) = self.speaks {
            let rest = HTTP2_PREFACE.get(agreed..).unwrap_or_default();
            let agrees = bytes.iter().zip(rest).take_while(|(a, b)| a == b).count();
            self.speaks = if agrees == rest.len() {
                self.seat.head_not_owed();
                Speaks::Http2
            } else if agrees == bytes.len() {
                Speaks::Unknown(agreed + agrees)
            } else {
                Speaks::Http1
            };
        }
        match self.speaks {
            Speaks::Http1 => self.seat.head_begins(),
            // Until it is known a head is owed since the connection came.
            Speaks::Unknown(_) | Speaks::Http2 => {}
        }
    }

    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Pending => self.seat.write_stalls(),
            Poll::Ready(_) => self.seat.write_advances(),
        }
        result
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let bytes = buf.filled().get(before..).unwrap_or_default();
        if !bytes.is_empty() {
            this.heard(bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.wrote(result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
