use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::destination::{Answer, Destination};

use super::browser::Browser;
use super::sessions::{emitted, held, of_session, reservation};
use crate::support::{Service, of_type, post, wait_for};

#[tokio::test]
async fn who_joins_is_in_the_line_once_however_often_the_button_is_pressed() {
    let broker = Destination::accepting().await;
    let website = Service::start("website", &[], Some(&broker.url())).await;
    let browser = Browser::open(&website.url).await;
    let me = browser.me().await;
    let visiting = json!({
        "session": me["session"], "customer": null, "step": "visiting", "number": null, "ahead": null,
        "reservationId": null, "tickets": null, "seats": null, "amount": null, "currency": "EUR",
        "outcome": null, "settled": true, "reason": null, "notifications": [],
    });
    assert_eq!(me, visiting);
    let join = json!({"customer": " Ada "});
    let tabs = (0..10).map(|_| browser.acts("join", &join));
    for state in futures_util::future::join_all(tabs).await {
        assert_eq!(
            (&state["step"], &state["customer"]),
            (&json!("joining"), &json!("Ada"))
        );
        assert_eq!(state["session"], me["session"]);
    }
    // What is put in after it has left after it.
    browser.acts("leave", &json!({})).await;
    wait_for(&broker, "Tickets.CustomerQueueLeft", 1).await;
    let joined = wait_for(&broker, "Tickets.CustomerQueueJoined", 1).await;
    assert_eq!(
        joined,
        [json!({"session": me["session"], "customer": "Ada"})]
    );
    let event = broker.received().remove(0);
    assert_eq!(event.header("ce-source"), Some("/sale/website"));
    assert_eq!(event.header("ce-subject"), me["session"].as_str());
    let cookie = browser.cookie().split_once('=').expect("a pair").1;
    for event in broker.received() {
        assert!(
            !format!("{event:?}").contains(cookie),
            "a secret in an event"
        );
    }
}

#[tokio::test]
async fn a_customer_buys_tickets_step_by_step_and_nothing_is_done_out_of_turn() {
    let broker = Destination::accepting().await;
    let website = Service::start("website", &[], Some(&broker.url())).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    let (two, card) = (json!({"tickets": 2}), json!({"card": "slow"}));
    let refused = |what: &'static str, body: Value| {
        let browser = browser.clone();
        async move {
            let answered = browser.act(what, &body).await;
            assert_eq!(answered.status, 409, "{what}: {}", answered.text());
            let said: Value = serde_json::from_slice(&answered.body).expect("JSON");
            assert!(said["error"].is_string(), "{said}");
        }
    };
    let queued = json!({"session": session, "number": 1});
    website.accepts("Tickets.CustomerQueued", &queued).await;
    for (what, body) in [
        ("request", &two),
        ("checkout", &card),
        ("again", &json!({})),
    ] {
        refused(what, body.clone()).await;
    }
    let admitted = json!({"session": session, "number": 1, "admittedAt": "2026-11-27T12:00:00Z"});
    website.accepts("Tickets.CustomerAdmitted", &admitted).await;
    refused("checkout", card.clone()).await;
    let asked = browser.acts("request", &two).await;
    assert_eq!(
        (&asked["step"], &asked["tickets"]),
        (&json!("requested"), &json!(2))
    );
    let reservation = reservation(&asked);
    assert_eq!(reservation.len(), 26);
    refused("request", two.clone()).await;
    refused("checkout", card.clone()).await;
    website
        .accepts("Tickets.Held", &held(&session, &reservation))
        .await;
    let paying = browser.acts("checkout", &card).await;
    assert_eq!(
        (&paying["step"], &paying["amount"]),
        (&json!("paying"), &json!(9_980))
    );
    refused("checkout", card).await;
    website
        .accepts("Tickets.Emitted", &emitted(&session, &reservation))
        .await;
    let done = browser.me().await;
    assert_eq!(
        (&done["step"], &done["outcome"]),
        (&json!("emitted"), &json!("emitted"))
    );
    assert_eq!(done["seats"], json!(["A1", "A2"]));
    refused("request", two).await;
    assert_eq!(browser.acts("leave", &json!({})).await["step"], "emitted");

    let requested = wait_for(&broker, "Tickets.Requested", 1).await;
    let expected =
        json!({"session": session, "reservationId": reservation, "customer": "Ada", "tickets": 2});
    assert_eq!(requested, [expected]);
    let checked_out = wait_for(&broker, "Tickets.CheckedOut", 1).await;
    let expected = json!({"session": session, "reservationId": reservation, "card": "slow"});
    assert_eq!(checked_out, [expected]);
    assert!(of_type(&broker.received(), "Tickets.CustomerQueueLeft").is_empty());
}

