//! The HTTP client of the exporter: hyper, as everywhere else in the program.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::tls;

/// Of an answer; a collector says little.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Sends one request after the other on a connection that is kept.
#[derive(Debug)]
pub(in crate::telemetry) struct Client {
    inner: Hyper<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
    gzip: bool,
}

impl Client {
    /// Without `authorities` the public ones vouch for the collector.
    pub(super) fn new(
        authorities: Vec<CertificateDer<'static>>,
        timeout: Duration,
        gzip: bool,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        if authorities.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        for authority in authorities {
            roots.add(authority).map_err(|error| error.to_string())?;
        }
        let tls = tls::client(roots).map_err(|error| error.to_string())?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            inner: Hyper::builder(TokioExecutor::new()).build(connector),
            timeout,
            gzip,
        })
    }

    /// Sends a body, and waits until it was accepted; the answer's body.
    pub(super) async fn post(
        &self,
        endpoint: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Bytes, String> {
        let mut request = Request::post(endpoint.clone());
        if let Some(of_request) = request.headers_mut() {
            of_request.clone_from(headers);
            let protobuf = HeaderValue::from_static("application/x-protobuf");
            of_request.insert(CONTENT_TYPE, protobuf);
            if self.gzip {
                of_request.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        let body = if self.gzip { compressed(&body)? } else { body };
        let request = request
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let exchange = async {
            let answer = self.inner.request(request).await;
            let answer = answer.map_err(|error| format!("{error:?}"))?;
            let status = answer.status();
            // Read to its end, so that the connection can be used again.
            let rest = Limited::new(answer.into_body(), LONGEST_ANSWER).collect();
            let rest = rest.await.map_err(|error| error.to_string())?;
            if status.is_success() {
                Ok(rest.to_bytes())
            } else {
                Err(format!("it answers {status}"))
            }
        };
        let exchanged = tokio::time::timeout(self.timeout, exchange).await;
        exchanged.unwrap_or_else(|_| Err(String::from("no answer in time")))
    }
}

fn compressed(body: &[u8]) -> Result<Bytes, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.map(Bytes::from).map_err(|error| error.to_string())
}
