//! How commands are authorized: the `authorization` metadata.

mod oauth;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::metadata::{Ascii, MetadataValue};

use crate::error::EngineError;
use crate::settings::{Credentials, Settings, SettingsError};

/// A header's value; never shown.
pub(crate) type Header = MetadataValue<Ascii>;

/// Makes the header that goes with each command.
pub(crate) enum Authorization {
    None,
    Fixed(Header),
    OAuth(Box<oauth::TokenSource>),
}

impl Authorization {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(match &settings.credentials {
            Credentials::None => Self::None,
            Credentials::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                let mut header: Header = format!("Basic {pair}")
                    .parse()
                    .map_err(|_| SettingsError::Basic)?;
                header.set_sensitive(true);
                Self::Fixed(header)
            }
            Credentials::OAuth(oauth) => {
                Self::OAuth(Box::new(oauth::TokenSource::new(oauth, settings)?))
            }
        })
    }

    /// The header for one command.
    ///
    /// # Errors
    /// No token could be had.
    pub(crate) async fn header(
        &self,
        command: &'static str,
    ) -> Result<Option<Header>, EngineError> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(header) => Ok(Some(header.clone())),
            Self::OAuth(source) => source.header(command).await.map(Some),
        }
    }

    /// The gateway refused what it was shown: do not show the same again.
    pub(crate) fn forget(&self) {
        match self {
            Self::None | Self::Fixed(_) => {}
            Self::OAuth(source) => source.forget(),
        }
    }
}
