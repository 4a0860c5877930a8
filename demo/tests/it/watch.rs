use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use demo::watch;
use http::{Method, StatusCode};
use runtime::shutdown::Shutdown;

use crate::support::Sender;

#[tokio::test]
async fn every_event_is_accepted_and_told_in_one_line() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let shutdown = Shutdown::new(Duration::from_secs(5));
    let tell = {
        let lines = Arc::clone(&lines);
        move |line: &str| lines.lock().expect("no panic").push(line.to_owned())
    };
    let watching = watch::start(0, tell, shutdown.clone())
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
