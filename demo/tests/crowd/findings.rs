use futures_util::{StreamExt, stream};

use crate::shop::{Shop, Wrong};

#[tokio::test]
async fn at_a_shop_that_is_right_all_is_found_right_and_told_with_its_times() {
    let (code, said) = Shop::visited(Wrong::Nothing, &[]).await;
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("FAIL"), "{said}");
    for told in [
        "100 customers within 1 s",
        "customers/s",
        "asked for tickets, until seats are held",
        "The bottleneck: ",
        "sold = emitted = paid",
    ] {
        assert!(said.contains(told), "no `{told}` in:\n{said}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_found_and_the_crowd_ends_with_1() {
    let cases = [
        (Wrong::KeepsTickets, "FAIL  no charged without tickets: 1"),
        (Wrong::ChargesNobody, "FAIL  no tickets without a charge: 1"),
        (Wrong::ChargesNobody, "FAIL  every cent is paid"),
        (Wrong::ForgetsOne, "FAIL  no customers who wait for ever: 1"),
        (Wrong::RefusesOne, "the Broker refused: 400"),
        (
            Wrong::Book("queue", "outOfTurn"),
            "FAIL  no let in out of turn, by the queue's books: 1",
        ),
        (
            Wrong::LetsInOutOfTurn,
            "FAIL  no let in out of turn, by what customers were told",
        ),
        (
            Wrong::Book("tickets", "held"),
            "FAIL  no seats still held: 1",
        ),
        (
            Wrong::Book("tickets", "ticketsSold"),
            "FAIL  every ticket is a seat",
        ),
        (
            Wrong::Book("payments", "pending"),
            "FAIL  no payments still pending: 1",
        ),
        (
            Wrong::Book("payments", "outbox"),
            "FAIL  no events that did not leave payments: 1",
        ),
        (
            Wrong::Book("counts", "active"),
            "FAIL  no processes left hanging: 1",
        ),
        (Wrong::Book("counts", "incidents"), "FAIL  no incidents: 1"),
        (
            Wrong::Book("counts", "completed"),
            "FAIL  a process for each customer",
        ),
        (Wrong::Book("dead", "seen"), "FAIL  no dead letters: 1"),
    ];
    let visits = cases.map(|(wrong, found)| async move {
        let (code, said) = Shop::visited(wrong, &["--patience-seconds", "8"]).await;
        assert_eq!(code, 1, "{wrong:?}\n{said}");
        assert!(said.contains(found), "{wrong:?}\n{said}");
    });
    // Not all at once: a machine that is too slow for one crowd finds more than is wrong.
    stream::iter(visits)
        .buffer_unordered(4)
        .collect::<()>()
        .await;
}

#[tokio::test]
async fn a_fault_that_never_came_about_is_a_failure_too() {
    // Nobody listens there.
    let controls = ["--controls", "http://127.0.0.1:9", "--kill", "bridge=1"];
    let (code, said) = Shop::visited(Wrong::Nothing, &controls).await;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("FAIL  bridge was killed meanwhile: 0 times"),
        "{said}"
    );
}
