use bytes::Bytes;
use cloudevents_http::{Event, attribute, encode_structured, set_attribute};
use eventing::{Attempt, NotReached, mark_dead_letter};
use http::StatusCode;

use crate::harness::{event, uri};

const DEST: &str = "knativeerrordest";
const CODE: &str = "knativeerrorcode";
const DATA: &str = "knativeerrordata";

fn answered(status: u16, body: impl Into<Bytes>) -> Attempt {
    Attempt::Answered {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body: body.into(),
    }
}

fn marked(attempt: &Attempt) -> Event {
    let mut event = event("1");
    mark(&mut event, attempt);
    event
}

fn mark(event: &mut Event, attempt: &Attempt) {
    let destination = uri("http://payments.shop.svc.cluster.local/charge");
    mark_dead_letter(event, &destination, attempt).unwrap();
}

#[test]
fn the_dead_letter_sink_is_told_where_the_event_was_refused_and_how() {
    let event = marked(&answered(422, r#"{"reason":"no such seat"}"#));
    let told = |name| attribute(&event, name).unwrap().into_owned();
    assert_eq!(told(DEST), "http://payments.shop.svc.cluster.local/charge");
    assert_eq!(told(CODE), "422");
    assert_eq!(told(DATA), "eyJyZWFzb24iOiJubyBzdWNoIHNlYXQifQ==");
}

#[test]
fn the_status_is_a_number_in_structured_mode_as_from_knative() {
    let body = encode_structured(&marked(&answered(422, ""))).unwrap().body;
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json[CODE], 422);
}

#[test]
fn without_an_answer_the_code_is_500_and_the_data_says_why() {
    let event = marked(&Attempt::NotReached {
        why: NotReached::Refused,
        detail: "nobody listens".to_owned(),
    });
    assert_eq!(attribute(&event, CODE).unwrap(), "500");
    // base64 of "dispatch error: nobody listens"
    assert_eq!(
        attribute(&event, DATA).unwrap(),
        "ZGlzcGF0Y2ggZXJyb3I6IG5vYm9keSBsaXN0ZW5z"
    );
}

#[test]
fn the_data_has_1024_characters_at_most_and_stays_base64() {
    for (bytes, characters) in [
        (767, 1024),
        (768, 1024),
        (769, 1024),
        (100_000, 1024),
        (1, 4),
    ] {
        let event = marked(&answered(400, "x".repeat(bytes)));
        let data = attribute(&event, DATA).unwrap().into_owned();
        assert_eq!(data.len(), characters, "{bytes}");
        assert!(data.starts_with("eA") || data.starts_with("eHh4"), "{data}");
    }
}

#[test]
fn an_event_that_was_a_dead_letter_before_tells_only_of_this_time() {
    let mut event = event("1");
    for (name, value) in [(DEST, "http://elsewhere/"), (CODE, "503"), (DATA, "b2xk")] {
        set_attribute(&mut event, name, value).unwrap();
    }
    mark(&mut event, &answered(400, ""));
    assert_eq!(
        attribute(&event, DEST).unwrap(),
        "http://payments.shop.svc.cluster.local/charge"
    );
    assert_eq!(attribute(&event, CODE).unwrap(), "400");
    assert_eq!(attribute(&event, DATA), None);
}
