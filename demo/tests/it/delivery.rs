/// What a dead letter tells, and who loses one.
mod dead_letters;
/// What a subscriber answers with becomes an event of the Broker.
mod replies;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use tokio::sync::Notify;

use crate::support::{Answer, Sender, Subscriber, start, trigger};

/// A delivery block with two quick retries and a dead letter sink.
fn two_retries(dead_letter_sink: &Subscriber) -> String {
    format!(
        "  delivery: {{retry: 2, backoffPolicy: linear, backoffDelay: PT0.001S, timeout: PT0.5S, \
         deadLetterSink: {{uri: \"{}\"}}}}",
        dead_letter_sink.url
    )
}

#[tokio::test]
async fn every_answer_of_a_subscriber_has_its_effect() {
    // The answer, how often the event is sent with two retries, the code in a dead letter.
    let event = |status| Answer::status(status).event("Nobody.Waits");
    let rows = [
        (Answer::status(200), 1, None),
        (Answer::status(202), 1, None),
        (Answer::status(204), 1, None),
        (event(200), 1, None),
        (event(202), 1, None),
        (Answer::status(200).body("ok"), 3, Some("502")),
        (Answer::status(202).body("{}"), 3, Some("502")),
        // It is an event and breaks a rule: the Broker refuses it as a reply.
        (
            Answer::status(200).header("ce-specversion", "1.0"),
            1,
            Some("400"),
        ),
        // It says that it is an event, and is none.
        (
            Answer::status(200)
                .header("content-type", "application/cloudevents+json")
                .body("{"),
            3,
            Some("502"),
        ),
        (
            Answer::status(200)
                .header("content-type", "application/cloudevents-batch+json")
                .body("[]"),
            3,
            Some("502"),
        ),
        (
            Answer::status(301).header("location", "/elsewhere"),
            1,
            Some("301"),
        ),
        (
            Answer::status(307).header("location", "/elsewhere"),
            1,
            Some("307"),
        ),
        (Answer::status(400), 1, Some("400")),
        (Answer::status(401), 1, Some("401")),
        (Answer::status(403), 1, Some("403")),
        (Answer::status(404), 3, Some("404")),
        (Answer::status(408), 3, Some("408")),
        (Answer::status(409), 3, Some("409")),
        (Answer::status(413), 1, Some("413")),
        (Answer::status(415), 1, Some("415")),
        (Answer::status(422), 1, Some("422")),
        (Answer::status(425), 1, Some("425")),
        (Answer::status(429), 3, Some("429")),
        (Answer::status(500), 3, Some("500")),
        (Answer::status(501), 3, Some("501")),
        (Answer::status(503), 3, Some("503")),
        (Answer::status(599), 3, Some("599")),
    ];
    let sender = Sender::new();
    for (answer, attempts, dead_letter) in rows {
        let row = format!("{answer:?}");
        let subscriber = Subscriber::start(Vec::new(), answer).await;
        let dead_letters = Subscriber::accepting().await;
        let spec = format!(
            "  filter: {{attributes: {{type: Tickets.Requested}}}}\n{}",
            two_retries(&dead_letters)
        );
        let broker = start(&trigger("t", &subscriber.url, &spec)).await;

        assert_eq!(
            sender.event(&broker, &[]).await,
            StatusCode::ACCEPTED,
            "{row}"
        );
        assert_eq!(subscriber.seen().len(), attempts, "{row}");
        let dead_letters = dead_letters.seen();
        let codes: Vec<_> = dead_letters
            .iter()
            .map(|it| it.header("ce-knativeerrorcode"))
            .collect();
        assert_eq!(
            codes,
            dead_letter.map_or(vec![], |code| vec![Some(code)]),
            "{row}"
        );
        let counts = broker.stop().await.0;
        assert_eq!(counts.retried, attempts as u64 - 1, "{row}");
        assert_eq!(counts.dead_lettered, codes.len() as u64, "{row}");
        assert_eq!(counts.lost, 0, "{row}");
    }
}

#[tokio::test]
async fn a_subscriber_that_recovers_within_the_retries_gets_the_event() {
    let first = vec![Answer::status(503), Answer::status(200).body("not yet")];
    let subscriber = Subscriber::start(first, Answer::status(202)).await;
    let dead_letters = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, &two_retries(&dead_letters))).await;

    assert_eq!(
        Sender::new().event(&broker, &[]).await,
        StatusCode::ACCEPTED
    );
    let seen = subscriber.seen();
    assert_eq!(seen.len(), 3);
    assert!(
        seen.iter()
            .all(|it| it.header("ce-id") == Some("1") && it.body == "{\"seats\":2}")
    );
    assert!(dead_letters.seen().is_empty());
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_retried_and_told_as_500() {
    let nobody = closed_port().await;
    let silent = Answer::status(200).once_told(&Arc::new(Notify::new()));
    let silent = Subscriber::start(Vec::new(), silent).await;
    for (url, wanted) in [(nobody, "onnect"), (silent.url, "no answer within")] {
        let dead_letters = Subscriber::accepting().await;
        let block = two_retries(&dead_letters).replace("PT0.5S", "PT0.05S");
        let broker = start(&trigger("t", &url, &block)).await;

        assert_eq!(
            Sender::new().event(&broker, &[]).await,
            StatusCode::ACCEPTED
        );
        let dead_letter = dead_letters.seen().pop().expect("a dead letter");
        assert_eq!(dead_letter.header("ce-knativeerrorcode"), Some("500"));
        let reason = reason(dead_letter.header("ce-knativeerrordata"));
        assert!(reason.contains(wanted), "{reason}");
        assert_eq!(broker.counts().retried, 2);
    }
}

