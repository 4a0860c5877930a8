//! Binary mode: attributes in headers, data in the body (HTTP binding 1.0.2, section 3.1).

use std::borrow::Cow;

use bytes::Bytes;
use cloudevents::event::ExtensionValue;
use cloudevents::{AttributesReader, Event};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::attribute::{self, Context, Name};
use crate::draft::{Draft, Value, duplicate};
use crate::error::{Error, Problem, Shown, value};
use crate::event::{self, extension_name};
use crate::limits::Limits;
use crate::mode::Message;
use crate::{headers, uri};

const PREFIX: &str = "ce-";

pub(crate) fn decode(headers: &HeaderMap, body: Bytes, limits: &Limits) -> Result<Event, Error> {
    limits.data(body.len())?;
    let mut draft = Draft::new(limits);
    let mut previous: Option<&HeaderName> = None;
    for (header, raw) in headers {
        let name = match header.as_str().strip_prefix(PREFIX) {
            Some(name) => name,
            None if header == CONTENT_TYPE => "datacontenttype",
            None => continue,
        };
        // All values of one header follow each other.
        if previous == Some(header) {
            return Err(duplicate(name));
        }
        previous = Some(header);
        if header == CONTENT_TYPE {
            draft.set(Cow::Borrowed(name), Value::Text(content_type(raw)?))?;
            continue;
        }
        limits.attribute(name, name.len())?;
        let value = match Name::of(name)? {
            // Section 3.1.1: Content-Type says it, and nothing else may.
            Name::Context(Context::DataContentType) => {
                return Err(Problem::Reserved {
                    attribute: Shown::new("ce-datacontenttype"),
                }
                .into());
            }
            Name::Context(Context::Source | Context::DataSchema) => uri_value(name, raw)?,
            Name::Context(Context::Id | Context::Type | Context::Subject | Context::Time)
            | Name::SpecVersion
            | Name::Extension => headers::decode(name, raw)?.into_text(),
        };
        draft.set(Cow::Borrowed(name), Value::Text(value))?;
    }
    draft.finish(Some(Vec::from(body)))
}

/// The Content-Type as it stands: its quotes and percent signs are its own.
fn content_type(raw: &HeaderValue) -> Result<Cow<'_, str>, Error> {
    let text = raw
        .to_str()
        .map_err(|_| value("datacontenttype", "must be printable ASCII"))?;
    Ok(Cow::Borrowed(text.trim_matches([' ', '\t'])))
}

/// A value of one of the URI types.
///
/// Senders that do not percent-encode headers (Go's SDK, hence Knative) send the URI's own
/// percent-encodings bare. Where decoding them leaves something that no URI can be, or characters
/// beyond ASCII show that nothing was encoded, the URI is what was sent; otherwise one event would
/// have another `source` in each content mode.
fn uri_value<'a>(name: &str, raw: &'a HeaderValue) -> Result<Cow<'a, str>, Error> {
    let headers::Decoded { literal, decoded } = headers::decode(name, raw)?;
    Ok(match decoded {
        Some(decoded) if literal.is_ascii() && uri::is_reference(&decoded) => Cow::Owned(decoded),
        Some(decoded) if !uri::has_syntax(&literal) => Cow::Owned(decoded),
        Some(_) | None => literal,
    })
}

/// Writes an event in binary mode: one `ce-` header per attribute, `Content-Type` from
/// `datacontenttype` (and none without it), the data as body.
///
/// # Errors
/// Whatever a receiver would have to refuse: an empty required attribute, a malformed name, an
/// integer of more than 32 bits, an extension named like a context attribute, and so on.
pub fn encode_binary(event: &Event) -> Result<Message, Error> {
    let headers = encode_headers(event)?;
    let body = match event.data() {
        None => Bytes::new(),
        Some(data) => Bytes::from(event::data_bytes(data)?.into_owned()),
    };
    Ok(Message { headers, body })
}

/// Like [`encode_binary`], handing the event's data over instead of copying it.
///
/// # Errors
/// As [`encode_binary`].
pub fn into_binary(mut event: Event) -> Result<Message, Error> {
    let headers = encode_headers(&event)?;
    let body = match event.take_data().2 {
        None => Bytes::new(),
        Some(data) => Bytes::from(event::into_data_bytes(data)?),
    };
    Ok(Message { headers, body })
}

fn encode_headers(event: &Event) -> Result<HeaderMap, Error> {
    event::writable_version(event)?;
    let mut headers = HeaderMap::with_capacity(16);
    let mut put = |header: HeaderName, name: &str, value: HeaderValue| {
        headers
            .try_insert(header, value)
            .map(drop)
            .map_err(|_| value_error(name))
    };

    put(
        HeaderName::from_static("ce-specversion"),
        "specversion",
        HeaderValue::from_static(attribute::VERSION),
    )?;
    for (name, header, text) in [
        ("id", HeaderName::from_static("ce-id"), Some(event.id())),
        ("type", HeaderName::from_static("ce-type"), Some(event.ty())),
        (
            "subject",
            HeaderName::from_static("ce-subject"),
            event.subject(),
        ),
    ] {
        if let Some(text) = text {
            attribute::non_empty_text(name, text)?;
            put(header, name, headers::encode(name, text)?)?;
        }
    }
    let source = attribute::source(Cow::Borrowed(event.source()))?;
    put(
        HeaderName::from_static("ce-source"),
        "source",
        headers::encode("source", &source)?,
    )?;
    if let Some(time) = event.time() {
        let time = attribute::writable_time(time)?;
        put(
            HeaderName::from_static("ce-time"),
            "time",
            headers::encode("time", &time)?,
        )?;
    }
    if let Some(schema) = event.dataschema() {
        let schema = attribute::dataschema(Cow::Borrowed(schema.as_str()))?;
        put(
            HeaderName::from_static("ce-dataschema"),
            "dataschema",
            headers::encode("dataschema", schema.as_str())?,
        )?;
    }
    if let Some(content_type) = event.datacontenttype() {
        attribute::datacontenttype(content_type)?;
        let value =
            HeaderValue::from_str(content_type).map_err(|_| value_error("datacontenttype"))?;
        put(CONTENT_TYPE, "datacontenttype", value)?;
    }
    for (name, extension) in event.iter_extensions() {
        extension_name(name)?;
        let value = match extension {
            ExtensionValue::String(text) => {
                attribute::text(name, text)?;
                headers::encode(name, text)?
            }
            ExtensionValue::Boolean(true) => HeaderValue::from_static("true"),
            ExtensionValue::Boolean(false) => HeaderValue::from_static("false"),
            ExtensionValue::Integer(integer) => {
                HeaderValue::from(attribute::integer(name, *integer)?)
            }
        };
        put(headers::name(name)?, name, value)?;
    }
    Ok(headers)
}

fn value_error(name: &str) -> Error {
    value(name, "does not fit into the headers of one message")
}