#[tokio::test]
async fn after_an_end_the_same_browser_begins_again_with_another_session() {
    let broker = Destination::accepting().await;
    let website = Service::start("website", &[], Some(&broker.url())).await;
    let browser = Browser::joined(&website.url).await;
    let first = browser.session().await;
    assert_eq!(browser.acts("leave", &json!({})).await["outcome"], "left");
    assert_eq!(
        browser.act("request", &json!({"tickets": 1})).await.status,
        409
    );
    let again = browser.acts("again", &json!({})).await;
    assert_eq!(
        (&again["step"], &again["notifications"]),
        (&json!("visiting"), &json!([]))
    );
    assert_ne!(again["session"], first.as_str());
    // The button in the other tab.
    assert_eq!(
        browser.acts("again", &json!({})).await["session"],
        again["session"]
    );
    browser.acts("join", &json!({"customer": "Ada"})).await;
    // What still comes for the sale before changes that one only.
    let removed = json!({"session": first, "reason": "took too long in the shop"});
    website.accepts("Tickets.CustomerRemoved", &removed).await;
    assert_eq!(browser.me().await["step"], "joining");
    let joined = wait_for(&broker, "Tickets.CustomerQueueJoined", 2).await;
    let sessions: BTreeSet<_> = joined
        .iter()
        .map(|data| data["session"].to_string())
        .collect();
    assert_eq!(sessions.len(), 2);
}

#[tokio::test]
async fn who_left_while_paying_begins_again_only_once_it_is_known_what_became_of_the_seats() {
    let website = Service::start("website", &[], None).await;
    for (ty, outcome) in [
        ("Tickets.Released", "left"),
        ("Tickets.SoldOut", "left"),
        ("Tickets.Emitted", "emitted"),
    ] {
        let browser = Browser::joined(&website.url).await;
        let session = browser.session().await;
        website
            .accepts("Tickets.CustomerAdmitted", &of_session(&session))
            .await;
        let asked = browser.acts("request", &json!({"tickets": 2})).await;
        let reservation = reservation(&asked);
        website
            .accepts("Tickets.Held", &held(&session, &reservation))
            .await;
        browser.acts("checkout", &json!({"card": "slow"})).await;
        let left = browser.acts("leave", &json!({})).await;
        assert_eq!(
            (&left["outcome"], &left["settled"]),
            (&json!("left"), &json!(false))
        );
        // What is said of another reservation settles nothing.
        website.accepts(ty, &emitted(&session, "r-other")).await;
        let refused = browser.act("again", &json!({})).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("not certain"), "{}", refused.text());

        website.accepts(ty, &emitted(&session, &reservation)).await;
        let settled = browser.me().await;
        assert_eq!(settled["session"], session.as_str());
        assert_eq!(
            (&settled["outcome"], &settled["settled"]),
            (&json!(outcome), &json!(true))
        );
        let again = browser.acts("again", &json!({})).await;
        assert_eq!(again["step"], "visiting");
    }
}

