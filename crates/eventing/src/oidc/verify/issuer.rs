//! Discovery over HTTP (OpenID Connect Discovery 1.0, section 4): the issuer's document, and the key set that it names.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use super::VerifierSettings;
use super::keys::Keys;
use crate::delivery::connector::{Connector, roots, roots_in};
use crate::delivery::trouble::chain;
use crate::oidc::token;

/// The longest answer that is read.
const MOST_BYTES: usize = 256 * 1024;

/// Whom the keys are asked of.
#[derive(Debug)]
pub(super) struct Issuer {
    url: String,
    ca_certificate: Option<PathBuf>,
    token: Option<PathBuf>,
    limit: Duration,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    pub(super) fn new(settings: &VerifierSettings) -> Self {
        Self {
            url: settings.issuer.clone(),
            ca_certificate: settings.ca_certificate.clone(),
            token: settings.discovery_token.clone(),
            limit: settings.pace.limit,
        }
    }

    /// Whether a client can be made of the settings.
    pub(super) fn try_settings(&self) -> Result<(), String> {
        self.client().map(drop)
    }

    /// The keys as they are now.
    pub(super) async fn keys(&self) -> Result<Keys, String> {
        tokio::time::timeout(self.limit, self.read())
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", self.limit.as_secs_f32())))
            .map_err(|why| format!("the keys of {} cannot be read: {why}", self.url))
    }

    async fn read(&self) -> Result<Keys, String> {
        // Made anew, since certificates rotate; and minutes pass before it would be used again.
        let client = self.client()?;
        let address = format!(
            "{}/.well-known/openid-configuration",
            self.url.trim_end_matches('/')
        );
        let answer = self.get(&client, issuer_url(&address)?).await?;
        let discovery: Discovery = serde_json::from_slice(&answer)
            .map_err(|error| format!("its discovery document cannot be used: {error}"))?;
        if discovery.issuer != self.url {
            let named: String = discovery.issuer.chars().take(200).collect();
            return Err(format!("its discovery document is that of `{named}`"));
        }
        let keys = issuer_url(&discovery.jwks_uri).map_err(|why| format!("its jwks_uri {why}"))?;
        Keys::read(&self.get(&client, keys).await?)
    }

    async fn get(
        &self,
        client: &Client<Connector, Empty<Bytes>>,
        address: Uri,
    ) -> Result<Bytes, String> {
        let mut request = Request::get(address.clone())
            .header(header::ACCEPT, "application/json, application/jwk-set+json")
            .header(
                header::USER_AGENT,
                concat!("eventing-zeebe/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        if let Some(token) = self.own_token()? {
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        let answer = client
            .request(request)
            .await
            .map_err(|error| format!("{address}: {}", chain(&error)))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("{address} answered {status}"));
        }
        Limited::new(answer.into_body(), MOST_BYTES)
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .map_err(|error| format!("{address}: {error}"))
    }

    fn own_token(&self) -> Result<Option<HeaderValue>, String> {
        match &self.token {
            None => Ok(None),
            Some(path) => match token::read(path)? {
                Some(header) => Ok(Some(header)),
                None => Err(format!("the token file {} is not there", path.display())),
            },
        }
    }

    fn client(&self) -> Result<Client<Connector, Empty<Bytes>>, String> {
        let roots = match &self.ca_certificate {
            None => roots(None)?,
            Some(path) => {
                let pem = std::fs::read_to_string(path)
                    .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
                roots_in(&pem).map_err(|error| format!("{}: {error}", path.display()))?
            }
        };
        let connector = Connector::new(roots, self.limit)?;
        Ok(Client::builder(TokioExecutor::new()).build(connector))
    }
}

/// The address of an issuer or its keys: whoever could change what it answers could let anybody in, so
/// it is https, or on this machine.
///
/// # Errors
/// What is wrong with it, to be put after it.
pub fn issuer_url(text: &str) -> Result<Uri, &'static str> {
    let url: Uri = text.parse().map_err(|_| "is not a URL")?;
    let Some(host) = url.host().filter(|host| !host.is_empty()) else {
        return Err("is not an absolute URL");
    };
    if url
        .authority()
        .is_some_and(|all| all.as_str().contains('@'))
        || url.query().is_some()
    {
        return Err("has a user or a query, which no issuer has");
    }
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if is_loopback(host) => Ok(url),
        _ => Err(
            "is neither https nor on this machine; whoever is between could make keys of its own",
        ),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
