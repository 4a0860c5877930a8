//! A Zeebe gateway on loopback, for faults that the real engine won't produce on demand.
//!
//! It speaks the protocol over real connections, models messages and jobs as far as the bridge
//! depends on them, and knows nothing of processes: jobs are added by the test.
//!
//! - [`FakeGateway`]: start, stop, look, break.
//! - [`Fault`]: what may go wrong with a call.
//! - [`NewJob`], [`Job`], [`JobState`]: jobs, as the engine sees them.

mod asked;
mod call;
mod connection;
mod fast;
mod fault;
mod giving;
mod job;
mod message;
mod record;
mod service;
mod work;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::stream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tonic::transport::{Certificate, Identity as ServerIdentity, Server, ServerTlsConfig};
use zeebe_client::protocol::gateway_server::GatewayServer;

pub use fault::Fault;
pub use job::{Job, JobState, NewJob};

use crate::certificates::Identity;
use connection::{Connection, Cut};
use fast::Fast;
use fault::Faults;
use job::Jobs;
use message::Messages;
use record::Records;
use service::Service;

/// The largest request and answer; the real gateway's default.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

const RPCS: [&str; 17] = [
    "Topology",
    "DeployResource",
    "CreateProcessInstance",
    "CreateProcessInstanceWithResult",
    "CancelProcessInstance",
    "PublishMessage",
    "BroadcastSignal",
    "ActivateJobs",
    "StreamActivatedJobs",
    "CompleteJob",
    "FailJob",
    "ThrowError",
    "UpdateJobRetries",
    "UpdateJobTimeout",
    "SetVariables",
    "ResolveIncident",
    "EvaluateDecision",
];

/// A gateway that does what it is told; gone when dropped.
pub struct FakeGateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    tls: Option<Tls>,
    server: Mutex<Option<JoinHandle<()>>>,
    clock: JoinHandle<()>,
}

/// How a gateway speaks TLS.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Its own certificate and key.
    pub identity: Identity,
    /// The authority, PEM, that clients must have a certificate of; none are asked for one without it.
    pub client_ca: Option<String>,
}

struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    fast: Option<Fast>,
    connections: Mutex<Vec<Weak<Cut>>>,
}

#[derive(Default)]
struct State {
    records: Records,
    faults: Faults,
    messages: Messages,
    jobs: Jobs,
    last_key: i64,
}

impl State {
    /// A new key; far enough from the next for an instance and an element of its own.
    fn key(&mut self) -> i64 {
        self.last_key += 10;
        self.last_key
    }
}

impl Shared {
    fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = self.look(change);
        self.changed.send_replace(());
        result
    }

    fn cut_connections(&self) {
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for connection in connections.drain(..).filter_map(|weak| weak.upgrade()) {
            connection.cut();
        }
    }
}

