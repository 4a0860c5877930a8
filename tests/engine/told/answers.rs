use bytes::Bytes;
use http::Response;
use testkit::destination::{Answer, Destination, Received};
use testkit::scenario::Scenario;
use testkit::zeebe::Zeebe;

use super::engine::{metric, metric_reaches, publish, settled};
use super::telling;

const DROPPED: &str = "eventing_zeebe_events_dropped_total";
const ONE_FAILURE: (&str, &str) = ("ZEEBE_BROKER_EXPORTERS_EVENTS_ARGS_MAXFAILURES", "1");

/// Whether an event is about the message of this name.
fn is_about(event: &Received, name: &str) -> bool {
    let told = event.json()["name"].as_str().map(str::to_owned);
    told.is_some_and(|told| told.starts_with(name))
}

/// Waits until events about the message of this name came so often; returns the last.
async fn came(events: &Destination, name: &str, times: usize) -> Received {
    events
        .wait_for(&format!("{name}, {times} times"), |all| {
            let about: Vec<_> = all.iter().filter(|one| is_about(one, name)).collect();
            (about.len() >= times).then(|| about[about.len() - 1].clone())
        })
        .await
}

/// Publishes a message that nobody waits for, which expires at once.
async fn lose(scenario: &Scenario<'_>, name: &str) {
    publish(scenario, name, "", 0).await;
}

fn log(zeebe: &Zeebe) -> String {
    std::fs::read_to_string(zeebe.log()).expect("the engine's log")
}

#[tokio::test]
async fn an_event_that_fails_while_others_are_accepted_steps_aside_and_is_dropped_by_its_name() {
    let events = Destination::start(|event| {
        if is_about(event, "Poison") {
            Answer::Status(500)
        } else if is_about(event, "Unended") {
            Answer::Unended(accepted())
        } else {
            Answer::Status(202)
        }
    })
    .await;
    let zeebe = telling("told-aside", &events.url(), &[ONE_FAILURE]).await;
    let scenario = Scenario::new(&zeebe, "aside");
    lose(&scenario, "Poison").await;
    let poison = came(&events, "Poison", 2).await;
    // It has failed twice with nothing to compare it to: that says nothing of it.
    assert_eq!(metric(&zeebe, DROPPED, "").await, 0.0);

    // It holds up no other, and nor does one whose answer is good and has no end.
    lose(&scenario, "Unended").await;
    lose(&scenario, "Healthy").await;
    came(&events, "Healthy", 1).await;
    let failing = "reason=\"failing\"";
    metric_reaches(&zeebe, DROPPED, failing, 1.0).await;
    assert_eq!(metric(&zeebe, DROPPED, "").await, 1.0, "and nothing else");
    let line = format!("event {} (io.camunda.zeebe.message.expired", poison.id());
    assert!(log(&zeebe).contains(&line), "{line}");

    // The engine need not keep its log for it any more.
    let (_, position) = poison.id().split_once('-').expect("a position");
    settled(&zeebe, position.parse().expect("a number")).await;
    zeebe.stop().await;
}

fn accepted() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"taken"));
    *response.status_mut() = http::StatusCode::ACCEPTED;
    response
}

#[tokio::test]
async fn while_the_broker_fails_all_nothing_counts_against_an_event_and_later_all_are_there() {
    let events = Destination::start(|_| Answer::Status(500)).await;
    let zeebe = telling("told-outage", &events.url(), &[ONE_FAILURE]).await;
    let scenario = Scenario::new(&zeebe, "outage");
    let names = ["One", "Two", "Three"];
    for name in names {
        lose(&scenario, name).await;
    }
    // Each is tried in its turn, and more often than it may fail for its own sake.
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
