use serde_json::json;
use testkit::destination::Destination;

use crate::support::{Service, of_type, payment, post, wait_for};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn the_card_decides_unless_the_mode_does() {
    for (mode, card, ty) in [
        ("ok", "valid", "Payments.Authorized"),
        ("ok", "refused", "Payments.Refused"),
        ("refuse", "valid", "Payments.Refused"),
    ] {
        let broker = Destination::accepting().await;
        let arguments = ["--work-for-ms", "10", "--mode", mode];
        let payments = Service::start("payments", &arguments, Some(&broker.url())).await;
        payments
            .accepts("Payments.RequestReceived", &payment("r-1", card))
            .await;
        let answer = wait_for(&broker, ty, 1).await.remove(0);
        assert_eq!(answer["paymentId"], "p-r-1");
        assert_eq!(answer["reservationId"], "r-1");
    }
    for (mode, card) in [("ok", "slow"), ("slow", "valid")] {
        let broker = Destination::accepting().await;
        let arguments = ["--work-for-ms", "10", "--mode", mode];
        let payments = Service::start("payments", &arguments, Some(&broker.url())).await;
        payments
            .accepts("Payments.RequestReceived", &payment("r-1", card))
            .await;
        payments
            .accepts("Payments.CancelRequested", &payment("r-1", card))
            .await;
        // It was still pending: nobody was charged.
        wait_for(&broker, "Payments.Cancelled", 1).await;
        assert!(of_type(&broker.received(), "Payments.Authorized").is_empty());
    }
}

#[tokio::test]
async fn a_reservation_is_charged_once_however_often_it_is_asked_for() {
    let broker = Destination::accepting().await;
    let payments = Service::start("payments", &["--work-for-ms", "10"], Some(&broker.url())).await;
    for _ in 0..5 {
        payments
            .accepts("Payments.RequestReceived", &payment("r-1", "valid"))
            .await;
    }
    wait_for(&broker, "Payments.Authorized", 1).await;
    for _ in 0..5 {
        payments
            .accepts("Payments.RequestReceived", &payment("r-1", "valid"))
            .await;
    }
    payments
        .accepts("Payments.RequestReceived", &payment("r-2", "valid"))
        .await;
    broker
        .wait_for("the other payment", |received| {
            of_type(received, "Payments.Authorized")
                .iter()
                .any(|data| data["reservationId"] == "r-2")
                .then_some(())
        })
        .await;
    let books = payments.books().await;
    assert_eq!(books["amountCharged"], 2 * 9_980, "{books}");
}

#[tokio::test]
async fn a_cancellation_ends_a_payment_wherever_it_is() {
    let broker = Destination::accepting().await;
    let payments = Service::start("payments", &["--work-for-ms", "10"], Some(&broker.url())).await;
    // Before the request.
    payments
        .accepts("Payments.CancelRequested", &payment("early", "valid"))
        .await;
    payments
        .accepts("Payments.RequestReceived", &payment("early", "valid"))
        .await;
    // After it was authorized.
    payments
        .accepts("Payments.RequestReceived", &payment("late", "valid"))
        .await;
    wait_for(&broker, "Payments.Authorized", 1).await;
    for _ in 0..2 {
        payments
            .accepts("Payments.CancelRequested", &payment("late", "valid"))
            .await;
    }
    let refunded = wait_for(&broker, "Payments.Refunded", 1).await;
    assert_eq!(refunded[0]["amount"], 9_980);
    // After it was refused.
    payments
        .accepts("Payments.RequestReceived", &payment("refused", "refused"))
        .await;
    wait_for(&broker, "Payments.Refused", 1).await;
    payments
        .accepts("Payments.CancelRequested", &payment("refused", "refused"))
        .await;

    let cancelled = wait_for(&broker, "Payments.Cancelled", 1).await;
    assert_eq!(cancelled[0]["reservationId"], "early");
    let mut books = payments.books().await;
    let books = books.as_object_mut().expect("an object");
    for own in ["outbox", "notSent", "sent"] {
        books.remove(own);
    }
    assert_eq!(
        json!(books),
        json!({"pending": 0, "authorized": 0, "refused": 1, "cancelled": 1, "cancelledBeforehand": 0,
               "refunded": 1, "amountCharged": 0})
    );
}

#[tokio::test]
async fn an_amount_beyond_all_tickets_is_refused_and_the_books_stay_readable() {
    let broker = Destination::accepting().await;
    let payments = Service::start("payments", &["--work-for-ms", "10"], Some(&broker.url())).await;
    for (reservation, amount) in [
        ("r-1", u64::MAX),
        ("r-2", i64::MAX as u64),
        ("r-3", 1_000_000_001),
    ] {
        let mut data = payment(reservation, "valid");
        data["amount"] = json!(amount);
        let answered = payments.send("Payments.RequestReceived", &data).await;
        assert_eq!(answered.status, 422, "{amount}");
        assert!(answered.text().contains("amount"), "{}", answered.text());
    }
    assert_eq!(payments.books().await["amountCharged"], 0);
}

