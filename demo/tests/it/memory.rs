use std::sync::Arc;
use std::time::Duration;

use demo::broker::Settings;
use http::{Method, StatusCode};
use tokio::sync::Notify;

use crate::support::{Answer, Sender, Subscriber, start_with, trigger};

const EVENT: [(&str, &str); 4] = [
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/test"),
    ("ce-type", "T"),
];

#[tokio::test]
async fn events_in_hand_share_one_budget_and_who_finds_no_room_gets_503() {
    let gate = Arc::new(Notify::new());
    let held = Answer::status(202).once_told(&gate);
    let subscriber = Subscriber::start(vec![held], Answer::status(202)).await;
    let settings = Settings {
        budget_bytes: 100_000,
        patience: Duration::from_millis(20),
        ..Settings::default()
    };
    let broker = start_with(&trigger("t", &subscriber.url, ""), settings).await;
    let url = broker.url("default", "default");
    let body = "x".repeat(60_000);
    let sender = Sender::new();

    let first = tokio::spawn({
        let (sender, url, body) = (sender.clone(), url.clone(), body.clone());
        async move { sender.send(Method::POST, &url, &EVENT, &body).await.0 }
    });
    subscriber.comes().await;
    let (status, reason) = sender.send(Method::POST, &url, &EVENT, &body).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reason.contains("budget"), "{reason}");
    // A small one still finds room.
    let (status, _) = sender.send(Method::POST, &url, &EVENT, "small").await;
    assert_eq!(status, StatusCode::ACCEPTED);

    gate.notify_one();
    assert_eq!(first.await.expect("an answer"), StatusCode::ACCEPTED);
    let (status, _) = sender.send(Method::POST, &url, &EVENT, &body).await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn events_without_data_take_room_too() {
    let gate = Arc::new(Notify::new());
    let subscriber = Subscriber::start(Vec::new(), Answer::status(202).once_told(&gate)).await;
    let settings = Settings {
        budget_bytes: 4 * 16 * 1024,
        patience: Duration::from_millis(20),
        ..Settings::default()
    };
    let broker = start_with(&trigger("t", &subscriber.url, ""), settings).await;
    let url = broker.url("default", "default");
    let sender = Sender::new();
    let sends = (0..4).map(|_| {
        let (sender, url) = (sender.clone(), url.clone());
        tokio::spawn(async move { sender.send(Method::POST, &url, &EVENT, "").await.0 })
    });
    let sends: Vec<_> = sends.collect();
    while subscriber.seen().len() < 4 {
        subscriber.comes().await;
    }
    let (status, _) = sender.send(Method::POST, &url, &EVENT, "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    for send in sends {
        gate.notify_one();
        assert_eq!(send.await.expect("an answer"), StatusCode::ACCEPTED);
    }
}
