//! Every kind of answer: given by the bridge, played back to the filter.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination};
use testkit::request::{self, Answered};
use testkit::rules_file::RulesFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ALL_ATTEMPTS, MAX_EVENT_BYTES, NOBODY, assert_tells, one_trigger, with_id};
use crate::bridge::sink;

/// What an answer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// One attempt, and that was it.
    Delivered,
    /// All attempts, then the dead letter sink.
    Retried,
    /// One attempt, then the dead letter sink.
    DeadLetter,
}

#[tokio::test]
async fn the_filter_takes_each_answer_of_the_sink_for_what_it_is_meant_to_be() {
    let mut rows: BTreeMap<&str, (Answered, Effect)> = answers_of_the_bridge().await;
    let with_body = Answered {
        status: http::StatusCode::OK,
        headers: http::HeaderMap::new(),
        body: Bytes::from_static(b"OK!"),
    };
    // Why an accepted event is answered with an empty body.
    rows.insert("OK, with a body", (with_body, Effect::Retried));

    let script: Arc<BTreeMap<String, Answer>> = Arc::new(
        rows.iter()
            .map(|(name, (answered, _))| ((*name).to_owned(), played_back(answered)))
            .collect(),
    );
    let subscriber = Destination::start(move |event| script[event.id()].clone()).await;
    let dead_letters = Destination::accepting().await;
    let dataplane = one_trigger(&subscriber, &dead_letters).await;

    for name in rows.keys() {
        let answered = dataplane.send("Answers.Asked", name, &json!({})).await;
        assert_eq!(answered.status, 202, "{name}");
    }
    // The Broker has answered after all attempts and dead letters: nothing more comes.
    for (name, (answered, effect)) in &rows {
        let attempts = with_id(&subscriber, name).len();
        let dead = with_id(&dead_letters, name);
        let seen = match (attempts, dead.len()) {
            (1, 0) => Effect::Delivered,
            (ALL_ATTEMPTS, 1) => Effect::Retried,
            (1, 1) => Effect::DeadLetter,
            other => panic!("{name}: {other:?} attempts and dead letters"),
        };
        assert_eq!(seen, *effect, "{name}: {}", answered.status);
        // A 2xx with a body is a failure of the filter's own, which tells the dead letter sink nothing.
        if let Some(dead) = dead.first().filter(|_| !answered.status.is_success()) {
            assert_eq!(dead.header("ce-knativeerrordest"), Some(&*subscriber.url()));
            assert_tells(dead, answered.status.as_u16(), &answered.body);
        }
    }
}

/// Each kind of answer, from the bridge itself, with what it is meant to lead to.
async fn answers_of_the_bridge() -> BTreeMap<&'static str, (Answered, Effect)> {
    let rules = RulesFile::new(
        "rules: [{name: asked, select: {type: Answers.Known}, publish: {message: Answers.Known}}]",
    );
    let rules = rules.path();
    let limit = MAX_EVENT_BYTES.to_string();
    let settings = [
        ("ZEEBE_GRPC_ADDRESS", NOBODY),
        ("RULES", rules),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
        ("BRIDGE_MAX_EVENT_BYTES", &limit),
        ("BRIDGE_BODY_BUDGET_BYTES", &limit),
    ];
    let accepting = sink(&settings).await;
    let refusing = sink(&[&settings[..], &[("BRIDGE_NO_RULE", "refuse")]].concat()).await;

    let bad = request::post(refusing.url(), &[("ce-specversion", "1.0")], "{}").await;
    let too_large = json!({"filling": "x".repeat(MAX_EVENT_BYTES)});
    let too_large = refusing.send("Answers.Known", "1", &too_large).await;
    let xml = [("content-type", "application/cloudevents+xml")];
    let unsupported = request::post(refusing.url(), &xml, "<event/>").await;
    let no_rule = refusing.send("Answers.Unknown", "1", &json!({})).await;
    let away = refusing.send("Answers.Known", "1", &json!({})).await;
    let taken = accepting.send("Answers.Unknown", "1", &json!({})).await;
    let (too_slow, crowded_out) = stalled_and_beside(&refusing).await;

    let rows = BTreeMap::from([
        ("accepted", (taken, 202, Effect::Delivered)),
        ("bad event", (bad, 400, Effect::DeadLetter)),
        ("too slow", (too_slow, 408, Effect::Retried)),
        ("too large", (too_large, 413, Effect::DeadLetter)),
        ("unsupported", (unsupported, 415, Effect::DeadLetter)),
        ("no rule", (no_rule, 422, Effect::DeadLetter)),
        ("crowded out", (crowded_out, 429, Effect::Retried)),
        ("engine away", (away, 503, Effect::Retried)),
    ]);
    rows.into_iter()
        .map(|(name, (answered, status, effect))| {
            assert_eq!(answered.status, status, "{name}: {}", answered.text());
            if effect == Effect::Delivered {
                assert!(answered.body.is_empty(), "{name}: {}", answered.text());
            } else {
                let reason: serde_json::Value =
                    serde_json::from_slice(&answered.body).expect("a reason in JSON");
                assert!(reason["error"].is_string(), "{name}: {reason}");
            }
            let asks_to_wait = answered.header("retry-after").is_some();
            assert_eq!(asks_to_wait, matches!(status, 429 | 503), "{name}");
            (name, (answered, effect))
        })
        .collect()
}

/// What a sender is answered that stalls before its last byte while it holds the budget of all, and what
/// another one is answered meanwhile.
async fn stalled_and_beside(bridge: &Bridge) -> (Answered, Answered) {
    let address = bridge
        .url()
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let mut stalled = TcpStream::connect(address)
        .await
        .expect("the bridge listens");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: /tests\r\n\
         ce-type: Answers.Known\r\nconnection: close\r\ncontent-length: {MAX_EVENT_BYTES}\r\n\r\n"
    );
    let begun = head + &"x".repeat(MAX_EVENT_BYTES - 1);
    stalled
        .write_all(begun.as_bytes())
        .await
        .expect("the bridge reads");
    let beside = bridge.send("Answers.Known", "2", &json!({})).await;
    let mut answer = String::new();
    stalled
        .read_to_string(&mut answer)
        .await
        .expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let too_slow = Answered {
        status: status.unwrap_or_else(|| panic!("no status: {head}")),
        headers: http::HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    (too_slow, beside)
}

/// An answer, to be given again.
fn played_back(answered: &Answered) -> Answer {
    let mut response = Response::new(answered.body.clone());
    *response.status_mut() = answered.status;
    for name in [http::header::CONTENT_TYPE, http::header::RETRY_AFTER] {
        if let Some(value) = answered.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Answer::Response(response)
}