#[tokio::test]
async fn bodies_that_are_not_what_is_needed_are_refused_and_name_the_member() {
    let website = Service::start("website", &[], None).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    website
        .accepts("Tickets.CustomerAdmitted", &of_session(&session))
        .await;
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let long = format!(r#"{{"customer": "{}"}}"#, "x".repeat(81));
    let large = format!(r#"{{"tickets": 1, "more": "{}"}}"#, "x".repeat(5_000));
    for (what, body, status, named) in [
        ("join", "", 400, "JSON"),
        ("join", "Ada", 400, "JSON"),
        ("join", "{}", 422, "customer"),
        ("join", r#"{"customer": 7}"#, 422, "customer"),
        ("join", r#"{"customer": "  "}"#, 422, "customer"),
        ("join", r#"{"customer": "a\u0007b"}"#, 422, "customer"),
        ("join", &long, 422, "customer"),
        ("request", r#"{"tickets": 0}"#, 422, "tickets"),
        ("request", r#"{"tickets": 7}"#, 422, "tickets"),
        ("request", r#"{"tickets": -1}"#, 422, "tickets"),
        ("request", &large, 413, "4096"),
        ("checkout", r#"{"card": "gold"}"#, 422, "card"),
    ] {
        let answered = browser.post(what, &headers, body).await;
        assert_eq!(
            answered.status,
            status,
            "{what} {body}: {}",
            answered.text()
        );
        let said: Value = serde_json::from_slice(&answered.body).expect("JSON");
        let said = said["error"].as_str().expect("a reason");
        assert!(said.contains(named), "{what} {body}: {said}");
    }
    assert_eq!(browser.me().await["step"], "shopping");
}

#[tokio::test]
async fn killed_between_the_answer_and_the_sending_nothing_is_lost_or_done_twice() {
    let broker = Destination::start(|_| Answer::Never).await;
    let mut website = Service::start("website", &[], Some(&broker.url())).await;
    let browser = Browser::joined(&website.url).await;
    let session = browser.session().await;
    broker.wait_for_count(1).await;
    website.program.kill().await;
    broker.answer(|_| Answer::Status(202));
    let came = broker.received().len();
    website.start_again().await;
    let browser = browser.at(&website.url);
    let me = browser.me().await;
    assert_eq!(
        (&me["step"], me["session"].as_str()),
        (&json!("joining"), Some(&*session))
    );
    browser.acts("join", &json!({"customer": "Ada"})).await;
    broker.wait_for_count(came + 1).await;
    browser.acts("leave", &json!({})).await;
    wait_for(&broker, "Tickets.CustomerQueueLeft", 1).await;
    let joined: BTreeSet<String> = broker
        .received()
        .iter()
        .filter(|event| event.ty() == "Tickets.CustomerQueueJoined")
        .map(|event| event.id().to_owned())
        .collect();
    assert_eq!(joined.len(), 1, "two events for one joining");
}

#[tokio::test]
async fn what_a_customer_does_begins_a_trace_or_goes_on_with_that_of_the_request() {
    let broker = Destination::accepting().await;
    let website = Service::start("website", &[], Some(&broker.url())).await;
    let browser = Browser::joined(&website.url).await;
    let begun = broker.wait_for_count(1).await.remove(0);
    let begun = begun.header("ce-traceparent").expect("a trace").to_owned();
    assert_eq!((begun.len(), &begun[..3], &begun[52..]), (55, "00-", "-01"));

    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
        ("traceparent", trace),
    ];
    assert_eq!(browser.post("leave", &headers, "{}").await.status, 202);
    let left = broker.wait_for_count(2).await.remove(1);
    assert_eq!(left.header("ce-traceparent"), Some(trace));

    // What is no trace is not gone on with.
    browser.acts("again", &json!({})).await;
    let headers = [headers[0], headers[1], ("traceparent", "nonsense")];
    let join = r#"{"customer": "Ada"}"#;
    assert_eq!(browser.post("join", &headers, join).await.status, 202);
    let joined = broker.wait_for_count(3).await.remove(2);
    let another = joined.header("ce-traceparent").expect("a trace");
    assert_eq!(another.len(), 55);
    assert_ne!(another, begun);

    // A tab may stand in a list of vendors, and in no attribute: the event goes without the list.
    browser.acts("leave", &json!({})).await;
    broker.wait_for_count(4).await;
    browser.acts("again", &json!({})).await;
    let headers = [
        headers[0],
        headers[1],
        ("traceparent", trace),
        ("tracestate", "a=1,\tb=2"),
    ];
    assert_eq!(browser.post("join", &headers, join).await.status, 202);
    let joined = broker.wait_for_count(5).await.remove(4);
    assert_eq!(joined.header("ce-traceparent"), Some(trace));
    assert_eq!(joined.header("ce-tracestate"), None);

    // It comes back by the Broker, and is shown with its trace.
    let session = browser.session().await;
    let headers = [("traceparent", begun.as_str())];
    let data = json!({"session": session, "customer": "Ada"});
    post(
        &website.url,
        "back",
        "Tickets.CustomerQueueJoined",
        &headers,
        &data,
    )
    .await;
    let event = browser.stream(None).await.events(1).await.remove(0);
    assert_eq!(event.data["traceparent"], begun);
}
