//! Why an event cannot become a command.

use std::fmt;
use std::sync::Arc;

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
