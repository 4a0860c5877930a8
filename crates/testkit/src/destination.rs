//! A destination of events: answers as told, remembers what it got.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// How long a condition is awaited before the test fails with what had come.
const PATIENCE: Duration = Duration::from_secs(90);

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The path and query.
    pub path: String,
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
}

/// An HTTP server on loopback; gone when dropped.
pub struct Destination {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

impl Destination {
    /// Starts one on a port of its own.
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn start(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut destination = Self {
            address,
            shared: Arc::new(Shared {
                script: Mutex::new(Arc::new(script)),
                received: Mutex::default(),
                count: watch::Sender::new(0),
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

    /// Where it listens, as `http://HOST:PORT/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
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
        self.serving = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        connections.spawn(connection(stream, Arc::clone(&shared)));
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

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(move |request| answer(request, Arc::clone(&shared)));
    // How a connection ends is the test's business, seen from the other side.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, CutAsTold> {
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
                let mut response = Response::new(Full::default());
                *response.status_mut() = StatusCode::from_u16(status).expect("a status");
                return Ok(response);
            }
            Answer::Response(response) => return Ok(response.map(Full::new)),
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
