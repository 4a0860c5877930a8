//! Any message is read or refused, and what is read is written and read again as the same event.
//!
//! The input is a message as on the wire, loosely: lines `name: value` with any bytes in the value,
//! an empty line, the body.

#![no_main]

use bytes::Bytes;
use cloudevents_http::{
    DataKind, Event, Limits, Message, attribute, data_kind, decode, encode_batch, encode_binary,
    encode_structured,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (headers, body) = message(input);
    let Ok(events) = decode(&headers, Bytes::copy_from_slice(body), &Limits::default()) else {
        return;
    };
    for event in &events {
        for message in [
            encode_binary(event),
            encode_structured(event),
            encode_batch(std::slice::from_ref(event)),
        ] {
            let again = read(message.expect("what was read can be written"));
            assert_eq!(again.len(), 1);
            assert_same(event, &again[0]);
        }
    }
});

fn message(input: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = input;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, tail) = (&rest[..end], &rest[end + 1..]);
        rest = tail;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(&line[..colon]),
            HeaderValue::from_bytes(&line[colon + 1..]),
        ) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

fn read(message: Message) -> Vec<Event> {
    // Another writing may be longer, never without bound.
    let limits = Limits {
        max_attribute_bytes: usize::MAX,
        max_attributes: usize::MAX,
        ..Limits::default()
    };
    decode(&message.headers, message.body, &limits).expect("what was written can be read")
}

fn assert_same(left: &Event, right: &Event) {
    for (one, other) in [(left, right), (right, left)] {
        for (name, _) in one.iter().filter(|(name, _)| *name != "datacontenttype") {
            assert_eq!(attribute(one, name), attribute(other, name), "{name}");
        }
    }
    match (data_kind(left), data_kind(right)) {
        (Ok(left), Ok(right)) => assert_eq!(left, right),
        (Err(_), Err(_)) => assert_eq!(left.data(), right.data()),
        (left, right) => panic!("{left:?} became {right:?}"),
    }
    let (one, other) = (
        attribute(left, "datacontenttype"),
        attribute(right, "datacontenttype"),
    );
    if one != other {
        assert_eq!((one, other.as_deref()), (None, Some("application/json")));
        assert!(matches!(data_kind(right), Ok(DataKind::Json(_))));
    }
}
