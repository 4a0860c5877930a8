//! A connection whose small writes leave together.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
use tokio::net::TcpStream;

/// Room for the two largest frames of HTTP/2 with what goes before them.
const CAPACITY: usize = 40 * 1024;

/// Puts what is written together until it is flushed.
///
/// Where a connection takes several slices at once, `h2` hands each command of 256 bytes or more to
/// the operating system by itself, as it would be handed on uncopied. Ours have a few hundred bytes:
/// copied together, the commands of one turn of the runtime cost one call and one packet, which saves
/// a tenth of the sink's CPU time (docs/BENCHMARKS.md).
#[derive(Debug)]
pub(super) struct Gathered(BufWriter<TcpStream>);

impl Gathered {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(BufWriter::with_capacity(CAPACITY, stream))
    }
}

impl AsyncRead for Gathered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

// That it takes no several slices at once, which is the default, is the point.
impl AsyncWrite for Gathered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
