use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::destination::Destination;

use crate::support::{Service, of_reservation, of_type, requested, wait_for};

#[tokio::test]
async fn seats_are_held_emitted_released_and_sold_again() {
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "3"], Some(&broker.url())).await;
    tickets
        .accepts("Tickets.Requested", &requested("r-1", 2))
        .await;
    let held = wait_for(&broker, "Tickets.Held", 1).await.remove(0);
    assert_eq!(
        held,
        json!({"session": "s-r-1", "reservationId": "r-1", "tickets": 2, "seats": ["A1", "A2"], "amount": 9_980, "currency": "EUR"})
    );
    tickets
        .accepts("Tickets.Requested", &requested("r-2", 2))
        .await;
    wait_for(&broker, "Tickets.SoldOut", 1).await;

    tickets
        .accepts("Tickets.ReleaseRequested", &of_reservation("r-1"))
        .await;
    wait_for(&broker, "Tickets.Released", 1).await;
    tickets
        .accepts("Tickets.Requested", &requested("r-3", 3))
        .await;
    wait_for(&broker, "Tickets.Held", 2).await;
    tickets
        .accepts("Tickets.CheckedOut", &of_reservation("r-3"))
        .await;
    tickets
        .accepts("Tickets.EmissionRequested", &of_reservation("r-3"))
        .await;
    let emitted = wait_for(&broker, "Tickets.Emitted", 1).await.remove(0);
    assert_eq!(
        emitted,
        json!({"session": "s-r-3", "reservationId": "r-3", "seats": ["A1", "A2", "A3"], "amount": 14_970})
    );
    // Too late: the customer has the tickets.
    tickets
        .accepts("Tickets.ReleaseRequested", &of_reservation("r-3"))
        .await;
    // Who was told that it is sold out stays so.
    tickets
        .accepts("Tickets.EmissionRequested", &of_reservation("r-2"))
        .await;

    let books = tickets.books().await;
    for (what, count) in [
        ("stock", 3),
        ("free", 0),
        ("held", 0),
        ("emitted", 1),
        ("released", 1),
        ("soldOut", 1),
        ("lateReleases", 1),
        ("ticketsSold", 3),
        ("amountSold", 14_970),
        ("seatsAstray", 0),
    ] {
        assert_eq!(books[what], count, "{what}: {books}");
    }
}

#[tokio::test]
async fn seats_beyond_a_stock_that_was_lowered_are_not_sold_again_once_given_back() {
    let broker = Destination::accepting().await;
    let mut tickets = Service::start("tickets", &["--stock", "4"], Some(&broker.url())).await;
    for reservation in ["r-1", "r-2"] {
        tickets
            .accepts("Tickets.Requested", &requested(reservation, 2))
            .await;
    }
    wait_for(&broker, "Tickets.Held", 2).await;
    tickets.kill_and_start_with(&["--stock", "3"]).await;
    assert_eq!(tickets.books().await["stock"], 4, "what is held stays");
    tickets
        .accepts("Tickets.ReleaseRequested", &of_reservation("r-2"))
        .await;
    let books = tickets.books().await;
    assert_eq!((&books["stock"], &books["free"]), (&json!(3), &json!(1)));
    tickets
        .accepts("Tickets.Requested", &requested("r-3", 2))
        .await;
    wait_for(&broker, "Tickets.SoldOut", 1).await;
}

#[tokio::test]
async fn two_hundred_customers_at_once_never_get_more_than_there_is() {
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "77"], Some(&broker.url())).await;
    let requests = (0..200).map(|number| {
        let tickets = &tickets;
        async move {
            let data = requested(&format!("r-{number}"), number % 6 + 1);
            tickets.accepts("Tickets.Requested", &data).await;
        }
    });
    futures_util::future::join_all(requests).await;
    let answers = broker
        .wait_for("200 answers", |received| {
            (received.len() >= 200).then(|| received.to_vec())
        })
        .await;
    let seats: Vec<Value> = of_type(&answers, "Tickets.Held")
        .iter()
        .flat_map(|held| held["seats"].as_array().expect("seats").clone())
        .collect();
    let distinct: BTreeSet<_> = seats.iter().map(ToString::to_string).collect();
    assert_eq!(seats.len(), distinct.len(), "a seat is two customers'");
    let books = tickets.books().await;
    assert_eq!(
        books["free"].as_u64().expect("a count") as usize,
        77 - seats.len(),
        "{books}"
    );
    assert!(books["soldOut"].as_u64() > Some(0), "{books}");
}

