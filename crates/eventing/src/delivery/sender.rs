//! One attempt: an HTTP client that follows no redirect and obeys no proxy variable.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cloudevents_http::Message;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::{Attempt, NotReached};
use crate::backoff::retry_after;
use crate::oidc::token::TokenFile;

/// What a [`Sender`] is told.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// PEM certificates that vouch for recipients, beside the public roots.
    pub ca_certs: Option<String>,
    /// A file that may hold a bearer token for each request.
    pub token_path: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// Idle connections kept for each recipient.
    pub max_idle_connections: usize,
    /// How much of an answer is read; the rest is dropped with its connection.
    pub max_answer_bytes: usize,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            ca_certs: None,
            token_path: None,
            connect_timeout: Duration::from_secs(5),
            max_idle_connections: 64,
            max_answer_bytes: 64 * 1024,
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
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    token: Option<Arc<TokenFile>>,
    max_answer_bytes: usize,
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
        let tls =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| SenderError(error.to_string()))?
                .with_root_certificates(roots(settings.ca_certs.as_deref()).map_err(SenderError)?)
                .with_no_client_auth();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(settings.connect_timeout));
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(settings.max_idle_connections)
            .build(connector);
        Ok(Self {
            client,
            token: settings
                .token_path
                .clone()
                .map(|path| Arc::new(TokenFile::new(path))),
            max_answer_bytes: settings.max_answer_bytes,
        })
    }

    /// Sends one message and waits for the answer, at most `timeout`.
    ///
    /// Dropping the future drops the connection; the recipient may have the event all the same.
    pub async fn send(&self, destination: &Uri, message: Message, timeout: Duration) -> Attempt {
        let request = match self.request(destination, message) {
            Ok(request) => request,
            Err(error) => {
                return Attempt::NotReached {
                    why: NotReached::Unreachable,
                    detail: error.to_string(),
                };
            }
        };
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(attempt) => attempt,
            Err(_) => Attempt::NotReached {
                why: NotReached::TimedOut,
                detail: format!("no answer within {} s", timeout.as_secs_f32()),
            },
        }
    }

    fn request(
        &self,
        destination: &Uri,
        message: Message,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(destination.clone())
            .body(Full::new(message.body))?;
        *request.headers_mut() = message.headers;
        if let Some(header) = self.token.as_ref().and_then(|token| token.header()) {
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

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Attempt {
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) => {
                return Attempt::NotReached {
                    why: classify(&error),
                    detail: chain(&error),
                };
            }
        };
        let (head, body) = response.into_parts();
        // The status alone decides; a body that breaks off takes nothing back.
        let body = self.read(body).await;
        if head.status.is_success() {
            Attempt::Accepted {
                status: head.status,
                headers: head.headers,
                body,
            }
        } else {
            Attempt::Answered {
                status: head.status,
                retry_after: retry_after(&head.headers),
                body,
            }
        }
    }

    async fn read(&self, mut body: Incoming) -> Bytes {
        let mut kept = BytesMut::new();
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(data) = frame.into_data() {
                let room = self.max_answer_bytes - kept.len();
                kept.extend_from_slice(data.get(..data.len().min(room)).unwrap_or_default());
                if kept.len() == self.max_answer_bytes {
                    break;
                }
            }
        }
        kept.freeze()
    }
}

/// The public roots, and those given.
pub(crate) fn roots(ca_certs: Option<&str>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let Some(pem) = ca_certs else {
        return Ok(roots);
    };
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("is not PEM: {error:?}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("holds a certificate that cannot be used: {error}"))?;
    }
    if roots.len() == before {
        return Err(String::from(
            "holds no certificate; it must be PEM, beginning with -----BEGIN CERTIFICATE-----",
        ));
    }
    Ok(roots)
}

fn classify(error: &hyper_util::client::legacy::Error) -> NotReached {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return NotReached::Tls;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            if io.kind() == std::io::ErrorKind::ConnectionRefused {
                return NotReached::Refused;
            }
            if io
                .get_ref()
                .is_some_and(|inner| inner.is::<rustls::Error>())
            {
                return NotReached::Tls;
            }
        }
        cause = error.source();
    }
    if error.is_connect() {
        if chain(error).contains("dns error") {
            NotReached::Dns
        } else {
            NotReached::Unreachable
        }
    } else {
        NotReached::ConnectionLost
    }
}

/// An error with its causes, in one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