#[tokio::test]
async fn a_trace_that_no_event_can_carry_keeps_nobody_from_paying() {
    let broker = Destination::accepting().await;
    let payments = Service::start("payments", &["--work-for-ms", "10"], Some(&broker.url())).await;
    // A tab may stand in a header, and in a list of vendors, but in no attribute of an event.
    let tab = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c\t-01");
    let vendors = ("tracestate", "a=1,\tb=2");
    for (id, headers) in [
        ("r-1", &[tab][..]),
        ("r-2", &[("traceparent", TRACEPARENT), vendors]),
    ] {
        let data = payment(id, "valid");
        let answered = post(
            &payments.url,
            id,
            "Payments.RequestReceived",
            headers,
            &data,
        )
        .await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    payments
        .accepts("Payments.RequestReceived", &payment("r-3", "valid"))
        .await;
    wait_for(&broker, "Payments.Authorized", 3).await;
    assert_eq!(payments.books().await["authorized"], 3);
}

#[tokio::test]
async fn a_payment_that_cannot_be_answered_keeps_nobody_else_from_paying() {
    let broker = Destination::accepting().await;
    let arguments = ["--work-for-ms", "600000"];
    let mut payments = Service::start("payments", &arguments, Some(&broker.url())).await;
    for id in ["r-1", "r-2", "r-3"] {
        payments
            .accepts("Payments.RequestReceived", &payment(id, "valid"))
            .await;
    }
    // No event can have that subject.
    let spoilt = "UPDATE payments SET due = 0;
                  UPDATE payments SET session = 's' || char(9) WHERE reservation = 'r-1';";
    payments.kill_and_change(spoilt).await;
    wait_for(&broker, "Payments.Authorized", 2).await;
    let books = payments.books().await;
    assert_eq!(
        (&books["authorized"], &books["pending"]),
        (&json!(2), &json!(1)),
        "{books}"
    );
    let mended = "UPDATE payments SET session = 's-r-1' WHERE reservation = 'r-1';";
    payments.kill_and_change(mended).await;
    wait_for(&broker, "Payments.Authorized", 3).await;
}

/// The request is lost; the process asks until it is told that nobody is charged.
#[tokio::test]
async fn who_asks_again_to_cancel_what_was_never_requested_is_told_that_nobody_is_charged() {
    let broker = Destination::accepting().await;
    let payments = Service::start("payments", &["--work-for-ms", "10"], Some(&broker.url())).await;
    let data = payment("r-1", "valid");
    for _ in 0..2 {
        payments.accepts("Payments.CancelRequested", &data).await;
    }
    let cancelled = wait_for(&broker, "Payments.Cancelled", 1).await;
    assert_eq!(
        (&cancelled[0]["paymentId"], &cancelled[0]["amount"]),
        (&json!("p-r-1"), &json!(0))
    );
    // Should the request come for all that, nobody is charged by it.
    payments.accepts("Payments.RequestReceived", &data).await;
    let cancelled = wait_for(&broker, "Payments.Cancelled", 2).await;
    assert_eq!(cancelled[0], cancelled[1]);
    let books = payments.books().await;
    assert_eq!(
        (&books["cancelled"], &books["pending"], &books["authorized"]),
        (&json!(1), &json!(0), &json!(0)),
        "{books}"
    );
}

/// Whoever has lost the answer asks again.
#[tokio::test]
async fn a_question_about_a_finished_payment_gets_its_answer_again_unless_it_is_the_same_event() {
    let (request, cancel) = ("Payments.RequestReceived", "Payments.CancelRequested");
    let broker = Destination::accepting().await;
    let payments = Service::start("payments", &["--work-for-ms", "10"], Some(&broker.url())).await;
    let mut expected = Vec::new();
    for (id, card, question, answer) in [
        ("back", "valid", request, "Payments.Authorized"),
        ("back", "valid", cancel, "Payments.Refunded"),
        ("slow", "slow", request, ""),
        ("slow", "slow", cancel, "Payments.Cancelled"),
        ("no", "refused", request, "Payments.Refused"),
        ("no", "refused", cancel, "Payments.Refused"),
    ] {
        let data = payment(id, card);
        // The second is the first, delivered again.
        for (event, is_answered) in [("first", true), ("first", false), ("second", true)] {
            let event = format!("{id}-{question}-{event}");
            let asked = payments.send_as(&event, question, &data).await;
            assert_eq!(asked.status, 202, "{}", asked.text());
            if is_answered && !answer.is_empty() {
                expected.push((answer, id));
                broker.wait_for_count(expected.len()).await;
            }
        }
    }
    while payments.books().await["outbox"] != 0 {}
    let received = broker.received();
    assert_eq!(received.len(), expected.len());
    for (answer, id) in &expected {
        let mut answers = of_type(&received, answer);
        answers.retain(|data| data["reservationId"] == *id);
        let count = expected.iter().filter(|it| **it == (*answer, *id)).count();
        assert_eq!(answers.len(), count, "{answer} {id}");
        assert!(
            answers.iter().all(|data| *data == answers[0]),
            "{answers:?}"
        );
        assert_eq!(answers[0]["paymentId"], format!("p-{id}"));
    }
    let books = payments.books().await;
    for (what, count) in [
        ("authorized", 0),
        ("refunded", 1),
        ("cancelled", 1),
        ("refused", 1),
        ("amountCharged", 0),
    ] {
        assert_eq!(books[what], count, "{what}: {books}");
    }
}
