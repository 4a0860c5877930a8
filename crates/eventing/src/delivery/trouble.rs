//! Why no answer came, out of the client's errors.

use std::error::Error as StdError;
use std::io;

use hyper_util::client::legacy::Error;
use rustls::CertificateError;

use super::NotReached;

/// What kind of silence an error is.
pub(super) fn classify(error: &Error) -> NotReached {
    if causes(error).any(|cause| cause.is::<rustls::Error>()) {
        return NotReached::Tls;
    }
    let refused = |cause: &(dyn StdError + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    if causes(error).any(refused) {
        return NotReached::Refused;
    }
    if !error.is_connect() {
        return NotReached::ConnectionLost;
    }
    // The connector has no type of its own for it.
    if causes(error).any(|cause| cause.to_string().starts_with("dns error")) {
        NotReached::Dns
    } else {
        NotReached::Unreachable
    }
}

/// An error with its causes, in one line, and what can be done where that is known.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
    }
    if causes(error).any(nobody_vouches) {
        text.push_str(
            "; neither a public root nor a certificate in K_CA_CERTS vouches for the destination",
        );
    }
    text
}

fn nobody_vouches(cause: &(dyn StdError + 'static)) -> bool {
    matches!(
        cause.downcast_ref(),
        Some(rustls::Error::InvalidCertificate(
            // The latter where an authority has a new key under its old name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature
        ))
    )
}

/// An error and its causes; an I/O error counts what it wraps as its cause, which its `source` leaves out.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}
