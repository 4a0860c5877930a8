//! A destination of events: answers as told, remembers what it got.

mod body;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use self::body::{Body, Then};
use crate::certificates::Identity;

/// How long a condition is awaited before the test fails with what had come.
const PATIENCE: Duration = Duration::from_secs(90);

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The path and query.
    pub path: String,
    /// The version of HTTP.
    pub version: Version,
    /// The connection it came over, counted from 0.
    pub connection: usize,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// When its last byte was there.
    pub at: Instant,
}

impl Received {
    /// The value of a header, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The `id` attribute of an event in binary mode.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header("ce-id").expect("an event in binary mode")
    }

    /// The `type` attribute of an event in binary mode.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn ty(&self) -> &str {
        self.header("ce-type").expect("an event in binary mode")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON: {error}: {:?}", self.body))
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status, with an empty body.
    Status(u16),
    /// All of it.
    Response(Response<Bytes>),
    /// As said, but the body has no end: nothing follows, and the connection stays open.
    Unended(Response<Bytes>),
    /// As said, and the same body again after each pause, for ever; as fast as it is read where the
    /// pause is zero.
    Repeated(Response<Bytes>, Duration),
    /// As said, but the body has no end: the connection is cut.
    BrokenOff(Response<Bytes>),
    /// Not at all: the connection stays open.
    Never,
    /// Not at all: the connection is cut.
    Cut,
    /// As said, after a while.
    After(Duration, Box<Answer>),
}

type Script = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

struct Shared {
    script: Mutex<Script>,
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    connections: Mutex<usize>,
}

/// An HTTP server on loopback; gone when dropped.
pub struct Destination {
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

impl Destination {
    /// Starts one on a port of its own.
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn start(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_as(None, Arc::new(script)).await
    }

    /// Starts one that speaks TLS with this certificate, and the protocols that `alpn` names (`h2`,
    /// `http/1.1`) if the client asks for one of them.
    ///
    /// # Panics
    /// When no port can be bound, or the certificate and its key make no server.
    pub async fn start_tls(
        identity: &Identity,
        alpn: &[&str],
        script: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start_as(Some(acceptor(identity, alpn)), Arc::new(script)).await
    }

    async fn start_as(tls: Option<TlsAcceptor>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut destination = Self {
            address,
            tls,
            shared: Arc::new(Shared {
                script: Mutex::new(script),
                received: Mutex::default(),
                count: watch::Sender::new(0),
                connections: Mutex::default(),
            }),
            serving: None,
        };
        destination.serve(listener);
        destination
    }

    /// One that takes everything with 202 and an empty body.
    pub async fn accepting() -> Self {
        Self::start(|_| Answer::Status(202)).await
    }

    /// Where it listens, as `http://HOST:PORT/`, or `https` where it speaks TLS.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made to it, with or without a request.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self
            .shared
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, script: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        *self
            .shared
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// Everything that came so far, in its order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until what came is as wanted.
    ///
    /// # Panics
    /// When that does not happen within a minute and a half; the message has what came.
    pub async fn wait_for<T>(&self, what: &str, wanted: impl Fn(&[Received]) -> Option<T>) -> T {
        let mut count = self.shared.count.subscribe();
        let awaited = tokio::time::timeout(PATIENCE, async {
            loop {
                count.borrow_and_update();
                if let Some(found) = wanted(&self.received()) {
                    return found;
                }
                // The sender lives as long as `self`.
                let _ = count.changed().await;
            }
        });
        match awaited.await {
            Ok(found) => found,
            Err(_) => panic!(
                "not within {PATIENCE:?}: {what}; what came: {:#?}",
                self.received()
            ),
        }
    }

    /// Waits until so many requests came, and returns all.
    ///
    /// # Panics
    /// As [`Destination::wait_for`].
    pub async fn wait_for_count(&self, count: usize) -> Vec<Received> {
        self.wait_for(&format!("{count} requests"), |received| {
            (received.len() >= count).then(|| received.to_vec())
        })
        .await
    }

    /// Goes away: connections are cut, new ones refused.
    pub async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // It was aborted; there is no other result.
            let _ = serving.await;
        }
    }

    /// Comes back under the same address.
    ///
    /// # Panics
    /// When the port was taken meanwhile.
    pub async fn start_again(&mut self) {
        assert!(self.serving.is_none(), "it was not stopped");
        let listener = TcpListener::bind(self.address)
            .await
            .expect("the port it had before");
        self.serve(listener);
    }

    fn serve(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        let tls = self.tls.clone();
        self.serving = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        connections.spawn(connection(stream, tls.clone(), Arc::clone(&shared)));
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        }));
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// The answer that cuts a connection.
#[derive(Debug, thiserror::Error)]
#[error("cut, as told")]
struct CutAsTold;

fn acceptor(identity: &Identity, alpn: &[&str]) -> TlsAcceptor {
    let certificates = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .expect("certificates in PEM");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key in PEM");
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("a certificate with its key");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let number = {
        let mut connections = shared
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *connections += 1;
        *connections - 1
    };
    match tls {
        None => requests(stream, number, shared).await,
        // A client that does not trust us is the test's business, seen from the other side.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                requests(stream, number, shared).await;
            }
        }
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: usize,
    shared: Arc<Shared>,
) {
    let service =
        hyper::service::service_fn(move |request| answer(request, connection, Arc::clone(&shared)));
    // How a connection ends is the test's business, seen from the other side.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    connection: usize,
    shared: Arc<Shared>,
) -> Result<Response<Body>, CutAsTold> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Err(CutAsTold);
    };
    let received = Received {
        method: head.method,
        path: head
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        version: head.version,
        connection,
        headers: head.headers,
        body: body.to_bytes(),
        at: Instant::now(),
    };
    let script = Arc::clone(&shared.script.lock().unwrap_or_else(PoisonError::into_inner));
    let mut answer = script(&received);
    let count = {
        let mut all = shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.push(received);
        all.len()
    };
    shared.count.send_replace(count);
    loop {
        match answer {
            Answer::Status(status) => {
                let mut response = Response::new(Body::new(Bytes::new(), Then::End));
                *response.status_mut() = StatusCode::from_u16(status).expect("a status");
                return Ok(response);
            }
            Answer::Response(response) => {
                return Ok(response.map(|body| Body::new(body, Then::End)));
            }
            Answer::Unended(response) => {
                return Ok(response.map(|body| Body::new(body, Then::Silence)));
            }
            Answer::Repeated(response, pause) => {
                return Ok(response.map(|body| Body::new(body, Then::again(pause))));
            }
            Answer::BrokenOff(response) => {
                return Ok(response.map(|body| Body::new(body, Then::Cut { flushed: false })));
            }
            Answer::Never => {
                let never: Infallible = std::future::pending().await;
                match never {}
            }
            Answer::Cut => return Err(CutAsTold),
            Answer::After(pause, then) => {
                tokio::time::sleep(pause).await;
                answer = *then;
            }
        }
    }
}
