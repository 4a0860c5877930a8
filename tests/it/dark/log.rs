use serde_json::{Value, json};
use testkit::bridge::Bridge;
use testkit::gateway::FakeGateway;
use testkit::request;

use crate::config::read;
use crate::support::{EXECUTABLE, sink};

/// Starts the sink with an admin port; returns it with that port's pages.
async fn with_admin_port(gateway: &FakeGateway) -> (Bridge, String) {
    let address = gateway.address();
    let settings = [
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("BRIDGE_ADMIN_PORT", "0"),
        ("BRIDGE_DECISIONS_KEPT", "10"),
    ];
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    let admin = bridge
        .program()
        .wait_for_log("the admin port", |line| {
            Some(line["admin"].as_str()?.to_owned())
        })
        .await;
    (bridge, format!("http://{admin}/debug"))
}

fn page(answered: &request::Answered) -> Value {
    serde_json::from_slice(&answered.body).expect("JSON")
}

#[tokio::test]
async fn the_log_filter_is_changed_on_the_admin_port_while_the_program_runs() {
    let gateway = FakeGateway::start().await;
    let (mut bridge, debug) = with_admin_port(&gateway).await;
    let url = format!("{debug}/log");
    let changed = request::post(&url, &[], "info,eventing_zeebe::sink=debug\n").await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(
        page(&changed),
        json!({"old": "info", "new": "info,eventing_zeebe::sink=debug"})
    );
    assert_eq!(
        page(&request::get(&url).await),
        json!({"filter": "info,eventing_zeebe::sink=debug"})
    );
    // A command that the engine does not take has a line at this level alone.
    for _ in 0..2 {
        assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    }
    bridge
        .program()
        .wait_for_log("a line of the new level", |line| {
            (line["level"] == "DEBUG").then_some(())
        })
        .await;
}

#[tokio::test]
async fn whoever_silences_the_log_leaves_a_line_of_it() {
    let gateway = FakeGateway::start().await;
    let (mut bridge, debug) = with_admin_port(&gateway).await;
    let url = format!("{debug}/log");
    for (old, new) in [("info", "warn"), ("warn", "off")] {
        let changed = request::post(&url, &[], new).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        bridge
            .program()
            .wait_for_log("who changed what", |line| {
                let is_it = line["level"] == "WARN" && line["old"] == old && line["new"] == new;
                is_it.then_some(())
            })
            .await;
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_used_is_refused_and_nothing_changes() {
    let gateway = FakeGateway::start().await;
    let (_bridge, debug) = with_admin_port(&gateway).await;
    let url = format!("{debug}/log");
    let long = "x".repeat(100_000);
    for (body, status) in [
        ("debgu", 400),
        ("info,h2=loud", 400),
        ("", 400),
        (&*long, 413),
    ] {
        let answered = request::post(&url, &[], body.to_owned()).await;
        assert_eq!(answered.status, status, "{}", answered.text());
        assert!(page(&answered)["error"].is_string());
    }
    assert_eq!(page(&request::get(&url).await), json!({"filter": "info"}));
}

#[tokio::test]
async fn nobody_changes_the_log_over_the_port_that_events_come_to() {
    let gateway = FakeGateway::start().await;
    let bridge = sink(&gateway, &[]).await;
    let url = format!("{}debug/log", bridge.url());
    assert_eq!(request::post(&url, &[], "trace").await.status, 404);
    let (bridge, debug) = with_admin_port(&gateway).await;
    for path in ["debug/log", "debug/decisions"] {
        assert_eq!(bridge.get(path).await.status, 404, "{path}");
    }
    let decisions = format!("{debug}/decisions");
    assert_eq!(request::get(&decisions).await.status, 200);
    assert_eq!(request::post(&decisions, &[], "").await.status, 405);
}

#[tokio::test]
async fn pages_left_on_the_port_of_events_are_warned_about_at_start_with_the_variable_that_moves_them()
 {
    let gateway = FakeGateway::start().await;
    let mut open = sink(&gateway, &[("BRIDGE_DECISIONS_KEPT", "10")]).await;
    let said = warnings(&mut open);
    assert_eq!(said.len(), 1, "{said:?}");
    for word in [
        "BRIDGE_DECISIONS_KEPT is 10",
        "may read /debug/decisions, without a token",
        "set BRIDGE_ADMIN_PORT",
    ] {
        assert!(said[0].contains(word), "`{word}` is not in {}", said[0]);
    }
    assert_eq!(open.get("debug/decisions").await.status, 200);
    let (mut apart, _debug) = with_admin_port(&gateway).await;
    assert_eq!(warnings(&mut apart), [""; 0]);
}

#[test]
fn pages_that_ask_for_no_token_on_the_port_of_events_are_warned_about() {
    let tokens = [
        ("BRIDGE_OIDC_ISSUER", "https://issuer.test"),
        ("BRIDGE_OIDC_AUDIENCE", "us"),
    ];
    for (settings, variable) in [
        (
            &[("BRIDGE_DECISIONS_KEPT", "1")][..],
            "BRIDGE_DECISIONS_KEPT",
        ),
        (&tokens[..], "BRIDGE_OIDC_ISSUER"),
    ] {
        let warnings = read(settings).expect("read").warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with(variable), "{warnings:?}");
        assert!(warnings[0].contains("BRIDGE_ADMIN_PORT"), "{warnings:?}");
        let apart = [settings, &[("BRIDGE_ADMIN_PORT", "9095")]].concat();
        assert!(read(&apart).expect("read").warnings.is_empty());
    }
}

/// What a program that listens has warned about as to its ports.
fn warnings(bridge: &mut Bridge) -> Vec<String> {
    let output = bridge.program().output();
    let lines = output
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["level"] == "WARN")
        .map(|line| line.to_string())
        .filter(|line| line.contains("BRIDGE_ADMIN_PORT"))
        .collect()
}
