use std::process::Stdio;

use serde_json::json;
use testkit::destination::{Answer, Destination, Received};
use testkit::scenario::{Scenario, workspace};
use tokio::process::Command;

use super::answers::{DROPPED, came, log, lose, place};
use super::engine::{metric, publish, settled, until};
use super::telling;

fn is_let_in(event: &Received) -> bool {
    event.header("authorization") == Some("Bearer second")
}

#[tokio::test]
async fn a_token_is_read_for_each_attempt_and_an_event_waits_while_there_is_none_that_is_good() {
    let events =
        Destination::start(|event| Answer::Status(if is_let_in(event) { 202 } else { 401 })).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    let path = file.to_str().expect("text");
    let argument = ("ZEEBE_BROKER_EXPORTERS_EVENTS_ARGS_TOKENFILE", path);
    // As Kubernetes writes one: whole, in the place of the one before.
    let write = |token: &str| {
        let aside = folder.path().join("aside");
        std::fs::write(&aside, token).expect("a file can be written");
        std::fs::rename(&aside, &file).expect("a file can be moved");
    };
    write("two\nlines");
    let zeebe = telling("told-token", &events.url(), &[argument]).await;
    let scenario = Scenario::new(&zeebe, "token");
    lose(&scenario, "Lost").await;
    // Nothing goes out without a token, and the log names the file that has none, and not what it has.
    let line = format!("what is in {path} is no token");
    until("a line of the log", async || {
        log(&zeebe).contains(&line).then_some(())
    })
    .await;
    assert!(events.received().is_empty());
    assert!(!log(&zeebe).contains("two"), "it may be a secret");
    write("first\n");
    let refused = came(&events, "Lost", 1).await;
    assert_eq!(refused.header("authorization"), Some("Bearer first"));
    write("second\n");
    settled(&zeebe, place(&refused)).await;
    let sent = events.received();
    assert!(sent.iter().any(is_let_in));
    assert!(sent.iter().all(|one| one.header("authorization").is_some()));
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    zeebe.stop().await;
}

#[tokio::test]
async fn a_correlation_key_is_told_where_that_was_asked_for() {
    let events = Destination::accepting().await;
    let asked = ("ZEEBE_BROKER_EXPORTERS_EVENTS_ARGS_CORRELATIONKEYS", "true");
    let zeebe = telling("told-keys", &events.url(), &[asked]).await;
    let scenario = Scenario::new(&zeebe, "keys");
    publish(&scenario, "Lost", "customer-7", 0).await;
    let lost = came(&events, "Lost", 1).await;
    assert_eq!(lost.json()["correlationKey"], json!("customer-7"));
    zeebe.stop().await;
}

#[tokio::test]
async fn a_broker_whose_exporter_has_a_wrong_argument_does_not_start_and_says_which() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let started = Command::new(workspace().join("scripts/zeebe"))
        .args(["start", "broker", "--events-to", "broker.example", "--run"])
        .arg(run.path().join("run"))
        .args(["--owner", &std::process::id().to_string()])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("scripts/zeebe can be run");
    assert!(!started.status.success());
    let said = String::from_utf8_lossy(&started.stderr);
    let expected = "`url` must be the http or https address of a Broker, not `broker.example`";
    assert!(said.contains(expected), "{said}");
}
