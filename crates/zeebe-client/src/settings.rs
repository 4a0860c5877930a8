//! How the gateway is reached.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Everything a [`Gateway`](crate::Gateway) is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the gateway listens; its scheme decides between plaintext and TLS.
    pub address: Address,
    /// PEM certificates that vouch for the gateway and the authorization server, in place of the public roots.
    pub ca_certificate: Option<Vec<u8>>,
    /// Our own certificate, for mutual TLS.
    pub client_identity: Option<ClientIdentity>,
    /// The name expected in the gateway's certificate and sent as `:authority`, where it is not the address's host.
    pub override_authority: Option<String>,
    /// How commands are authorized.
    pub credentials: Credentials,
    /// The deadline of one command, except for those that bring their own.
    pub call_timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// Between HTTP/2 pings, also while idle.
    pub keep_alive: Duration,
    /// The largest request in bytes, checked before it is sent. The gateway's default is 4 MiB.
    pub max_message_bytes: usize,
}

impl Settings {
    /// Plaintext or TLS with public roots, no credentials, and the defaults for all else.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            ca_certificate: None,
            client_identity: None,
            override_authority: None,
            credentials: Credentials::None,
            call_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(45),
            max_message_bytes: 4 * 1024 * 1024,
        }
    }
}

/// `http://HOST:PORT` or `https://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(http::Uri);

impl Address {
    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// The host, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    /// The port, as written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.port_u16()
    }

    pub(crate) fn uri(&self) -> &http::Uri {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self
            .0
            .authority()
            .map_or("", |authority| authority.as_str());
        write!(
            f,
            "{}://{authority}",
            self.0.scheme_str().unwrap_or_default()
        )
    }
}

/// A text that is no address of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not the address of a gateway; write http://HOST:PORT or, for TLS, https://HOST:PORT")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: http::Uri = text
            .trim_end_matches('/')
            .parse()
            .map_err(|_| AddressError)?;
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let user = uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'));
        if scheme && host && !user && uri.path().len() <= 1 && uri.query().is_none() {
            Ok(Self(uri))
        } else {
            Err(AddressError)
        }
    }
}

/// A certificate chain and its key, both PEM.
#[derive(Clone)]
pub struct ClientIdentity {
    /// The chain, our own certificate first.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Secret,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity([redacted])")
    }
}

/// How commands are authorized.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Not at all.
    None,
    /// HTTP basic authentication, for a proxy before the gateway.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// OAuth 2.0 client credentials (RFC 6749, section 4.4).
    OAuth(OAuth),
}

/// OAuth client credentials.
#[derive(Debug, Clone)]
pub struct OAuth {
    /// The token endpoint, `https://…`, or `http://…` where the network is trusted.
    pub authorization_server: http::Uri,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// The audience asked for.
    pub audience: Option<String>,
    /// The scope asked for.
    pub scope: Option<String>,
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Settings that no connection can be made with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The certificates or the key cannot be used.
    #[error(
        "the TLS settings cannot be used: {0}; certificates and keys must be PEM files that belong together"
    )]
    Tls(String),
    /// The name cannot stand in a URI.
    #[error("`{0}` is not a host name for the gateway's authority")]
    Authority(String),
    /// The credentials cannot be sent.
    #[error("the user name or password holds characters that no HTTP header can carry")]
    Basic,
}
