use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use testkit::destination::{Answer, Destination, Received};
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use super::engine::{metric, metric_reaches, publish, settled, threads, until};
use super::telling;

pub(super) const DROPPED: &str = "eventing_zeebe_events_dropped_total";

/// Those that say that the event itself is wrong.
const ABOUT_THE_EVENT: [u16; 6] = [400, 413, 414, 415, 422, 431];
/// Those that say nothing of it, or of which nobody knows what they say.
const ABOUT_OTHERS: [u16; 32] = [
    301, 302, 307, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 417, 418, 421, 423, 424,
    425, 426, 428, 429, 451, 460, 499, 500, 501, 502, 503, 504, 599,
];

/// Whether an event is about the message of this name.
pub(super) fn is_about(event: &Received, name: &str) -> bool {
    let told = event.json()["name"].as_str().map(str::to_owned);
    told.is_some_and(|told| told.starts_with(name))
}

/// Waits until events about the message of this name came so often; returns the last.
pub(super) async fn came(events: &Destination, name: &str, times: usize) -> Received {
    events
        .wait_for(&format!("{name}, {times} times"), |all| {
            let about: Vec<_> = all.iter().filter(|one| is_about(one, name)).collect();
            (about.len() >= times).then(|| about[about.len() - 1].clone())
        })
        .await
}

/// Publishes a message that nobody waits for, which expires at once.
pub(super) async fn lose(scenario: &Scenario<'_>, name: &str) {
    publish(scenario, name, "", 0).await;
}

pub(super) fn log(zeebe: &Zeebe) -> String {
    std::fs::read_to_string(zeebe.log()).expect("the engine's log")
}

/// Has the engine know that an event was accepted there: else it doubts the address, and no event.
async fn takes_one(scenario: &Scenario<'_>, events: &Destination, name: &str) {
    lose(scenario, name).await;
    let first = came(events, name, 1).await;
    settled(scenario.zeebe(), place(&first)).await;
}

/// The status that an event's name asks for, as in `S503`.
fn asked_for(event: &Received) -> u16 {
    let data = event.json();
    let name = data["name"].as_str().expect("a message's name");
    name[1..4].parse().expect("a status")
}

#[tokio::test]
async fn an_answer_that_is_about_the_event_drops_it_at_once_and_after_any_other_it_comes_again() {
    // Each is answered what it asks for when it comes first, and is accepted after.
    let seen = Mutex::new(BTreeSet::new());
    let events = Destination::start(move |event| {
        let status = asked_for(event);
        let is_first = seen.lock().expect("no panic").insert(status);
        Answer::Status(if is_first { status } else { 202 })
    })
    .await;
    let zeebe = telling("told-table", &events.url(), &[]).await;
    let scenario = Scenario::new(&zeebe, "table");
    takes_one(&scenario, &events, "S202").await;
    for status in ABOUT_THE_EVENT.into_iter().chain(ABOUT_OTHERS) {
        lose(&scenario, &format!("S{status}")).await;
    }
    let all = |times: &BTreeMap<u16, usize>| {
        ABOUT_THE_EVENT.iter().all(|one| times.contains_key(one))
            && ABOUT_OTHERS.iter().all(|one| times.get(one) >= Some(&2))
    };
    let times = events
        .wait_for("each, and those again that are to come again", |received| {
            let mut times = BTreeMap::new();
            for one in received {
                *times.entry(asked_for(one)).or_default() += 1;
            }
            all(&times).then_some(times)
        })
        .await;
    let refused = times
        .iter()
        .filter(|(status, times)| **status != 202 && **times == 1);
    assert!(
        refused.map(|(status, _)| status).eq(&ABOUT_THE_EVENT),
        "{times:?}"
    );
    #[expect(clippy::cast_precision_loss, reason = "six")]
    let refused = ABOUT_THE_EVENT.len() as f64;
    metric_reaches(&zeebe, DROPPED, "reason=\"refused\"", refused).await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, refused, "and no other");
    zeebe.stop().await;
}