/// The events of one reservation, some of them twice, in any order.
fn shuffled() -> impl Strategy<Value = Vec<&'static str>> {
    let all = vec![
        "Tickets.Requested",
        "Tickets.CheckedOut",
        "Tickets.EmissionRequested",
        "Tickets.ReleaseRequested",
    ];
    proptest::sample::subsequence(all.clone(), 1..=4).prop_flat_map(|some| {
        let twice: Vec<&str> = some.iter().chain(&some).copied().collect();
        Just(twice).prop_shuffle()
    })
}

#[test]
fn whatever_the_order_a_reservation_ends_once_and_no_seat_goes_astray() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (broker, tickets) = runtime.block_on(async {
        let broker = Destination::accepting().await;
        let tickets = Service::start("tickets", &["--stock", "100000"], Some(&broker.url())).await;
        (broker, tickets)
    });
    let number = std::sync::atomic::AtomicUsize::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&shuffled(), |order| {
            let reservation = format!(
                "r-{}",
                number.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            );
            runtime.block_on(async {
                for ty in &order {
                    tickets.accepts(ty, &requested(&reservation, 2)).await;
                }
            });
            let emission = order
                .iter()
                .position(|ty| *ty == "Tickets.EmissionRequested");
            let release = order
                .iter()
                .position(|ty| *ty == "Tickets.ReleaseRequested");
            let request = order.iter().position(|ty| *ty == "Tickets.Requested");
            let end = request.map(|request| match (emission, release) {
                (None, None) => "held",
                (Some(_), None) => "Tickets.Emitted",
                (None, Some(_)) => "Tickets.Released",
                // Both before the request: it has been paid. Otherwise the first one counts.
                (Some(emission), Some(release)) if emission < release || emission < request => {
                    "Tickets.Emitted"
                }
                (Some(_), Some(_)) => "Tickets.Released",
            });
            // Who wants it again after it has ended is answered again.
            let answers = |end: &str, wanted: &str| {
                let first = order.iter().position(|ty| *ty == wanted);
                let ended = order.iter().position(|ty| *ty == end).max(first);
                1 + order
                    .iter()
                    .skip(ended.unwrap_or(0) + 1)
                    .filter(|ty| **ty == wanted)
                    .count()
            };
            let of = |received: &[testkit::destination::Received], ty: &str| {
                of_type(received, ty)
                    .iter()
                    .filter(|data| data["reservationId"] == reservation.as_str())
                    .count()
            };
            let ends = runtime.block_on(async {
                // An event about another one, whose answer comes after all of these.
                let ends = |received: &[testkit::destination::Received]| {
                    (
                        of(received, "Tickets.Emitted"),
                        of(received, "Tickets.Released"),
                    )
                };
                let wanted = match end {
                    Some("Tickets.Emitted") => {
                        (answers("Tickets.Requested", "Tickets.EmissionRequested"), 0)
                    }
                    Some("Tickets.Released") => {
                        (0, answers("Tickets.Requested", "Tickets.ReleaseRequested"))
                    }
                    Some(_) | None => (0, 0),
                };
                broker
                    .wait_for(&format!("{order:?} to end as {end:?}"), |received| {
                        (ends(received) == wanted).then_some(())
                    })
                    .await;
                ends(&broker.received())
            });
            prop_assert!(ends.0 == 0 || ends.1 == 0, "{order:?}: {ends:?}");
            Ok(())
        })
        .expect("every order");
    runtime.block_on(async {
        let books = tickets.books().await;
        assert_eq!(books["seatsAstray"], 0, "{books}");
        let taken = 2
            * (books["held"].as_u64().expect("a count")
                + books["emitted"].as_u64().expect("a count"));
        assert_eq!(books["free"].as_u64(), Some(100_000 - taken), "{books}");
        let ended = books["emitted"].as_u64().expect("a count")
            + books["released"].as_u64().expect("a count");
        let told = |ty: &str| {
            let told = of_type(&broker.received(), ty);
            let told = told.iter().map(|data| data["reservationId"].to_string());
            told.collect::<BTreeSet<_>>().len() as u64
        };
        assert_eq!(
            ended,
            told("Tickets.Emitted") + told("Tickets.Released"),
            "{books}"
        );
    });
}

