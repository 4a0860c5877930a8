use std::time::Duration;

use futures_util::{StreamExt, stream};
use testkit::destination::{Answer, Destination};
use testkit::scenario::Scenario;
use zeebe_client::PublishMessage;

use super::answers::{DROPPED, came, is_about, log, lose};
use super::engine::{later, message, metric, metric_reaches, publish, publish_as};
use super::handed_over::{CLOCK, HOUR};
use super::telling;

/// So many events wait on a partition.
const EVENTS: usize = 1000;
/// More than are remembered of those with long names.
const MESSAGES: usize = 700;
/// Commands in flight at once.
const AT_ONCE: usize = 50;
/// So that an engine that is busy refuses none of them.
const TAKES_ALL: (&str, &str) = ("ZEEBE_BROKER_BACKPRESSURE_ENABLED", "false");

#[tokio::test]
async fn of_too_many_that_wait_the_oldest_is_dropped_but_not_the_one_that_is_on_its_way() {
    let events = Destination::start(|_| Answer::Never).await;
    let zeebe = telling("told-crowd", &events.url(), &[TAKES_ALL]).await;
    let scenario = Scenario::new(&zeebe, "crowd");
    lose(&scenario, "First").await;
    came(&events, "First", 1).await;
    lose(&scenario, "Second").await;
    stream::iter(1..EVENTS)
        .for_each_concurrent(AT_ONCE, |_| lose(&scenario, "Later"))
        .await;
    metric_reaches(&zeebe, DROPPED, "reason=\"crowded\"", 1.0).await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 1.0);
    let log = log(&zeebe);
    let dropped: Vec<_> = log.lines().filter(|l| l.contains("was dropped")).collect();
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    // However many are on their way by now: what was dropped never was, and the first still is.
    let sent = events.received();
    assert!(sent.iter().any(|one| is_about(one, "First")));
    for one in sent {
        let sent = format!("event {} ", one.id());
        assert!(!dropped[0].contains(&sent), "{sent}: {dropped:?}");
    }
    zeebe.stop().await;
}

#[tokio::test]
async fn events_that_are_never_answered_hold_up_none_that_is_accepted_at_once() {
    let events = Destination::start(|event| {
        if is_about(event, "Hanging") {
            Answer::Never
        } else {
            Answer::Status(202)
        }
    })
    .await;
    let zeebe = telling("told-hanging", &events.url(), &[TAKES_ALL]).await;
    let scenario = Scenario::new(&zeebe, "hanging");
    let (hanging, healthy) = (3, 200);
    for _ in 0..hanging {
        lose(&scenario, "Hanging").await;
    }
    stream::iter(0..healthy)
        .for_each_concurrent(AT_ONCE, |_| lose(&scenario, "Healthy"))
        .await;
    came(&events, "Healthy", healthy).await;
    // Those wait for their first answers still: no second attempt was made.
    let all = events.received();
    let sent = all.iter().filter(|one| is_about(one, "Hanging")).count();
    assert_eq!(sent, hanging);
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    zeebe.stop().await;
}

#[tokio::test]
async fn many_events_that_always_fail_hold_up_none_that_never_did() {
    let events = Destination::start(|event| {
        Answer::Status(if is_about(event, "Poison") { 500 } else { 202 })
    })
    .await;
    let zeebe = telling("told-poisons", &events.url(), &[]).await;
    let scenario = Scenario::new(&zeebe, "poisons");
    // Each has failed, with another accepted between any two.
    let poisons = 60;
    for number in 1..=poisons {
        lose(&scenario, &format!("Poison{number}-")).await;
        lose(&scenario, "Healthy").await;
    }
    came(&events, &format!("Poison{poisons}-"), 1).await;
    came(&events, "Healthy", poisons).await;
    // Behind all of them it would wait for two minutes.
    lose(&scenario, "Last").await;
    came(&events, "Last", 1).await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    zeebe.stop().await;
}

#[tokio::test]
async fn of_messages_that_take_more_than_a_mebibyte_to_remember_the_oldest_are_not_told_of() {
    let events = Destination::accepting().await;
    let zeebe = telling("told-notes", &events.url(), &[CLOCK, TAKES_ALL]).await;
    let scenario = Scenario::new(&zeebe, "notes");
    // Of name and id the first 256 characters are remembered, which take 3 bytes each: some 650 messages.
    let long = "€".repeat(256);
    stream::iter(0..MESSAGES)
        .for_each_concurrent(AT_ONCE, |number| {
            let message_id = format!("{long}{number}");
            let message = message(&scenario, &long, "", HOUR);
            publish_as(
                &scenario,
                PublishMessage {
                    message_id,
                    ..message
                },
            )
        })
        .await;
    publish(&scenario, "Latest", "", HOUR).await;
    later(&zeebe, Duration::from_secs(2 * HOUR)).await;
    came(&events, "Latest", 1).await;
    // All others were counted.
    let forgotten = metric(&zeebe, "eventing_zeebe_messages_forgotten_total", "").await;
    assert!((10.0..100.0).contains(&forgotten), "{forgotten}");
    events
        .wait_for("the end of each that is not forgotten", |all| {
            #[expect(clippy::cast_precision_loss, reason = "some hundred")]
            let others = (MESSAGES + 1 - all.len()) as f64;
            (others <= forgotten).then(|| assert_eq!(others, forgotten))
        })
        .await;
    assert!(log(&zeebe).contains("unnamed before it: more than 1048576 bytes"));
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    zeebe.stop().await;
}
