use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use testkit::destination::{Answer, Destination, Received};

use crate::support::{Service, of_type, payment, requested, wait_for};

/// All requests with one id carry the same event.
fn assert_repeats_are_equal(received: &[Received]) -> usize {
    let mut by_id: BTreeMap<&str, &Received> = BTreeMap::new();
    for event in received {
        let first = by_id.entry(event.id()).or_insert(event);
        assert_eq!(first.body, event.body);
        for name in ["ce-type", "ce-source", "ce-subject", "ce-time"] {
            assert_eq!(first.header(name), event.header(name), "{name}");
        }
    }
    by_id.len()
}

#[tokio::test]
async fn killed_before_during_and_after_sending_every_event_arrives_with_one_id() {
    for (when, first_answer) in [
        ("before: nobody answers", Answer::Never),
        ("during: the answer is lost", Answer::Cut),
        ("not taken: come again", Answer::Status(503)),
    ] {
        let answer = first_answer.clone();
        let broker = Destination::start(move |_| answer.clone()).await;
        let mut tickets =
            Service::start("tickets", &["--stock", "1000"], Some(&broker.url())).await;
        for number in 0..50 {
            tickets
                .accepts("Tickets.Requested", &requested(&format!("r-{number}"), 1))
                .await;
        }
        broker.wait_for_count(10).await;
        tickets.program.kill().await;
        broker.answer(|_| Answer::Status(202));
        let came = broker.received().len();
        tickets.start_again().await;
        // A second kill, right behind an answer.
        broker.wait_for_count(came + 5).await;
        tickets.kill_and_start_again().await;
        let held: BTreeSet<String> = broker
            .wait_for(when, |received| {
                let held: BTreeSet<String> = of_type(received, "Tickets.Held")
                    .iter()
                    .map(|data| data["reservationId"].to_string())
                    .collect();
                (held.len() == 50).then_some(held)
            })
            .await;
        assert_eq!(held.len(), 50);
        assert_eq!(
            assert_repeats_are_equal(&broker.received()),
            50,
            "{when}: two ids for one event"
        );
        let books = tickets.books().await;
        assert_eq!(books["held"], 50, "{when}: {books}");
    }
}

#[tokio::test]
async fn what_was_not_answered_did_not_happen_or_is_not_repeated() {
    let broker = Destination::accepting().await;
    let mut tickets = Service::start("tickets", &["--stock", "10000"], Some(&broker.url())).await;
    for round in 0..5 {
        let url = tickets.url.clone();
        let sending = tokio::spawn(async move {
            let all = (0..200).map(|number| {
                let url = url.clone();
                async move {
                    let (id, data) = (
                        format!("e-{round}-{number}"),
                        requested(&format!("r-{round}-{number}"), 1),
                    );
                    let headers = [
                        ("ce-specversion", "1.0"),
                        ("ce-source", "/tests"),
                        ("ce-type", "Tickets.Requested"),
                        ("ce-id", id.as_str()),
                        ("content-type", "application/json"),
                    ];
                    let sent = testkit::request::try_send(
                        http::Method::POST,
                        &url,
                        &headers,
                        data.to_string(),
                    )
                    .await;
                    sent.is_ok_and(|answered| answered.status == 202)
                }
            });
            futures_util::future::join_all(all).await
        });
        broker.wait_for_count(broker.received().len() + 3).await;
        tickets.kill_and_start_again().await;
        let answered = sending.await.expect("an end");
        // Whoever got no answer sends again, as a Broker would.
        for (number, answered) in answered.iter().enumerate() {
            if !answered {
                let (id, data) = (
                    format!("e-{round}-{number}"),
                    requested(&format!("r-{round}-{number}"), 1),
                );
                assert_eq!(
                    tickets
                        .send_as(&id, "Tickets.Requested", &data)
                        .await
                        .status,
                    202
                );
            }
        }
    }
    broker
        .wait_for("a seat for everybody", |received| {
            let held: BTreeSet<String> = of_type(received, "Tickets.Held")
                .iter()
                .map(|data| data["reservationId"].to_string())
                .collect();
            (held.len() == 1000).then_some(())
        })
        .await;
    assert_eq!(assert_repeats_are_equal(&broker.received()), 1000);
    let books = tickets.books().await;
    assert_eq!(
        (&books["held"], &books["free"]),
        (&1000.into(), &9000.into()),
        "{books}"
    );
}

