use bytes::Bytes;
use cloudevents_http::{ContentMode, ErrorKind, Limits, decode, is_json};

use crate::headers;

#[test]
fn the_content_type_tells_the_mode() {
    use ContentMode::{Batched, Binary, Structured};
    // HTTP 3: "by inspecting the Content-Type header value"; media types have no case (RFC 2045).
    for (content_type, mode) in [
        ("application/cloudevents+json", Structured),
        ("application/cloudevents+json; charset=UTF-8", Structured),
        ("application/cloudevents+json;charset=\"utf-8\"", Structured),
        ("application/cloudevents+json; charset=us-ascii", Structured),
        ("Application/CloudEvents+JSON", Structured),
        ("application/cloudevents+json ; profile=x", Structured),
        ("application/cloudevents-batch+json", Batched),
        ("APPLICATION/CLOUDEVENTS-BATCH+JSON; CHARSET=utf-8", Batched),
        ("application/json", Binary),
        ("application/json; a=application/cloudevents+json", Binary),
        ("text/plain", Binary),
        ("nonsense", Binary),
    ] {
        let headers = headers(&[("content-type", content_type.as_bytes())]);
        assert_eq!(ContentMode::of(&headers), Ok(mode), "{content_type}");
    }
    assert_eq!(ContentMode::of(&headers(&[])), Ok(Binary));
}

#[test]
fn an_event_format_that_is_not_read_is_an_unsupported_media_type() {
    // HTTP 3: "If a receiver detects the CloudEvents media type, but with an event format that it
    // cannot handle"; HTTP 1.4: only JSON is required.
    for content_type in [
        "application/cloudevents+xml",
        "application/cloudevents+avro; charset=utf-8",
        "application/CloudEvents+protobuf",
        "application/cloudevents-batch+xml",
        "application/cloudevents",
        "application/cloudevents-batch",
        "application/cloudevents+json+xml",
        "application/cloudevents+json; charset=utf-16",
        "application/cloudevents-batch+json; charset=\"ISO-8859-1\"",
    ] {
        let headers = headers(&[("content-type", content_type.as_bytes())]);
        for error in [
            ContentMode::of(&headers).expect_err(content_type),
            decode(&headers, Bytes::from_static(b"{}"), &Limits::default())
                .expect_err(content_type),
        ] {
            assert_eq!(
                error.kind(),
                ErrorKind::UnsupportedMediaType,
                "{content_type}"
            );
        }
    }
}

#[test]
fn two_content_types_are_refused() {
    let headers = headers(&[
        ("content-type", b"application/json"),
        ("content-type", b"application/cloudevents+json"),
    ]);
    let error = ContentMode::of(&headers).expect_err("two modes at once");
    assert_eq!(error.kind(), ErrorKind::BadEvent);
    assert_eq!(error.attribute(), Some("content-type"));
}

#[test]
fn json_is_told_by_subtype_or_suffix() {
    // JSON 3.1.1: "has the form */json or */*+json", stripped of parameters.
    for (content_type, json) in [
        ("application/json", true),
        ("text/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/json;charset=utf-8", true),
        ("application/json ;v=1", true),
        ("application/vnd.shop+json", true),
        ("application/VND.SHOP+JSON; v=1", true),
        ("image/svg+xml", false),
        ("application/jsonlines", false),
        ("application/json-seq", false),
        ("application/xml; alt=application/json", false),
        ("text/plain", false),
        ("json", false),
        ("", false),
    ] {
        assert_eq!(is_json(content_type), json, "{content_type}");
    }
}
