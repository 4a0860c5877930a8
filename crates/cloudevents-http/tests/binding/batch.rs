use bytes::Bytes;
use cloudevents_http::{
    Error, ErrorKind, Event, Limits, attribute, decode, encode_batch, new_event, set_data,
};

use crate::headers;

fn read(body: &str) -> Result<Vec<Event>, Error> {
    let headers = headers(&[("content-type", b"application/cloudevents-batch+json")]);
    decode(
        &headers,
        Bytes::copy_from_slice(body.as_bytes()),
        &Limits::default(),
    )
}

const GOOD: &str = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1.0}}"#;

#[test]
fn an_empty_batch_is_a_batch() {
    // HTTP 3.3.2: "The batch MAY be empty".
    assert_eq!(read("[]"), Ok(Vec::new()));
    assert_eq!(read(" [ ] "), Ok(Vec::new()));
    assert_eq!(encode_batch(&[]).expect("valid").body, "[]");
}

#[test]
fn events_keep_their_order_and_their_own_content_types() {
    // HTTP 3.3.2: "Other attributes MAY differ, including the datacontenttype attribute".
    let second = r#"{"specversion":"1.0","id":"2","source":"/s","type":"u","datacontenttype":"image/png","data_base64":"AP8="}"#;
    let events = read(&format!("[{GOOD},\n{second}]")).expect("valid");
    let of = |name| {
        events
            .iter()
            .map(|e| attribute(e, name))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("id"), [Some("1".into()), Some("2".into())]);
    assert_eq!(
        of("datacontenttype"),
        [Some("application/json".into()), Some("image/png".into())]
    );
}

#[test]
fn one_bad_event_refuses_the_batch_and_is_named() {
    for (row, bad, name) in [
        (
            "no id",
            r#"{"specversion":"1.0","source":"/s","type":"t"}"#,
            "id",
        ),
        (
            "HTTP 3.3.2 the same specversion",
            r#"{"specversion":"0.3","id":"1","source":"/s","type":"t"}"#,
            "specversion",
        ),
    ] {
        let error = read(&format!("[{GOOD},{GOOD},{bad},{GOOD}]")).expect_err(row);
        assert_eq!(error.event(), Some(2), "{row}: {error}");
        assert_eq!(error.attribute(), Some(name), "{row}: {error}");
        assert_eq!(error.kind(), ErrorKind::BadEvent, "{row}: {error}");
        assert!(error.to_string().contains("event 2"), "{row}: {error}");
    }
}

#[test]
fn a_batch_is_one_json_array_of_objects() {
    // JSON 4.1.
    for body in [
        "", "{}", GOOD, "[1]", "[[]]", "null", "[", "[{}", "[],", "[] x",
    ] {
        let error = read(body).expect_err(body);
        assert_eq!(error.kind(), ErrorKind::BadEvent, "{body}");
    }
}

#[test]
fn writing_names_the_event_that_cannot_be_written() {
    let good = new_event("1", "/s", "t").expect("valid");
    let mut bad = good.clone();
    bad.set_extension("Ext", "x");
    let error = encode_batch(&[good, bad]).expect_err("a bad name");
    assert_eq!(error.event(), Some(1));
    assert_eq!(error.attribute(), Some("Ext"));
}

#[test]
fn writing_uses_the_media_type_of_batches() {
    // JSON 4.2: MUST use application/cloudevents-batch+json.
    let mut event = new_event("1", "/s", "t").expect("valid");
    set_data(&mut event, None, "1").expect("valid");
    let message = encode_batch(&[event.clone(), event]).expect("valid");
    assert_eq!(
        message.headers["content-type"],
        "application/cloudevents-batch+json"
    );
    let one = r#"{"specversion":"1.0","id":"1","type":"t","source":"/s","data":1}"#;
    assert_eq!(message.body, format!("[{one},{one}]"));
}