/// Whoever has lost the answer asks again.
#[tokio::test]
async fn who_wants_again_what_has_become_of_a_reservation_is_told_again_unless_it_is_the_same_event()
 {
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "10"], Some(&broker.url())).await;
    let mut expected = 0;
    for (id, wanted, answer) in [
        ("r-1", "Tickets.EmissionRequested", "Tickets.Emitted"),
        ("r-2", "Tickets.ReleaseRequested", "Tickets.Released"),
    ] {
        tickets
            .accepts("Tickets.Requested", &requested(id, 2))
            .await;
        for (event, count) in [("first", 1), ("first", 1), ("second", 2)] {
            let event = format!("{id}-{event}");
            let asked = tickets.send_as(&event, wanted, &of_reservation(id)).await;
            assert_eq!(asked.status, 202, "{}", asked.text());
            wait_for(&broker, answer, count).await;
        }
        // What has ended is not ended anew by anything else.
        tickets
            .accepts("Tickets.CheckedOut", &of_reservation(id))
            .await;
        expected += 3;
    }
    while tickets.books().await["outbox"] != 0 {}
    let received = broker.received();
    assert_eq!(received.len(), expected);
    for answer in ["Tickets.Emitted", "Tickets.Released"] {
        let answers = of_type(&received, answer);
        assert_eq!(answers[0], answers[1]);
    }
    let books = tickets.books().await;
    for (what, count) in [
        ("free", 8),
        ("emitted", 1),
        ("released", 1),
        ("ticketsSold", 2),
        ("amountSold", 9_980),
        ("lateReleases", 0),
    ] {
        assert_eq!(books[what], count, "{what}: {books}");
    }
}

#[tokio::test]
async fn another_price_after_a_restart_changes_nothing_of_what_is_held() {
    let broker = Destination::accepting().await;
    let arguments = |price: &'static str| ["--stock", "10", "--choreographed", "--price", price];
    let mut tickets = Service::start("tickets", &arguments("100"), Some(&broker.url())).await;
    tickets
        .accepts("Tickets.Requested", &requested("r-1", 3))
        .await;
    wait_for(&broker, "Tickets.Held", 1).await;
    tickets.kill_and_start_with(&arguments("700")).await;
    tickets
        .accepts("Tickets.CheckedOut", &of_reservation("r-1"))
        .await;
    let asked = wait_for(&broker, "Payments.RequestReceived", 1).await;
    assert_eq!(asked[0]["amount"], 300);
    tickets
        .accepts("Payments.Authorized", &of_reservation("r-1"))
        .await;
    let emitted = wait_for(&broker, "Tickets.Emitted", 1).await;
    assert_eq!(emitted[0]["amount"], 300);
    assert_eq!(tickets.books().await["amountSold"], 300);
}

#[tokio::test]
async fn seats_that_nobody_checks_out_are_free_again_after_a_while_and_never_after_a_checkout() {
    let broker = Destination::accepting().await;
    let arguments = |seconds: &'static str| ["--stock", "6", "--hold-for-seconds", seconds];
    let mut tickets = Service::start("tickets", &arguments("3600"), Some(&broker.url())).await;
    for id in ["left", "paying", "wanted"] {
        tickets
            .accepts("Tickets.Requested", &requested(id, 2))
            .await;
    }
    tickets
        .accepts("Tickets.CheckedOut", &of_reservation("paying"))
        .await;
    tickets
        .accepts("Tickets.EmissionRequested", &of_reservation("wanted"))
        .await;
    // All were held longer than they may be; that survives a restart.
    let long_ago = "UPDATE reservations SET held_until = 0 WHERE held_until > 0;";
    tickets.kill_and_change(long_ago).await;
    let released = wait_for(&broker, "Tickets.Released", 1).await;
    assert_eq!(released, [of_reservation("left")]);
    // Another customer gets them, and has no time at all.
    tickets.kill_and_start_with(&arguments("0")).await;
    tickets
        .accepts("Tickets.Requested", &requested("next", 2))
        .await;
    let released = wait_for(&broker, "Tickets.Released", 2).await;
    assert_eq!(released.len(), 2);
    tickets
        .accepts("Tickets.EmissionRequested", &of_reservation("paying"))
        .await;
    wait_for(&broker, "Tickets.Emitted", 2).await;
    let books = tickets.books().await;
    for (what, count) in [
        ("held", 0),
        ("emitted", 2),
        ("released", 2),
        ("heldTooLong", 2),
        ("free", 2),
        ("seatsAstray", 0),
    ] {
        assert_eq!(books[what], count, "{what}: {books}");
    }
}
