//! The token that goes with each delivery, read again as it rotates.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, Uri};
use serde::Deserialize;

/// A token must still be good when the request arrives.
const MARGIN: Duration = Duration::from_secs(5);

/// A token file that may or may not be there, and whom its token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The file; read for each request, since tokens rotate.
    pub path: PathBuf,
    /// The one recipient that the token is made for; whoever else got it could speak for us there.
    pub destination: Uri,
    /// Whether that recipient is sent nothing while the file is not there. A file that cannot be used holds back
    /// what is sent in any case.
    pub required: bool,
}

impl Token {
    /// The `Authorization` header for a request made now; `None` where the request goes to somebody else, or
    /// no token is mounted and none is required.
    pub(crate) fn header(&self, destination: &Uri) -> Result<Option<HeaderValue>, String> {
        if destination.scheme() != self.destination.scheme()
            || destination.authority() != self.destination.authority()
        {
            return Ok(None);
        }
        if self.required {
            required(&self.path).map(Some)
        } else {
            read(&self.path)
        }
    }
}

/// The header that a token file makes, which has to be there.
pub(crate) fn required(path: &Path) -> Result<HeaderValue, String> {
    read(path)?.ok_or_else(|| unusable(path, "is not there"))
}

/// The header that a token file makes; `None` where there is no file. A token that has run out is none that can be sent.
///
/// Errors say no more of the file's contents than what is wrong with them.
pub(super) fn read(path: &Path) -> Result<Option<HeaderValue>, String> {
    let token = match std::fs::read_to_string(path) {
        Ok(token) => token,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, &format!("cannot be read: {error}"))),
    };
    let token = token.trim();
    if token.is_empty() {
        return Err(unusable(path, "is empty"));
    }
    if let Some(expires) = expires(token)
        && SystemTime::now() + MARGIN >= expires
    {
        return Err(unusable(
            path,
            "has run out: what renews it, the controller of its SinkBinding or the kubelet, is late",
        ));
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| unusable(path, "holds characters that no token has"))?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// When it runs out; `None` where it does not say so, as tokens need not be JWTs. Sent all the same it would be answered
/// 401, which counts as the destination's word on the event.
fn expires(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp).ok()?)
}

fn unusable(path: &Path, why: &str) -> String {
    format!("the token file {} {why}", path.display())
}
