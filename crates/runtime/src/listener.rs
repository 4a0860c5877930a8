//! One port: HTTP/1.1 and HTTP/2 (prior knowledge), served within limits until told to stop.
//!
//! What happens to a peer that takes its time:
//!
//! | it | then |
//! |---|---|
//! | sends no complete request head within the header deadline | its connection is cut |
//! | sends a body below the least rate | the handler reads an error, and answers as it sees fit |
//! | takes nothing of its response for the stall deadline | its connection is cut |
//! | has no request in hand for the idle deadline | its connection is closed, politely first |
//! | comes while all connections are taken | it waits in the backlog; the connection idle for longest is asked to leave, and if none is idle the first to end makes room |
//!
//! The deadlines of connections are looked at together, a few times a second, rather than by a
//! timer each: a request then costs no timer at all, and a cut may come late by a quarter of the
//! shortest deadline.

mod connection;
mod limits;
mod room;
mod seat;
mod socket;

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tower::Service;

pub use limits::{Activity, ServeLimits, Served};

use crate::body::Paced;
use crate::shutdown::Shutdown;
use room::Room;

/// The request a service is called with: its body is held to the least rate of the limits.
///
/// An axum 0.8 `Router` takes it as it is.
pub type PacedRequest = Request<Paced<Incoming>>;

/// How long accepting pauses when the operating system has no sockets left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A bound port that is not served yet: peers can connect, and wait.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    activity: Arc<Activity>,
}

/// A port could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {cause}; choose a free port that this user may bind")]
pub struct BindError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// What the operating system said.
    #[source]
    pub cause: io::Error,
}

impl Listener {
    /// Binds `address`; port 0 takes any free one. Connections queue from now on.
    ///
    /// # Errors
    /// [`BindError`] names the address.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let bound = async {
            let socket = TcpListener::bind(address).await?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) = bound.await.map_err(|cause| BindError { address, cause })?;
        Ok(Self {
            socket,
            address,
            activity: Arc::default(),
        })
    }

    /// Binds a free port on 127.0.0.1, for tests and demonstrations.
    ///
    /// # Errors
    /// [`BindError`] names the address.
    pub async fn bind_loopback() -> Result<Self, BindError> {
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// The address that was bound, with the port that was given.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The counts of this listener, which go on being kept while it is served.
    #[must_use]
    pub fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.activity)
    }

    /// Serves `service` until `shutdown` is requested, then finishes what is in hand.
    ///
    /// On the request the port is closed at once (peers that connect are refused), connections
    /// without a request are closed, and the others after their last response. When the grace
    /// expires what is left is cut, and [`Served`] says how much that was.
    ///
    /// A peer that goes away drops its request's handler where it stands; a handler that panics
    /// costs its own connection only. Dropping this future cuts everything off.
    pub async fn serve<S, B>(self, service: S, limits: ServeLimits, shutdown: Shutdown) -> Served
    where
        S: Service<PacedRequest, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut room = Room::new(service, limits, Arc::clone(&self.activity));
        let mut rounds = interval(limits.round());
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);

        // Accepted, but every seat is taken. Holding one is how the need for a seat becomes known.
        let mut waiting: Option<TcpStream> = None;
        loop {
            if let Some(stream) = waiting.take() {
                if room.is_full() {
                    room.make_room();
                    waiting = Some(stream);
                } else {
                    room.seat(stream);
                    continue;
                }
            }
            tokio::select! {
                () = shutdown.requested() => break,
                () = room.moved() => {}
                _ = rounds.tick(), if !room.is_empty() => room.round(),
                stream = accept(&self.socket), if waiting.is_none() => waiting = Some(stream),
            }
        }
        drop(waiting);
        drop(self.socket);

        room.close();
        loop {
            tokio::select! {
                () = room.emptied() => return Served::default(),
                _ = rounds.tick() => room.round(),
                () = shutdown.expired() => return room.clear().await,
            }
        }
    }
}

/// The next connection. Errors of a single connection are skipped, a lack of sockets is waited out.
async fn accept(socket: &TcpListener) -> TcpStream {
    loop {
        let error = match socket.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => error,
        };
        let gone_already = [
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::Interrupted,
        ];
        if gone_already.contains(&error.kind()) {
            continue;
        }
        tracing::error!(error = %error, "cannot accept connections; trying again");
        sleep(ACCEPT_PAUSE).await;
    }
}
