//! What the binding needs of the SDK's event beyond the SDK: checked setters, canonical strings,
//! and the kind of the data.

use std::borrow::Cow;

use cloudevents::event::{ExtensionValue, SpecVersion};
use cloudevents::{AttributesReader, AttributesWriter, Data, Event};
use serde_json::value::RawValue;

use crate::attribute::{self, Context, Name};
use crate::draft::build;
use crate::error::{Error, Problem, Shown, value};
use crate::media_type::is_json;

/// What an event's data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind<'a> {
    /// There is none.
    None,
    /// JSON text: valid UTF-8, one value, without whitespace around it; numbers as they were sent.
    Json(&'a [u8]),
    /// Anything else.
    Bytes(&'a [u8]),
}

/// Tells JSON from other data.
///
/// A `datacontenttype` that declares JSON ([`is_json`]) decides; without a `datacontenttype` it is
/// JSON if it parses as such (brokers deliver JSON that way, in binary mode without Content-Type);
/// with any other it is bytes. The JSON is validated, never built: large numbers and duplicate
/// keys stay as they are.
///
/// # Errors
/// Data that is declared to be JSON and is not; data that is not bytes (`Data::Json`), which
/// [`decode`](crate::decode) never yields.
pub fn data_kind(event: &Event) -> Result<DataKind<'_>, Error> {
    let bytes = match event.data() {
        None => return Ok(DataKind::None),
        Some(Data::Binary(bytes)) => bytes.as_slice(),
        Some(Data::String(text)) => text.as_bytes(),
        Some(Data::Json(_)) => return Err(value("data", "must be held as bytes")),
    };
    if bytes.is_empty() {
        return Ok(DataKind::None);
    }
    match event.datacontenttype() {
        Some(content_type) if is_json(content_type) => json(bytes)
            .map(DataKind::Json)
            .ok_or_else(|| value("data", "is declared to be JSON and is not")),
        Some(_) => Ok(DataKind::Bytes(bytes)),
        None => Ok(json(bytes).map_or(DataKind::Bytes(bytes), DataKind::Json)),
    }
}

/// The JSON text in `bytes`, without whitespace around it.
pub(crate) fn json(bytes: &[u8]) -> Option<&[u8]> {
    serde_json::from_slice::<&RawValue>(bytes)
        .ok()
        .map(|raw| raw.get().as_bytes())
}

/// The data as the body of a binary-mode message.
pub(crate) fn data_bytes(data: &Data) -> Result<Cow<'_, [u8]>, Error> {
    match data {
        Data::Binary(bytes) => Ok(Cow::Borrowed(bytes)),
        Data::String(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Data::Json(json) => serde_json::to_vec(json)
            .map(Cow::Owned)
            .map_err(|_| value("data", "cannot be written as JSON")),
    }
}

pub(crate) fn into_data_bytes(data: Data) -> Result<Vec<u8>, Error> {
    match data {
        Data::Binary(bytes) => Ok(bytes),
        Data::String(text) => Ok(text.into_bytes()),
        Data::Json(_) => Ok(data_bytes(&data)?.into_owned()),
    }
}

/// An event with the required attributes and nothing else; no time is set and no name looked up.
///
/// # Errors
/// An attribute that breaks its rule, as [`set_attribute`].
pub fn new_event(id: &str, source: &str, ty: &str) -> Result<Event, Error> {
    attribute::non_empty_text("id", id)?;
    attribute::non_empty_text("type", ty)?;
    let source = attribute::source(Cow::Borrowed(source))?;
    build(id.to_owned(), source.into_owned(), ty.to_owned())
}

