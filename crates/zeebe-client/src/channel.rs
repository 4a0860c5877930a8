//! Connections to the gateway: lazy, kept alive, plaintext or TLS.

mod gathered;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::settings::{Settings, SettingsError};
use gathered::Gathered;
use tower::ServiceExt;

/// HTTP/2 flow-control windows in bytes: how much a peer may send that nobody has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Of one stream.
    pub stream: u32,
    /// Of the whole connection.
    pub connection: u32,
}

/// Makes a channel that connects when it is first used, and again whenever the connection is lost.
pub(crate) fn connect_lazily(
    settings: &Settings,
    windows: Option<Windows>,
) -> Result<Channel, SettingsError> {
    let mut endpoint = Endpoint::from(settings.address.uri().clone())
        .user_agent(concat!("eventing-zeebe/", env!("CARGO_PKG_VERSION")))
        .map_err(|error| SettingsError::Tls(error.to_string()))?
        .connect_timeout(settings.connect_timeout)
        .http2_keep_alive_interval(settings.keep_alive)
        .keep_alive_timeout(settings.connect_timeout)
        .keep_alive_while_idle(true);
    if let Some(windows) = windows {
        endpoint = endpoint
            .initial_stream_window_size(windows.stream)
            .initial_connection_window_size(windows.connection);
    }
    if let Some(name) = &settings.override_authority {
        let scheme = if settings.address.is_tls() {
            "https"
        } else {
            "http"
        };
        let origin = format!("{scheme}://{name}")
            .parse()
            .map_err(|_| SettingsError::Authority(name.clone()))?;
        endpoint = endpoint.origin(origin);
    }
    if settings.address.is_tls() {
        endpoint = endpoint
            .tls_config(tls(settings)?)
            .map_err(|error| SettingsError::Tls(crate::error::chain(&error)))?;
    }
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let connector = http.map_response(|stream| TokioIo::new(Gathered::new(stream.into_inner())));
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// The authorities in a PEM file. The transport itself would skip over what is none, and then trust
/// nobody, which is noticed only when it connects.
pub(crate) fn roots(pem: &[u8]) -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| SettingsError::Tls(format!("{error:?}")))?;
        roots
            .add(certificate)
            .map_err(|error| SettingsError::Tls(error.to_string()))?;
    }
    if roots.is_empty() {
        let reason = String::from("there is no certificate of an authority in the file");
        return Err(SettingsError::Tls(reason));
    }
    Ok(roots)
}

fn tls(settings: &Settings) -> Result<ClientTlsConfig, SettingsError> {
    let mut tls = ClientTlsConfig::new();
    tls = match &settings.ca_certificate {
        Some(pem) => {
            roots(pem)?;
            tls.ca_certificate(Certificate::from_pem(pem))
        }
        None => tls.with_webpki_roots(),
    };
    if let Some(identity) = &settings.client_identity {
        tls = tls.identity(Identity::from_pem(
            &identity.certificate,
            identity.key.expose(),
        ));
    }
    if let Some(name) = &settings.override_authority {
        let host = name
            .rsplit_once(':')
            .map_or(name.as_str(), |(host, _)| host);
        tls = tls.domain_name(host);
    }
    Ok(tls)
}
