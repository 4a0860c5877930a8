//! What each answer of the sink leads to, read off Knative's own filter. Where the bridge can be brought to
//! an answer behind a Broker, it is; the others are taken from the bridge itself and played back byte for
//! byte, as what leads to them cannot pass the ingress or takes a sender that stalls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Response;
use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination, Received};
use testkit::request::{self, Answered};
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bridge::sink;
use crate::dataplane::{Dataplane, Manifests, QUICK, Trigger};
use testkit::rules_file::RulesFile;

/// The attempts that [`QUICK`] allows.
const ALL_ATTEMPTS: usize = 3;
/// The largest event that the bridge of this scenario takes.
const MAX_EVENT_BYTES: usize = 1024;
/// The longest body of a refusal, as `receive.rs` has it.
const LONGEST_REASON: usize = 768;
/// An address where nobody listens: port 1 is no port for users.
const NOBODY: &str = "http://127.0.0.1:1";

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

fn with_id(destination: &Destination, id: &str) -> Vec<Received> {
    let mut all = destination.received();
    all.retain(|event| event.id() == id);
    all
}

/// The dead letter names the status, and has the whole reason.
fn assert_tells(dead: &Received, status: u16, reason: &[u8]) {
    assert_eq!(
        dead.header("ce-knativeerrorcode"),
        Some(&*status.to_string()),
        "{dead:?}"
    );
    let data = dead.header("ce-knativeerrordata").expect("a reason");
    let data = BASE64_STANDARD.decode(data).expect("base64");
    assert_eq!(
        String::from_utf8_lossy(&data),
        String::from_utf8_lossy(reason)
    );
}

async fn one_trigger(subscriber: &Destination, dead_letters: &Destination) -> Dataplane {
    let manifests = Manifests::of(&[Trigger {
        name: "answers",
        types: &[],
        subscriber: "subscriber",
        delivery: QUICK,
    }]);
    Dataplane::start(
        manifests.path(),
        &[
            ("Service/subscriber", &subscriber.url()),
            ("Service/dead-letters", &dead_letters.url()),
        ],
    )
    .await
}

#[tokio::test]
async fn the_bridge_behind_a_broker_takes_refuses_and_asks_to_come_again() {
    let zeebe = Zeebe::shared().await;
    let scenario = Scenario::new(zeebe, "answers");
    let rules = RulesFile::new(&format!(
        "rules: [{{name: known, select: {{type: Answers.Known, when: data.quantity > 0}}, publish: {{message: {}}}}}]",
        scenario.of("known")
    ));
    let rules = rules.path();
    let limit = MAX_EVENT_BYTES.to_string();
    let settings = [
        ("RULES", rules),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "0"),
        ("BRIDGE_MAX_EVENT_BYTES", &limit),
    ];
    let bridge = sink(&[&settings[..], &[("ZEEBE_GRPC_ADDRESS", zeebe.gateway())]].concat()).await;
    let lonely = sink(&[&settings[..], &[("ZEEBE_GRPC_ADDRESS", NOBODY)]].concat()).await;
    bridge.ready().await;
    let dead_letters = Destination::accepting().await;

    for (bridge, name, data, status, attempts) in [
        (&bridge, "taken", json!({"quantity": 1}), 202, 1),
        (&bridge, "unwanted", json!({"quantity": 0}), 202, 1),
        (&bridge, "incomplete", json!({}), 422, 1),
        (
            &bridge,
            "too large",
            json!({"filling": "x".repeat(MAX_EVENT_BYTES)}),
            413,
            1,
        ),
        (
            &lonely,
            "engine away",
            json!({"quantity": 1}),
            503,
            ALL_ATTEMPTS,
        ),
    ] {
        let before = answered_with(bridge, status).await;
        let manifests = Manifests::of(&[Trigger {
            name: "answers",
            types: &[],
            subscriber: "subscriber",
            delivery: QUICK,
        }]);
        let dataplane = Dataplane::start(
            manifests.path(),
            &[
                ("Service/subscriber", bridge.url()),
                ("Service/dead-letters", &dead_letters.url()),
            ],
        )
        .await;
        let answered = dataplane.send("Answers.Known", name, &data).await;
        assert_eq!(answered.status, 202, "{name}");
        let answers = answered_with(bridge, status).await - before;
        assert_eq!(answers, attempts as f64, "{name}: answers with {status}");
        let dead = with_id(&dead_letters, name);
        assert_eq!(dead.len(), usize::from(status != 202), "{name}: {dead:#?}");
        if let Some(dead) = dead.first() {
            let direct = bridge.send("Answers.Known", name, &data).await;
            assert_eq!(direct.status, status, "{name}");
            assert_tells(dead, status, &direct.body);
        }
    }
}

async fn answered_with(bridge: &Bridge, status: u16) -> f64 {
    let status = status.to_string();
    bridge
        .metric_of("bridge_sink_requests_total", &[("status", &status)])
        .await
}

