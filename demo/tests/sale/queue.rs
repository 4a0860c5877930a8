use chrono::DateTime;
use serde_json::json;
use testkit::destination::Destination;

use crate::support::{Service, joined, of_reservation, of_type, session, wait_for};

#[tokio::test]
async fn customers_are_let_in_in_the_order_of_their_numbers_and_those_who_left_are_passed_over() {
    let broker = Destination::accepting().await;
    let queue = Service::start("queue", &["--shop-seats", "2"], Some(&broker.url())).await;
    for customer in ["a", "b", "c", "d", "e", "f"] {
        queue
            .accepts("Tickets.CustomerQueueJoined", &joined(customer))
            .await;
    }
    // Joining again changes nothing.
    queue
        .accepts("Tickets.CustomerQueueJoined", &joined("a"))
        .await;
    let queued = wait_for(&broker, "Tickets.CustomerQueued", 6).await;
    assert_eq!(queued.len(), 6);
    for data in &queued {
        let number = "abcdef"
            .find(data["session"].as_str().expect("a session"))
            .expect("one of them")
            + 1;
        assert_eq!(data["number"], number);
    }
    wait_for(&broker, "Tickets.CustomerAdmitted", 2).await;

    queue
        .accepts("Tickets.CustomerQueueLeft", &session("d"))
        .await;
    // Each of these frees a place.
    queue.accepts("Tickets.Emitted", &session("a")).await;
    queue.accepts("Tickets.SoldOut", &session("b")).await;
    wait_for(&broker, "Tickets.CustomerAdmitted", 4).await;
    queue.accepts("Tickets.Released", &session("c")).await;
    let admitted = wait_for(&broker, "Tickets.CustomerAdmitted", 5).await;
    let mut numbers: Vec<u64> = admitted
        .iter()
        .map(|data| data["number"].as_u64().expect("a number"))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 5, 6]);

    let books = queue.books().await;
    for (what, count) in [
        ("joined", 6),
        ("waiting", 0),
        ("shopping", 2),
        ("admitted", 5),
        ("leftInLine", 1),
        ("outOfTurn", 0),
    ] {
        assert_eq!(books[what], count, "{what}: {books}");
    }
}

#[tokio::test]
async fn who_leaves_before_joining_arrives_is_never_let_in() {
    let broker = Destination::accepting().await;
    let queue = Service::start("queue", &["--shop-seats", "5"], Some(&broker.url())).await;
    queue
        .accepts("Tickets.CustomerQueueLeft", &session("gone"))
        .await;
    queue
        .accepts("Tickets.CustomerQueueJoined", &joined("gone"))
        .await;
    queue
        .accepts("Tickets.CustomerQueueJoined", &joined("here"))
        .await;
    let admitted = wait_for(&broker, "Tickets.CustomerAdmitted", 1).await;
    assert_eq!(admitted[0]["session"], "here");
    assert_eq!(queue.books().await["joined"], 1);
}

#[tokio::test]
async fn who_stays_in_the_shop_for_too_long_is_removed_and_the_next_comes_in() {
    let broker = Destination::accepting().await;
    let arguments = ["--shop-seats", "1", "--decide-within-seconds", "1"];
    let mut queue = Service::start("queue", &arguments, Some(&broker.url())).await;
    queue
        .accepts("Tickets.CustomerQueueJoined", &joined("slow"))
        .await;
    queue
        .accepts("Tickets.CustomerQueueJoined", &joined("next"))
        .await;
    // The deadline survives a restart.
    queue.kill_and_start_again().await;
    let removed = wait_for(&broker, "Tickets.CustomerRemoved", 1).await;
    assert_eq!(removed[0]["session"], "slow");
    broker
        .wait_for("the next one", |received| {
            of_type(received, "Tickets.CustomerAdmitted")
                .iter()
                .any(|data| data["session"] == "next")
                .then_some(())
        })
        .await;
    // Its own event comes back from the Broker.
    queue
        .accepts(
            "Tickets.CustomerRemoved",
            &json!({"session": "slow", "reason": "took too long in the shop"}),
        )
        .await;
    assert_eq!(queue.books().await["outOfTurn"], 0);
}

