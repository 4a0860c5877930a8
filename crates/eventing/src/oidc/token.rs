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
    if has_run_out(token, path, SystemTime::now()) {
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

/// Whether its time is over. Sent all the same it would be answered 401, which counts as the destination's word on the
/// event. A token that does not say when is not one: it need not be a JWT. Nor is one whose file is younger than it may
/// become: then it is our clock that is ahead.
fn has_run_out(token: &str, path: &Path, now: SystemTime) -> bool {
    let Some(Times { exp, iat }) = times(token) else {
        return false;
    };
    let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    if (since_1970 + MARGIN).as_secs_f64() < exp {
        return false;
    }
    let written = std::fs::metadata(path).and_then(|file| file.modified());
    let age = written
        .ok()
        .and_then(|written| now.duration_since(written).ok());
    match (age, iat) {
        (Some(age), Some(iat)) => (age + MARGIN).as_secs_f64() >= exp - iat,
        (None, _) | (_, None) => true,
    }
}

/// Seconds since 1970, which need not be whole (RFC 7519).
#[derive(Deserialize)]
struct Times {
    exp: f64,
    iat: Option<f64>,
}

fn times(token: &str) -> Option<Times> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok()
}

fn unusable(path: &Path, why: &str) -> String {
    format!("the token file {} {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token from second 1,000 to second 4,600, in a file that was written at so many seconds.
    fn run_out(written: u64, now: u64) -> bool {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"iat":1000,"exp":4600}"#);
        let file = tempfile::NamedTempFile::new().expect("a file");
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        file.as_file().set_modified(at(written)).expect("its time");
        has_run_out(&format!("e30.{claims}.sig"), file.path(), at(now))
    }

    #[test]
    fn a_token_is_sent_as_long_as_it_will_be_good_where_it_arrives() {
        assert!(!run_out(1_000, 4_594));
        assert!(run_out(1_000, 4_595));
        assert!(run_out(1_000, 9_000));
    }

    #[test]
    fn a_token_that_was_written_a_moment_ago_is_good_whatever_our_clock_says() {
        // An hour ahead, with a token that the kubelet wrote just now, and later.
        assert!(!run_out(8_200, 8_260));
        assert!(!run_out(8_200, 11_794));
        assert!(run_out(8_200, 11_795));
    }
}
