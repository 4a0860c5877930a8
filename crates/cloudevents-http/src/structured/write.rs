//! Writing one event as a JSON object.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloudevents::event::ExtensionValue;
use cloudevents::{AttributesReader, Event};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::attribute;
use crate::error::{Error, value};
use crate::event::{self, extension_name};
use crate::media_type::is_json;
use crate::mode::{EVENT_JSON, Message};

/// Writes an event in structured mode, as `application/cloudevents+json`.
///
/// Data that is JSON (declared, or parsing without a declaration) becomes the member `data` byte
/// for byte; UTF-8 text of another type a string; all else, also what is declared JSON and does
/// not parse, `data_base64`. Extensions are sorted by name: one event, one text.
///
/// # Errors
/// As [`encode_binary`](crate::encode_binary).
pub fn encode_structured(event: &Event) -> Result<Message, Error> {
    let mut body = Vec::with_capacity(512);
    write(event, &mut body)?;
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_JSON));
    Ok(Message {
        headers,
        body: Bytes::from(body),
    })
}

pub(crate) fn write(event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
    event::writable_version(event)?;
    out.extend_from_slice(br#"{"specversion":"1.0""#);
    for (name, text) in [
        ("id", Some(event.id())),
        ("type", Some(event.ty())),
        ("subject", event.subject()),
    ] {
        if let Some(text) = text {
            attribute::non_empty_text(name, text)?;
            member(out, name, text)?;
        }
    }
    let source = attribute::source(Cow::Borrowed(event.source()))?;
    member(out, "source", &source)?;
    if let Some(time) = event.time() {
        member(out, "time", &attribute::writable_time(time)?)?;
    }
    if let Some(schema) = event.dataschema() {
        let schema = attribute::dataschema(Cow::Borrowed(schema.as_str()))?;
        member(out, "dataschema", schema.as_str())?;
    }
    if let Some(content_type) = event.datacontenttype() {
        attribute::datacontenttype(content_type)?;
        member(out, "datacontenttype", content_type)?;
    }
    extensions(event, out)?;
    data(event, out)?;
    out.push(b'}');
    Ok(())
}

fn extensions(event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut extensions: Vec<_> = event.iter_extensions().collect();
    extensions.sort_unstable_by_key(|(name, _)| *name);
    for (name, extension) in extensions {
        extension_name(name)?;
        match extension {
            ExtensionValue::String(text) => {
                attribute::text(name, text)?;
                member(out, name, text)?;
            }
            ExtensionValue::Boolean(boolean) => {
                key(out, name);
                out.extend_from_slice(if *boolean { b"true" } else { b"false" });
            }
            ExtensionValue::Integer(integer) => {
                let integer = attribute::integer(name, *integer)?;
                key(out, name);
                out.extend_from_slice(integer.to_string().as_bytes());
            }
        }
    }
    Ok(())
}

fn data(event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
    let Some(data) = event.data() else {
        return Ok(());
    };
    let bytes = event::data_bytes(data)?;
    if bytes.is_empty() {
        return Ok(());
    }
    out.reserve(bytes.len() + 32);
    let text = match event.datacontenttype() {
        Some(content_type) if !is_json(content_type) => std::str::from_utf8(&bytes).ok(),
        Some(_) | None => {
            if let Some(json) = event::json(&bytes) {
                key(out, "data");
                out.extend_from_slice(json);
                return Ok(());
            }
            None
        }
    };
    match text {
        Some(text) => member(out, "data", text),
        None => member(out, "data_base64", &STANDARD.encode(&bytes)),
    }
}

fn member(out: &mut Vec<u8>, name: &str, text: &str) -> Result<(), Error> {
    key(out, name);
    serde_json::to_writer(out, text).map_err(|_| value(name, "cannot be written as JSON"))
}

/// Names need no escapes: they are letters and digits, or our own.
fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
