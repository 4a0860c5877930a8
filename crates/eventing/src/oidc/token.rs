//! The token that goes with each delivery, read again as it rotates.

use std::io;
use std::path::{Path, PathBuf};

use http::{HeaderValue, Uri};

/// A token file that may or may not be there, and whom its token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The file; read for each request, since tokens rotate.
    pub path: PathBuf,
    /// The one recipient that the token is made for; whoever else got it could speak for us there.
    pub destination: Uri,
}

impl Token {
    /// The `Authorization` header for a request made now; `None` where no token is mounted or the
    /// request goes to somebody else.
    pub(crate) fn header(&self, destination: &Uri) -> Result<Option<HeaderValue>, String> {
        if destination.scheme() != self.destination.scheme()
            || destination.authority() != self.destination.authority()
        {
            return Ok(None);
        }
        read(&self.path)
    }
}

/// The header that a token file makes; `None` where there is no file.
///
/// Errors say no more of the file's contents than what is wrong with them.
pub(super) fn read(path: &Path) -> Result<Option<HeaderValue>, String> {
    let unusable = |why: &str| format!("the token file {} {why}", path.display());
    let token = match std::fs::read_to_string(path) {
        Ok(token) => token,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&format!("cannot be read: {error}"))),
    };
    let token = token.trim();
    if token.is_empty() {
        return Err(unusable("is empty"));
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| unusable("holds characters that no token has"))?;
    header.set_sensitive(true);
    Ok(Some(header))
}
