use http::StatusCode;

use super::two_retries;
use crate::support::{Answer, Sender, Subscriber, start, trigger};

#[tokio::test]
async fn a_reply_goes_to_the_broker_and_its_triggers() {
    let structured = "{\"specversion\":\"1.0\",\"id\":\"reply\",\"source\":\"/s\",\"type\":\"B\"}";
    for answer in [
        Answer::status(200).event("B"),
        Answer::status(202).event("B"),
        Answer::status(200)
            .header(
                "content-type",
                "application/cloudevents+json; charset=utf-8",
            )
            .body(structured),
    ] {
        let first = Subscriber::start(Vec::new(), answer).await;
        let second = Subscriber::accepting().await;
        let yaml = [
            trigger(
                "a",
                &first.url,
                "  filter: {attributes: {type: Tickets.Requested}}",
            ),
            trigger("b", &second.url, "  filter: {attributes: {type: B}}"),
        ];
        let broker = start(&yaml.concat()).await;

        let headers = [("traceparent", "00-1-2-01"), ("ce-subject", "r-1")];
        assert_eq!(
            Sender::new().event(&broker, &headers).await,
            StatusCode::ACCEPTED
        );
        let reply = second.seen().pop().expect("the reply");
        assert_eq!(reply.header("ce-id"), Some("reply"));
        assert_eq!(reply.header("ce-subject"), None);
        assert_eq!(reply.header("traceparent"), Some("00-1-2-01"));
        assert!(reply.header("ce-knativearrivaltime").is_some());
        let counts = broker.counts();
        assert_eq!(
            (counts.received, counts.replies, counts.delivered),
            (2, 1, 2)
        );
    }
}

#[tokio::test]
async fn replies_in_a_circle_end_after_255_hops_and_the_last_is_a_dead_letter() {
    // The subscriber tries to start the count anew each time.
    let answer = Answer::status(200)
        .event("Tickets.Requested")
        .header("ce-knativebrokerttl", "255");
    let subscriber = Subscriber::start(Vec::new(), answer).await;
    let dead_letters = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, &two_retries(&dead_letters))).await;

    assert_eq!(
        Sender::new().event(&broker, &[]).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(subscriber.seen().len(), 255);
    let letters = dead_letters.seen();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header("ce-knativeerrorcode"), Some("400"));
    let broker_url = broker.url("default", "default");
    assert_eq!(
        letters[0].header("ce-knativeerrordest"),
        Some(broker_url.as_str())
    );
}

#[tokio::test]
async fn replies_in_a_circle_without_a_dead_letter_sink_are_told_to_the_sender() {
    let answer = Answer::status(200).event("Tickets.Requested");
    let subscriber = Subscriber::start(Vec::new(), answer).await;
    let broker = start(&trigger("t", &subscriber.url, "")).await;

    let status = Sender::new()
        .event(&broker, &[("ce-knativebrokerttl", "4")])
        .await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(subscriber.seen().len(), 3);
}
