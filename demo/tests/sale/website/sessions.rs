use serde_json::{Value, json};
use testkit::destination::Destination;
use testkit::request;

use super::browser::Browser;
use crate::support::{Service, post};

pub(crate) fn of_session(session: &str) -> Value {
    json!({"session": session, "number": 7, "admittedAt": "2026-11-27T12:00:00Z"})
}

pub(crate) fn held(session: &str, reservation: &str) -> Value {
    json!({
        "session": session, "reservationId": reservation, "tickets": 2, "seats": ["A1", "A2"],
        "amount": 9_980, "currency": "EUR",
    })
}

pub(crate) fn emitted(session: &str, reservation: &str) -> Value {
    json!({"session": session, "reservationId": reservation, "seats": ["A1", "A2"], "amount": 9_980})
}

pub(crate) fn reservation(state: &Value) -> String {
    state["reservationId"]
        .as_str()
        .expect("a reservation")
        .to_owned()
}

/// A customer in the shop who has asked for tickets: the browser, the session, the reservation.
async fn asked(website: &Service) -> (Browser, String, String) {
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    website
        .accepts("Tickets.CustomerAdmitted", &of_session(&session))
        .await;
    let state = browser.acts("request", &json!({"tickets": 2})).await;
    (browser, session, reservation(&state))
}

/// What a sale with a refused payment says.
fn refused_sale(session: &str, reservation: &str) -> Vec<(&'static str, Value)> {
    let of_reservation = json!({"session": session, "reservationId": reservation});
    let payment = json!({"session": session, "reservationId": reservation, "paymentId": "p", "reason": "no money"});
    let told = json!({
        "session": session, "reservationId": reservation, "kind": "payment-refused",
        "text": "Your card was refused.",
    });
    vec![
        (
            "Tickets.CustomerQueued",
            json!({"session": session, "number": 7}),
        ),
        ("Tickets.CustomerAdmitted", of_session(session)),
        ("Tickets.Held", held(session, reservation)),
        ("Payments.Refused", payment),
        ("Notifications.Requested", told),
        ("Tickets.Released", of_reservation),
    ]
}

/// The state without what differs between two customers, and between two runs.
fn comparable(mut state: Value) -> Value {
    state["session"] = Value::Null;
    state["reservationId"] = Value::Null;
    for notification in state["notifications"].as_array_mut().expect("a list") {
        notification["time"] = Value::Null;
    }
    state
}

#[tokio::test]
async fn events_in_any_order_and_again_lead_to_the_same_state() {
    let website = Service::start("website", &[], None).await;
    let mut states = Vec::new();
    for order in [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [2, 5, 0, 4, 1, 3]] {
        let (browser, session, reservation) = asked(&website).await;
        let events = refused_sale(&session, &reservation);
        for again in 0..2 {
            for number in order {
                let (ty, data) = &events[number];
                let id = format!("{session}-{number}");
                assert_eq!(
                    website.send_as(&id, ty, data).await.status,
                    202,
                    "{ty}, {again}"
                );
            }
        }
        // What was delivered again is shown once.
        let shown = browser.stream(None).await.events(1 + events.len()).await;
        let numbers: Vec<_> = shown
            .iter()
            .map(|event| event.data["number"].as_i64())
            .collect();
        assert!(
            numbers.is_sorted() && numbers.iter().all(Option::is_some),
            "{numbers:?}"
        );
        states.push(comparable(browser.me().await));
    }
    assert_eq!(website.books().await["events"], 3 * 7);
    assert_eq!(states[0], states[1]);
    assert_eq!(states[0], states[2]);
    let state = states.remove(0);
    assert_eq!(
        (&state["step"], &state["outcome"]),
        (&json!("ended"), &json!("released"))
    );
    assert_eq!(
        (&state["number"], &state["reason"]),
        (&json!(7), &json!("no money"))
    );
    assert_eq!(state["notifications"][0]["text"], "Your card was refused.");
}

#[tokio::test]
async fn events_of_sessions_that_are_not_here_are_taken_and_not_kept() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::open(&website.url).await;
    // Somebody who has not joined is nobody yet.
    let session = browser.session().await;
    for session in [session.as_str(), "s-of-somebody-else"] {
        website
            .accepts("Tickets.CustomerAdmitted", &of_session(session))
            .await;
        website
            .accepts("Something.Else", &json!({"session": session}))
            .await;
    }
    website.accepts("Something.Else", &json!([1, 2])).await;
    assert_eq!(browser.me().await["step"], "visiting");
    let books = website.books().await;
    assert_eq!(
        (&books["sessions"], &books["events"]),
        (&json!(0), &json!(0)),
        "{books}"
    );
}

