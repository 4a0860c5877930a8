//! What both ingresses accept and refuse, and in what form an event comes out.

use testkit::destination::Answer;

use super::{Both, trigger};

const STRUCTURED: &str = "application/cloudevents+json";

/// What it is, the headers, the body.
type Request<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);

#[tokio::test]
async fn both_brokers_accept_and_refuse_the_same_requests() {
    let both = Both::serving(&[trigger("t", "")], |_, _, _| Answer::Status(202)).await;
    let event = r#"{"specversion":"1.0","id":"s-1","source":"/s","type":"T","subject":"a b","data":{"n":1}}"#;
    let integer =
        r#"{"specversion":"1.0","id":"s-2","source":"/s","type":"T","count":7,"flag":true}"#;
    let base64 = r#"{"specversion":"1.0","id":"s-3","source":"/s","type":"T","datacontenttype":"text/plain","data_base64":"aGVsbG8="}"#;
    let text = r#"{"specversion":"1.0","id":"s-4","source":"/s","type":"T","datacontenttype":"text/plain","data":"hello"}"#;
    let no_type = r#"{"specversion":"1.0","id":"s-5","source":"/s","data":{}}"#;
    let no_id = r#"{"specversion":"1.0","source":"/s","type":"T"}"#;
    let no_data = r#"{"specversion":"1.0","id":"s-7","source":"/s","type":"T"}"#;
    let batch = format!("[{event}]");
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "b-1"),
        ("ce-source", "/s"),
        ("ce-type", "T"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&binary[..], more].concat();
    let without = |name: &str| {
        let mut headers = binary.to_vec();
        headers.retain(|(other, _)| *other != name);
        headers
    };
    let rows: Vec<Request<'_>> = vec![
        (
            "binary",
            with(&[("content-type", "application/json")]),
            "{\"n\":1}",
        ),
        ("binary, no data", with(&[]), ""),
        (
            "binary, text",
            with(&[("content-type", "text/plain")]),
            "hello",
        ),
        ("binary, no content type", with(&[]), "hello"),
        (
            "binary, a subject",
            with(&[("ce-subject", "one%20two")]),
            "",
        ),
        ("binary, an extension", with(&[("ce-myext", "value")]), ""),
        ("binary, without id", without("ce-id"), ""),
        ("binary, without source", without("ce-source"), ""),
        ("binary, without type", without("ce-type"), ""),
        ("binary, without specversion", without("ce-specversion"), ""),
        ("binary, a bad time", with(&[("ce-time", "yesterday")]), ""),
        ("no event", vec![("content-type", "text/plain")], "hello"),
        ("structured", vec![("content-type", STRUCTURED)], event),
        (
            "structured, with a charset",
            vec![(
                "content-type",
                "application/cloudevents+json; charset=utf-8",
            )],
            event,
        ),
        (
            "structured, integer and boolean",
            vec![("content-type", STRUCTURED)],
            integer,
        ),
        (
            "structured, base64",
            vec![("content-type", STRUCTURED)],
            base64,
        ),
        ("structured, text", vec![("content-type", STRUCTURED)], text),
        (
            "structured, no data",
            vec![("content-type", STRUCTURED)],
            no_data,
        ),
        (
            "structured, without type",
            vec![("content-type", STRUCTURED)],
            no_type,
        ),
        (
            "structured, without id",
            vec![("content-type", STRUCTURED)],
            no_id,
        ),
        (
            "structured, no JSON",
            vec![("content-type", STRUCTURED)],
            "{",
        ),
        (
            "a batch",
            vec![("content-type", "application/cloudevents-batch+json")],
            &batch,
        ),
        (
            "another format",
            vec![("content-type", "application/cloudevents+avro")],
            "x",
        ),
        ("no hops left", with(&[("ce-knativebrokerttl", "1")]), ""),
        ("hops left", with(&[("ce-knativebrokerttl", "2")]), ""),
        (
            "hops that are no number",
            with(&[("ce-knativebrokerttl", "many")]),
            "",
        ),
    ];
    let (mut accepted, mut refused) = (0, 0);
    for (what, headers, body) in &rows {
        match both.send(what, headers, body).await {
            202 => accepted += 1,
            400 => refused += 1,
            status => panic!("{what}: {status}"),
        }
    }
    assert!(accepted > 10 && refused > 8, "{accepted} {refused}");
    assert_eq!(both.deliveries()["/t"].len(), accepted);
}

/// Go's SDK still reads events of specification 0.3; ours speaks 1.0 alone, and says so.
#[tokio::test]
async fn an_event_of_the_old_specification_passes_knatives_ingress_only() {
    let both = Both::serving(&[trigger("t", "")], |_, _, _| Answer::Status(202)).await;
    let old = r#"{"specversion":"0.3","id":"1","source":"/s","type":"T"}"#;
    let mut statuses = Vec::new();
    for side in &both.0 {
        let headers = [("content-type", STRUCTURED)];
        let answered = testkit::request::post(&side.url, &headers, old).await;
        statuses.push((
            answered.status.as_u16(),
            answered.text().contains("specversion"),
        ));
    }
    assert_eq!(statuses, [(400, true), (202, false)]);
}
