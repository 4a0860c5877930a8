use http::StatusCode;

use super::{reason, two_retries};
use crate::support::{Answer, Sender, Subscriber, start, trigger};

#[tokio::test]
async fn a_dead_letter_tells_where_why_and_what_was_said() {
    let answer = Answer::status(422).body("{\"error\":\"no rule for this\"}");
    let subscriber = Subscriber::start(Vec::new(), answer).await;
    let dead_letters = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, &two_retries(&dead_letters))).await;

    let headers = [("ce-subject", "r-1"), ("traceparent", "00-1-2-01")];
    assert_eq!(
        Sender::new().event(&broker, &headers).await,
        StatusCode::ACCEPTED
    );
    let letter = dead_letters.seen().pop().expect("a dead letter");
    for (name, wanted) in [
        ("ce-id", Some("1")),
        ("ce-source", Some("/test")),
        ("ce-type", Some("Tickets.Requested")),
        ("ce-subject", Some("r-1")),
        ("content-type", Some("application/json")),
        ("ce-knativeerrordest", Some(subscriber.url.as_str())),
        ("ce-knativeerrorcode", Some("422")),
        // It has not passed a subscriber: a replay goes on counting.
        ("ce-knativebrokerttl", Some("255")),
        ("kn-namespace", Some("default")),
        ("traceparent", Some("00-1-2-01")),
        // Nothing is expected of a dead letter sink.
        ("prefer", None),
    ] {
        assert_eq!(letter.header(name), wanted, "{name}");
    }
    assert_eq!(letter.body, "{\"seats\":2}");
    let said = reason(letter.header("ce-knativeerrordata"));
    assert_eq!(said, "{\"error\":\"no rule for this\"}");
}

#[tokio::test]
async fn a_long_refusal_is_cut_to_1024_characters() {
    let answer = Answer::status(400).body(&"x".repeat(100_000));
    let subscriber = Subscriber::start(Vec::new(), answer).await;
    let dead_letters = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, &two_retries(&dead_letters))).await;

    Sender::new().event(&broker, &[]).await;
    let letter = dead_letters.seen().pop().expect("a dead letter");
    let data = letter.header("ce-knativeerrordata").expect("data");
    assert_eq!(data.len(), 1_024);
    assert_eq!(reason(Some(data)), "x".repeat(768));
}

#[tokio::test]
async fn a_dead_letter_sink_is_retried_and_what_it_answers_with_is_not_looked_at() {
    let subscriber = Subscriber::start(Vec::new(), Answer::status(400)).await;
    let first = vec![Answer::status(503), Answer::status(503)];
    let sink = Subscriber::start(first, Answer::status(200).body("ok")).await;
    let broker = start(&trigger("t", &subscriber.url, &two_retries(&sink))).await;

    assert_eq!(
        Sender::new().event(&broker, &[]).await,
        StatusCode::ACCEPTED
    );
    assert_eq!((subscriber.seen().len(), sink.seen().len()), (1, 3));
    assert_eq!(broker.counts().dead_lettered, 1);
}
