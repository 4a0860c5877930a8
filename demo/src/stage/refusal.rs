//! Why a stage is refused: which file, which line, what is legal.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_saphyr::Spanned;

/// Why a stage's files, or what was set beside them, are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    place: Place,
    reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for Refusal {}

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// A file, or the words for what is none.
    file: Arc<Path>,
    line: u64,
}

impl Place {
    pub(super) fn file(file: &Path) -> Self {
        Self {
            file: file.into(),
            line: 0,
        }
    }

    /// On the command line.
    pub(super) fn argument(argument: &str) -> Self {
        Self::file(&PathBuf::from(argument))
    }

    /// The same file, at the line of `value`.
    pub(super) fn of<T>(&self, value: &Spanned<T>) -> Self {
        Self {
            file: Arc::clone(&self.file),
            line: value.referenced.line(),
        }
    }

    pub(super) fn refuse(&self, reason: impl Into<String>) -> Refusal {
        Refusal {
            place: self.clone(),
            reason: reason.into(),
        }
    }

    /// What the parser says, at the line that it names.
    pub(super) fn refuse_yaml(&self, error: &serde_saphyr::Error) -> Refusal {
        let line = error.location().map_or(0, |location| location.line());
        let rendered = error.without_snippet().render().replace('\n', " ");
        let reason = match rendered.rsplit_once(" at line ") {
            Some((reason, position)) if position.contains("column") => reason.to_owned(),
            Some(_) | None => rendered,
        };
        Refusal {
            place: Self {
                line,
                ..self.clone()
            },
            reason,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        Ok(())
    }
}
