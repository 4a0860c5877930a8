//! Why a message is no event, or an event cannot be written: typed, short, naming the attribute.

use std::fmt;

/// What a receiver should tell the sender, as the three classes that HTTP has statuses for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The message breaks a rule of the specification: 400.
    BadEvent,
    /// A limit of the receiver is exceeded, see [`Limits`](crate::Limits): 413.
    TooLarge,
    /// The message is in an event format or charset that is not read here: 415.
    UnsupportedMediaType,
}

/// Why a message could not be read as events, or an event could not be written.
///
/// `Display` is one line, names the attribute and never repeats its value, which may be private
/// (a refused `specversion` or media type is repeated, shortened).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    // Boxed, so that the results on the hot path stay as small as what they carry.
    inner: Box<Inner>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    problem: Problem,
    event: Option<usize>,
}

impl Error {
    /// Which class of answer fits: 400, 413 or 415.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.inner.problem {
            Problem::Missing { .. }
            | Problem::Empty { .. }
            | Problem::Duplicate { .. }
            | Problem::Name { .. }
            | Problem::Reserved { .. }
            | Problem::Version { .. }
            | Problem::Value { .. }
            | Problem::Json { .. } => ErrorKind::BadEvent,
            Problem::TooManyAttributes { .. }
            | Problem::AttributeTooLong { .. }
            | Problem::DataTooLarge { .. }
            | Problem::TooManyEvents { .. } => ErrorKind::TooLarge,
            Problem::Format { .. } | Problem::Charset { .. } => ErrorKind::UnsupportedMediaType,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.inner.problem
    }

    /// The attribute (or `data`, `data_base64`) that is at fault, where there is one; shortened to
    /// 64 characters.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        match &self.inner.problem {
            Problem::Missing { attribute } => Some(attribute),
            Problem::Empty { attribute }
            | Problem::Duplicate { attribute }
            | Problem::Name { attribute }
            | Problem::Reserved { attribute }
            | Problem::Value { attribute, .. }
            | Problem::AttributeTooLong { attribute, .. } => Some(attribute),
            Problem::Version { .. } => Some("specversion"),
            Problem::DataTooLarge { .. } => Some("data"),
            Problem::Json { .. }
            | Problem::TooManyAttributes { .. }
            | Problem::TooManyEvents { .. }
            | Problem::Format { .. }
            | Problem::Charset { .. } => None,
        }
    }

    /// Which event of a batch is at fault, counted from 0; `None` outside of batches.
    #[must_use]
    pub fn event(&self) -> Option<usize> {
        self.inner.event
    }

    pub(crate) fn in_event(mut self, index: usize) -> Self {
        self.inner.event = Some(index);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.inner.event {
            write!(f, "event {index} of the batch: ")?;
        }
        self.inner.problem.fmt(f)
    }
}

impl std::error::Error for Error {}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self {
            inner: Box::new(Inner {
                problem,
                event: None,
            }),
        }
    }
}

/// What is wrong with a message or an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A required attribute is absent.
    #[error("required attribute `{attribute}` is missing")]
    Missing {
        /// Its name.
        attribute: &'static str,
    },
    /// An attribute that must not be empty is.
    #[error("attribute `{attribute}` must not be empty")]
    Empty {
        /// Its name.
        attribute: Shown,
    },
    /// An attribute is there twice, as headers or as members of the JSON object.
    #[error("`{attribute}` appears more than once")]
    Duplicate {
        /// Its name.
        attribute: Shown,
    },
    /// A name holds something else than lower-case ASCII letters and digits.
    #[error("attribute name `{attribute}` must consist of lower-case letters a-z and digits 0-9")]
    Name {
        /// The name as it came.
        attribute: Shown,
    },
    /// A name that cannot be an attribute where it stands: `data` anywhere, `datacontenttype` as a
    /// `ce-` header, a context attribute's name as an extension.
    #[error("`{attribute}` cannot be given as an attribute here")]
    Reserved {
        /// The name.
        attribute: Shown,
    },
    /// `specversion` is something else than 1.0.
    #[error("`specversion` must be 1.0, not `{found}`")]
    Version {
        /// What it is.
        found: Shown,
    },
    /// A value, or the data, is not what its type demands.
    #[error("`{attribute}` {reason}")]
    Value {
        /// The attribute, or `data`, or `data_base64`.
        attribute: Shown,
        /// What it must be and is not.
        reason: &'static str,
    },
    /// The body of a structured or batched message is not the JSON it has to be.
    #[error("the body is not {expected}: {detail}")]
    Json {
        /// What was expected.
        expected: &'static str,
        /// What the parser said, with line and column.
        detail: String,
    },
    /// More attributes than [`Limits::max_attributes`](crate::Limits::max_attributes).
    #[error("more than {limit} attributes")]
    TooManyAttributes {
        /// The limit.
        limit: usize,
    },
    /// A name or value longer than
    /// [`Limits::max_attribute_bytes`](crate::Limits::max_attribute_bytes).
    #[error("attribute `{attribute}` is longer than {limit} bytes")]
    AttributeTooLong {
        /// Its name.
        attribute: Shown,
        /// The limit.
        limit: usize,
    },
    /// More data than [`Limits::max_data_bytes`](crate::Limits::max_data_bytes).
    #[error("the data is larger than {limit} bytes")]
    DataTooLarge {
        /// The limit.
        limit: usize,
    },
    /// More events than [`Limits::max_batch_events`](crate::Limits::max_batch_events).
    #[error("more than {limit} events in the batch")]
    TooManyEvents {
        /// The limit.
        limit: usize,
    },
    /// A CloudEvents media type with an event format other than JSON.
    #[error(
        "event format `{media_type}` is not supported; \
         send application/cloudevents+json, application/cloudevents-batch+json or binary mode"
    )]
    Format {
        /// The media type.
        media_type: Shown,
    },
    /// A structured or batched message in another charset than UTF-8.
    #[error("charset `{charset}` is not supported for events in JSON; send UTF-8")]
    Charset {
        /// The charset.
        charset: Shown,
    },
}

/// A word from outside, made fit for an error: escaped and at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    const MAX_CHARS: usize = 64;

    pub(crate) fn new(word: &str) -> Self {
        let mut escaped = word.chars().flat_map(char::escape_debug);
        let mut shown: String = escaped.by_ref().take(Self::MAX_CHARS).collect();
        if escaped.next().is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl std::ops::Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn value(attribute: &str, reason: &'static str) -> Error {
    Problem::Value {
        attribute: Shown::new(attribute),
        reason,
    }
    .into()
}
