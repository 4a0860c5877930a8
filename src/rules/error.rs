//! Why a file is no rules file, and why an event cannot become a command.

use std::fmt;
use std::sync::Arc;

use super::document::Mistake;

/// An event that cannot be turned into an engine command; a retry would fail alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingError {
    /// The rule that asked for it; `None` where there is no rules file.
    pub rule: Option<Arc<str>>,
    /// The place: a path into the event, such as `data.order.total`, or a field of the rule.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl MappingError {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            rule: None,
            field: field.into(),
            reason: reason.into(),
        }
    }

    pub(super) fn in_rule(mut self, rule: &Arc<str>) -> Self {
        self.rule = Some(Arc::clone(rule));
        self
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        write!(f, "`{}`: {}", self.field, self.reason)
    }
}

impl std::error::Error for MappingError {}

/// A rules file that cannot be used: `file:line: ` and what is wrong, with what is legal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesError {
    /// The file and the line; `None` where the settings are at fault.
    place: Option<(String, u64)>,
    message: String,
}

impl RulesError {
    pub(super) fn at(file_name: &str, mistake: &Mistake) -> Self {
        Self {
            place: Some((file_name.to_owned(), mistake.line)),
            message: mistake.message.clone(),
        }
    }

    pub(super) fn of_settings(message: String) -> Self {
        Self {
            place: None,
            message,
        }
    }

    /// The line, counted from 1; `None` where the settings are at fault.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.place.as_ref().map(|(_, line)| *line)
    }
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line)) = &self.place {
            write!(f, "{file}:{line}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for RulesError {}
