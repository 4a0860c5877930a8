//! OAuth 2.0 client credentials (RFC 6749, section 4.4): one token for all commands.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Header;
use crate::channel::roots;
use crate::error::{EngineError, ErrorKind, chain};
use crate::settings::{OAuth, Settings, SettingsError};

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Where the server says nothing, a token is taken to live so long.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);
/// No token is kept for longer, whatever the server says: no clock could hold some of what it may say.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);
/// So long before its end a token is refreshed, or at three quarters of a life that is shorter.
const EARLY: Duration = Duration::from_secs(60);
/// For so long a token is new, and a refresh that failed is not tried again while the old one is good.
const NEW: Duration = Duration::from_secs(5);

/// Fetches tokens, keeps the last one, and fetches one for all callers who wait.
///
/// This client follows no redirect and obeys no proxy variable.
pub(crate) struct TokenSource {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    server: Uri,
    form: Bytes,
    timeout: Duration,
    kept: RwLock<Option<Token>>,
    /// Held while a token is fetched; in it, how the last attempt failed.
    fetching: Mutex<Option<Failure>>,
}

struct Failure {
    ended: Instant,
    error: EngineError,
}

#[derive(Clone)]
struct Token {
    header: Header,
    asked: Instant,
    refresh_at: Instant,
    expires_at: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl TokenSource {
    pub(crate) fn new(oauth: &OAuth, settings: &Settings) -> Result<Self, SettingsError> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &oauth.client_id)
            .append_pair("client_secret", oauth.client_secret.expose());
        if let Some(audience) = &oauth.audience {
            form.append_pair("audience", audience);
        }
        if let Some(scope) = &oauth.scope {
            form.append_pair("scope", scope);
        }
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(settings.connect_timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(settings)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            server: oauth.authorization_server.clone(),
            form: Bytes::from(form.finish()),
            timeout: settings.call_timeout,
            kept: RwLock::new(None),
            fetching: Mutex::new(None),
        })
    }

    pub(crate) async fn header(&self, command: &'static str) -> Result<Header, EngineError> {
        let kept = self.kept();
        if let Some(token) = &kept
            && Instant::now() < token.refresh_at
        {
            return Ok(token.header.clone());
        }
        // Whoever comes second finds the token of the first, or shares its failure: else each of many
        // callers would wait for all the attempts before its own.
        let came = Instant::now();
        let mut failed = match (self.fetching.try_lock(), kept) {
            (Ok(failed), _) => failed,
            // Refreshed by somebody just now; the old one is still good.
            (Err(_), Some(token)) if came < token.expires_at => return Ok(token.header),
            (Err(_), _) => self.fetching.lock().await,
        };
        let kept = self.kept();
        if let Some(token) = &kept
            && Instant::now() < token.refresh_at
        {
            return Ok(token.header.clone());
        }
        let shared = failed.as_ref().filter(|failure| failure.ended >= came);
        let fetched = match shared.map(|failure| &failure.error) {
            Some(error) => Err(EngineError::new(command, error.kind(), error.message())),
            None => self.fetch(command).await.inspect_err(|error| {
                *failed = Some(Failure {
                    ended: Instant::now(),
                    error: error.clone(),
                });
            }),
        };
        match fetched {
            Ok(token) => {
                let header = token.header.clone();
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
                Ok(header)
            }
            // The old one is still good: a refresh that fails early costs nothing.
            Err(error) => match kept.filter(|token| Instant::now() < token.expires_at) {
                Some(mut token) => {
                    tracing::warn!(%error, "the token could not be refreshed; the last one is used until it expires");
                    let header = token.header.clone();
                    token.refresh_at = Instant::now() + NEW;
                    *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
                    Ok(header)
                }
                None => Err(error),
            },
        }
    }

    /// The gateway refused a token. One that is new is kept: the refusal was its predecessor's, or the
    /// next one would be refused as well, and the server would be asked once a command.
    pub(crate) fn forget(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.take_if(|token| token.asked.elapsed() >= NEW);
    }

    fn kept(&self) -> Option<Token> {
        self.kept
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn fetch(&self, command: &'static str) -> Result<Token, EngineError> {
        let fail = |kind, what: String| {
            EngineError::new(
                command,
                kind,
                format!("no token from {}: {what}", Shown(&self.server)),
            )
        };
        let asked = Instant::now();
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.server.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(self.form.clone()))
            .map_err(|error| fail(ErrorKind::CredentialsRefused, error.to_string()))?;
        let exchange = async {
            let response = self
                .client
                .request(request)
                .await
                .map_err(|error| fail(ErrorKind::Unavailable, chain(&error)))?;
            let status = response.status();
            if !status.is_success() {
                let kind =
                    if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
                        ErrorKind::Unavailable
                    } else {
                        ErrorKind::CredentialsRefused
                    };
                return Err(fail(
                    kind,
                    format!("it answered {status}; check client id, secret and audience"),
                ));
            }
            Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes)
                .map_err(|error| fail(ErrorKind::Unavailable, error.to_string()))
        };
        let body = tokio::time::timeout(self.timeout, exchange)
            .await
            .map_err(|_| {
                fail(
                    ErrorKind::Unavailable,
                    format!("no answer within {:?}", self.timeout),
                )
            })??;
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| {
            fail(
                ErrorKind::CredentialsRefused,
                String::from("its answer is not JSON with an `access_token`"),
            )
        })?;
        let mut header: Header =
            format!("Bearer {}", answer.access_token)
                .parse()
                .map_err(|_| {
                    fail(
                        ErrorKind::CredentialsRefused,
                        String::from("its token cannot stand in a header"),
                    )
                })?;
        header.set_sensitive(true);
        let life = answer
            .expires_in
            .map_or(DEFAULT_LIFE, Duration::from_secs)
            .min(LONGEST_LIFE);
        Ok(Token {
            header,
            asked,
            refresh_at: asked + life.saturating_sub(EARLY).max(life * 3 / 4),
            expires_at: asked + life,
        })
    }
}

/// A server's address without what may be secret in it.
struct Shown<'a>(&'a Uri);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.0.host().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme_str().unwrap_or("http"))?;
        if let Some(port) = self.0.port_u16() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

fn tls(settings: &Settings) -> Result<ClientConfig, SettingsError> {
    let roots = match &settings.ca_certificate {
        Some(pem) => roots(pem)?,
        None => RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    };
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| SettingsError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(config)
}
