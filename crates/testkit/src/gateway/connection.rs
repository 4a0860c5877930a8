//! Connections that can be cut.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tonic::transport::server::Connected;

/// One accepted connection, and the hand that cuts it.
pub(super) struct Connection {
    stream: TcpStream,
    cut: Arc<Cut>,
}

/// Cuts a connection; goes along with each of its requests.
#[derive(Debug)]
pub(super) struct Cut(std::net::TcpStream);

impl Cut {
    pub(super) fn cut(&self) {
        // It may be gone already, which is what was wanted.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let cut = Arc::new(Cut(stream.try_clone()?));
        Ok(Self {
            stream: TcpStream::from_std(stream)?,
            cut,
        })
    }

    pub(super) fn cut(&self) -> Weak<Cut> {
        Arc::downgrade(&self.cut)
    }
}

impl Connected for Connection {
    type ConnectInfo = Arc<Cut>;

    fn connect_info(&self) -> Self::ConnectInfo {
        Arc::clone(&self.cut)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