#[tokio::test]
async fn what_was_refused_for_now_is_delivered_once_it_is_taken() {
    let subscriber = Destination::accepting().await;
    let dead_letters = Destination::accepting().await;
    let dataplane = one_trigger(&subscriber, &dead_letters).await;
    for status in [408, 429, 503] {
        let id = status.to_string();
        let refusals = std::sync::atomic::AtomicUsize::new(ALL_ATTEMPTS - 1);
        subscriber.answer(move |_| {
            let left = refusals.fetch_update(
                std::sync::atomic::Ordering::Relaxed,
                std::sync::atomic::Ordering::Relaxed,
                |left| left.checked_sub(1),
            );
            Answer::Status(if left.is_ok() { status } else { 202 })
        });
        let answered = dataplane.send("Answers.Asked", &id, &json!({})).await;
        assert_eq!(answered.status, 202, "{status}");
        assert_eq!(with_id(&subscriber, &id).len(), ALL_ATTEMPTS, "{status}");
    }
    assert!(dead_letters.received().is_empty());
}

#[tokio::test]
async fn retry_after_counts_only_where_the_trigger_asks_for_it() {
    let subscriber = Destination::start(|_| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(
            http::header::RETRY_AFTER,
            http::HeaderValue::from_static("1"),
        );
        Answer::Response(response)
    })
    .await;
    let dead_letters = Destination::accepting().await;
    let heeding = format!("{QUICK}retryAfterMax: PT5S\n");
    let manifests = Manifests::of(&[
        Trigger {
            name: "heedless",
            types: &["Answers.Heedless"],
            subscriber: "subscriber",
            delivery: QUICK,
        },
        Trigger {
            name: "heeding",
            types: &["Answers.Heeding"],
            subscriber: "subscriber",
            delivery: &heeding,
        },
    ]);
    let dataplane = Dataplane::start_with(
        &["delivery-retryafter=enabled"],
        manifests.path(),
        &[
            ("Service/subscriber", &subscriber.url()),
            ("Service/dead-letters", &dead_letters.url()),
        ],
    )
    .await;
    let mut pauses = BTreeMap::new();
    for ty in ["Answers.Heedless", "Answers.Heeding"] {
        assert_eq!(dataplane.send(ty, ty, &json!({})).await.status, 202);
        let attempts = with_id(&subscriber, ty);
        assert_eq!(attempts.len(), ALL_ATTEMPTS);
        let between = attempts.windows(2).map(|two| two[1].at - two[0].at);
        pauses.insert(ty, between.min().expect("two attempts"));
    }
    let asked = Duration::from_secs(1);
    assert!(pauses["Answers.Heedless"] < asked, "{pauses:?}");
    assert!(pauses["Answers.Heeding"] >= asked, "{pauses:?}");
}

#[tokio::test]
async fn the_longest_reason_of_the_sink_reaches_the_dead_letter_sink_whole() {
    let (subscriber, dead_letters) = echoing_refusals().await;
    let dataplane = one_trigger(&subscriber, &dead_letters).await;
    let reason = json_of_length(LONGEST_REASON);
    let answered = dataplane.send("Answers.Asked", "longest", &reason).await;
    assert_eq!(answered.status, 202);
    let dead = dead_letters.received();
    assert_eq!(dead.len(), 1);
    assert_tells(&dead[0], 422, reason.to_string().as_bytes());
}

/// Why the sink keeps its reasons that short.
#[tokio::test]
async fn a_reason_longer_by_one_byte_ends_the_channel_with_a_panic() {
    let (subscriber, dead_letters) = echoing_refusals().await;
    let dataplane = one_trigger(&subscriber, &dead_letters).await;
    let reason = json_of_length(LONGEST_REASON + 1);
    let sent = request::try_send(
        http::Method::POST,
        dataplane.broker(),
        &[
            ("ce-specversion", "1.0"),
            ("ce-source", "/tests"),
            ("ce-type", "Answers.Asked"),
            ("ce-id", "too long"),
            ("content-type", "application/json"),
        ],
        reason.to_string(),
    )
    .await;
    assert!(sent.is_err(), "the channel could tell it: {sent:?}");
    let printed = dataplane.ended().await;
    assert!(
        printed.iter().any(|line| line.starts_with("panic: ")),
        "{printed:#?}"
    );
    assert!(dead_letters.received().is_empty(), "the event is lost");
}

/// A subscriber that refuses every event for good, with the event's data as the reason.
async fn echoing_refusals() -> (Destination, Destination) {
    let subscriber = Destination::start(|event| {
        let mut response = Response::new(event.body.clone());
        *response.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
        Answer::Response(response)
    })
    .await;
    (subscriber, Destination::accepting().await)
}

fn json_of_length(length: usize) -> serde_json::Value {
    let quotes = 2;
    json!("x".repeat(length - quotes))
}
