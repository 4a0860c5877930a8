//! The three content modes: telling them apart, and reading whichever came.

use bytes::Bytes;
use cloudevents::Event;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::draft::duplicate;
use crate::error::{Error, Problem, Shown};
use crate::limits::Limits;
use crate::{batch, binary, media_type, structured};

pub(crate) const EVENT_JSON: &str = "application/cloudevents+json";
pub(crate) const BATCH_JSON: &str = "application/cloudevents-batch+json";
const PREFIX: &str = "application/cloudevents";

/// How events lie in an HTTP message (HTTP binding 1.0.2, section 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentMode {
    /// Attributes in headers, data in the body.
    Binary,
    /// One event in JSON in the body.
    Structured,
    /// An array of events in JSON in the body.
    Batched,
}

impl ContentMode {
    /// Tells the mode of a message by its Content-Type, in any case and with any parameters.
    ///
    /// Everything that does not say `application/cloudevents` is binary, an ordinary request too:
    /// [`decode`] then finds its attributes missing.
    ///
    /// # Errors
    /// An event format other than JSON, or another charset than UTF-8
    /// ([`ErrorKind::UnsupportedMediaType`](crate::ErrorKind)); more than one Content-Type.
    pub fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let Some(value) = values.next() else {
            return Ok(Self::Binary);
        };
        if values.next().is_some() {
            return Err(duplicate("content-type"));
        }
        let content_type = String::from_utf8_lossy(value.as_bytes());
        let essence = media_type::essence(&content_type);
        if media_type::strip_prefix(essence, PREFIX).is_none() {
            return Ok(Self::Binary);
        }
        let mode = if essence.eq_ignore_ascii_case(EVENT_JSON) {
            Self::Structured
        } else if essence.eq_ignore_ascii_case(BATCH_JSON) {
            Self::Batched
        } else {
            return Err(Problem::Format {
                media_type: Shown::new(essence),
            }
            .into());
        };
        match media_type::charset(&content_type) {
            // ASCII is UTF-8 too.
            Some(charset)
                if !charset.eq_ignore_ascii_case("utf-8")
                    && !charset.eq_ignore_ascii_case("us-ascii") =>
            {
                Err(Problem::Charset {
                    charset: Shown::new(charset),
                }
                .into())
            }
            Some(_) | None => Ok(mode),
        }
    }
}

/// The parts of an HTTP request or response that carry events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The headers that the binding defines, and no others: no length, no host.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Reads the events of a message, in whichever mode it is: one, or as many as a batch holds.
///
/// Each event's data, where it has any, is `Data::Binary`: the very bytes that a binary-mode body
/// would carry, JSON text as it was sent. Empty data is no data. In binary mode all extensions are
/// strings, as headers carry no types; [`attribute`](crate::attribute()) levels the difference.
///
/// # Errors
/// A broken rule of the specification, naming the attribute; an exceeded limit; an event format
/// that is not read. In a batch, one bad event refuses all.
pub fn decode(headers: &HeaderMap, body: Bytes, limits: &Limits) -> Result<Vec<Event>, Error> {
    match ContentMode::of(headers)? {
        ContentMode::Binary => binary::decode(headers, body, limits).map(|event| vec![event]),
        ContentMode::Structured => structured::decode(&body, limits).map(|event| vec![event]),
        ContentMode::Batched => batch::decode(&body, limits),
    }
}