#[tokio::test]
async fn the_line_is_told_of_in_few_events_and_the_last_one_is_true() {
    let broker = Destination::accepting().await;
    let queue = Service::start("queue", &["--shop-seats", "10"], Some(&broker.url())).await;
    let moves = || of_type(&broker.received(), "Tickets.QueueMoved").len();
    let mut count = 0;
    // They come for as long as it takes to tell of them a few times.
    while count < 300 || moves() < 4 {
        let joining = (count..count + 20).map(|number| {
            let queue = &queue;
            async move {
                let joined = joined(&format!("c-{number}"));
                queue.accepts("Tickets.CustomerQueueJoined", &joined).await;
            }
        });
        futures_util::future::join_all(joining).await;
        count += 20;
    }
    let last = json!({"session": "", "admitted": 10, "waiting": count - 10});
    broker
        .wait_for("the state of the line", |received| {
            let told = of_type(received, "Tickets.QueueMoved");
            told.contains(&last).then_some(())
        })
        .await;
    // However long that took here: by the times in the events, four a second are the most.
    let mut told: Vec<_> = broker
        .received()
        .iter()
        .filter(|event| event.ty() == "Tickets.QueueMoved")
        .map(|event| event.header("ce-time").expect("a time").to_owned())
        .map(|time| DateTime::parse_from_rfc3339(&time).expect("RFC 3339"))
        .collect();
    told.sort_unstable();
    for pair in told.windows(2) {
        assert!((pair[1] - pair[0]).num_milliseconds() >= 250, "{told:?}");
    }
}

#[tokio::test]
async fn a_release_of_somebody_in_line_is_no_reason_to_let_in_more_than_fit() {
    let broker = Destination::accepting().await;
    let queue = Service::start("queue", &["--shop-seats", "1"], Some(&broker.url())).await;
    for customer in ["s-a", "s-b", "s-c"] {
        queue
            .accepts("Tickets.CustomerQueueJoined", &joined(customer))
            .await;
    }
    queue
        .accepts("Tickets.Released", &of_reservation("unknown"))
        .await;
    queue
        .accepts("Tickets.CustomerQueueLeft", &session("s-b"))
        .await;
    let books = queue.books().await;
    assert_eq!(
        (&books["shopping"], &books["waiting"]),
        (&json!(1), &json!(1)),
        "{books}"
    );
}

#[tokio::test]
async fn who_cannot_be_let_in_or_removed_keeps_nobody_out_or_in() {
    let broker = Destination::accepting().await;
    let mut queue = Service::start("queue", &["--shop-seats", "2"], Some(&broker.url())).await;
    for customer in ["a", "b", "c", "d", "e"] {
        queue
            .accepts("Tickets.CustomerQueueJoined", &joined(customer))
            .await;
    }
    wait_for(&broker, "Tickets.CustomerAdmitted", 2).await;
    // No event can have that subject: neither can `a` be told to be removed, nor `c` to be let in.
    let spoilt = "UPDATE customers SET session = session || char(9) WHERE session IN ('a', 'c');
                  UPDATE customers SET deadline = 0 WHERE state = 'shops';";
    queue.kill_and_change(spoilt).await;
    let removed = wait_for(&broker, "Tickets.CustomerRemoved", 1).await;
    assert_eq!(removed[0]["session"], "b");
    wait_for(&broker, "Tickets.CustomerAdmitted", 3).await;
    queue.accepts("Tickets.Emitted", &session("d")).await;
    let admitted = wait_for(&broker, "Tickets.CustomerAdmitted", 4).await;
    let mut admitted: Vec<_> = admitted
        .iter()
        .filter_map(|data| data["session"].as_str())
        .collect();
    admitted.sort_unstable();
    assert_eq!(admitted, ["a", "b", "d", "e"]);
    let books = queue.books().await;
    assert_eq!(
        (&books["shopping"], &books["waiting"]),
        (&json!(2), &json!(1)),
        "{books}"
    );
}
