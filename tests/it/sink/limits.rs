//! Sizes, slowness and memory.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::gateway::{FakeGateway, Fault};
use testkit::request;
use testkit::rules_file::RulesFile;
use tokio::io::AsyncWriteExt;

use super::{HEADERS, connect, read_some, reason};
use crate::support::sink;
#[tokio::test]
async fn an_event_too_large_for_us_or_for_the_engine_is_413_and_reaches_nobody() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let data = json!({"text": "x".repeat(4 * 1024 * 1024 + 10)});
    assert_eq!(bridge.send("Test", "1", &data).await.status, 413);
    // Small enough as a body, too large as a command: its size is checked encoded.
    let data = json!({"text": "x".repeat(4 * 1024 * 1024 - 100)});
    let answered = bridge.send("Test", "2", &data).await;
    assert_eq!(answered.status, 413, "{}", answered.text());
    assert_eq!(gateway.calls("PublishMessage"), 0);
    // And chunked, where no length was announced.
    let mut stream = connect(bridge.url()).await;
    let head = "POST / HTTP/1.1\r\nhost: b\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: T\r\n\
                transfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("a head");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    for _ in 0..6 {
        // It may answer and close before all is written.
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let answer = read_some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_sender_that_is_slow_loses_its_place_and_others_do_not_notice() {
    let gateway = FakeGateway::start().await;
    let settings = [
        ("BRIDGE_HEADER_TIMEOUT_MS", "300"),
        ("BRIDGE_MAX_CONNECTIONS", "8"),
    ];
    let bridge = sink(&gateway, &settings).await;
    let mut slow = Vec::new();
    for index in 0..40 {
        let mut stream = connect(bridge.url()).await;
        // Half a head, or a head and half a body.
        let begin = if index % 2 == 0 {
            "POST / HTTP/1.1\r\nhost: b\r\nce-".to_owned()
        } else {
            format!(
                "POST / HTTP/1.1\r\nhost: b\r\nce-specversion: 1.0\r\nce-id: {index}\r\nce-source: /s\r\n\
                 ce-type: T\r\ncontent-length: 100\r\n\r\n{{"
            )
        };
        // One that lost its place already cannot be written to.
        let _ = stream.write_all(begin.as_bytes()).await;
        slow.push(stream);
    }
    let answered = tokio::time::timeout(
        Duration::from_secs(40),
        bridge.send("Test", "1", &json!({})),
    )
    .await
    .expect("a place among the slow ones");
    assert_eq!(answered.status, 202, "{}", answered.text());
    for stream in &mut slow {
        let answer = tokio::time::timeout(Duration::from_secs(40), read_some(stream))
            .await
            .expect("an end");
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    assert_eq!(gateway.published().len(), 1);
}

#[tokio::test]
async fn memory_is_bounded_whatever_is_thrown_at_it() {
    const BODY: usize = 1 << 20;
    let gateway = FakeGateway::start().await;
    let settings = [
        ("BRIDGE_BODY_BUDGET_BYTES", "8388608"),
        ("BRIDGE_MAX_EVENT_BYTES", "2097152"),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "5"),
        ("BRIDGE_CALL_TIMEOUT_MS", "5000"),
    ];
    let mut bridge = sink(&gateway, &settings).await;
    gateway.fail("PublishMessage", Fault::Hang);
    let id = bridge.program().id().expect("it runs");
    let before = resident_kib(id);
    let body = json!({"text": "x".repeat(BODY)}).to_string();
    let senders: Vec<_> = (0..100)
        .map(|event| {
            let (url, body) = (bridge.url().to_owned(), body.clone());
            tokio::spawn(async move {
                let id = event.to_string();
                let mut headers = HEADERS;
                headers[1].1 = &id;
                request::post(&url, &headers, body).await.status.as_u16()
            })
        })
        .collect();
    let mut most = 0;
    let mut statuses = Vec::new();
    for sender in senders {
        statuses.push(sender.await.expect("an answer"));
        most = most.max(resident_kib(id));
    }
    // 100 MiB were sent at once. The budget is 8 MiB; a body is there up to three times on its way through
    // the stack: as it came, encoded, and in the buffers of the connection.
    let grown = most.saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB, to {most} KiB");
    assert!(
        statuses.iter().all(|status| [429, 503].contains(status)),
        "{statuses:?}"
    );
    assert!(
        statuses.contains(&429),
        "the budget was never exhausted: {statuses:?}"
    );
    gateway.heal("PublishMessage");
    let answered = bridge.send("Test", "later", &json!({})).await;
    assert_eq!(
        answered.status,
        202,
        "the budget is free again: {}",
        answered.text()
    );
}

