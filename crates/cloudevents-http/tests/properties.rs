//! What holds for every event and for any bytes: each mode reads what it and the others mean, and
//! nothing panics.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use cloudevents::AttributesWriter;
use cloudevents_http::{
    ContentMode, DataKind, Event, Limits, Message, attribute, data_kind, decode, encode_batch,
    encode_binary, encode_structured, into_binary, new_event, set_attribute, set_data,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Any string that the type `String` of the specification allows.
fn text() -> impl Strategy<Value = String> {
    let char = any::<char>().prop_filter("no control or noncharacter", |c| {
        let code = u32::from(*c);
        !c.is_control() && code & 0xfffe != 0xfffe && !(0xfdd0..=0xfdef).contains(&code)
    });
    // Characters that mean something to some layer are more likely than they would be.
    let special = prop::sample::select(vec![' ', '"', '%', '\\', '2', '0', 'C', 'a', '€', '😀']);
    vec(prop_oneof![special, char], 0..20).prop_map(String::from_iter)
}

fn non_empty() -> impl Strategy<Value = String> {
    text().prop_filter("not empty", |text| !text.is_empty())
}

fn source() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9/._~-]{1,20}",
        "(https|urn|x-y):(%[0-9A-F]{2}|[a-z0-9?/@=&;()*+,'!$-]){1,12}(#[a-z]{0,3})?",
        "/(%[0-9a-f]{2}|[a-z]|[äß€😀]){1,12}",
    ]
}

fn content_type() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("application/json".to_owned()),
        Just("Application/X+JSON; charset=utf-8".to_owned()),
        Just("text/plain; charset=\"utf-8\"".to_owned()),
        Just("image/png".to_owned()),
        "[a-z]{1,8}/[a-z.+-]{1,8}(; ?[a-z]{1,5}=[a-zA-Z0-9%]{1,5})?"
            .prop_filter("a mode of its own", |t| !t
                .starts_with("application/cloudevents")),
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let json = any::<(u64, f64, String)>().prop_map(|(whole, real, text)| {
        let real = if real.is_finite() { real } else { 0.5 };
        format!(
            "{{\"n\": {whole}{whole}.0e5, \"r\":{real:?}, \"t\":{}}}",
            serde_json::Value::from(text)
        )
        .into_bytes()
    });
    prop_oneof![
        vec(any::<u8>(), 0..200),
        any::<String>().prop_map(String::into_bytes),
        json,
    ]
}

fn extension() -> impl Strategy<Value = cloudevents::event::ExtensionValue> {
    prop_oneof![
        text().prop_map(Into::into),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(|number| i64::from(number).into()),
    ]
}

prop_compose! {
    fn event()(
        id in non_empty(),
        source in source(),
        ty in non_empty(),
        subject in option::of(non_empty()),
        time in option::of((-62_167_219_200_i64..=253_402_300_799, 0_u32..1_999_999_999)),
        schema in option::of("https://example[.]com/(%[0-9a-f]{2}|[a-z]){1,5}"),
        content_type in option::of(content_type()),
        data in option::of(data()),
        extensions in hash_map("x[a-z0-9]{0,30}", extension(), 0..8),
    ) -> Event {
        let mut event = new_event(&id, &source, &ty).expect("valid");
        for (name, value) in [("subject", subject), ("dataschema", schema)] {
            if let Some(value) = value {
                set_attribute(&mut event, name, &value).expect(name);
            }
        }
        event.set_time(time.and_then(|(seconds, nanos)| -> Option<DateTime<Utc>> {
            // A leap second's nanoseconds exceed a thousand million, at the end of a minute only.
            DateTime::from_timestamp(seconds, nanos)
        }));
        match data {
            Some(data) => set_data(&mut event, content_type.as_deref(), data).expect("valid"),
            None => { event.set_datacontenttype(content_type); }
        }
        for (name, value) in extensions {
            event.set_extension(&name, value);
        }
        event
    }
}

