use std::sync::Arc;

use demo::broker::Settings;
use http::{Method, StatusCode};
use tokio::sync::Notify;

use crate::support::{Answer, Sender, Subscriber, start, start_with, trigger};

const EVENT: [(&str, &str); 4] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/test"),
    ("ce-type", "Tickets.Requested"),
];

#[tokio::test]
async fn every_request_has_its_answer() {
    let subscriber = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, "")).await;
    let sender = Sender::new();
    let base = format!("http://{}", broker.address());
    for (method, path, status) in [
        (Method::POST, "/default/default", 202),
        (Method::POST, "/default/default/", 202),
        (Method::POST, "/", 400),
        (Method::POST, "/default/other", 404),
        (Method::POST, "/other/default", 404),
        (Method::POST, "/default", 400),
        (Method::POST, "/default/default/more", 400),
        (Method::GET, "/default/default", 405),
        (Method::PUT, "/default/default", 405),
        (Method::OPTIONS, "/default/default", 200),
        (Method::GET, "/healthz", 200),
    ] {
        let row = format!("{method} {path}");
        let url = format!("{base}{path}");
        let (got, body) = sender.send(method, &url, &EVENT, "").await;
        assert_eq!(got.as_u16(), status, "{row}");
        assert_eq!(
            body.is_empty(),
            status < 300 || status == 405,
            "{row}: {body}"
        );
    }
}

#[tokio::test]
async fn what_is_no_single_event_is_refused_before_the_broker_is_looked_up() {
    let broker = start(&trigger("t", "http://127.0.0.1:9/", "")).await;
    let sender = Sender::new();
    let structured = "application/cloudevents+json";
    let event = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"T\"}";
    let batch = format!("[{event}]");
    let no_type = &EVENT[..3];
    let mut empty_id = EVENT;
    empty_id[1].1 = "";
    let mut old = EVENT;
    old[0].1 = "0.3";
    for (headers, content_type, body) in [
        (&[][..], "text/plain", "hello"),
        (no_type, "text/plain", ""),
        (&empty_id[..], "text/plain", ""),
        (&old[..], "text/plain", ""),
        (&[][..], structured, "{"),
        (&[][..], structured, batch.as_str()),
        (
            &[][..],
            "application/cloudevents-batch+json",
            batch.as_str(),
        ),
        (&[][..], "application/cloudevents+avro", "x"),
    ] {
        let mut headers = headers.to_vec();
        headers.push(("content-type", content_type));
        for broker_name in ["default", "nowhere"] {
            let url = broker.url("default", broker_name);
            let (status, reason) = sender.send(Method::POST, &url, &headers, body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{headers:?} {body}");
            assert!(!reason.is_empty());
        }
    }
    assert_eq!(broker.counts().received, 0);
}

#[tokio::test]
async fn a_structured_event_is_delivered_in_binary_mode_with_its_data_untouched() {
    let subscriber = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, "")).await;
    let event = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"T\",\
                 \"count\":7,\"data\":{\"n\":12345678901234567890.10}}";
    let headers = [("content-type", "application/cloudevents+json")];
    let url = broker.url("default", "default");

    let answer = Sender::new()
        .send(Method::POST, &url, &headers, event)
        .await;
    assert_eq!(answer, (StatusCode::ACCEPTED, String::new()));
    let got = subscriber.seen().pop().expect("an event");
    assert_eq!(got.header("ce-count"), Some("7"));
    assert_eq!(got.body, "{\"n\":12345678901234567890.10}");
}

#[tokio::test]
async fn an_event_without_hops_left_is_refused() {
    let subscriber = Subscriber::accepting().await;
    let broker = start(&trigger("t", &subscriber.url, "")).await;
    let sender = Sender::new();
    for (hops, status) in [
        ("255", 202),
        ("2", 202),
        ("1", 400),
        ("0", 400),
        ("-5", 400),
        // What is no number is no count.
        ("many", 202),
    ] {
        let got = sender
            .event(&broker, &[("ce-knativebrokerttl", hops)])
            .await;
        assert_eq!(got.as_u16(), status, "{hops}");
    }
    assert_eq!(subscriber.seen().len(), 3);
}

#[tokio::test]
async fn an_event_that_no_trigger_is_for_is_accepted_and_counted() {
    let subscriber = Subscriber::accepting().await;
    let spec = "  filters: [{exact: {type: Other}}]";
    let broker = start(&trigger("t", &subscriber.url, spec)).await;

    assert_eq!(
        Sender::new().event(&broker, &[]).await,
        StatusCode::ACCEPTED
    );
    let counts = broker.counts();
    assert_eq!(
        (counts.received, counts.unmatched, counts.delivered),
        (1, 1, 0)
    );
    assert!(subscriber.seen().is_empty());
}

#[tokio::test]
async fn the_sender_waits_until_the_last_trigger_is_done() {
    let gate = Arc::new(Notify::new());
    let slow = Subscriber::start(Vec::new(), Answer::status(202).once_told(&gate)).await;
    let quick = Subscriber::accepting().await;
    let yaml = [
        trigger("slow", &slow.url, ""),
        trigger("quick", &quick.url, ""),
    ];
    let broker = Arc::new(start(&yaml.concat()).await);

    let sent = tokio::spawn({
        let broker = Arc::clone(&broker);
        async move { Sender::new().event(&broker, &[]).await }
    });
    slow.comes().await;
    quick.comes().await;
    assert!(!sent.is_finished());
    gate.notify_one();
    assert_eq!(sent.await.expect("an answer"), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn stopping_finishes_what_is_in_hand_and_takes_nothing_new() {
    let gate = Arc::new(Notify::new());
    let slow = Subscriber::start(Vec::new(), Answer::status(202).once_told(&gate)).await;
    let broker = start(&trigger("slow", &slow.url, "")).await;
    let (url, address) = (broker.url("default", "default"), broker.address());

    let sent =
        tokio::spawn(async move { Sender::new().send(Method::POST, &url, &EVENT, "").await });
    slow.comes().await;
    let stopping = tokio::spawn(broker.stop());
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    gate.notify_one();
    let (counts, served) = stopping.await.expect("an end");
    assert_eq!(sent.await.expect("an answer").0, StatusCode::ACCEPTED);
    assert_eq!((counts.delivered, served.cut_requests), (1, 0));
}

#[tokio::test]
async fn an_event_beyond_the_greatest_size_is_413() {
    let subscriber = Subscriber::accepting().await;
    let settings = Settings {
        max_event_bytes: 100,
        ..Settings::default()
    };
    let broker = start_with(&trigger("t", &subscriber.url, ""), settings).await;
    let url = broker.url("default", "default");
    let sender = Sender::new();
    for (bytes, status) in [(100, 202), (101, 413), (1_000_000, 413)] {
        let got = sender
            .send(Method::POST, &url, &EVENT, &"x".repeat(bytes))
            .await;
        assert_eq!(got.0.as_u16(), status, "{bytes}");
    }
}
