//! Why a file is refused: which file, which line, which field, what is legal.

use std::fmt;
use std::path::{Path, PathBuf};

/// A value and the line it stands on.
pub(crate) type Spanned<T> = serde_saphyr::Spanned<T>;

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    file: PathBuf,
    line: Option<u64>,
    field: Option<String>,
    reason: String,
}

impl Refusal {
    pub(super) fn io(file: &Path, error: &std::io::Error) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            field: None,
            reason: format!("cannot be read: {error}"),
        }
    }

    pub(super) fn yaml(file: &Path, error: &serde_saphyr::Error) -> Self {
        let line = error.location().map(|location| location.line());
        Self {
            file: file.to_owned(),
            line: line.filter(|line| *line > 0),
            field: None,
            reason: reason(&error.without_snippet().render()),
        }
    }

    /// The line in the file, from 1, where it is known.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.line
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ": `{field}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Refusal {}

/// One line, without the position at its end: that is told already.
fn reason(rendered: &str) -> String {
    let line = rendered.replace('\n', " ");
    match line.rsplit_once(" at line ") {
        Some((reason, position)) if position.contains("column") => reason.to_owned(),
        Some(_) | None => line,
    }
}

/// A field on the way to a refusal.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    file: &'a Path,
    line: Option<u64>,
    path: String,
}

impl<'a> Field<'a> {
    pub(super) fn root(file: &'a Path, path: &str) -> Self {
        Self {
            file,
            line: None,
            path: path.to_owned(),
        }
    }

    pub(crate) fn field(&self, name: &str) -> Self {
        self.with(format!("{}.{name}", self.path))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(format!("{}[{index}]", self.path))
    }

    fn with(&self, path: String) -> Self {
        Self {
            file: self.file,
            line: self.line,
            path,
        }
    }

    /// The same field, at the line of `value`.
    pub(crate) fn line<T>(&self, value: &Spanned<T>) -> Self {
        let line = value.referenced.line();
        Self {
            line: if line > 0 { Some(line) } else { self.line },
            ..self.clone()
        }
    }

    pub(crate) fn refuse(&self, reason: String) -> Refusal {
        Refusal {
            file: self.file.to_owned(),
            line: self.line,
            field: Some(self.path.clone()),
            reason,
        }
    }
}