fn read(message: Message) -> Vec<Event> {
    let limits = Limits {
        max_attributes: usize::MAX,
        max_attribute_bytes: usize::MAX,
        max_data_bytes: usize::MAX,
        max_batch_events: usize::MAX,
    };
    decode(&message.headers, message.body, &limits).expect("what was written can be read")
}

/// All attributes by their canonical strings, `datacontenttype` left out.
fn attributes(event: &Event) -> Vec<(String, String)> {
    let mut all: Vec<_> = event
        .iter()
        .filter(|(name, _)| *name != "datacontenttype")
        .map(|(name, _)| {
            let value = attribute(event, name).expect("it is set").into_owned();
            (name.to_owned(), value)
        })
        .collect();
    all.sort_unstable();
    all
}

/// The data as its receiver takes it, and whether that is JSON.
fn data_of(event: &Event) -> (bool, Vec<u8>) {
    match data_kind(event) {
        Ok(DataKind::None) => (false, Vec::new()),
        Ok(DataKind::Json(json)) => (true, json.to_vec()),
        Ok(DataKind::Bytes(bytes)) => (false, bytes.to_vec()),
        // Declared JSON that is none: the bytes alone count.
        Err(_) => match event.data() {
            Some(cloudevents::Data::Binary(bytes)) => (false, bytes.clone()),
            other => panic!("data is bytes, not {other:?}"),
        },
    }
}

fn assert_same(left: &Event, right: &Event) {
    assert_eq!(attributes(left), attributes(right));
    assert_eq!(data_of(left), data_of(right));
    // Structured mode says aloud what it implies; otherwise the type is the same.
    let (a, b) = (
        attribute(left, "datacontenttype"),
        attribute(right, "datacontenttype"),
    );
    if a != b {
        assert_eq!((a, b.as_deref()), (None, Some("application/json")));
        assert!(data_of(right).0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn binary_mode_reads_what_it_writes(event in event()) {
        let message = encode_binary(&event).expect("valid");
        prop_assert_eq!(ContentMode::of(&message.headers), Ok(ContentMode::Binary));
        for (name, value) in &message.headers {
            prop_assert!(
                value.as_bytes().iter().all(|b| (0x20..=0x7e).contains(b)),
                "{} must be printable ASCII", name
            );
        }
        prop_assert_eq!(into_binary(event.clone()), Ok(message.clone()));
        let read = read(message);
        prop_assert_eq!(read.len(), 1);
        assert_same(&event, &read[0]);
        prop_assert_eq!(
            attribute(&event, "datacontenttype"),
            attribute(&read[0], "datacontenttype")
        );
    }

    #[test]
    fn structured_mode_reads_what_it_writes(event in event()) {
        let message = encode_structured(&event).expect("valid");
        prop_assert_eq!(ContentMode::of(&message.headers), Ok(ContentMode::Structured));
        let value: serde_json::Value = serde_json::from_slice(&message.body).expect("JSON");
        prop_assert!(!(value.get("data").is_some() && value.get("data_base64").is_some()));
        let read = read(message);
        prop_assert_eq!(read.len(), 1);
        assert_same(&event, &read[0]);
        // Types survive here.
        for (name, value) in event.iter_extensions() {
            prop_assert_eq!(read[0].extension(name), Some(value));
        }
    }

    #[test]
    fn batched_mode_reads_what_it_writes_in_order(events in vec(event(), 0..5)) {
        let message = encode_batch(&events).expect("valid");
        prop_assert_eq!(ContentMode::of(&message.headers), Ok(ContentMode::Batched));
        let read = read(message);
        prop_assert_eq!(read.len(), events.len());
        for (written, read) in events.iter().zip(&read) {
            assert_same(written, read);
        }
    }

    #[test]
    fn an_event_is_the_same_after_any_way_through_the_modes(
        event in event(),
        hops in vec(0_u8..3, 1..5),
    ) {
        let mut now = event.clone();
        for hop in hops {
            let message = match hop {
                0 => encode_binary(&now),
                1 => encode_structured(&now),
                _ => encode_batch(std::slice::from_ref(&now)),
            };
            now = read(message.expect("valid")).remove(0);
        }
        assert_same(&event, &now);
    }

    #[test]
    fn any_headers_and_any_body_are_read_or_refused(
        headers in vec((header_name(), vec(32_u8.., 0..30)), 0..12),
        required in any::<bool>(),
        body in vec(any::<u8>(), 0..200),
    ) {
        let mut map = HeaderMap::new();
        if required {
            for (name, value) in [
                ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/"), ("ce-type", "t"),
            ] {
                map.insert(name, HeaderValue::from_static(value));
            }
        }
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value))
            {
                map.append(name, value);
            }
        }
        survive(&map, Bytes::from(body));
    }

    #[test]
    fn any_json_in_any_envelope_is_read_or_refused(
        members in vec((member_name(), member_value()), 0..10),
        required in any::<bool>(),
        batch in any::<bool>(),
    ) {
        let mut members: Vec<_> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        if required {
            members.push(r#""specversion":"1.0","id":"1","source":"/","type":"t""#.to_owned());
        }
        let object = format!("{{{}}}", members.join(","));
        let (content_type, body) = if batch {
            ("application/cloudevents-batch+json", format!("[{object},{object}]"))
        } else {
            ("application/cloudevents+json", object)
        };
        let mut map = HeaderMap::new();
        map.insert("content-type", HeaderValue::from_static(content_type));
        survive(&map, Bytes::from(body));
    }

    #[test]
    fn any_text_is_set_or_refused(name in ".{0,12}", value in any::<String>()) {
        let mut event = new_event("1", "/", "t").expect("valid");
        for name in [name.as_str(), "source", "time", "dataschema", "datacontenttype", "subject"] {
            if set_attribute(&mut event, name, &value).is_ok() {
                prop_assert!(attribute(&event, name).is_some());
            }
        }
        read(encode_binary(&event).expect("what was set can be written"));
        read(encode_structured(&event).expect("what was set can be written"));
    }
}