/// Starting and stopping.
impl FakeGateway {
    /// Starts on a free port of 127.0.0.1, plaintext.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        Self::begin(None, None).await
    }

    /// Starts with TLS.
    ///
    /// # Panics
    /// When it cannot listen or the certificate cannot be used.
    pub async fn start_with_tls(tls: Tls) -> Self {
        Self::begin(Some(tls), None).await
    }

    /// Starts for a benchmark: answers at once, counts and records nothing, and has an endless supply
    /// of jobs of any type whose variables are an object of `job_bytes` and whose only custom header is
    /// `ce-type`. Faults do not strike it.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn fast(job_bytes: usize) -> Self {
        Self::begin(None, Some(Fast::new(job_bytes))).await
    }

    async fn begin(tls: Option<Tls>, fast: Option<Fast>) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            fast,
            connections: Mutex::default(),
        });
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
        let address = listener.local_addr().expect("the port it listens on");
        let clock = tokio::spawn(keep_time(Arc::clone(&shared)));
        let gateway = Self {
            shared,
            address,
            tls,
            server: Mutex::new(None),
            clock,
        };
        gateway.serve(listener);
        gateway
    }

    /// Stops listening and cuts all connections; what it knows it keeps.
    pub async fn stop(&self) {
        let server = self.server().take();
        if let Some(server) = server {
            server.abort();
            // Aborted is how it ends.
            let _ = server.await;
        }
        self.shared.cut_connections();
    }

    /// Listens again, on the same port.
    ///
    /// # Panics
    /// When somebody else has the port now.
    pub async fn start_again(&self) {
        self.stop().await;
        self.serve(listen(self.address).await);
    }

    /// Cuts all connections and goes on listening.
    pub fn cut_connections(&self) {
        self.shared.cut_connections();
    }

    /// `http://127.0.0.1:PORT`, or `https://…` with TLS.
    #[must_use]
    pub fn address(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The port it has, also while it is stopped.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, listener: TcpListener) {
        let service = GatewayServer::new(Service(Arc::clone(&self.shared)))
            .max_decoding_message_size(64 * 1024 * 1024);
        let mut builder = Server::builder();
        if let Some(tls) = &self.tls {
            let identity = ServerIdentity::from_pem(&tls.identity.certificate, &tls.identity.key);
            let mut config = ServerTlsConfig::new().identity(identity);
            if let Some(authority) = &tls.client_ca {
                config = config.client_ca_root(Certificate::from_pem(authority));
            }
            builder = builder.tls_config(config).expect("a usable certificate");
        }
        let shared = Arc::clone(&self.shared);
        let incoming = stream::unfold(listener, move |listener| {
            let shared = Arc::clone(&shared);
            async move { Some((accept(&listener, &shared).await, listener)) }
        });
        let serving = builder.add_service(service).serve_with_incoming(incoming);
        *self.server() = Some(tokio::spawn(async move {
            serving.await.expect("the gateway can serve");
        }));
    }
}

/// Faults.
impl FakeGateway {
    /// All calls of this RPC meet this fault, until [`heal`](Self::heal); the last fault set counts.
    ///
    /// # Panics
    /// When there is no such RPC.
    pub fn fail(&self, rpc: &str, fault: Fault) {
        self.shared
            .change(|state| state.faults.set(rpc, fault, None));
    }

    /// The next calls of this RPC, so many, meet this fault.
    ///
    /// # Panics
    /// When there is no such RPC.
    pub fn fail_next(&self, calls: usize, rpc: &str, fault: Fault) {
        self.shared
            .change(|state| state.faults.set(rpc, fault, Some(calls)));
    }

    /// Calls of this RPC are answered as they should be.
    ///
    /// # Panics
    /// When there is no such RPC.
    pub fn heal(&self, rpc: &str) {
        self.shared.change(|state| state.faults.clear(rpc));
    }
}

impl Drop for FakeGateway {
    fn drop(&mut self) {
        self.clock.abort();
        if let Some(server) = self.server().take() {
            server.abort();
        }
        self.shared.cut_connections();
    }
}

async fn listen(address: SocketAddr) -> TcpListener {
    TcpListener::bind(address)
        .await
        .expect("a port of the loopback interface")
}

async fn accept(listener: &TcpListener, shared: &Shared) -> io::Result<Connection> {
    let (stream, _) = listener.accept().await?;
    let connection = Connection::new(stream)?;
    let mut connections = shared
        .connections
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    connections.retain(|weak| weak.strong_count() > 0);
    connections.push(connection.cut());
    Ok(connection)
}

/// Lets activations and backoffs run out when they are due.
async fn keep_time(shared: Arc<Shared>) {
    let mut changed = shared.changed.subscribe();
    loop {
        changed.borrow_and_update();
        let alarm = shared.look(|state| state.jobs.next_alarm());
        let rung = async {
            match alarm {
                Some(when) => sleep_until(when).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = rung => shared.change(|state| state.jobs.ring(Instant::now())),
            _ = changed.changed() => {}
        }
    }
}
