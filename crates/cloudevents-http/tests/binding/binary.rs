use cloudevents_http::{attribute, encode_binary, new_event, set_attribute, set_data};

use crate::Want::{Bytes, Is, Json, Malformed, NoData, Refused, Unset};
use crate::{Want, check, read_binary};

type Row = (
    &'static str,
    &'static [(&'static str, &'static [u8])],
    &'static [u8],
    Want,
);

#[test]
fn reading() {
    const JSON: (&str, &[u8]) = ("content-type", b"application/json");
    #[rustfmt::skip] // a row is a line
    let rows: &[Row] = &[
        // -- HTTP 3.1.1 Content-Type
        ("3.1.1 MUST be populated from Content-Type", &[("content-type", b"text/plain; charset=utf-8")], b"x", Is("datacontenttype", "text/plain; charset=utf-8")),
        ("3.1.1 its percent signs and quotes are its own", &[("content-type", b"multipart/mixed; boundary=\"a%20b\"")], b"x", Is("datacontenttype", "multipart/mixed; boundary=\"a%20b\"")),
        ("3.1.1 ce-datacontenttype MUST NOT be present", &[("ce-datacontenttype", b"text/plain")], b"x", Refused("ce-datacontenttype")),
        ("3.1.1 nor beside Content-Type", &[JSON, ("ce-datacontenttype", b"application/json")], b"{}", Refused("ce-datacontenttype")),
        ("none is implied", &[], b"x", Unset("datacontenttype")),
        ("CE datacontenttype MUST adhere to RFC 2046", &[("content-type", b"json")], b"{}", Refused("datacontenttype")),
        ("CE datacontenttype MUST adhere to RFC 2046: tokens", &[("content-type", b"application/js on")], b"{}", Refused("datacontenttype")),
        ("CE datacontenttype MUST adhere to RFC 2046: not empty", &[("content-type", b"")], b"{}", Refused("datacontenttype")),
        ("CE datacontenttype MUST adhere to RFC 2046: ASCII", &[("content-type", b"text/plain; a=\xc3\xa4")], b"{}", Refused("datacontenttype")),
        // -- HTTP 3.1.2 data
        ("3.1.2 the body is the data", &[("content-type", b"application/octet-stream")], b"\x00\xff", Bytes(b"\x00\xff")),
        ("3.1.2 JSON stays as it was sent", &[JSON], b" {\"a\":1.0,\"a\":12345678901234567890123} ", Json("{\"a\":1.0,\"a\":12345678901234567890123}")),
        ("a suffix declares JSON", &[("content-type", b"application/Vnd.X+JSON; v=1")], b"[1e400]", Json("[1e400]")),
        ("without Content-Type: JSON if it parses", &[], b"{\"a\":1}", Json("{\"a\":1}")),
        ("without Content-Type: else bytes", &[], b"{\"a\":1", Bytes(b"{\"a\":1")),
        ("without Content-Type: JSON is UTF-8", &[], b"\"\xff\"", Bytes(b"\"\xff\"")),
        ("of another type: bytes, though it parses", &[("content-type", b"text/plain")], b"1", Bytes(b"1")),
        ("no body is no data", &[], b"", NoData),
        ("CE datacontenttype MAY appear without data", &[JSON], b"", NoData),
        ("CE datacontenttype MAY appear without data, and is kept", &[JSON], b"", Is("datacontenttype", "application/json")),
        // -- HTTP 3.1.3.1 names
        ("3.1.3.1 MUST be mapped with the prefix ce-", &[("ce-time", b"2018-04-05T03:56:24Z")], b"", Is("time", "2018-04-05T03:56:24Z")),
        ("3.1.3.1 extensions too", &[("ce-comexampleextension1", b"value")], b"", Is("comexampleextension1", "value")),
        ("3.1.3.1 header names have no case", &[("CE-Subject", b"s")], b"", Is("subject", "s")),
        ("other headers are none of the event", &[("kn-namespace", b"default"), ("prefer", b"reply"), ("traceparent", b"00-x")], b"", Unset("traceparent")),
        ("what Knative adds is an extension", &[("ce-knativearrivaltime", b"2024-01-01T00:00:00.1Z")], b"", Is("knativearrivaltime", "2024-01-01T00:00:00.1Z")),
        ("CE attribute names MUST consist of a-z and 0-9", &[("ce-foo-bar", b"x")], b"", Refused("foo-bar")),
        ("CE attribute names MUST consist of a-z and 0-9: underscore", &[("ce-data_base64", b"x")], b"", Refused("data_base64")),
        ("CE attribute names: an empty one is none", &[("ce-", b"x")], b"", Refused("")),
        ("CE MUST NOT have the name data", &[("ce-data", b"x")], b"", Refused("data")),
        // -- CE: each context attribute MUST only appear at most once
        ("CE at most once", &[("ce-id", b"1"), ("ce-id", b"2")], b"", Refused("id")),
        ("CE at most once: equal values too", &[("ce-source", b"/a"), ("ce-source", b"/a")], b"", Refused("source")),
        ("CE at most once: specversion", &[("ce-specversion", b"1.0"), ("ce-specversion", b"1.0")], b"", Refused("specversion")),
        ("CE at most once: extensions", &[("ce-x", b"1"), ("ce-y", b"2"), ("ce-x", b"1")], b"", Refused("x")),
        // -- HTTP 3.1.3.2 values, decoding
        ("3.1.3.2 MUST percent-decode", &[("ce-subject", b"Euro%20%E2%82%AC%20%F0%9F%98%80")], b"", Is("subject", "Euro \u{20ac} \u{1f600}")),
        ("3.1.3.2 MUST accept lower-case hex", &[("ce-subject", b"%e2%82%ac")], b"", Is("subject", "\u{20ac}")),
        ("3.1.3.2 MUST accept the unnecessarily encoded", &[("ce-subject", b"%41%42C")], b"", Is("subject", "ABC")),
        ("3.1.3.2 a single round", &[("ce-subject", b"%2541")], b"", Is("subject", "%41")),
        ("3.1.3.2 MUST reject overlong UTF-8", &[("ce-subject", b"%C0%A0")], b"", Refused("subject")),
        ("3.1.3.2 MUST reject half a character", &[("ce-ext1", b"%F0%9F")], b"", Refused("ext1")),
        ("3.1.3.2 MUST reject encoded surrogates", &[("ce-subject", b"%ED%A0%80")], b"", Refused("subject")),
        ("lenient: a percent sign that begins nothing", &[("ce-subject", b"100% of %zz %4")], b"", Is("subject", "100% of %zz %4")),
        ("lenient: raw UTF-8", &[("ce-subject", b"Euro \xe2\x82\xac \xf0\x9f\x98\x80")], b"", Is("subject", "Euro € 😀")),
        ("raw bytes that are not UTF-8", &[("ce-subject", b"caf\xe9")], b"", Refused("subject")),
        ("3.1.3.2 MUST unescape double quotes", &[("ce-subject", b"\"a b\"")], b"", Is("subject", "a b")),
        ("3.1.3.2 including backslash escapes", &[("ce-subject", b"\"a \\\"b\\\" \\\\ \\c\"")], b"", Is("subject", "a \"b\" \\ c")),
        ("3.1.3.2 unescape first, then percent-decode", &[("ce-subject", b"\"a%22b\"")], b"", Is("subject", "a\"b")),
        ("quotes inside a value are its own", &[("ce-subject", b"say \"a\"")], b"", Is("subject", "say \"a\"")),
        ("quotes that do not close are its own", &[("ce-subject", b"\"a")], b"", Is("subject", "\"a")),
        ("quotes that close too early are its own", &[("ce-subject", b"\"a\" and \"b\"")], b"", Is("subject", "\"a\" and \"b\"")),
        ("a backslash that escapes nothing leaves all", &[("ce-subject", b"\"a\\\"")], b"", Is("subject", "\"a\\\"")),
        ("one quote is no quoted string", &[("ce-subject", b"\"")], b"", Is("subject", "\"")),
        ("optional whitespace is not the value's", &[("ce-subject", b" a b\t")], b"", Is("subject", "a b")),
        ("no comments: parentheses are the value's", &[("ce-subject", b"a (b)")], b"", Is("subject", "a (b)")),
        // -- CE required attributes
        ("CE an ordinary request is no event", &[("ce-specversion", b"")], b"", Refused("specversion")),
        ("CE specversion is 1.0", &[("ce-specversion", b"0.3")], b"", Refused("specversion")),
        ("CE specversion has no patch", &[("ce-specversion", b"1.0.2")], b"", Refused("specversion")),
        ("CE id MUST be non-empty", &[("ce-id", b"")], b"", Refused("id")),
        ("CE id MUST be non-empty, in quotes too", &[("ce-id", b"\"\"")], b"", Refused("id")),
        ("CE type MUST be non-empty", &[("ce-type", b"")], b"", Refused("type")),
        ("CE source MUST be non-empty", &[("ce-source", b"")], b"", Refused("source")),
        ("CE subject MUST be non-empty", &[("ce-subject", b"")], b"", Refused("subject")),
        ("CE dataschema MUST be non-empty", &[("ce-dataschema", b"")], b"", Refused("dataschema")),
        // -- CE types
        ("CE String: no control characters", &[("ce-subject", b"a%0Ab")], b"", Refused("subject")),
        ("CE String: no C1 control characters", &[("ce-id", b"a%C2%85b")], b"", Refused("id")),
        ("CE String: no raw tabs", &[("ce-type", b"a\tb")], b"", Refused("type")),
        ("CE String: no noncharacters", &[("ce-ext", b"%EF%BF%BF")], b"", Refused("ext")),
        ("CE String: no noncharacters in the middle", &[("ce-ext", b"%EF%B7%90")], b"", Refused("ext")),
        ("CE an extension may be empty", &[("ce-ext", b"")], b"", Is("ext", "")),
        ("headers carry no types", &[("ce-ext", b"12345678901")], b"", Is("ext", "12345678901")),
        ("CE time MUST be RFC 3339", &[("ce-time", b"yesterday")], b"", Refused("time")),
        ("CE time MUST be RFC 3339: an offset", &[("ce-time", b"2018-04-05T03:56:24")], b"", Refused("time")),
        ("CE time in another zone", &[("ce-time", b"2018-04-05T03:56:24.25+02:00")], b"", Is("time", "2018-04-05T01:56:24.250Z")),
        ("CE time beyond what RFC 3339 writes", &[("ce-time", b"9999-12-31T23:59:59-23:59")], b"", Refused("time")),
        ("CE time before what RFC 3339 writes", &[("ce-time", b"0000-01-01T00:00:00+01:00")], b"", Refused("time")),
        ("CE source: a URI", &[("ce-source", b"urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66")], b"", Is("source", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66")),
        ("CE source: any reference", &[("ce-source", b"1-555-123-4567")], b"", Is("source", "1-555-123-4567")),
        ("CE source: MUST be a URI-reference", &[("ce-source", b"a b")], b"", Refused("source")),
        ("CE source: no bad scheme", &[("ce-source", b"1a:b")], b"", Refused("source")),
        ("CE source: no empty scheme", &[("ce-source", b":b")], b"", Refused("source")),
        ("CE source: one fragment", &[("ce-source", b"/a#b#c")], b"", Refused("source")),
        ("CE source: as Go's SDK sends it, not encoded for the header", &[("ce-source", b"/a%20b/%C3%BC")], b"", Is("source", "/a%20b/%C3%BC")),
        ("CE source: as the binding has it", &[("ce-source", b"/a%2520b/%25C3%25BC")], b"", Is("source", "/a%20b/%C3%BC")),
        ("CE source: raw UTF-8 is the same source", &[("ce-source", b"/a%20b/\xc3\xbc")], b"", Is("source", "/a%20b/%C3%BC")),
        ("CE dataschema: MUST be a URI", &[("ce-dataschema", b"/relative")], b"", Refused("dataschema")),
        ("CE dataschema: a URI", &[("ce-dataschema", b"https://example.com/s/1#x")], b"", Is("dataschema", "https://example.com/s/1#x")),
        ("CE dataschema: not encoded for the header", &[("ce-dataschema", b"https://example.com/a%20b")], b"", Is("dataschema", "https://example.com/a%20b")),
    ];
    for (row, more, body, want) in rows {
        check(row, *want, read_binary(more, body));
    }
}

#[test]
fn every_required_attribute_is_missed_by_name() {
    // CE "REQUIRED Attributes".
    for missing in ["specversion", "id", "source", "type"] {
        let header = format!("ce-{missing}");
        let pairs: Vec<_> = crate::REQUIRED
            .into_iter()
            .filter(|(name, _)| *name != header)
            .collect();
        let result = cloudevents_http::decode(
            &crate::headers(&pairs),
            bytes::Bytes::new(),
            &cloudevents_http::Limits::default(),
        );
        check(missing, Refused(missing), crate::one(result));
    }
}

#[test]
fn an_event_whose_data_claims_to_be_json_is_read_and_its_data_refused() {
    let event = read_binary(&[("content-type", b"application/json")], b"{\"a\":")
        .expect("the attributes are in order");
    let error = cloudevents_http::data_kind(&event).expect_err("half an object");
    assert_eq!(error.attribute(), Some("data"));
}

#[test]
fn writing_values() {
    // HTTP 3.1.3.2: which characters MUST be percent-encoded, with upper-case hex.
    for (text, header) in [
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ("a\"b", "a%22b"),
        ("100%", "100%25"),
        ("%41", "%2541"),
        (
            "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~",
            "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~",
        ),
    ] {
        let mut event = new_event("1", "/a%20b", "t").expect("valid");
        set_attribute(&mut event, "subject", text).expect("valid");
        set_attribute(&mut event, "myext", text).expect("valid");
        let message = encode_binary(&event).expect("valid");
        for name in ["ce-subject", "ce-myext"] {
            assert_eq!(
                message.headers[name].as_bytes(),
                header.as_bytes(),
                "{name}: {text}"
            );
        }
        assert_eq!(message.headers["ce-source"], "/a%2520b");
    }
}

#[test]
fn writing_maps_every_attribute_to_one_header() {
    // HTTP 3.1.1, 3.1.2, 3.1.3.
    let mut event = new_event("1", "/shop", "t").expect("valid");
    set_data(
        &mut event,
        Some("application/json; charset=utf-8"),
        "{\"n\": 1.0}",
    )
    .expect("valid");
    for (name, value) in [
        ("subject", "s"),
        ("time", "2018-04-05T03:56:24.120Z"),
        ("dataschema", "https://example.com/schema"),
        ("anameofmorethanthirtytwocharacters", "x"),
    ] {
        set_attribute(&mut event, name, value).expect(name);
    }
    event.set_extension("flag", true);
    event.set_extension("number", -5);
    let message = encode_binary(&event).expect("valid");
    let mut written: Vec<_> = message
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")))
        .collect();
    written.sort_unstable();
    assert_eq!(
        written,
        [
            ("ce-anameofmorethanthirtytwocharacters", "x"),
            ("ce-dataschema", "https://example.com/schema"),
            ("ce-flag", "true"),
            ("ce-id", "1"),
            ("ce-number", "-5"),
            ("ce-source", "/shop"),
            ("ce-specversion", "1.0"),
            ("ce-subject", "s"),
            ("ce-time", "2018-04-05T03:56:24.120Z"),
            ("ce-type", "t"),
            ("content-type", "application/json; charset=utf-8"),
        ]
    );
    assert_eq!(message.body, "{\"n\": 1.0}");
    assert_eq!(cloudevents_http::into_binary(event), Ok(message));
}

#[test]
fn without_data_no_content_type_is_invented() {
    let event = new_event("1", "/shop", "t").expect("valid");
    let message = encode_binary(&event).expect("valid");
    assert!(!message.headers.contains_key("content-type"));
    assert!(message.body.is_empty());
    assert_eq!(attribute(&event, "datacontenttype"), None);
}

#[test]
fn a_message_without_any_header_of_ours_misses_its_specversion() {
    let result = cloudevents_http::decode(
        &crate::headers(&[("content-type", b"application/json")]),
        bytes::Bytes::from_static(b"{}"),
        &cloudevents_http::Limits::default(),
    );
    check(
        "no event at all",
        Refused("specversion"),
        crate::one(result),
    );
    check(
        "no event in the body either",
        Malformed,
        crate::read_structured("<event/>"),
    );
}