#[tokio::test]
async fn an_event_that_fails_again_and_again_while_others_do_not_is_kept_until_it_is_accepted() {
    let events = Destination::start(|event| {
        if is_about(event, "Poison") {
            Answer::Status(500)
        } else if is_about(event, "Cut") {
            Answer::Cut
        } else if is_about(event, "Unended") {
            Answer::Unended(accepted())
        } else {
            Answer::Status(202)
        }
    })
    .await;
    let zeebe = telling("told-aside", &events.url(), &[]).await;
    let scenario = Scenario::new(&zeebe, "aside");
    lose(&scenario, "Poison").await;
    lose(&scenario, "Cut").await;
    // They hold up no other, and nor does one whose answer is good and has no end.
    lose(&scenario, "Unended").await;
    for times in 2..6 {
        lose(&scenario, "Healthy").await;
        came(&events, "Healthy", times - 1).await;
        came(&events, "Poison", times).await;
        came(&events, "Cut", times).await;
    }
    let both = [
        came(&events, "Poison", 1).await,
        came(&events, "Cut", 1).await,
    ];
    events.answer(|_| Answer::Status(202));
    // The engine is told that they are done with, and they were not given up: they were accepted.
    settled(&zeebe, both.iter().map(place).max().expect("two")).await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    zeebe.stop().await;
}

#[tokio::test]
async fn an_event_whose_answer_takes_as_long_as_a_brokers_own_retries_is_sent_once_and_no_copy() {
    // Longer than most who send would wait, and less than Knative's Broker takes.
    let slowly = || Answer::After(Duration::from_secs(70), Box::new(Answer::Status(202)));
    let events = Destination::start(move |_| slowly()).await;
    let zeebe = telling("told-slow", &events.url(), &[]).await;
    let scenario = Scenario::new(&zeebe, "slow");
    lose(&scenario, "Slow").await;
    let slow = came(&events, "Slow", 1).await;
    until("a line of the log", async || {
        let line = "events wait, 1 by now: what was sent has no answer for a minute";
        log(&zeebe).contains(line).then_some(())
    })
    .await;
    settled(&zeebe, place(&slow)).await;
    assert_eq!(events.received().len(), 1);
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    zeebe.stop().await;
}

#[tokio::test]
async fn an_event_that_always_fails_is_dropped_by_its_name_when_its_time_is_over_and_no_other_is() {
    let events = Destination::start(|event| {
        Answer::Status(if is_about(event, "Poison") { 500 } else { 202 })
    })
    .await;
    let patience = ("ZEEBE_BROKER_EXPORTERS_EVENTS_ARGS_PATIENCESECONDS", "3");
    let zeebe = telling("told-poison", &events.url(), &[patience]).await;
    let scenario = Scenario::new(&zeebe, "poison");
    lose(&scenario, "Healthy").await;
    lose(&scenario, "Poison").await;
    // It has its turn however long the machine stood still: whose turn it is goes before whose time is over.
    lose(&scenario, "Healthy").await;
    metric_reaches(&zeebe, DROPPED, "reason=\"patience\"", 1.0).await;
    came(&events, "Healthy", 2).await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 1.0, "and nothing else");
    // Once at the least: on a machine that stands still its time may be over after that.
    let poison = came(&events, "Poison", 1).await;
    let line = format!("event {} (io.camunda.zeebe.message.expired", poison.id());
    assert!(log(&zeebe).contains(&line), "{line}");
    assert!(log(&zeebe).contains("not accepted for 3 s; last: "));
    // The engine need not keep its log for it any more.
    settled(&zeebe, place(&poison)).await;
    zeebe.stop().await;
}

/// The position of the record that an event tells of.
pub(super) fn place(event: &Received) -> i64 {
    let (_, position) = event.id().split_once('-').expect("a position");
    position.parse().expect("a number")
}

