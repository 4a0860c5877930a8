use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use demo::watch;
use http::{Method, StatusCode};
use runtime::shutdown::Shutdown;

use crate::support::Sender;

/// Any free port.
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

#[tokio::test]
async fn every_event_is_accepted_and_told_in_one_line() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let shutdown = Shutdown::new(Duration::from_secs(5));
    let tell = {
        let lines = Arc::clone(&lines);
        move |line: &str| lines.lock().expect("no panic").push(line.to_owned())
    };
    let watching = watch::start(LOCAL, tell, shutdown.clone())
        .await
        .expect("a port");
    let url = format!("http://{}/", watching.address());
    let sender = Sender::new();
    let event = |more: &[(&'static str, String)]| {
        let mut headers = vec![
            ("ce-specversion", "1.0".to_owned()),
            ("ce-id", "1".to_owned()),
            ("ce-source", "/test".to_owned()),
            ("ce-type", "Tickets.Emitted".to_owned()),
        ];
        headers.extend_from_slice(more);
        headers
    };
    let dead = [
        ("ce-knativeerrordest", "http://127.0.0.1:9/".to_owned()),
        ("ce-knativeerrorcode", "422".to_owned()),
        ("ce-knativeerrordata", STANDARD.encode("no rule\nfor this")),
    ];
    for (headers, body) in [
        (event(&[]), ""),
        (
            event(&[("ce-subject", "r-1".to_owned())]),
            "{\"seats\":\n2}",
        ),
        (event(&[]), "\u{1b}[2Jcleared"),
        (event(&dead), ""),
    ] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (status, answer) = sender.send(Method::POST, &url, &headers, body).await;
        assert_eq!((status, answer.as_str()), (StatusCode::ACCEPTED, ""));
    }
    let (status, reason) = sender.send(Method::POST, &url, &[], "no event").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(reason.contains("specversion"), "{reason}");
    let books = sender
        .send(Method::GET, &format!("{url}books"), &[], "")
        .await;
    assert_eq!(books, (StatusCode::OK, "{\"seen\":4}".to_owned()));
    let page = sender.send(Method::GET, &url, &[], "").await;
    let told = lines.lock().expect("no panic").join("\n") + "\n";
    assert_eq!(page, (StatusCode::OK, told));

    shutdown.request();
    let _ = watching.stopped().await;
    assert_eq!(
        *lines.lock().expect("no panic"),
        [
            "Tickets.Emitted",
            "Tickets.Emitted  r-1  {\"seats\": 2}",
            "Tickets.Emitted   [2Jcleared",
            "Tickets.Emitted  (422 from http://127.0.0.1:9/: no rule for this)",
        ]
    );
}

#[tokio::test]
async fn the_last_events_can_be_given_again_as_they_came() {
    let first = Watcher::start().await;
    let again = Watcher::start().await;
    let sender = Sender::new();
    for number in 0..120 {
        let id = number.to_string();
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", &id),
            ("ce-source", "/test"),
            ("ce-type", "Tickets.Held"),
            ("ce-knativeerrorcode", "422"),
        ];
        let (status, _) = sender
            .send(Method::POST, &first.url, &headers, "{\"seats\":2}")
            .await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let events = format!("{}events", first.url);
    let (status, batch) = sender.send(Method::GET, &events, &[], "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(batch.contains("\"id\":\"119\""), "{batch}");
    assert!(!batch.contains("\"id\":\"19\""), "only the last 100");

    let content_type = [("content-type", "application/cloudevents-batch+json")];
    let (status, reason) = sender
        .send(Method::POST, &again.url, &content_type, &batch)
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reason}");
    let (_, one) = sender.send(Method::GET, &first.url, &[], "").await;
    let (_, other) = sender.send(Method::GET, &again.url, &[], "").await;
    assert_eq!(one, other);
    assert_eq!(one.lines().count(), 100);
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_bytes() {
    let watcher = Watcher::start().await;
    let sender = Sender::new();
    let data = "x".repeat(4 * 1024 * 1024);
    for id in ["1", "2", "3", "4", "5"] {
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-source", "/test"),
            ("ce-type", "Tickets.Held"),
        ];
        let (status, _) = sender
            .send(Method::POST, &watcher.url, &headers, &data)
            .await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let (_, page) = sender.send(Method::GET, &watcher.url, &[], "").await;
    assert_eq!(page.lines().count(), 4);
}

/// A watcher that tells nobody; it ends with this.
struct Watcher {
    url: String,
    shutdown: Shutdown,
}

impl Watcher {
    async fn start() -> Self {
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let watching = watch::start(LOCAL, |_| (), shutdown.clone())
            .await
            .expect("a port");
        Self {
            url: format!("http://{}/", watching.address()),
            shutdown,
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}
