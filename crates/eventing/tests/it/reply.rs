use eventing::reply::{PREFER, REPLY, is_reply};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

type Pairs = &'static [(&'static str, &'static str)];

const BINARY: Pairs = &[
    ("ce-specversion", "1.0"),
    ("content-type", "application/json"),
];
const STRUCTURED: Pairs = &[("content-type", "application/cloudevents+json")];

fn headers(pairs: Pairs) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

#[test]
fn an_event_in_an_answer_that_accepts_is_a_reply() {
    let table: &[(u16, Pairs, bool)] = &[
        (200, BINARY, true),
        (200, STRUCTURED, true),
        (201, BINARY, true),
        // The specification forbids routing it; Knative's filter does it all the same.
        (202, BINARY, true),
        (202, STRUCTURED, true),
        (299, STRUCTURED, true),
        (199, BINARY, false),
        (300, STRUCTURED, false),
        (400, BINARY, false),
        (500, STRUCTURED, false),
        (200, &[], false),
        (204, &[], false),
        (200, &[("content-type", "application/json")], false),
        (200, &[("content-type", "text/plain")], false),
        (
            200,
            &[("ce-id", "1"), ("content-type", "application/json")],
            false,
        ),
        (200, &[("ce-specversion", "1.0")], true),
        // Whether it is a good event is for whoever reads it.
        (200, &[("ce-specversion", "9")], true),
        (
            200,
            &[(
                "content-type",
                "APPLICATION/CloudEvents+JSON; charset=UTF-8",
            )],
            true,
        ),
        (
            200,
            &[(
                "content-type",
                "application/cloudevents+json; charset=latin1",
            )],
            false,
        ),
        (
            200,
            &[("content-type", "application/cloudevents+avro")],
            false,
        ),
        (
            200,
            &[("content-type", "application/cloudevents-batch+json")],
            false,
        ),
        (
            200,
            &[
                ("content-type", "application/cloudevents+json"),
                ("content-type", "application/json"),
            ],
            false,
        ),
    ];
    for (status, pairs, expected) in table {
        let status = StatusCode::from_u16(*status).unwrap();
        assert_eq!(
            is_reply(status, &headers(pairs)),
            *expected,
            "{status} {pairs:?}"
        );
    }
}

#[test]
fn a_reply_is_asked_for_as_knatives_filter_asks() {
    assert_eq!(PREFER.as_str(), "prefer");
    assert_eq!(REPLY, "reply");
}
