use serde_json::{Value, json};
use testkit::destination::Destination;

use super::browser::Browser;
use super::sessions::reservation;
use crate::market::Market;
use crate::support::Service;

/// All of it crosses the Broker; no process coordinates it.
#[tokio::test]
async fn browsers_buy_or_do_not_get_tickets_and_see_every_event_of_their_sale_once() {
    let relay = Destination::accepting().await;
    let sink = relay.url();
    let queue = Service::start("queue", &["--shop-seats", "1"], Some(&sink)).await;
    let arguments = ["--stock", "3", "--choreographed"];
    let tickets = Service::start("tickets", &arguments, Some(&sink)).await;
    let payments = Service::start("payments", &["--work-for-ms", "20"], Some(&sink)).await;
    let website = Service::start("website", &[], Some(&sink)).await;
    let subscribers = [
        ("queue", queue.url.as_str()),
        ("tickets", &tickets.url),
        ("payments", &payments.url),
        ("website", &website.url),
    ];
    let _market = Market::open(relay, &subscribers).await;

    let waiting = Browser::joined(&website.url).await;
    let mut watching = waiting.stream(None).await;
    watching.state(|state| state["step"] == "shopping").await;
    for (card, outcome, reason) in [
        ("refused", "released", json!("the card was refused")),
        ("valid", "emitted", Value::Null),
        ("valid", "sold-out", Value::Null),
    ] {
        let browser = Browser::joined(&website.url).await;
        let mut stream = browser.stream(None).await;
        if card == "refused" {
            let state = stream.state(|state| state["step"] == "waiting").await;
            assert!(state["number"].is_u64(), "{state}");
            // The one who was first has seen enough.
            waiting.acts("leave", &json!({})).await;
        }
        stream.state(|state| state["step"] == "shopping").await;
        let asked = browser.acts("request", &json!({"tickets": 2})).await;
        if outcome != "sold-out" {
            let held = stream.state(|state| state["step"] == "held").await;
            assert_eq!(
                (&held["amount"], reservation(&held)),
                (&json!(9_980), reservation(&asked))
            );
            browser.acts("checkout", &json!({"card": card})).await;
        }
        let end = stream.state(|state| !state["outcome"].is_null()).await;
        assert_eq!(
            (&end["outcome"], &end["reason"]),
            (&json!(outcome), &reason),
            "{end}"
        );
        let expected: &[&str] = match outcome {
            "released" => &[
                "Payments.RequestReceived",
                "Payments.Refused",
                "Tickets.Released",
            ],
            "emitted" => &[
                "Payments.RequestReceived",
                "Payments.Authorized",
                "Tickets.Emitted",
            ],
            _ => &["Tickets.SoldOut"],
        };
        let common = ["Tickets.CustomerQueueJoined", "Tickets.CustomerQueued"];
        let common = common
            .into_iter()
            .chain(["Tickets.CustomerAdmitted", "Tickets.Requested"]);
        let checked_out = ["Tickets.Held", "Tickets.CheckedOut"];
        let checked_out = checked_out.into_iter().filter(|_| outcome != "sold-out");
        let mut expected: Vec<&str> = common
            .chain(checked_out)
            .chain(expected.iter().copied())
            .collect();
        let seen = browser.stream(None).await.events(expected.len()).await;
        let mut seen: Vec<&str> = seen
            .iter()
            .filter_map(|event| event.data["type"].as_str())
            .collect();
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected, "{outcome}");
    }
    watching.state(|state| state["outcome"] == "left").await;
    waiting.stream(None).await.events(4).await;
    assert_eq!(website.books().await["events"], 4 + 9 + 9 + 5);
    let office = tickets.books().await;
    assert_eq!(
        (&office["ticketsSold"], &office["free"]),
        (&json!(2), &json!(1)),
        "{office}"
    );
}
