//! The token that goes with each delivery, read again as it rotates.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;

/// So often at most the file is looked at; tokens rotate in minutes and stay valid beside their successor.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A token file that may or may not be there.
#[derive(Debug)]
pub(crate) struct TokenFile {
    path: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    looked: Option<Instant>,
    modified: Option<SystemTime>,
    header: Option<HeaderValue>,
}

impl TokenFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            kept: Mutex::new(Kept::default()),
        }
    }

    /// The `Authorization` header for a request made now; `None` where no token is mounted.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept
            .looked
            .is_some_and(|looked| looked.elapsed() < LOOK_EVERY)
        {
            return kept.header.clone();
        }
        kept.looked = Some(Instant::now());
        let modified = std::fs::metadata(&self.path)
            .and_then(|file| file.modified())
            .ok();
        if modified.is_none() || modified != kept.modified {
            kept.modified = modified;
            kept.header = std::fs::read_to_string(&self.path)
                .ok()
                .and_then(|token| bearer(&token));
        }
        kept.header.clone()
    }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    if token.is_empty() {
        return None;
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}
