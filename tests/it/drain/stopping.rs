//! The program stops: a rollout, a node that is emptied, a pod that scales down.

use std::time::Duration;

use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, JobState};
use testkit::request;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{PING, asleep, begun, jobs, said, url};

#[tokio::test]
async fn a_stop_answers_the_drain_once_all_in_hand_is_finished_or_handed_back() {
    const JOBS: usize = 60;
    let gateway = FakeGateway::start().await;
    // Some outlast the grace.
    let destination = Destination::start(|received| {
        let item = received.json()["item"].as_u64().unwrap_or_default();
        if item.is_multiple_of(4) {
            Answer::Never
        } else {
            Answer::After(Duration::from_millis(50), Box::new(Answer::Status(202)))
        }
    })
    .await;
    let settings = [
        ("BRIDGE_GRACE_SECONDS", "4"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "20"),
    ];
    let mut bridge = asleep(&gateway, &destination, &settings).await;
    gateway.add_jobs(jobs(JOBS));
    let asking = begun(&mut bridge).await;
    destination.wait_for_count(25).await;
    bridge.program().terminate();
    let answered = asking.await.expect("no panic").expect("an answer");
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert!(answered.body.is_empty());
    // At the time of the answer, not only at the end.
    assert_eq!(gateway.jobs(JobState::Activated), 0);
    let status = bridge.program().ended().await;
    let printed = bridge.program().output().join("\n");
    assert_eq!(status.code(), Some(0), "{printed}");
    let (done, left) = (
        gateway.jobs(JobState::Completed),
        gateway.jobs(JobState::Activatable),
    );
    assert_eq!(done + left, JOBS, "{printed}");
    assert!(done >= 5 && left >= 5, "{done} done, {left} left");
}

#[tokio::test]
async fn what_comes_after_the_signal_is_refused_or_503_and_what_came_before_is_answered() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Never).await;
    let mut bridge = asleep(&gateway, &destination, &[]).await;
    gateway.add_jobs(jobs(1));
    // Two requests whose bodies are still to come when the signal does.
    let mut event = half_sent(&bridge, "/").await;
    let mut wake_up = half_sent(&bridge, "/drain").await;
    let asking = begun(&mut bridge).await;
    destination.wait_for_count(1).await;
    bridge.program().terminate();
    said(
        &mut bridge,
        "shutdown requested; a second signal leaves at once",
    )
    .await;
    // The port is closed at once, for who comes new.
    until_refused(&url(&bridge)).await;
    for stream in [&mut event, &mut wake_up] {
        stream
            .write_all(b"}")
            .await
            .expect("the connection is kept");
    }
    let answer = crate::sink::read_some(&mut event).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(gateway.published().len(), 1);
    let answer = crate::sink::read_some(&mut wake_up).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    // The delivery under way is cut off, so its job is handed back.
    drop(destination);
    let answered = asking.await.expect("no panic").expect("an answer");
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(bridge.program().ended().await.code(), Some(0));
    assert_eq!(gateway.jobs(JobState::Activated), 0);
}

/// A request but for the last byte of its body.
async fn half_sent(bridge: &testkit::bridge::Bridge, path: &str) -> TcpStream {
    let mut stream = crate::sink::connect(bridge.url()).await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: b\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\n\
         ce-type: T\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.expect("a head");
    stream
}

/// Asks until nobody listens.
async fn until_refused(url: &str) {
    let mut attempts = 0;
    while let Ok(answered) = request::try_send(http::Method::POST, url, &PING, "{}").await {
        assert_eq!(answered.status, 503, "{}", answered.text());
        attempts += 1;
        assert!(attempts < 1000, "it listens on");
    }
}
