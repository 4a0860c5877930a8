//! What is read of an event.

use cloudevents::{AttributesReader, Data, Event};
use cloudevents_http::{attribute, is_json};

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
        // Events come from the codec, which never parses data into a tree.
        Some(Data::Json(_)) => return DataKind::None,
    };
    if bytes.is_empty() {
        return DataKind::None;
    }
    match event.datacontenttype() {
        None => DataKind::Undeclared(bytes),
        Some(declared) if is_json(declared) => DataKind::Json(bytes),
        Some(_) => DataKind::Bytes(bytes),
    }
}

/// Whether data of this type is text to a reader, as opposed to bytes that may look like text.
pub(super) fn is_text(declared: Option<&str>) -> bool {
    let Some(declared) = declared else {
        return true;
    };
    let media_type = declared
        .split_once(';')
        .map_or(declared, |(media_type, _)| media_type)
        .trim()
        .to_ascii_lowercase();
    media_type.starts_with("text/")
        || media_type.ends_with("/xml")
        || media_type.ends_with("+xml")
        || media_type == "application/x-www-form-urlencoded"
}

/// Appends a JSON object of all context attributes, extensions among them, in alphabetical order.
///
/// Each is a string, an integer too: binary mode does not tell them apart, and the same event must
/// give the same variables in every content mode.
pub(super) fn write_attributes(out: &mut String, event: &Event) {
    let mut names: Vec<_> = event.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    out.push('{');
    let mut separator = "";
    for name in names {
        if let Some(value) = attribute(event, name) {
            out.push_str(separator);
            json::string(out, name);
            out.push(':');
            json::string(out, &value);
            separator = ",";
        }
    }
    out.push('}');
}
