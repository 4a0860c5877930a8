use bytes::Bytes;
use cloudevents_http::{Error, ErrorKind, Event, Limits, decode};

use crate::{REQUIRED, headers};

const TIGHT: Limits = Limits {
    max_attributes: 5,
    max_attribute_bytes: 20,
    max_data_bytes: 8,
    max_batch_events: 2,
};

fn binary(more: &[(&str, &[u8])], body: &'static [u8]) -> Result<Vec<Event>, Error> {
    let mut pairs = REQUIRED.to_vec();
    pairs.extend_from_slice(more);
    decode(&headers(&pairs), Bytes::from_static(body), &TIGHT)
}

fn structured(more: &str) -> Result<Vec<Event>, Error> {
    json("application/cloudevents+json", &event(more))
}

fn event(more: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"1","source":"/shop","type":"t"{more}}}"#)
}

fn json(content_type: &str, body: &str) -> Result<Vec<Event>, Error> {
    decode(
        &headers(&[("content-type", content_type.as_bytes())]),
        Bytes::copy_from_slice(body.as_bytes()),
        &TIGHT,
    )
}

#[test]
fn what_reaches_a_limit_is_read() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("attributes", binary(&[("ce-a", b"x")], b"")),
        ("attribute bytes", binary(&[("ce-a", b"12345678901234567890")], b"")),
        ("decoded bytes count", binary(&[("ce-a", b"%41%41%41%41%41%41%41%41")], b"")),
        ("data", binary(&[], b"12345678")),
        ("attributes", structured(r#","a":1"#)),
        ("attribute bytes", structured(r#","a":"12345678901234567890""#)),
        ("JSON", structured(r#","data":[1,2,3] "#)),
        ("text", structured(r#","datacontenttype":"a/b","data":"\u0031\u0032345678""#)),
        ("base64", structured(r#","data_base64":"AAAAAAAAAAA=""#)),
        ("batch", json("application/cloudevents-batch+json", &format!("[{0},{0}]", event("")))),
    ];
    for (row, result) in rows {
        result.unwrap_or_else(|error| panic!("{row}: {error}"));
    }
}

#[test]
fn what_exceeds_a_limit_is_too_large() {
    let batch = format!("[{0},{0},{0}]", event(""));
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("attributes", binary(&[("ce-a", b"x"), ("ce-b", b"x")], b""), None),
        ("content type counts", binary(&[("ce-a", b"x"), ("content-type", b"a/b")], b""), None),
        ("value", binary(&[("ce-a", b"123456789012345678901")], b""), Some("a")),
        ("source", structured(r#","subject":"123456789012345678901""#), Some("subject")),
        ("name", binary(&[("ce-a2345678901234567890x", b"")], b""), Some("a2345678901234567890x")),
        ("data", binary(&[], b"123456789"), Some("data")),
        ("attributes", structured(r#","a":1,"b":1"#), None),
        ("null counts", structured(r#","a":null,"b":null"#), None),
        ("value", structured(r#","a":"123456789012345678901""#), Some("a")),
        ("JSON", structured(r#","data":[1,2,345]"#), Some("data")),
        ("text", structured(r#","datacontenttype":"a/b","data":"123456789""#), Some("data")),
        ("base64", structured(r#","data_base64":"AAAAAAAAAAAA""#), Some("data")),
        ("base64, long", structured(&format!(r#","data_base64":"{}""#, "A".repeat(4000))), Some("data")),
        ("batch", json("application/cloudevents-batch+json", &batch), None),
    ];
    for (row, result, name) in rows {
        let error = result.expect_err(row);
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{row}: {error}");
        assert_eq!(error.attribute(), name, "{row}: {error}");
    }
}

#[test]
fn an_error_shows_a_long_name_shortened_and_no_value() {
    let name = "A".repeat(10_000);
    let body = event(&format!(r#","{name}":"secret""#));
    let limits = Limits {
        max_attribute_bytes: usize::MAX,
        ..Limits::default()
    };
    let headers = headers(&[("content-type", b"application/cloudevents+json")]);
    let error = decode(&headers, body.into(), &limits).expect_err("upper case");
    let text = error.to_string();
    assert!(text.len() < 200, "{text}");
    assert!(!text.contains("secret"), "{text}");
}