async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    format!("http://{}/", listener.local_addr().expect("an address"))
}

fn reason(data: Option<&str>) -> String {
    let bytes = STANDARD.decode(data.unwrap_or_default()).expect("base64");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn an_event_that_a_trigger_loses_is_500_though_the_others_have_it() {
    let good = Subscriber::accepting().await;
    let bad = Subscriber::start(Vec::new(), Answer::status(400)).await;
    let yaml = [
        trigger("good", &good.url, ""),
        trigger("bad", &bad.url, "  delivery: {retry: 2}"),
    ];
    let broker = start(&yaml.concat()).await;

    let status = Sender::new().event(&broker, &[]).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((good.seen().len(), bad.seen().len()), (1, 1));
    let counts = broker.counts();
    assert_eq!(
        (counts.delivered, counts.lost, counts.dead_lettered),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn a_triggers_delivery_replaces_the_brokers_and_nothing_is_merged() {
    let failing = || Subscriber::start(Vec::new(), Answer::status(503));
    let (inherits, sink_only, retry_only) = (failing().await, failing().await, failing().await);
    let (brokers_sink, own_sink) = (Subscriber::accepting().await, Subscriber::accepting().await);
    let broker = format!(
        "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {{name: default}}\nspec:\n\
         \x20 delivery: {{retry: 3, backoffPolicy: linear, backoffDelay: PT0.001S, \
         deadLetterSink: {{uri: \"{}\"}}}}\n",
        brokers_sink.url
    );
    let own = format!(
        "  delivery: {{deadLetterSink: {{uri: \"{}\"}}}}",
        own_sink.url
    );
    let by_type = |ty: &str| format!("  filter: {{attributes: {{type: {ty}}}}}\n");
    let yaml = [
        broker,
        trigger("a", &inherits.url, &by_type("A")),
        trigger("b", &sink_only.url, &(by_type("B") + &own)),
        trigger(
            "c",
            &retry_only.url,
            &(by_type("C") + "  delivery: {retry: 1}"),
        ),
    ];
    let broker = start(&yaml.concat()).await;

    let sender = Sender::new();
    assert_eq!(
        sender.event(&broker, &[("ce-type", "A")]).await,
        StatusCode::ACCEPTED
    );
    assert_eq!((inherits.seen().len(), brokers_sink.seen().len()), (4, 1));
    assert_eq!(
        sender.event(&broker, &[("ce-type", "B")]).await,
        StatusCode::ACCEPTED
    );
    assert_eq!((sink_only.seen().len(), own_sink.seen().len()), (1, 1));
    let status = sender.event(&broker, &[("ce-type", "C")]).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((retry_only.seen().len(), brokers_sink.seen().len()), (2, 1));
}

#[tokio::test]
async fn a_subscriber_gets_the_event_and_the_brokers_headers_and_no_others() {
    let subscriber = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, "")).await;

    let headers = [
        ("ce-knativebrokerttl", "7"),
        ("ce-correlationkey", "r-1"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "a=b"),
        ("x-request-id", "q"),
        ("knative-x", "y"),
        ("authorization", "Bearer secret"),
        ("x-other", "z"),
    ];
    assert_eq!(
        Sender::new().event(&broker, &headers).await,
        StatusCode::ACCEPTED
    );
    let got = subscriber.seen().pop().expect("an event");
    for (name, wanted) in [
        ("ce-specversion", Some("1.0")),
        ("ce-id", Some("1")),
        ("ce-correlationkey", Some("r-1")),
        ("content-type", Some("application/json")),
        ("ce-knativebrokerttl", None),
        ("prefer", Some("reply")),
        ("kn-namespace", Some("default")),
        (
            "traceparent",
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ),
        ("tracestate", Some("a=b")),
        ("x-request-id", Some("q")),
        ("knative-x", Some("y")),
        ("authorization", None),
        ("x-other", None),
    ] {
        assert_eq!(got.header(name), wanted, "{name}");
    }
    let arrived = got
        .header("ce-knativearrivaltime")
        .expect("an arrival time");
    assert!(
        chrono::DateTime::parse_from_rfc3339(arrived).is_ok(),
        "{arrived}"
    );
    assert_eq!(got.body, "{\"seats\":2}");
}

#[tokio::test]
async fn a_trigger_can_ask_for_structured_mode() {
    let subscriber = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, "  delivery: {format: json}")).await;

    assert_eq!(
        Sender::new().event(&broker, &[]).await,
        StatusCode::ACCEPTED
    );
    let got = subscriber.seen().pop().expect("an event");
    assert_eq!(
        got.header("content-type"),
        Some("application/cloudevents+json")
    );
    let event: serde_json::Value = serde_json::from_slice(&got.body).expect("JSON");
    assert_eq!(event["type"], "Tickets.Requested");
    assert_eq!(event["data"]["seats"], 2);
}