#[tokio::test]
async fn sigterm_sends_what_is_in_the_outbox_and_ends_with_0() {
    let broker = Destination::start(|_| {
        Answer::After(Duration::from_millis(50), Box::new(Answer::Status(202)))
    })
    .await;
    let mut tickets = Service::start("tickets", &["--stock", "1000"], Some(&broker.url())).await;
    for number in 0..150 {
        tickets
            .accepts("Tickets.Requested", &requested(&format!("r-{number}"), 1))
            .await;
    }
    tickets.program.terminate();
    let status = tickets.program.ended().await;
    assert_eq!(status.code(), Some(0), "{:?}", tickets.program.output());
    assert_eq!(of_type(&broker.received(), "Tickets.Held").len(), 150);
}

#[tokio::test]
async fn a_grace_that_is_too_short_leaves_the_rest_for_the_next_start() {
    let broker = Destination::start(|_| Answer::Status(503)).await;
    let arguments = ["--stock", "1000", "--grace-seconds", "1"];
    let mut tickets = Service::start("tickets", &arguments, Some(&broker.url())).await;
    for number in 0..50 {
        tickets
            .accepts("Tickets.Requested", &requested(&format!("r-{number}"), 1))
            .await;
    }
    tickets.program.terminate();
    let status = tickets.program.ended().await;
    assert_eq!(status.code(), Some(0), "{:?}", tickets.program.output());
    broker.answer(|_| Answer::Status(202));
    tickets.start_again().await;
    broker
        .wait_for("all of them", |received| {
            let held: BTreeSet<String> = of_type(received, "Tickets.Held")
                .iter()
                .map(|data| data["reservationId"].to_string())
                .collect();
            (held.len() == 50).then_some(())
        })
        .await;
    assert_eq!(assert_repeats_are_equal(&broker.received()), 50);
}

#[tokio::test]
async fn a_payment_that_was_being_worked_goes_on_after_a_kill() {
    let broker = Destination::accepting().await;
    let mut payments =
        Service::start("payments", &["--work-for-ms", "500"], Some(&broker.url())).await;
    for number in 0..20 {
        payments
            .accepts(
                "Payments.RequestReceived",
                &payment(&format!("r-{number}"), "valid"),
            )
            .await;
    }
    payments.kill_and_start_again().await;
    wait_for(&broker, "Payments.Authorized", 20).await;
    assert_eq!(assert_repeats_are_equal(&broker.received()), 20);
    assert_eq!(payments.books().await["authorized"], 20);
}

#[tokio::test]
async fn two_programs_cannot_share_a_file_and_the_second_says_so() {
    let broker = Destination::accepting().await;
    let tickets = Service::start("tickets", &["--stock", "10"], Some(&broker.url())).await;
    let data = tickets.data_folder();
    let arguments = ["tickets", "--data", data.as_str()];
    let mut second =
        testkit::program::Program::start(env!("CARGO_BIN_EXE_demo"), &arguments, &BTreeMap::new())
            .expect("the program");
    let status = second.ended().await;
    assert_eq!(status.code(), Some(1));
    let said = second.output().join("\n");
    assert!(
        said.contains("tickets.sqlite") && said.contains("locked"),
        "{said}"
    );
}

#[tokio::test]
async fn an_event_that_failed_once_does_not_wait_for_all_that_came_later() {
    let mut tickets =
        Service::start("tickets", &["--stock", "1000", "--under-way", "1"], None).await;
    for number in 0..100 {
        tickets
            .accepts("Tickets.Requested", &requested(&format!("r-{number}"), 1))
            .await;
    }
    let failed = std::sync::atomic::AtomicBool::new(false);
    let broker = Destination::start(move |_| {
        let first = !failed.swap(true, std::sync::atomic::Ordering::Relaxed);
        Answer::After(
            Duration::from_millis(10),
            Box::new(Answer::Status(if first { 500 } else { 202 })),
        )
    })
    .await;
    tickets.kill_and_bind(&broker.url()).await;
    let all = broker.wait_for_count(101).await;
    let again = all
        .iter()
        .rposition(|event| event.id() == all[0].id())
        .expect("it comes again");
    assert!(again < 90, "it came as number {again} of {}", all.len());
}