#[tokio::test]
async fn data_that_is_not_what_its_type_needs_is_422_and_a_batch_with_it_is_refused_whole() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    let answered = website
        .send("Tickets.Held", &json!({"session": session}))
        .await;
    assert_eq!(answered.status, 422);
    assert!(
        answered.text().contains("reservationId"),
        "{}",
        answered.text()
    );
    let event = |id: &str, ty: &str, data: Value| json!({"specversion": "1.0", "id": id, "source": "/sale/queue", "type": ty, "data": data});
    let batch = json!([
        event(
            "a",
            "Tickets.CustomerQueued",
            json!({"session": session, "number": 3})
        ),
        event(
            "b",
            "Tickets.CustomerQueued",
            json!({"session": session, "number": "four"})
        ),
    ]);
    let headers = [("content-type", "application/cloudevents-batch+json")];
    let answered = request::post(&website.url, &headers, batch.to_string()).await;
    assert_eq!(answered.status, 422);
    assert_eq!(browser.me().await["step"], "joining");
    assert_eq!(website.books().await["events"], 0);
}

#[tokio::test]
async fn a_kill_forgets_nothing_that_was_answered_and_a_lost_file_makes_new_sessions() {
    let mut website = Service::start("website", &[], None).await;
    let (browser, session, reservation) = asked(&website).await;
    website
        .accepts("Tickets.Held", &held(&session, &reservation))
        .await;
    let moved = json!({"session": "", "admitted": 5, "waiting": 9});
    website.accepts("Tickets.QueueMoved", &moved).await;
    let before = browser.me().await;
    website.kill_and_start_again().await;
    let browser = browser.at(&website.url);
    assert_eq!(browser.me().await, before);
    assert_eq!(website.books().await["admitted"], 5);
    assert_eq!(browser.stream(None).await.events(2).await.len(), 2);

    let other = Service::start("website", &[], None).await;
    assert_ne!(browser.at(&other.url).session().await, session);
}

#[tokio::test]
async fn that_the_line_moved_is_written_once_for_thousands_who_wait() {
    const WAITING: u64 = 2_000;
    let broker = Destination::accepting().await;
    let website = Service::start("website", &[], Some(&broker.url())).await;
    let mut browsers = Vec::new();
    for _ in 0..WAITING / 100 {
        let some = (0..100).map(|_| Browser::joined(&website.url));
        browsers.extend(futures_util::future::join_all(some).await);
    }
    let mut sessions = Vec::new();
    for browser in &browsers {
        sessions.push(browser.session().await);
    }
    let queued: Vec<Value> = sessions
        .iter()
        .zip(1..)
        .map(|(session, number)| {
            json!({
                "specversion": "1.0", "id": number.to_string(), "source": "/sale/queue", "type": "Tickets.CustomerQueued",
                "data": {"session": session, "number": number},
            })
        })
        .collect();
    let headers = [("content-type", "application/cloudevents-batch+json")];
    for batch in queued.chunks(100) {
        let answered = request::post(&website.url, &headers, json!(batch).to_string()).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    // The outbox writes too.
    broker.wait_for_count(browsers.len()).await;
    let mut books = website.books().await;
    while books["outbox"] != 0 {
        books = website.books().await;
    }
    assert_eq!(books["steps"]["waiting"], WAITING);
    let mut watching = browsers[1_500].stream(None).await;
    watching.state(|state| state["ahead"] == 1_500).await;

    let rows = |books: &Value| books["rowsChanged"].as_u64().expect("a number");
    let before = rows(&books);
    for (id, admitted) in [("one", 700), ("two", 1_000), ("late", 800)] {
        let moved = json!({"session": "", "admitted": admitted, "waiting": WAITING - admitted});
        assert_eq!(
            post(&website.url, id, "Tickets.QueueMoved", &[], &moved)
                .await
                .status,
            202
        );
    }
    let written = rows(&website.books().await) - before;
    assert!(written <= 10, "{written} rows for three moves");
    watching.state(|state| state["ahead"] == 500).await;
    for (number, ahead) in [(1, 0), (1_000, 0), (1_001, 0), (1_002, 1), (2_000, 999)] {
        assert_eq!(
            browsers[number - 1].me().await["ahead"],
            ahead,
            "number {number}"
        );
    }
}
