//! TLS as a client speaks it, everywhere alike.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Settings of a client that trusts these authorities and shows no certificate of its own, by the one provider of the build.
///
/// # Errors
/// The provider knows none of the protocol's versions.
pub fn client(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
