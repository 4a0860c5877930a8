//! Messages that other implementations wrote, recorded in `vectors/`, read as their writers meant
//! them. How they are recorded, and how those implementations read ours: `vectors/README.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::DateTime;
use cloudevents_http::{DataKind, Event, Limits, attribute, data_kind, decode};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vector {
    name: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    events: Vec<Meant>,
}

#[derive(Deserialize)]
struct Meant {
    attributes: BTreeMap<String, String>,
    data: Option<String>,
}

fn bytes(base64: Option<&str>) -> Vec<u8> {
    STANDARD
        .decode(base64.unwrap_or_default())
        .expect("base64 in a vector")
}

fn read(vector: &Vector) -> Vec<Event> {
    let mut headers = HeaderMap::new();
    for (name, value) in &vector.headers {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).expect("a header's name"),
            HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"),
        );
    }
    let body = Bytes::from(bytes(vector.body.as_deref()));
    decode(&headers, body, &Limits::default())
        .unwrap_or_else(|error| panic!("{}: {error}", vector.name))
}

fn check(vectors: &str) {
    let vectors: Vec<Vector> = serde_json::from_str(vectors).expect("vectors");
    assert!(vectors.len() > 10, "all of them are here");
    for vector in &vectors {
        let name = &vector.name;
        let events = read(vector);
        assert_eq!(events.len(), vector.events.len(), "{name}");
        for (event, meant) in events.iter().zip(&vector.events) {
            for (attribute_name, meant) in &meant.attributes {
                let read = attribute(event, attribute_name)
                    .unwrap_or_else(|| panic!("{name}: {attribute_name} is lost"));
                if attribute_name == "time" {
                    let of = |text| DateTime::parse_from_rfc3339(text).expect("RFC 3339");
                    assert_eq!(of(&read), of(meant), "{name}: time");
                } else {
                    assert_eq!(read, *meant, "{name}: {attribute_name}");
                }
            }
            let more = event
                .iter()
                .map(|(name, _)| name)
                .find(|read| !meant.attributes.contains_key(*read));
            // What has JSON data and says no type implies one.
            assert!(
                more.is_none() || more == Some("datacontenttype"),
                "{name}: {more:?} came from nowhere"
            );
            let data = match data_kind(event).expect("data is what it claims") {
                DataKind::None => &[],
                DataKind::Json(data) | DataKind::Bytes(data) => data,
            };
            assert_eq!(data, bytes(meant.data.as_deref()), "{name}: data");
        }
    }
}

#[test]
fn events_of_the_go_sdk_are_read_as_they_were_meant() {
    check(include_str!("vectors/go.json"));
}

#[test]
fn events_of_the_npm_package_are_read_as_they_were_meant() {
    check(include_str!("vectors/npm.json"));
}
