//! One attempt: an HTTP client that follows no redirect and obeys no proxy variable.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use cloudevents_http::Message;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connector::{Connector, roots};
use super::trouble::{chain, classify};
use super::{Attempt, NotReached};
use crate::SinkBinding;
use crate::backoff::retry_after;
use crate::oidc::token::Token;

/// What a [`Sender`] is told.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// PEM certificates that vouch for recipients, beside the public roots.
    pub ca_certs: Option<String>,
    /// The token that goes with each request to one recipient.
    pub token: Option<Token>,
    /// How long connecting may take: the name, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Idle connections kept for each recipient.
    pub max_idle_connections: usize,
    /// How much of an answer is read; the rest is dropped with its connection.
    pub max_answer_bytes: usize,
    /// How long the body of an answer may take once its status is there; the status decides without it.
    pub answer_timeout: Duration,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            ca_certs: None,
            token: None,
            connect_timeout: Duration::from_secs(5),
            max_idle_connections: 64,
            max_answer_bytes: 64 * 1024,
            answer_timeout: Duration::from_secs(1),
        }
    }
}

impl SenderSettings {
    /// What a SinkBinding asks for: its certificates, and its token for its destination alone.
    #[must_use]
    pub fn for_binding(binding: &SinkBinding) -> Self {
        Self {
            ca_certs: binding.ca_certs().map(str::to_owned),
            token: binding.token_path().map(|path| Token {
                path: path.to_owned(),
                destination: binding.destination().clone(),
                required: binding.requires_token(),
            }),
            ..Self::default()
        }
    }
}

/// Settings that no sender can be made with.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SenderError(String);

/// Sends events over HTTP; cheap to clone, clones share connections.
#[derive(Clone)]
pub struct Sender {
    client: Client<Connector, Full<Bytes>>,
    token: Option<Arc<Token>>,
    max_answer_bytes: usize,
    answer_timeout: Duration,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    /// Prepares a client; connects when first used.
    ///
    /// # Errors
    /// Certificates that are not PEM.
    pub fn new(settings: &SenderSettings) -> Result<Self, SenderError> {
        let connector = roots(settings.ca_certs.as_deref())
            .and_then(|roots| Connector::new(roots, settings.connect_timeout))
            .map_err(SenderError)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(settings.max_idle_connections)
            .build(connector);
        Ok(Self {
            client,
            token: settings.token.clone().map(Arc::new),
            max_answer_bytes: settings.max_answer_bytes,
            answer_timeout: settings.answer_timeout,
        })
    }

    /// Sends one message and waits for the answer: at most `timeout` for its status, and a little
    /// more for its body ([`SenderSettings::answer_timeout`]).
    ///
    /// Dropping the future drops the connection; the recipient may have the event all the same.
    pub async fn send(&self, destination: &Uri, message: Message, timeout: Duration) -> Attempt {
        let request = match self.request(destination, message) {
            Ok(request) => request,
            Err(detail) => {
                return Attempt::NotReached {
                    why: NotReached::Unreachable,
                    detail,
                };
            }
        };
        let response = match tokio::time::timeout(timeout, self.client.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                return Attempt::NotReached {
                    why: classify(&error),
                    detail: chain(&error),
                };
            }
            Err(_) => {
                return Attempt::NotReached {
                    why: NotReached::TimedOut,
                    detail: format!("no answer within {} s", timeout.as_secs_f32()),
                };
            }
        };
        let (head, body) = response.into_parts();
        // The status alone decides; a body that breaks off or never ends takes nothing back.
        let (body, whole) = self.read(body).await;
        if head.status.is_success() {
            Attempt::Accepted {
                status: head.status,
                headers: head.headers,
                body,
                whole,
            }
        } else {
            Attempt::Answered {
                status: head.status,
                retry_after: retry_after(&head.headers, SystemTime::now()),
                body,
            }
        }
    }

    fn request(&self, destination: &Uri, message: Message) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(destination.clone())
            .body(Full::new(message.body))
            .map_err(|error| error.to_string())?;
        *request.headers_mut() = message.headers;
        if let Some(token) = &self.token
            && let Some(header) = token.header(destination)?
        {
            request.headers_mut().insert(header::AUTHORIZATION, header);
        }
        request
            .headers_mut()
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!(
                "eventing-zeebe/",
                env!("CARGO_PKG_VERSION")
            )));
        Ok(request)
    }

    /// As much of a body as is kept, and whether that is all of it.
    async fn read(&self, mut body: Incoming) -> (Bytes, bool) {
        if body.is_end_stream() {
            return (Bytes::new(), true);
        }
        let mut kept = BytesMut::new();
        let reading = async {
            loop {
                match body.frame().await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => {
                        let data = frame.into_data().unwrap_or_default();
                        let room = self.max_answer_bytes - kept.len();
                        match data.get(..room) {
                            Some(fits) if data.len() > room => {
                                kept.extend_from_slice(fits);
                                return false;
                            }
                            Some(_) | None => kept.extend_from_slice(&data),
                        }
                    }
                }
            }
        };
        let whole = tokio::time::timeout(self.answer_timeout, reading)
            .await
            .unwrap_or(false);
        (kept.freeze(), whole)
    }
}