/// Sets a context or extension attribute from its canonical string, replacing what was there.
///
/// An extension becomes a string, whatever it looks like: that is what an attribute from a header
/// is. Numbers beyond 32 bits, which no attribute of type Integer can hold, go this way too.
///
/// # Errors
/// A malformed name, an empty value where the specification wants one, a `time` that is not
/// RFC 3339, and so on; the event is then unchanged.
pub fn set_attribute(event: &mut Event, name: &str, value: &str) -> Result<(), Error> {
    let owned = || value.to_owned();
    match Name::of(name)? {
        Name::SpecVersion => return attribute::specversion(value),
        Name::Context(Context::Id) => {
            attribute::non_empty_text(name, value)?;
            event.set_id(owned());
        }
        Name::Context(Context::Type) => {
            attribute::non_empty_text(name, value)?;
            event.set_type(owned());
        }
        Name::Context(Context::Source) => {
            event.set_source(attribute::source(Cow::Borrowed(value))?);
        }
        Name::Context(Context::Subject) => {
            attribute::non_empty_text(name, value)?;
            event.set_subject(Some(owned()));
        }
        Name::Context(Context::Time) => {
            event.set_time(Some(attribute::time(value)?));
        }
        Name::Context(Context::DataContentType) => {
            attribute::datacontenttype(value)?;
            event.set_datacontenttype(Some(owned()));
        }
        Name::Context(Context::DataSchema) => {
            event.set_dataschema(Some(attribute::dataschema(Cow::Borrowed(value))?));
        }
        Name::Extension => {
            attribute::text(name, value)?;
            event.set_extension(name, owned());
        }
    }
    Ok(())
}

/// Sets the data, as the bytes that a binary-mode body carries, and its media type.
///
/// # Errors
/// A `datacontenttype` that is no media type; the event is then unchanged.
pub fn set_data(
    event: &mut Event,
    datacontenttype: Option<&str>,
    data: impl Into<Vec<u8>>,
) -> Result<(), Error> {
    if let Some(content_type) = datacontenttype {
        attribute::datacontenttype(content_type)?;
    }
    event.set_datacontenttype(datacontenttype);
    event.set_data_unchecked(data.into());
    Ok(())
}

/// An attribute, context or extension, in its canonical string form; `None` if it is not set.
#[must_use]
pub fn attribute<'a>(event: &'a Event, name: &str) -> Option<Cow<'a, str>> {
    let context = match Name::of(name).ok()? {
        Name::SpecVersion => return Some(Cow::Owned(event.specversion().as_str().to_owned())),
        Name::Context(context) => context,
        Name::Extension => return event.extension(name).map(canonical),
    };
    match context {
        Context::Id => Some(event.id().into()),
        Context::Source => Some(event.source().into()),
        Context::Type => Some(event.ty().into()),
        Context::Subject => event.subject().map(Cow::from),
        Context::Time => event.time().map(|time| attribute::time_string(time).into()),
        Context::DataContentType => event.datacontenttype().map(Cow::from),
        Context::DataSchema => event.dataschema().map(|schema| schema.as_str().into()),
    }
}

fn canonical(extension: &ExtensionValue) -> Cow<'_, str> {
    match extension {
        ExtensionValue::String(text) => Cow::Borrowed(text),
        ExtensionValue::Boolean(true) => Cow::Borrowed("true"),
        ExtensionValue::Boolean(false) => Cow::Borrowed("false"),
        ExtensionValue::Integer(integer) => Cow::Owned(integer.to_string()),
    }
}

/// Only events of version 1.0 are written; the model knows 0.3 too.
pub(crate) fn writable_version(event: &Event) -> Result<(), Error> {
    match event.specversion() {
        SpecVersion::V10 => Ok(()),
        SpecVersion::V03 => attribute::specversion(SpecVersion::V03.as_str()),
    }
}

/// Refuses an extension that would be read as something else.
pub(crate) fn extension_name(name: &str) -> Result<(), Error> {
    match Name::of(name)? {
        Name::Extension => Ok(()),
        Name::SpecVersion | Name::Context(_) => Err(Problem::Reserved {
            attribute: Shown::new(name),
        }
        .into()),
    }
}