/// Reading must not panic, and what is read must be written again in every mode.
fn survive(headers: &HeaderMap, body: Bytes) {
    match decode(headers, body, &Limits::default()) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(events) => {
            for event in &events {
                let binary = read(encode_binary(event).expect("what was read can be written"));
                let structured =
                    read(encode_structured(event).expect("what was read can be written"));
                assert_same(event, &binary[0]);
                assert_same(event, &structured[0]);
            }
        }
    }
}

fn header_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "ce-[a-z0-9_.-]{0,6}",
        prop::sample::select(vec![
            "ce-id",
            "ce-source",
            "ce-type",
            "ce-time",
            "ce-subject",
            "ce-dataschema",
            "ce-specversion",
            "ce-datacontenttype",
            "content-type",
            "kn-namespace",
            "prefer",
        ])
        .prop_map(str::to_owned),
    ]
}

fn member_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_]{0,3}",
        prop::sample::select(vec![
            "id",
            "source",
            "type",
            "time",
            "subject",
            "dataschema",
            "specversion",
            "datacontenttype",
            "data",
            "data_base64",
            "\\u0064ata",
        ])
        .prop_map(str::to_owned),
    ]
}

fn member_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        prop::sample::select(vec![
            "null",
            "true",
            "1",
            "-0",
            "1.5",
            "2147483648",
            "1e9",
            "[]",
            "{\"a\":[1]}",
            "\"\"",
            "\"AP8=\"",
            "\"text/plain\"",
            "\"application/json\"",
            "\"2020-01-01T00:00:00Z\"",
            "\"\\ud800\"",
            "\"1.0\"",
            "\"urn:x\"",
            "nope",
            "\"",
        ])
        .prop_map(str::to_owned),
    ]
}
