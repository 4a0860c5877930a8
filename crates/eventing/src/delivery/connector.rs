//! Connections: plain or TLS, by whom they are vouched for, and how long making one may take.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tower::Service;

/// After so long without a byte the peer's host is asked whether it still knows the connection: an
/// answer may take minutes, and a host that died says nothing.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// So many such questions go unanswered before the connection counts as lost.
const KEEPALIVE_RETRIES: u32 = 3;

/// Makes connections within a time.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    timeout: Duration,
}

impl Connector {
    pub(crate) fn new(roots: RootCertStore, timeout: Duration) -> Result<Self, String> {
        let tls = runtime::tls::client(roots).map_err(|error| error.to_string())?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        // Shared out among the addresses of a name, so that a dead first one leaves time for the next.
        http.set_connect_timeout(Some(timeout));
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEPALIVE));
        http.set_keepalive_interval(Some(KEEPALIVE));
        http.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        Ok(Self { inner, timeout })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = self.inner.call(destination);
        let timeout = self.timeout;
        Box::pin(async move {
            tokio::time::timeout(timeout, connecting)
                .await
                .unwrap_or_else(|_| {
                    Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        format!("no connection within {} s", timeout.as_secs_f32()),
                    )
                    .into())
                })
        })
    }
}

/// The public roots, and those given.
pub(crate) fn roots(ca_certs: Option<&str>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = ca_certs {
        add(&mut roots, pem)?;
    }
    Ok(roots)
}

/// Those given alone.
pub(crate) fn roots_in(ca_certs: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    add(&mut roots, ca_certs)?;
    Ok(roots)
}

fn add(roots: &mut RootCertStore, pem: &str) -> Result<(), String> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        count += 1;
        let certificate =
            certificate.map_err(|error| format!("certificate {count} is not PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("certificate {count} cannot be used: {error}"))?;
    }
    if count == 0 {
        return Err(String::from(
            "holds no certificate; it must be PEM, beginning with -----BEGIN CERTIFICATE-----",
        ));
    }
    Ok(())
}
