//! Prints messages in every content mode, for other implementations to read: the counterpart of
//! `tests/interop.rs`, run by `scripts/interop`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloudevents_http::{
    DataKind, Error, Event, Message, attribute, data_kind, encode_batch, encode_binary,
    encode_structured, new_event, set_attribute, set_data,
};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events = events()?;
    let mut messages = Vec::new();
    for event in &events {
        let id = attribute(event, "id").unwrap_or_default();
        messages.push(record(
            &format!("{id}-binary"),
            encode_binary(event)?,
            &[event],
        )?);
        let structured = encode_structured(event)?;
        messages.push(record(&format!("{id}-structured"), structured, &[event])?);
    }
    let all: Vec<_> = events.iter().collect();
    messages.push(record("batch", encode_batch(&events)?, &all)?);
    println!("{}", serde_json::to_string_pretty(&messages)?);
    Ok(())
}

/// Events that every receiver can hold: those here take percent-encoded headers literally and
/// know whole milliseconds, so no attribute needs encoding and no time is finer.
fn events() -> Result<Vec<Event>, Error> {
    let event = |id| new_event(id, "https://example.com/shop", "Tickets.Requested");
    let minimal = event("minimal")?;

    let mut full = event("full")?;
    set_attribute(&mut full, "subject", "seat/1?(a)=[b]{c}~!$&'*+,;:@")?;
    set_attribute(&mut full, "time", "2024-05-06T07:08:09.123Z")?;
    set_attribute(&mut full, "dataschema", "https://example.com/schema/1")?;
    set_attribute(&mut full, "jobkey", "2251799813685249")?;
    set_data(
        &mut full,
        Some("application/json"),
        r#"{"seats":[1,2],"note":"Grüße \"x\""}"#,
    )?;

    let mut text = event("text")?;
    set_data(&mut text, Some("text/plain"), "Grüße\n\"x\"")?;

    let mut bytes = event("bytes")?;
    set_data(&mut bytes, Some("application/octet-stream"), [0, 255, 34])?;

    Ok(vec![minimal, full, text, bytes])
}

fn record(name: &str, message: Message, events: &[&Event]) -> Result<Value, Error> {
    let headers: Vec<_> = message
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let events: Result<Vec<_>, Error> = events.iter().map(|event| meant(event)).collect();
    Ok(json!({
        "name": name,
        "headers": headers,
        "body": STANDARD.encode(&message.body),
        "events": events?,
    }))
}

fn meant(event: &Event) -> Result<Value, Error> {
    let attributes: serde_json::Map<_, _> = event
        .iter()
        .filter_map(|(name, _)| Some((name.to_owned(), attribute(event, name)?.into())))
        .collect();
    let data = match data_kind(event)? {
        DataKind::None => &[],
        DataKind::Json(data) | DataKind::Bytes(data) => data,
    };
    Ok(json!({ "attributes": attributes, "data": STANDARD.encode(data) }))
}
