//! Values and how one type becomes another (CESQL, section 3.6).

use super::Error;

/// A value: the language has three types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    String(String),
    /// A whole number of 32 bits.
    Integer(i32),
    /// True or false.
    Boolean(bool),
}

impl Value {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Integer(_) => "integer",
            Self::Boolean(_) => "boolean",
        }
    }

    /// Every value has a string form.
    pub(super) fn into_string(self) -> String {
        match self {
            Self::String(text) => text,
            Self::Integer(integer) => integer.to_string(),
            Self::Boolean(true) => "true".to_owned(),
            Self::Boolean(false) => "false".to_owned(),
        }
    }

    pub(super) fn into_integer(self) -> Result<i32, Error> {
        match &self {
            Self::Integer(integer) => Ok(*integer),
            Self::Boolean(boolean) => Ok(i32::from(*boolean)),
            Self::String(text) => text.parse().map_err(|_| self.cast_error("integer")),
        }
    }

    pub(super) fn into_boolean(self) -> Result<bool, Error> {
        match &self {
            Self::Boolean(boolean) => Ok(*boolean),
            Self::Integer(integer) => Ok(*integer != 0),
            Self::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Self::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Self::String(_) => Err(self.cast_error("boolean")),
        }
    }

    /// This value as the type of `other`.
    pub(super) fn cast_like(self, other: &Self) -> Result<Self, Error> {
        match other {
            Self::String(_) => Ok(Self::String(self.into_string())),
            Self::Integer(_) => self.into_integer().map(Self::Integer),
            Self::Boolean(_) => self.into_boolean().map(Self::Boolean),
        }
    }

    fn cast_error(&self, to: &'static str) -> Error {
        Error::Cast {
            from: self.type_name(),
            to,
        }
    }
}
