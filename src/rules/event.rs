//! What is read of an event.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;

use cloudevents::event::ExtensionValue;
use cloudevents::{AttributesReader, Data, Event};

use super::json;

/// What data an event has, as far as its content type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataKind<'a> {
    None,
    /// Declared to be JSON: anything else is an error.
    Json(&'a [u8]),
    /// Not declared to be anything: JSON if it parses.
    Undeclared(&'a [u8]),
    /// Declared to be something else.
    Bytes(&'a [u8]),
}

pub(super) fn data(event: &Event) -> DataKind<'_> {
    let bytes = match event.data() {
        None => return DataKind::None,
        Some(Data::Binary(bytes)) => bytes.as_slice(),
        Some(Data::String(text)) => text.as_bytes(),
        // Events are made by our own codec, which never parses data into a tree.
        Some(Data::Json(_)) => return DataKind::None,
    };
    match event.datacontenttype() {
        None => DataKind::Undeclared(bytes),
        Some(declared) if is_json(declared) => DataKind::Json(bytes),
        Some(_) => DataKind::Bytes(bytes),
    }
}

fn media_type(declared: &str) -> &str {
    declared
        .split_once(';')
        .map_or(declared, |(media_type, _)| media_type)
        .trim()
}

fn is_json(declared: &str) -> bool {
    let media_type = media_type(declared);
    let json = |text: &str| text.eq_ignore_ascii_case("json");
    media_type.split_once('/').is_some_and(|(_, subtype)| {
        json(subtype) || subtype.rsplit_once('+').is_some_and(|(_, s)| json(s))
    })
}

/// Whether data of this type is text to a reader, as opposed to bytes that may look like text.
pub(super) fn is_text(declared: Option<&str>) -> bool {
    let Some(declared) = declared else {
        return true;
    };
    let media_type = media_type(declared).to_ascii_lowercase();
    media_type.starts_with("text/")
        || media_type.ends_with("/xml")
        || media_type.ends_with("+xml")
        || media_type == "application/x-www-form-urlencoded"
}

pub(super) fn extension<'a>(event: &'a Event, name: &str) -> Option<Cow<'a, str>> {
    Some(match event.extension(name)? {
        ExtensionValue::String(text) => Cow::Borrowed(text),
        ExtensionValue::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        ExtensionValue::Integer(value) => Cow::Owned(value.to_string()),
    })
}

/// Appends a JSON object of all context attributes, extensions in alphabetical order.
pub(super) fn write_attributes(out: &mut String, event: &Event) {
    use cloudevents::event::AttributeValue;

    let mut attributes: Vec<_> = event.iter().collect();
    attributes.sort_unstable_by_key(|(name, _)| *name);
    out.push('{');
    for (index, (name, value)) in attributes.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::string(out, name);
        out.push(':');
        match value {
            AttributeValue::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            AttributeValue::Integer(value) => out.push_str(&value.to_string()),
            AttributeValue::String(text) => json::string(out, text),
            AttributeValue::URIRef(reference) => json::string(out, reference),
            AttributeValue::URI(uri) => json::string(out, uri.as_str()),
            AttributeValue::Time(time) => {
                json::string(out, &time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
            }
            AttributeValue::Binary(bytes) => json::string(out, &STANDARD.encode(bytes)),
            AttributeValue::SpecVersion(version) => json::string(out, version.as_str()),
        }
    }
    out.push('}');
}
