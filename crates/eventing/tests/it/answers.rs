use std::time::Duration;

use bytes::Bytes;
use eventing::{Attempt, NotReached, Retry, Sender, SenderSettings, retry};
use http::StatusCode;
use testkit::destination::{Answer, Destination};

use crate::harness::{PATIENCE, SHORT, message, response, send, sender, soon, uri};

fn sender_of(max_answer_bytes: usize, answer_timeout: Duration) -> Sender {
    Sender::new(&SenderSettings {
        max_answer_bytes,
        answer_timeout,
        ..SenderSettings::default()
    })
    .unwrap()
}

fn body(attempt: &Attempt) -> &Bytes {
    match attempt {
        Attempt::Accepted { body, .. } | Attempt::Answered { body, .. } => body,
        Attempt::NotReached { .. } => panic!("{attempt:?}"),
    }
}

fn whole(attempt: &Attempt) -> bool {
    match attempt {
        Attempt::Accepted { whole, .. } => *whole,
        Attempt::Answered { .. } | Attempt::NotReached { .. } => panic!("{attempt:?}"),
    }
}

/// Bodies that do not end as they should, each beginning with `status`.
fn without_end(status: u16) -> [(&'static str, Answer); 4] {
    let begun = || response(status, "begun ");
    [
        ("silent after its beginning", Answer::Unended(begun())),
        (
            "silent from the start",
            Answer::Unended(response(status, "")),
        ),
        (
            "trickling",
            Answer::Repeated(begun(), Duration::from_millis(5)),
        ),
        ("broken off", Answer::BrokenOff(begun())),
    ]
}

#[tokio::test]
async fn a_2xx_whose_body_never_ends_is_accepted_in_a_short_time() {
    let sender = sender_of(64 * 1024, SHORT);
    for (how, answer) in without_end(202) {
        let destination = Destination::start(move |_| answer.clone()).await;
        let attempt = soon(send(&sender, &destination)).await;
        assert_eq!(retry(&attempt), Retry::Done, "{how}: {attempt:?}");
        assert!(!whole(&attempt), "{how}");
        assert_eq!(destination.received().len(), 1, "{how}");
    }
}

#[tokio::test]
async fn a_refusal_whose_body_never_ends_is_that_refusal_in_a_short_time() {
    let sender = sender_of(64 * 1024, SHORT);
    for (how, answer) in without_end(422) {
        let destination = Destination::start(move |_| answer.clone()).await;
        let attempt = soon(send(&sender, &destination)).await;
        let refused = matches!(
            attempt,
            Attempt::Answered {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                ..
            }
        );
        assert!(refused, "{how}: {attempt:?}");
    }
}

#[tokio::test]
async fn what_came_of_a_body_is_kept() {
    let sender = sender_of(64 * 1024, SHORT);
    let destination = Destination::start(|_| Answer::Unended(response(400, "no such seat"))).await;
    let attempt = soon(send(&sender, &destination)).await;
    assert_eq!(attempt.answer(), "400 Bad Request: no such seat");
    assert_eq!(attempt.summary(), "400 Bad Request");
}

#[tokio::test]
async fn the_timeout_of_an_attempt_does_not_cut_the_body_of_an_answer_in_time() {
    let destination = Destination::start(|_| {
        // The last bytes come well after the timeout of the attempt.
        Answer::Repeated(response(200, "more "), Duration::from_millis(300))
    })
    .await;
    let sender = sender_of(10, PATIENCE);
    let attempt = sender
        .send(
            &uri(&destination.url()),
            message("1"),
            Duration::from_millis(250),
        )
        .await;
    assert_eq!(retry(&attempt), Retry::Done, "{attempt:?}");
    assert_eq!(body(&attempt), "more more ");
}

#[tokio::test]
async fn a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again() {
    let destination = Destination::start(|request| match request.id() {
        "1" => Answer::Repeated(response(200, "again "), Duration::ZERO),
        _ => Answer::Status(202),
    })
    .await;
    let sender = sender_of(1024, PATIENCE);
    for id in ["1", "2"] {
        let attempt = soon(sender.send(&uri(&destination.url()), message(id), PATIENCE)).await;
        assert_eq!(retry(&attempt), Retry::Done, "{attempt:?}");
    }
    let over: Vec<_> = destination
        .received()
        .iter()
        .map(|it| it.connection)
        .collect();
    assert_eq!(over, [0, 1]);
}

#[tokio::test]
async fn no_more_of_an_answer_is_kept_than_the_settings_say() {
    // Bytes sent, bytes kept, whether that is all; 1,000 are the most.
    let table = [
        (0, 0, true),
        (999, 999, true),
        (1000, 1000, true),
        (1001, 1000, false),
        (5_000_000, 1000, false),
    ];
    let sender = sender_of(1000, PATIENCE);
    for (sent, kept, all) in table {
        for status in [200, 400] {
            let destination =
                Destination::start(move |_| Answer::Response(response(status, vec![b'x'; sent])))
                    .await;
            let attempt = soon(send(&sender, &destination)).await;
            assert_eq!(body(&attempt).len(), kept, "{sent} with {status}");
            if status == 200 {
                assert_eq!(whole(&attempt), all, "{sent}");
            }
        }
    }
}

#[tokio::test]
async fn an_endless_answer_is_bounded_by_default_too() {
    let destination =
        Destination::start(|_| Answer::Repeated(response(500, vec![b'x'; 8192]), Duration::ZERO))
            .await;
    let attempt = soon(send(&sender(), &destination)).await;
    assert_eq!(body(&attempt).len(), 64 * 1024);
}

#[tokio::test]
async fn no_body_is_waited_for_where_none_is_kept() {
    let destination = Destination::start(|_| Answer::Unended(response(202, "x"))).await;
    let attempt = soon(send(&sender_of(0, Duration::from_secs(3600)), &destination)).await;
    assert_eq!(retry(&attempt), Retry::Done);
    assert!(body(&attempt).is_empty());
}

fn answered(status: u16, body: impl Into<Bytes>) -> Attempt {
    Attempt::Answered {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body: body.into(),
    }
}

#[test]
fn an_answer_is_status_and_beginning_of_the_body_in_one_line_and_its_summary_the_status_alone() {
    let table: &[(&[u8], &str)] = &[
        (b"", "400 Bad Request"),
        (b" \r\n\t", "400 Bad Request"),
        (b"no such seat", "400 Bad Request: no such seat"),
        (
            b"<p>\r\n  no\tsuch\0seat\x1b[31m</p>\n",
            "400 Bad Request: <p> no such seat [31m</p>",
        ),
        (
            "a\u{2028}b\u{85}c\u{202e}d\u{2066}e".as_bytes(),
            "400 Bad Request: a b c d e",
        ),
        ("größe".as_bytes(), "400 Bad Request: größe"),
        (b"\xff\xfe", "400 Bad Request: \u{fffd}\u{fffd}"),
    ];
    for (body, expected) in table {
        let attempt = answered(400, *body);
        assert_eq!(attempt.answer(), *expected);
        assert_eq!(attempt.summary(), "400 Bad Request");
    }
}

#[test]
fn an_answer_has_500_characters_at_most_and_cuts_none_in_two() {
    for text in ["x", "ö", "€", "🎫", "a🎫"] {
        let answer = answered(400, text.repeat(50_000)).answer();
        assert_eq!(answer.chars().count(), 500, "{text}");
        assert!(!answer.contains('\u{fffd}'), "{text}");
    }
}

#[test]
fn why_there_was_no_answer_is_one_short_line_too() {
    let attempt = Attempt::NotReached {
        why: NotReached::Unreachable,
        detail: format!("no\nway: {}", "x".repeat(5000)),
    };
    assert_eq!(attempt.answer(), attempt.summary());
    let summary = attempt.summary();
    assert!(summary.starts_with("no way: xxx"), "{summary}");
    assert_eq!(summary.len(), 500);
}