/// So many rules of the same type, each with this action; `N` in it is the rule's number.
fn many_rules(count: usize, action: &str) -> RulesFile {
    let mut text = String::from("rules:\n");
    for number in 0..count {
        let action = action.replace('N', &number.to_string());
        text.push_str(&format!(
            "  - {{name: r{number}, select: {{type: Test}}, {action}}}\n"
        ));
    }
    RulesFile::new(&text)
}

#[tokio::test]
async fn memory_is_bounded_however_many_rules_bring_all_of_a_large_event() {
    let rules = many_rules(100, "publish: {message: MN}");
    let gateway = FakeGateway::start().await;
    // Each command is on its way until the engine had time to gather all that may be.
    gateway.fail("PublishMessage", Fault::Delay(Duration::from_millis(20)));
    let mut bridge = sink(&gateway, &[("RULES", rules.path())]).await;
    let id = bridge.program().id().expect("it runs");
    let before = resident_kib(id);
    let data = json!({"text": "x".repeat(3 << 20)}).to_string();
    let url = bridge.url().to_owned();
    let sending = tokio::spawn(async move { request::post(&url, &HEADERS, data).await });
    let mut most = 0;
    while !sending.is_finished() {
        most = most.max(resident_kib(id));
        tokio::task::yield_now().await;
    }
    let answered = sending.await.expect("an answer");
    assert!(
        [202, 429].contains(&answered.status.as_u16()),
        "{}",
        answered.text()
    );
    assert!(gateway.calls("PublishMessage") > 1, "they were sent");
    // The event has 3 MiB, and 100 commands bring it.
    let grown = most.saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB, to {most} KiB");
}

#[tokio::test]
async fn commands_that_the_budget_cannot_hold_are_refused_before_they_are_made() {
    let rules = many_rules(100, "publish: {message: MN, variables: {text: =data.text}}");
    let gateway = FakeGateway::start().await;
    let mut bridge = sink(&gateway, &[("RULES", rules.path())]).await;
    let id = bridge.program().id().expect("it runs");
    let before = resident_kib(id);
    let data = json!({"text": "x".repeat(3 << 20)});
    let answered = bridge.send("Test", "1", &data).await;
    assert_eq!(answered.status, 413, "{}", answered.text());
    let reason = reason(&answered);
    assert!(reason.contains("BRIDGE_BODY_BUDGET_BYTES"), "{reason}");
    assert_eq!(gateway.calls("PublishMessage"), 0, "none runs");
    let grown = peak_kib(id).saturating_sub(before);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB");
    // What fits goes through, and the budget is free again.
    let answered = bridge.send("Test", "2", &json!({"text": "x"})).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.published().len(), 100);
}

#[tokio::test]
async fn a_request_that_leads_to_too_many_commands_is_refused_and_none_runs() {
    let rules = many_rules(2, "publish: {message: MN}");
    let gateway = FakeGateway::start().await;
    let settings = [
        ("RULES", rules.path()),
        ("BRIDGE_MAX_COMMANDS_PER_REQUEST", "5"),
    ];
    let bridge = sink(&gateway, &settings).await;
    let batch = |events: usize| {
        let event = |id| json!({"specversion": "1.0", "id": id, "source": "/s", "type": "Test"});
        let events: Vec<Value> = (0..events).map(|id| event(id.to_string())).collect();
        let headers = [("content-type", "application/cloudevents-batch+json")];
        let url = bridge.url().to_owned();
        async move { request::post(&url, &headers, json!(events).to_string()).await }
    };
    let answered = batch(3).await;
    assert_eq!(answered.status, 422, "{}", answered.text());
    let reason = reason(&answered);
    assert!(
        reason.contains("BRIDGE_MAX_COMMANDS_PER_REQUEST") && reason.contains("5 commands"),
        "{reason}"
    );
    assert_eq!(gateway.calls("PublishMessage"), 0, "none runs");
    let answered = batch(2).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.published().len(), 4);
}

/// The most that was ever resident.
fn peak_kib(id: u32) -> u64 {
    memory_kib(id, "VmHWM:")
}

fn resident_kib(id: u32) -> u64 {
    memory_kib(id, "VmRSS:")
}

fn memory_kib(id: u32, what: &str) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{id}/status")).expect("the program's status");
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix(what)?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .expect("a resident size")
}
