use std::time::Duration;

use eventing::{Attempt, NotReached, Sender, SenderSettings};
use testkit::certificates::Authority;
use testkit::destination::{Answer, Destination};
use tokio::net::TcpListener;

use crate::harness::{PATIENCE, SHORT, message, sender, soon, uri};

/// One attempt that gets no answer: its kind and its words.
async fn silence(sender: &Sender, to: &str, timeout: Duration) -> (NotReached, String) {
    match soon(sender.send(&uri(to), message("1"), timeout)).await {
        Attempt::NotReached { why, detail } => (why, detail),
        other => panic!("{to}: {other:?}"),
    }
}

fn impatient() -> Sender {
    Sender::new(&SenderSettings {
        connect_timeout: SHORT,
        ..SenderSettings::default()
    })
    .unwrap()
}

#[tokio::test]
async fn where_nobody_listens_the_attempt_is_refused() {
    let mut destination = Destination::accepting().await;
    let url = destination.url();
    destination.stop().await;
    for url in [url.clone(), url.replace("http:", "https:")] {
        let (why, detail) = silence(&sender(), &url, PATIENCE).await;
        assert_eq!(why, NotReached::Refused, "{detail}");
        assert!(detail.contains("onnection refused"), "{detail}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_told_from_other_trouble() {
    // Longer than a label may be: no name server is asked.
    let host = "x".repeat(64);
    let (why, detail) = silence(&sender(), &format!("http://{host}.invalid/"), PATIENCE).await;
    assert_eq!(why, NotReached::Dns, "{detail}");
}

#[tokio::test]
async fn a_destination_that_does_not_speak_tls_has_no_tls_session() {
    let destination = Destination::accepting().await;
    let url = destination.url().replace("http:", "https:");
    let (why, detail) = silence(&sender(), &url, PATIENCE).await;
    assert_eq!(why, NotReached::Tls, "{detail}");
    assert!(destination.received().is_empty());
}

#[tokio::test]
async fn a_destination_that_never_shakes_hands_is_away_once_the_time_for_connecting_is_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    // The kernel takes the connection; nobody says a word of TLS.
    let (why, detail) = silence(&impatient(), &url, Duration::from_secs(3600)).await;
    assert_eq!(why, NotReached::Unreachable);
    assert!(detail.contains("no connection within 0.1 s"), "{detail}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_a_timeout_and_not_a_lack_of_connection() {
    let destination = Destination::start(|_| Answer::Never).await;
    let sender = impatient();
    let (why, detail) = silence(&sender, &destination.url(), Duration::from_millis(300)).await;
    assert_eq!(why, NotReached::TimedOut);
    assert_eq!(detail, "no answer within 0.3 s");
    assert_eq!(destination.received().len(), 1);
}

#[tokio::test]
async fn the_time_for_connecting_does_not_limit_the_answer() {
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_millis(300), Box::new(Answer::Status(202)))
    })
    .await;
    let attempt = impatient()
        .send(&uri(&destination.url()), message("1"), PATIENCE)
        .await;
    assert!(matches!(attempt, Attempt::Accepted { .. }), "{attempt:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_request_is_lost_over_tls_too() {
    let authority = Authority::new("ours");
    let identity = authority.issue(&["127.0.0.1"]);
    let sender = Sender::new(&SenderSettings {
        ca_certs: Some(authority.certificate()),
        ..SenderSettings::default()
    })
    .unwrap();
    for alpn in ["http/1.1", "h2"] {
        let destination = Destination::start_tls(&identity, &[alpn], |_| Answer::Cut).await;
        let (why, detail) = silence(&sender, &destination.url(), PATIENCE).await;
        assert_eq!(why, NotReached::ConnectionLost, "{alpn}: {detail}");
        assert_eq!(destination.received().len(), 1, "{alpn}");
    }
}
