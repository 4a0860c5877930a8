//! How often an event is sent, how long the pauses are, and what becomes of it.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Response;
use serde_json::json;
use testkit::destination::Answer;

use super::{Both, DEAD_LETTERS, WHY, dead_letters, trigger};

/// An answer that says why.
fn refusal(status: u16) -> Answer {
    let mut response = Response::new(Bytes::from_static(b"{\"error\":\"as told\"}"));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    Answer::Response(response)
}

fn ok_with(body: &'static str) -> Answer {
    Answer::Response(Response::new(Bytes::from_static(body.as_bytes())))
}

/// The id says which answers are given, attempt after attempt, the last one to all that follow.
fn by_id(path: &str, event: &testkit::destination::Received, attempt: usize) -> Answer {
    if path == DEAD_LETTERS {
        return Answer::Status(202);
    }
    let answers: Vec<&str> = event.id().split('-').collect();
    match answers[attempt.min(answers.len() - 1)] {
        "okbody" => ok_with("ok"),
        "cut" => Answer::Cut,
        "never" => Answer::Never,
        "202" | "200" | "204" => Answer::Status(
            answers[attempt.min(answers.len() - 1)]
                .parse()
                .expect("a status"),
        ),
        status => refusal(status.parse().expect("a status")),
    }
}

/// The ids; each says what its subscriber answers.
const ANSWERS: &[&str] = &[
    "200",
    "202",
    "204",
    "301",
    "307",
    "400",
    "401",
    "403",
    "404",
    "405",
    "406",
    "408",
    "409",
    "410",
    "413",
    "415",
    "418",
    "422",
    "425",
    "429",
    "431",
    "451",
    "500",
    "501",
    "502",
    "503",
    "504",
    "505",
    "599",
    "503-202",
    "503-503-202",
    "429-400",
    "404-202",
    "503-okbody-202",
    "okbody-okbody-202",
];

#[tokio::test]
async fn both_brokers_take_every_answer_for_the_same() {
    let block = format!(
        "delivery:\n  retry: 2\n  backoffPolicy: linear\n  backoffDelay: PT0.001S\n  timeout: PT5S\n  {}",
        dead_letters()
    );
    let both = Both::serving(&[trigger("t", &block)], by_id).await;
    for id in ANSWERS {
        assert_eq!(both.event("Asked", id, &[], &json!({})).await, 202, "{id}");
    }
    let deliveries = both.deliveries();
    let dead = &deliveries[DEAD_LETTERS];
    assert!(dead.len() > 20 && dead.len() < ANSWERS.len(), "{dead:#?}");
}

/// Of such an answer Knative's dead letters say nothing; ours say what was wrong with it.
#[tokio::test]
async fn both_brokers_give_up_a_subscriber_that_accepts_with_a_body_which_is_no_event() {
    let block = format!(
        "delivery:\n  retry: 2\n  backoffPolicy: linear\n  backoffDelay: PT0.001S\n  {}",
        dead_letters()
    );
    let both = Both::serving(&[trigger("t", &block)], by_id).await;
    assert_eq!(both.event("Asked", "okbody", &[], &json!({})).await, 202);
    let deliveries = both.deliveries_but_for(&WHY);
    assert_eq!(deliveries["/t"].len(), 3);
    assert_eq!(deliveries[DEAD_LETTERS].len(), 1);
}

#[tokio::test]
async fn both_brokers_retry_a_subscriber_that_cuts_or_keeps_silent_and_tell_it_alike() {
    let block = |timeout: &str| {
        format!(
            "delivery:\n  retry: 1\n  backoffPolicy: linear\n  backoffDelay: PT0.001S\n  timeout: {timeout}\n  {}",
            dead_letters()
        )
    };
    let triggers = [
        trigger(
            "cut",
            &format!("{}\nfilters: [{{exact: {{type: Cut}}}}]", block("PT5S")),
        ),
        trigger(
            "silent",
            &format!(
                "{}\nfilters: [{{exact: {{type: Silent}}}}]",
                block("PT0.2S")
            ),
        ),
    ];
    let both = Both::serving(&triggers, by_id).await;
    assert_eq!(both.event("Cut", "cut", &[], &json!({})).await, 202);
    assert_eq!(both.event("Silent", "never", &[], &json!({})).await, 202);

    for side in &both.0 {
        let mut by_path = side.deliveries();
        assert_eq!(by_path["/cut"].len(), 2, "{}", side.name);
        assert_eq!(by_path["/silent"].len(), 2, "{}", side.name);
        let dead = by_path.remove(DEAD_LETTERS).expect("dead letters");
        assert_eq!(dead.len(), 2, "{}", side.name);
        // The words are each Broker's own, and of a subscriber that kept silent Knative's says nothing.
        let of = |id: &str| dead.iter().find(|letter| letter["ce-id"] == id);
        let cut = of("cut").expect("a dead letter");
        assert_eq!(cut["ce-knativeerrorcode"], "500", "{}", side.name);
        assert_eq!(cut["ce-knativeerrordest"], "SUBSCRIBERS/cut");
        let said = BASE64_STANDARD
            .decode(&cut["ce-knativeerrordata"])
            .expect("base64");
        assert!(said.starts_with(b"dispatch error: "), "{}", side.name);
        assert!(of("never").is_some(), "{}", side.name);
    }
}