fn accepted() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"taken"));
    *response.status_mut() = http::StatusCode::ACCEPTED;
    response
}

#[tokio::test]
async fn while_the_broker_fails_all_nothing_counts_against_an_event_and_later_all_are_there() {
    let events = Destination::accepting().await;
    let zeebe = telling("told-outage", &events.url(), &[]).await;
    let scenario = Scenario::new(&zeebe, "outage");
    takes_one(&scenario, &events, "Zero").await;
    events.answer(|_| Answer::Status(500));
    let names = ["One", "Two", "Three"];
    for name in names {
        lose(&scenario, name).await;
    }
    // Each is tried in its turn.
    for name in names {
        came(&events, name, 2).await;
    }
    // One that is refused is dropped at once, whatever else happens.
    events.answer(|event| {
        let status = if is_about(event, "Two") { 422 } else { 503 };
        Answer::Status(status)
    });
    metric_reaches(&zeebe, DROPPED, "reason=\"refused\"", 1.0).await;
    // Counted first: what is accepted between the two would not come again.
    let before = events.received().len();
    events.answer(|_| Answer::Status(202));
    events
        .wait_for("the others", |all| {
            let later = &all[before..];
            let has = |name| later.iter().any(|one| is_about(one, name));
            (has("One") && has("Three")).then_some(())
        })
        .await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 1.0, "the refused one");
    zeebe.stop().await;
}

#[tokio::test]
async fn what_refuses_all_from_the_start_is_a_wrong_address_by_which_no_event_is_lost() {
    // As a Broker does to a path that is none of its own.
    let events = Destination::start(|_| Answer::Status(400)).await;
    let zeebe = telling("told-wrong", &events.url(), &[]).await;
    let scenario = Scenario::new(&zeebe, "wrong");
    for name in ["One", "Two", "Three"] {
        lose(&scenario, name).await;
    }
    for name in ["One", "Two", "Three"] {
        came(&events, name, 3).await;
    }
    // Whoever is on call is told what to look at.
    until("a line of the log", async || {
        let doubt = "400, and has accepted none so far: is `url` right?";
        log(&zeebe).contains(doubt).then_some(())
    })
    .await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);
    let before = events.received().len();
    events.answer(|_| Answer::Status(202));
    events
        .wait_for("all three", |all| {
            let later = &all[before..];
            let has = |name: &&str| later.iter().any(|one| is_about(one, name));
            ["One", "Two", "Three"].iter().all(has).then_some(())
        })
        .await;
    // From here on the address is right, and what is refused is wrong.
    events.answer(|_| Answer::Status(400));
    lose(&scenario, "Four").await;
    metric_reaches(&zeebe, DROPPED, "reason=\"refused\"", 1.0).await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 1.0, "and no other");
    zeebe.stop().await;
}

#[tokio::test]
async fn after_many_attempts_that_broke_off_another_client_makes_the_next() {
    let events = Destination::start(|_| Answer::Cut).await;
    let threads_page = ("MANAGEMENT_ENDPOINT_THREADDUMP_ENABLED", "true");
    let zeebe = telling("told-renewed", &events.url(), &[threads_page]).await;
    let scenario = Scenario::new(&zeebe, "renewed");
    let clients =
        async || Some(threads(&zeebe, "SelectorManager").await).filter(|all| !all.is_empty());
    let first = until("a client", clients).await;
    for name in ["One", "Two", "Three"] {
        lose(&scenario, name).await;
    }
    until("a client that was not there before", async || {
        let now = clients().await?;
        now.difference(&first).next().map(drop)
    })
    .await;
    let before = events.received().len();
    events.answer(|_| Answer::Status(202));
    events
        .wait_for("all three", |all| {
            let has = |name: &&str| all[before..].iter().any(|one| is_about(one, name));
            ["One", "Two", "Three"].iter().all(has).then_some(())
        })
        .await;
    zeebe.stop().await;
}
