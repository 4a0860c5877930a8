use cloudevents_http::{
    ErrorKind, Event, encode_batch, encode_binary, encode_structured, into_binary, new_event,
    set_attribute, set_data,
};

fn event() -> Event {
    new_event("1", "/shop", "t").expect("valid")
}

fn text(event: &Event) -> String {
    let message = encode_structured(event).expect("valid");
    // JSON 3 and HTTP 3.2.1: MUST use the media type.
    assert_eq!(
        message.headers["content-type"],
        "application/cloudevents+json"
    );
    assert_eq!(message.headers.len(), 1);
    String::from_utf8(message.body.to_vec()).expect("UTF-8")
}

const HEAD: &str = r#"{"specversion":"1.0","id":"1","type":"t","source":"/shop""#;

#[test]
fn data_is_written_as_its_type_demands() {
    // JSON 3.1.1, row by row.
    #[rustfmt::skip] // a row is a line
    let rows: &[(&str, Option<&str>, &[u8], &str)] = &[
        ("JSON as a value, numbers untouched", Some("application/json"), b" {\"a\": 1.0, \"b\":1e400} ", r#","datacontenttype":"application/json","data":{"a": 1.0, "b":1e400}"#),
        ("any +json", Some("application/x+JSON"), b"[1]", r#","datacontenttype":"application/x+JSON","data":[1]"#),
        ("no type: JSON if it is", None, b"null", r#","data":null"#),
        ("no type: else base64", None, b"<a/>", r#","data_base64":"PGEvPg==""#),
        ("text as a string", Some("text/xml"), b"<a b=\"c\"/>\n\xc3\xa9", ",\"datacontenttype\":\"text/xml\",\"data\":\"<a b=\\\"c\\\"/>\\né\""),
        ("text that looks like JSON is a string", Some("text/plain"), b"{}", r#","datacontenttype":"text/plain","data":"{}""#),
        ("bytes in base64", Some("image/png"), b"\x00\xff", r#","datacontenttype":"image/png","data_base64":"AP8=""#),
        ("declared JSON that is not: nothing is lost", Some("application/json"), b"{", r#","datacontenttype":"application/json","data_base64":"ew==""#),
        ("no data", Some("text/plain"), b"", r#","datacontenttype":"text/plain""#),
    ];
    for (row, content_type, data, tail) in rows {
        let mut event = event();
        set_data(&mut event, *content_type, *data).expect(row);
        assert_eq!(text(&event), format!("{HEAD}{tail}}}"), "{row}");
    }
}

#[test]
fn attributes_are_members_of_the_object_with_their_types() {
    // JSON 2.2 and 3: all attributes MUST become members; extensions at the top level.
    let mut event = event();
    for (name, value) in [
        ("subject", "a \"b\""),
        ("time", "2018-04-05T17:31:00+02:00"),
        ("dataschema", "urn:schema:1"),
        ("zext", "é\\"),
    ] {
        set_attribute(&mut event, name, value).expect(name);
    }
    event.set_extension("aflag", false);
    event.set_extension("number", 5);
    assert_eq!(
        text(&event),
        r#"{"specversion":"1.0","id":"1","type":"t","subject":"a \"b\"","source":"/shop","time":"2018-04-05T15:31:00Z","dataschema":"urn:schema:1","aflag":false,"number":5,"zext":"é\\"}"#
    );
}

#[test]
fn data_that_the_sdk_holds_otherwise_is_written_too() {
    let mut json = event();
    json.set_data("application/json", serde_json::json!({"a": 1}));
    let mut string = event();
    string.set_data("text/plain", "x");
    assert_eq!(encode_binary(&json).expect("valid").body, "{\"a\":1}");
    assert_eq!(into_binary(json).expect("valid").body, "{\"a\":1}");
    assert_eq!(encode_binary(&string).expect("valid").body, "x");
    assert_eq!(into_binary(string).expect("valid").body, "x");
}

#[test]
fn what_no_receiver_may_accept_is_not_written_in_any_mode() {
    use cloudevents::{AttributesWriter, EventBuilder, EventBuilderV03};

    type Spoil = fn(&mut Event);
    #[rustfmt::skip] // a row is a line
    let rows: &[(&str, Spoil)] = &[
        ("id", |e| drop(e.set_id(""))),
        ("id", |e| drop(e.set_id("a\nb"))),
        ("type", |e| drop(e.set_type(""))),
        ("type", |e| drop(e.set_type("a\u{fffe}"))),
        ("source", |e| drop(e.set_source(""))),
        ("source", |e| drop(e.set_source("a b"))),
        ("subject", |e| drop(e.set_subject(Some("")))),
        ("datacontenttype", |e| drop(e.set_datacontenttype(Some("json")))),
        ("datacontenttype", |e| drop(e.set_datacontenttype(Some("a/b;c=\u{e4}")))),
        ("time", |e| { e.set_time(Some(chrono::DateTime::<chrono::Utc>::MAX_UTC)); }),
        ("my-ext", |e| e.set_extension("my-ext", "x")),
        ("MyExt", |e| e.set_extension("MyExt", "x")),
        ("", |e| e.set_extension("", "x")),
        ("data", |e| e.set_extension("data", "x")),
        ("id", |e| e.set_extension("id", "x")),
        ("specversion", |e| e.set_extension("specversion", "1.0")),
        ("ext", |e| e.set_extension("ext", "a\u{7f}")),
        ("ext", |e| e.set_extension("ext", i64::from(i32::MAX) + 1)),
        ("specversion", |e| {
            *e = EventBuilderV03::from(e.clone()).build().expect("a 0.3 event");
        }),
    ];
    for (name, spoil) in rows {
        let mut event = event();
        spoil(&mut event);
        for result in [
            encode_binary(&event),
            encode_structured(&event),
            encode_batch(&[event.clone()]),
            into_binary(event.clone()),
        ] {
            let error = result.expect_err(name);
            assert_eq!(error.attribute(), Some(*name), "{error}");
            assert_eq!(error.kind(), ErrorKind::BadEvent, "{error}");
        }
    }
}

#[test]
fn a_name_longer_than_http_allows_is_refused_in_binary_mode() {
    let name = "x".repeat(70_000);
    let mut event = event();
    event.set_extension(&name, "x");
    let error = encode_binary(&event).expect_err("no such header");
    let shown = error.attribute().expect("names it");
    assert!(shown.starts_with("xxx") && shown.len() < 80, "{shown}");
}

#[test]
fn more_headers_than_http_can_hold_are_refused() {
    let mut event = event();
    for number in 0..40_000 {
        event.set_extension(&format!("x{number}"), "y");
    }
    encode_binary(&event).expect_err("too many headers");
}
