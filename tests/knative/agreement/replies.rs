//! Answers that carry an event.
//!
//! Left out is a reply in structured mode without `datacontenttype`: Go's HTTP server guesses a content type
//! on its way through Knative's filter, `text/plain` for JSON.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use serde_json::json;
use testkit::destination::{Answer, Received};

use super::{Both, DEAD_LETTERS, WHY, dead_letters, trigger};

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Answer {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        response.headers_mut().insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    Answer::Response(response)
}

const REPLY: [(&str, &str); 4] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "reply"),
    ("ce-source", "/replies"),
    ("ce-type", "Replied"),
];

fn by_id(path: &str, event: &Received, _: usize) -> Answer {
    if path != "/asked" {
        return Answer::Status(202);
    }
    let structured = r#"{"specversion":"1.0","id":"reply","source":"/replies","type":"Replied","datacontenttype":"application/json","data":{"n":1}}"#;
    let json = [("content-type", "application/cloudevents+json")];
    match event.id() {
        "binary-200" => answer(200, &REPLY, ""),
        "binary-202" => answer(202, &REPLY, ""),
        "binary-data" => answer(
            200,
            &[&REPLY[..], &[("content-type", "application/json")]].concat(),
            "{\"n\":1}",
        ),
        "structured" => answer(200, &json, structured),
        "incomplete" => answer(200, &[("ce-specversion", "1.0")], ""),
        "broken" => answer(200, &json, "{"),
        "batch" => answer(
            200,
            &[("content-type", "application/cloudevents-batch+json")],
            "[]",
        ),
        "own-count" => answer(
            200,
            &[&REPLY[..], &[("ce-knativebrokerttl", "255")]].concat(),
            "",
        ),
        other => panic!("no answer for {other}"),
    }
}

#[tokio::test]
async fn both_brokers_route_the_same_replies_and_refuse_the_same() {
    let block = format!(
        "delivery:\n  retry: 1\n  backoffPolicy: linear\n  backoffDelay: PT0.001S\n  {}",
        dead_letters()
    );
    let triggers = [
        trigger(
            "asked",
            &format!("{block}\nfilters: [{{exact: {{type: Asked}}}}]"),
        ),
        trigger(
            "replied",
            &format!("{block}\nfilters: [{{exact: {{type: Replied}}}}]"),
        ),
    ];
    let both = Both::serving(&triggers, by_id).await;
    let ids = [
        "binary-200",
        "binary-202",
        "binary-data",
        "structured",
        "incomplete",
        "broken",
        "batch",
        "own-count",
    ];
    let trace = [(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )];
    for id in ids {
        assert_eq!(
            both.event("Asked", id, &trace, &json!({})).await,
            202,
            "{id}"
        );
    }
    // Of a reply that is none Knative's dead letters say nothing; ours say what was wrong with it.
    let deliveries = both.deliveries_but_for(&WHY);
    assert_eq!(deliveries["/replied"].len(), 5);
    assert_eq!(deliveries[DEAD_LETTERS].len(), 3);
}

#[tokio::test]
async fn a_circle_of_replies_ends_after_the_same_number_of_hops() {
    let block = format!("delivery:\n  retry: 0\n  {}", dead_letters());
    let both = Both::serving(&[trigger("t", &block)], |path, _, _| {
        if path == DEAD_LETTERS {
            return Answer::Status(202);
        }
        answer(200, &REPLY, "")
    })
    .await;
    let few = [("ce-knativebrokerttl", "7")];
    assert_eq!(both.event("Asked", "1", &few, &json!({})).await, 202);
    let deliveries = both.deliveries_but_for(&["ce-knativeerrordata"]);
    assert_eq!(deliveries["/t"].len(), 6);
    assert_eq!(deliveries[DEAD_LETTERS].len(), 1);
}