#[tokio::test]
async fn both_brokers_tell_the_sender_what_is_lost_without_a_dead_letter_sink() {
    let triggers = [
        trigger("good", "delivery: {retry: 0}"),
        trigger(
            "bad",
            "delivery: {retry: 1, backoffPolicy: linear, backoffDelay: PT0.001S}\nfilters: [{exact: {type: Bad}}]",
        ),
        trigger("heir", "filters: [{exact: {type: Inherited}}]"),
    ];
    let both = Both::serving(&triggers, |path, _, _| match path {
        "/good" => Answer::Status(202),
        _ => refusal(503),
    })
    .await;
    assert_eq!(both.event("Good", "1", &[], &json!({})).await, 202);
    assert_eq!(both.event("Bad", "2", &[], &json!({})).await, 500);
    assert_eq!(both.event("Inherited", "3", &[], &json!({})).await, 500);
    let deliveries = both.deliveries();
    assert_eq!(deliveries["/good"].len(), 3);
    assert_eq!(deliveries["/bad"].len(), 2);
    // The Broker's own block: two retries.
    assert_eq!(deliveries["/heir"].len(), 3);
}

#[tokio::test]
async fn a_block_of_the_triggers_own_replaces_the_brokers_on_both_sides() {
    let triggers = [trigger(
        "sink-only",
        &format!("delivery:\n  {}", dead_letters()),
    )];
    let both = Both::serving(&triggers, |path, _, _| match path {
        DEAD_LETTERS => Answer::Status(202),
        _ => refusal(503),
    })
    .await;
    assert_eq!(both.event("Any", "1", &[], &json!({})).await, 202);
    let deliveries = both.deliveries();
    assert_eq!(deliveries["/sink-only"].len(), 1);
    assert_eq!(deliveries[DEAD_LETTERS].len(), 1);
}

#[tokio::test]
async fn both_brokers_pause_as_the_policy_says() {
    // The least pauses in units of 0.1 s. Knative counts the first retry as number 0.
    for (policy, least) in [("linear", &[0, 1, 2][..]), ("exponential", &[1, 2, 4][..])] {
        let block =
            format!("delivery: {{retry: 3, backoffPolicy: {policy}, backoffDelay: PT0.1S}}");
        let both = Both::serving(&[trigger("t", &block)], |_, _, _| refusal(503)).await;
        assert_eq!(both.event("Any", "1", &[], &json!({})).await, 500);
        for (side, pauses) in both.0.iter().zip(both.pauses("/t")) {
            assert_eq!(pauses.len(), least.len(), "{policy}, {}", side.name);
            for (pause, least) in pauses.iter().zip(least) {
                let least = Duration::from_millis(100) * *least;
                assert!(*pause >= least, "{policy}, {}: {pauses:?}", side.name);
            }
        }
    }
}

#[tokio::test]
async fn structured_mode_is_delivered_alike_where_a_trigger_asks_for_it() {
    let both = Both::serving(
        &[trigger("t", "delivery: {retry: 0, format: json}")],
        |_, _, _| Answer::Status(202),
    )
    .await;
    let extensions = [("ce-subject", "s-1"), ("ce-hops", "20")];
    let data = json!({"seats": 2, "price": 49.90});
    assert_eq!(both.event("Any", "1", &extensions, &data).await, 202);
    assert_eq!(both.deliveries()["/t"].len(), 1);
}
