//! What is logged, as it may change while the program runs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::reload;

use super::LogError;

type Replace = Box<dyn Fn(Targets) + Send + Sync>;

/// The filter of the log lines. Clones are one.
#[derive(Clone)]
pub struct LogFilter(Arc<Inside>);

struct Inside {
    /// As it was given; held while it is exchanged, so that it is what applies.
    text: Mutex<String>,
    replace: Replace,
}

impl LogFilter {
    /// A filter for a layer, and what changes it.
    pub(super) fn new<S: Subscriber>(
        text: &str,
    ) -> Result<(reload::Layer<Targets, S>, Self), LogError> {
        let (layer, handle) = reload::Layer::new(parsed(text)?);
        let inside = Inside {
            text: Mutex::new(text.to_owned()),
            // It fails where the subscriber is gone, and with it the lines.
            replace: Box::new(move |targets| drop(handle.reload(targets))),
        };
        Ok((layer, Self(Arc::new(inside))))
    }

    /// The filter as it was given.
    #[must_use]
    pub fn text(&self) -> String {
        self.0
            .text
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Logs by another filter from now on; returns the former. `before` has it while it still applies.
    ///
    /// # Errors
    /// [`LogError::Filter`]; then nothing has changed.
    pub fn change(&self, text: &str, before: impl FnOnce(&str)) -> Result<String, LogError> {
        let targets = parsed(text)?;
        let mut current = self.0.text.lock().unwrap_or_else(PoisonError::into_inner);
        before(&current);
        (self.0.replace)(targets);
        Ok(std::mem::replace(&mut current, text.to_owned()))
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogFilter").field(&self.text()).finish()
    }
}

/// Reads a filter. A word alone must be a level: by the letter of the syntax `debgu` is a target, of which all is
/// logged, and of everything else nothing.
fn parsed(text: &str) -> Result<Targets, LogError> {
    let mistake = |cause: String| LogError::Filter {
        filter: text.to_owned(),
        cause,
    };
    for word in text.split(',').map(str::trim) {
        if word.is_empty() {
            return Err(mistake("a level is missing".to_owned()));
        }
        if !word.contains('=') && word.parse::<LevelFilter>().is_err() {
            return Err(mistake(format!("`{word}` is no level")));
        }
    }
    text.parse()
        .map_err(|cause: tracing_subscriber::filter::ParseError| mistake(cause.to_string()))
}
