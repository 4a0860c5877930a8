//! A subscriber that accepts every event and tells it in a line: an observer, a dead letter sink.
//!
//! `GET /` shows the last lines, and `GET /events` the events of these as one batch, which a sink that takes
//! batches can be given again as it is. `GET /books` says how many events there were, `GET /healthz` that it
//! runs. What is kept is in memory: this is for looking, not for keeping.

mod kept;

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloudevents::{AttributesReader, Data};
use cloudevents_http::{Event, Limits, Message, attribute, decode};
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use runtime::body::read_body;
use runtime::budget::Budget;
use runtime::listener::{BindError, Listener, PacedRequest, ServeLimits, Served};
use runtime::shutdown::Shutdown;
use serde_json::json;
use tokio::task::JoinHandle;
use tower::service_fn;

use self::kept::Kept;
use crate::service::{Answer, json_answer, text};

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

/// Starts a watcher at an address (port 0 takes a free one); `tell` gets each event's line.
///
/// It takes events until `shutdown` is requested. Must be called inside a tokio runtime.
///
/// # Errors
/// The port cannot be had.
pub async fn start(
    address: SocketAddr,
    tell: impl Fn(&str) + Send + Sync + 'static,
    shutdown: Shutdown,
) -> Result<Watching, BindError> {
    let listener = Listener::bind(address).await?;
    let address = listener.address();
    let desk = Arc::new(Desk {
        tell: Box::new(tell),
        seen: AtomicU64::new(0),
        kept: Kept::default(),
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
    kept: Kept,
    budget: Budget,
}

impl Desk {
    async fn answer(&self, request: PacedRequest) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::POST, _) => match receive(request, &self.budget).await {
                Ok((events, bytes)) => {
                    // Of a batch each counts as the whole: too much rather than too little.
                    for event in events {
                        let line = line(&event);
                        (self.tell)(&line);
                        self.kept.keep(event, line, bytes);
                        self.seen.fetch_add(1, Ordering::Relaxed);
                    }
                    text(StatusCode::ACCEPTED, "")
                }
                Err((status, reason)) => text(status, &reason),
            },
            (&Method::GET, "/") => text(StatusCode::OK, &self.kept.lines()),
            (&Method::GET, "/events") => match self.kept.batch() {
                Ok(Message { headers, body }) => {
                    let mut response = Response::new(Full::new(body).boxed_unsync());
                    *response.headers_mut() = headers;
                    response
                }
                Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            },
            (&Method::GET, "/healthz") => text(StatusCode::OK, ""),
            (&Method::GET, "/books") => {
                let seen = self.seen.load(Ordering::Relaxed);
                json_answer(StatusCode::OK, &json!({ "seen": seen }))
            }
            _ => text(StatusCode::METHOD_NOT_ALLOWED, ""),
        }
    }
}

async fn receive(
    request: PacedRequest,
    budget: &Budget,
) -> Result<(Vec<Event>, usize), (StatusCode, String)> {
    let limits = Limits::default();
    let (parts, body) = request.into_parts();
    let (body, _reservation) = read_body(body, limits.max_data_bytes, budget)
        .await
        .map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let bytes = body.len();
    decode(&parts.headers, body, &limits)
        .map(|events| (events, bytes))
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
