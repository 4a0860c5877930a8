//! A door before another server: where it is is known before the server is, and it can lose an answer.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::request::{Answered, try_send};

/// What belongs to one connection, and is not passed on.
const OF_CONNECTION: [header::HeaderName; 4] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
];

/// An HTTP server on loopback that passes every request on, with its headers; gone when dropped.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    target: watch::Sender<Option<String>>,
    loses: Mutex<Option<String>>,
}

impl Relay {
    /// Opens one on a port of its own; who comes waits until it is said where the way leads.
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("the port it listens on");
        let shared = Arc::new(Shared {
            target: watch::Sender::new(None),
            loses: Mutex::default(),
        });
        Self {
            address,
            shared: Arc::clone(&shared),
            serving: tokio::spawn(serve(listener, shared)),
        }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says where the way leads: `http://HOST:PORT`, with or without a slash behind.
    pub fn leads_to(&self, url: &str) {
        let url = url.trim_end_matches('/').to_owned();
        self.shared.target.send_replace(Some(url));
    }

    /// Has the answer to the next event of this type get lost: the server has had the event, and the sender hears 503.
    pub fn loses_answer_to(&self, ty: &str) {
        *self.shared.loses() = Some(ty.to_owned());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn loses(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.loses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the answer to this event is the one that gets lost.
    fn is_lost(&self, headers: &HeaderMap) -> bool {
        let mut loses = self.loses();
        let ty = headers.get("ce-type").and_then(|ty| ty.to_str().ok());
        let lost = ty.is_some() && ty == loses.as_deref();
        if lost {
            *loses = None;
        }
        lost
    }

    async fn pass_on(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return said(StatusCode::BAD_REQUEST, "the body broke off".into());
        };
        let mut target = self.target.subscribe();
        let target = match target.wait_for(Option::is_some).await {
            Ok(target) => target.clone().unwrap_or_default(),
            Err(_) => return said(StatusCode::BAD_GATEWAY, "it is gone".into()),
        };
        let headers: Vec<(&str, &str)> = passed_on(&head.headers)
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let url = format!("{target}{}", head.uri);
        match try_send(head.method, &url, &headers, body.to_bytes()).await {
            Ok(_) if self.is_lost(&head.headers) => said(
                StatusCode::SERVICE_UNAVAILABLE,
                "the answer was lost".into(),
            ),
            Ok(answered) => answer(answered),
            Err(error) => said(StatusCode::BAD_GATEWAY, error.into()),
        }
    }
}

fn passed_on(
    headers: &HeaderMap,
) -> impl Iterator<Item = (&header::HeaderName, &header::HeaderValue)> {
    headers
        .iter()
        .filter(|(name, _)| !OF_CONNECTION.contains(name))
}

fn answer(answered: Answered) -> Response<Full<Bytes>> {
    let mut response = said(answered.status, answered.body);
    for (name, value) in passed_on(&answered.headers) {
        response.headers_mut().append(name, value.clone());
    }
    response
}

fn said(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(shared.pass_on(request).await) }
            });
            // Whoever broke the connection off has seen it.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
