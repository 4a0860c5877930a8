//! A subscriber that accepts every event and tells it in a line: an observer, a dead letter sink.
//!
//! `GET /books` says how many events there were, `GET /healthz` that it runs.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloudevents::{AttributesReader, Data};
use cloudevents_http::{Event, Limits, attribute, decode};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use runtime::body::read_body;
use runtime::budget::Budget;
use runtime::listener::{BindError, Listener, PacedRequest, ServeLimits, Served};
use runtime::shutdown::Shutdown;
use serde_json::json;
use tokio::task::JoinHandle;
use tower::service_fn;

const BUDGET_BYTES: usize = 32 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Characters of data that a line shows.
const SHOWN: usize = 1_000;

/// A watcher that runs.
#[derive(Debug)]
pub struct Watching {
    address: SocketAddr,
    task: JoinHandle<Served>,
}

/// Starts a watcher on a port of 127.0.0.1 (0 takes a free one); `tell` gets each event's line.
///
/// It takes events until `shutdown` is requested. Must be called inside a tokio runtime.
///
/// # Errors
/// The port cannot be had.
pub async fn start(
    port: u16,
    tell: impl Fn(&str) + Send + Sync + 'static,
    shutdown: Shutdown,
) -> Result<Watching, BindError> {
    let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let address = listener.address();
    let desk = Arc::new(Desk {
        tell: Box::new(tell),
        seen: AtomicU64::new(0),
        budget: Budget::new(BUDGET_BYTES, PATIENCE),
    });
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(request).await) }
    });
    let served = listener.serve(service, ServeLimits::default(), shutdown);
    Ok(Watching {
        address,
        task: tokio::spawn(served),
    })
}

impl Watching {
    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Comes back once the shutdown was requested and all is finished.
    pub async fn stopped(self) -> Served {
        self.task.await.unwrap_or_default()
    }
}

/// What all requests share.
struct Desk {
    tell: Box<dyn Fn(&str) + Send + Sync>,
    seen: AtomicU64,
    budget: Budget,
}

impl Desk {
    async fn answer(&self, request: PacedRequest) -> Response<Full<Bytes>> {
        let (status, body) = match (request.method(), request.uri().path()) {
            (&Method::POST, _) => match receive(request, &self.budget).await {
                Ok(events) => {
                    for event in events {
                        (self.tell)(&line(&event));
                        self.seen.fetch_add(1, Ordering::Relaxed);
                    }
                    (StatusCode::ACCEPTED, String::new())
                }
                Err((status, reason)) => (status, reason),
            },
            (&Method::GET, "/healthz") => (StatusCode::OK, String::new()),
            (&Method::GET, "/books") => {
                let seen = self.seen.load(Ordering::Relaxed);
                (StatusCode::OK, json!({ "seen": seen }).to_string())
            }
            _ => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
        };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        response
    }
}

async fn receive(
    request: PacedRequest,
    budget: &Budget,
) -> Result<Vec<Event>, (StatusCode, String)> {
    let limits = Limits::default();
    let (parts, body) = request.into_parts();
    let (body, _reservation) = read_body(body, limits.max_data_bytes, budget)
        .await
        .map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    decode(&parts.headers, body, &limits)
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

/// Type, subject, data; for a dead letter also where it failed, and why.
fn line(event: &Event) -> String {
    let mut line = event.ty().to_owned();
    if let Some(subject) = event.subject() {
        let _ = write!(line, "  {subject}");
    }
    let data = match event.data() {
        None => String::new(),
        Some(Data::Binary(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Data::String(text)) => text.clone(),
        Some(Data::Json(json)) => json.to_string(),
    };
    if !data.is_empty() {
        let _ = write!(line, "  {}", one_line(&data));
    }
    if let Some(destination) = attribute(event, "knativeerrordest") {
        let code = attribute(event, "knativeerrorcode").unwrap_or_default();
        let _ = write!(line, "  ({code} from {destination}");
        let reason = attribute(event, "knativeerrordata")
            .and_then(|data| STANDARD.decode(data.as_bytes()).ok())
            .unwrap_or_default();
        if !reason.is_empty() {
            let _ = write!(line, ": {}", one_line(&String::from_utf8_lossy(&reason)));
        }
        line.push(')');
    }
    line
}

/// The beginning of the text, with nothing in it that could move a terminal's cursor.
fn one_line(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
