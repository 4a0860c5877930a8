//! Whether the sender of a request may send: the recipient's side of Knative's OIDC.
//!
//! What costs nothing is looked at first, the keys of the issuer last: a token that does not even claim to be
//! for us makes nobody ask the issuer.
//!
//! - [`outcome`](mod@outcome): the table from what was found to the answer.
//! - `bearer`: the header -> the parts of a token.
//! - `claims`: whom it is from and for, and until when.
//! - `keys`: a key set, and signatures.
//! - `issuer`: discovery over HTTP, within limits.
//! - `keyring`: the keys that are known, and when the issuer is asked again.
//! - `subjects`: who may send.

mod bearer;
mod claims;
mod issuer;
mod keyring;
mod keys;
mod outcome;
mod subjects;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tokio::sync::watch;

pub use issuer::issuer_url;
pub use keyring::KeysHealth;
pub use outcome::{Denied, Outcome};
pub use subjects::Subjects;

use keyring::{Found, Keyring};

/// What a [`Verifier`] is told.
#[derive(Debug, Clone)]
pub struct VerifierSettings {
    /// Who makes the tokens, exactly as they name it.
    pub issuer: String,
    /// Whom they are for: us.
    pub audience: String,
    /// Which subjects may send.
    pub subjects: Subjects,
    /// A PEM file with who vouches for the issuer, in place of the public authorities; read for each reading of
    /// the keys, since it rotates.
    pub ca_certificate: Option<PathBuf>,
    /// A token of our own that the issuer is shown; read like that too.
    pub discovery_token: Option<PathBuf>,
    /// When the issuer is asked.
    pub pace: Pace,
}

/// When the issuer is asked for its keys. None of it depends on how many tokens come.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Keys are read again after so long.
    pub keep: Duration,
    /// For so long after a reading an unknown key is no reason to read again.
    pub rest: Duration,
    /// A reading that failed is repeated after so long.
    pub again: Duration,
    /// How long a reading may take; and a request that waits for one.
    pub limit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(300),
            rest: Duration::from_secs(5),
            again: Duration::from_secs(1),
            limit: Duration::from_secs(5),
        }
    }
}

/// Settings that no verifier can be made with.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct VerifierError(String);

/// Checks the `Authorization` of requests.
#[derive(Debug)]
pub struct Verifier {
    issuer: String,
    audience: String,
    subjects: Subjects,
    keyring: Keyring,
}

impl Verifier {
    /// One that knows no keys yet; [`Verifier::keep_keys`] has to run beside it.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn new(settings: VerifierSettings) -> Result<Self, VerifierError> {
        let issuer = issuer::Issuer::new(&settings);
        issuer.try_settings().map_err(VerifierError)?;
        Ok(Self {
            keyring: Keyring::new(issuer, settings.pace),
            issuer: settings.issuer,
            audience: settings.audience,
            subjects: settings.subjects,
        })
    }

    /// Reads the issuer's keys, again and again; never ends. To be run once.
    pub async fn keep_keys(&self) {
        self.keyring.keep().await;
    }

    /// Whether the issuer tells its keys, as it changes.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<KeysHealth> {
        self.keyring.health()
    }

    /// Whether whoever sends these headers may, at this time.
    ///
    /// Waits for the issuer where the token's key is not known, for no longer than [`Pace::limit`].
    ///
    /// # Errors
    /// Why not; see [`Outcome`].
    pub async fn check(&self, headers: &HeaderMap, now: SystemTime) -> Result<(), Denied> {
        let token = bearer::token(headers)?;
        let claims = claims::read(&token.claims)?;
        claims.check(&self.issuer, &self.audience, now)?;
        match self.keyring.find(&token, claims.issued_at()).await {
            Found::Signed => {}
            Found::Forged => {
                return Err(Denied::new(
                    Outcome::BadSignature,
                    "the token's signature is not that of its issuer",
                ));
            }
            Found::UnknownKey => {
                return Err(Denied::new(
                    Outcome::UnknownKey,
                    "the token is signed with a key that its issuer does not have",
                ));
            }
            Found::Away(why) => {
                return Err(Denied::new(
                    Outcome::IssuerAway,
                    format!("the token cannot be checked now: {why}; try again later"),
                ));
            }
        }
        if self.subjects.allow(&claims.subject) {
            Ok(())
        } else {
            let subject: String = claims.subject.chars().take(200).collect();
            Err(Denied::new(
                Outcome::WrongSubject,
                format!("`{subject}` may not send here"),
            ))
        }
    }
}
