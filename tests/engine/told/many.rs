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
    let mut dropped = log.lines().filter(|line| line.contains("was dropped"));
    let dropped = dropped
        .next()
        .expect("a line about the one that was dropped");
    // Unless it took so long that the first has had no answer, which is the same for the one after.
    let sent = events.received().pop().expect("the first");
    let sent = format!("event {} ", sent.id());
    assert!(!dropped.contains(&sent), "{sent}: {dropped}");
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
    stream::iter(0..700)
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
    let told = events.received().len();
    assert!((600..690).contains(&told), "{told}");
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    zeebe.stop().await;
}
