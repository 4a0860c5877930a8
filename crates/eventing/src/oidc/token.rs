//! The token that goes with each delivery, read again as it rotates.

use std::io;
use std::path::PathBuf;

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
        let token = match std::fs::read_to_string(&self.path) {
            Ok(token) => token,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(&format!("cannot be read: {error}"))),
        };
        let token = token.trim();
        if token.is_empty() {
            return Err(self.unusable("is empty"));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| self.unusable("holds characters that no token has"))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// Says no more of the file's contents than what is wrong with them.
    fn unusable(&self, why: &str) -> String {
        format!("the token file {} {why}", self.path.display())
    }
}
