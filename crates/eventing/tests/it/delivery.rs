use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eventing::{Attempt, BackoffPolicy, Delivered, DeliverySpec, NotReached, deliver};
use http::Response;
use testkit::destination::{Answer, Destination, Received};

use crate::harness::{PATIENCE, SHORT, message, sender, soon, uri};

/// Pauses that only a test has.
fn quick(retry: u32) -> DeliverySpec {
    DeliverySpec {
        retry,
        backoff_delay: Duration::from_millis(1),
        timeout: PATIENCE,
        ..DeliverySpec::default()
    }
}

async fn delivered(destination: &Destination, spec: &DeliverySpec) -> Delivered {
    let to = uri(&destination.url());
    soon(deliver(&sender(), &to, &message("event-1"), spec)).await
}

fn pauses(received: &[Received]) -> Vec<Duration> {
    received
        .windows(2)
        .map(|two| two[1].at - two[0].at)
        .collect()
}

#[tokio::test]
async fn an_event_is_sent_until_it_is_accepted_and_stays_the_same_event() {
    let destination = Destination::accepting().await;
    let answers = AtomicUsize::new(0);
    destination.answer(move |_| {
        let n = answers.fetch_add(1, Ordering::Relaxed);
        [
            Answer::Status(503),
            Answer::Cut,
            Answer::Status(404),
            Answer::Status(202),
        ][n]
            .clone()
    });
    match delivered(&destination, &quick(10)).await {
        Delivered::Accepted {
            attempt: Attempt::Accepted { status, .. },
            attempts,
        } => assert_eq!((status.as_u16(), attempts), (202, 4)),
        other => panic!("{other:?}"),
    }
    for request in destination.received() {
        assert_eq!(request.id(), "event-1");
        assert_eq!(request.body, r#"{"seat":7}"#);
    }
}

#[tokio::test]
async fn as_many_retries_are_made_as_the_delivery_allows_and_the_last_answer_is_kept() {
    for retry in [0, 1, 3] {
        let destination = Destination::start(|_| Answer::Status(500)).await;
        match delivered(&destination, &quick(retry)).await {
            Delivered::GivenUp {
                attempt: Attempt::Answered { status, .. },
                attempts,
            } => assert_eq!((status.as_u16(), attempts), (500, retry + 1)),
            other => panic!("{other:?}"),
        }
        assert_eq!(destination.received().len(), retry as usize + 1);
    }
}

#[tokio::test]
async fn a_refusal_that_stays_is_not_tried_again() {
    for status in [301, 400, 401, 403, 413, 415, 422, 425] {
        let destination = Destination::start(move |_| Answer::Status(status)).await;
        let given_up = delivered(&destination, &quick(10)).await;
        assert!(
            matches!(given_up, Delivered::GivenUp { attempts: 1, .. }),
            "{status}: {given_up:?}"
        );
        assert_eq!(destination.received().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn each_attempt_has_the_timeout_to_itself() {
    let destination = Destination::start(|_| Answer::Never).await;
    let spec = DeliverySpec {
        timeout: SHORT,
        ..quick(2)
    };
    let began = Instant::now();
    match delivered(&destination, &spec).await {
        Delivered::GivenUp {
            attempt: Attempt::NotReached { why, .. },
            attempts,
        } => assert_eq!((why, attempts), (NotReached::TimedOut, 3)),
        other => panic!("{other:?}"),
    }
    // From when the first began: one that the destination saw late would make the pause after it look short.
    // Timers have a grain of a millisecond.
    let taken = began.elapsed();
    assert!(taken >= SHORT * 3 - Duration::from_millis(20), "{taken:?}");
    assert_eq!(destination.received().len(), 3);
}

#[tokio::test]
async fn retries_wait_for_the_backoff() {
    let ms = Duration::from_millis;
    // The least that lies between the attempts; how much more depends on the machine.
    for (policy, least) in [
        (BackoffPolicy::Exponential, [ms(40), ms(80), ms(160)]),
        (BackoffPolicy::Linear, [ms(0), ms(40), ms(80)]),
    ] {
        let destination = Destination::start(|_| Answer::Status(500)).await;
        let spec = DeliverySpec {
            backoff_policy: policy,
            backoff_delay: ms(40),
            ..quick(3)
        };
        delivered(&destination, &spec).await;
        let pauses = pauses(&destination.received());
        assert_eq!(pauses.len(), 3);
        assert!(
            pauses
                .iter()
                .zip(&least)
                .all(|(pause, least)| pause >= least),
            "{policy:?}: {pauses:?}"
        );
    }
}

#[tokio::test]
async fn a_retry_waits_as_long_as_the_recipient_asks_up_to_the_greatest() {
    let destination = Destination::start(|_| {
        Answer::Response(
            Response::builder()
                .status(503)
                .header("retry-after", "3600")
                .body("".into())
                .unwrap(),
        )
    })
    .await;
    let spec = DeliverySpec {
        retry_after_max: Some(SHORT),
        ..quick(1)
    };
    delivered(&destination, &spec).await;
    let pauses = pauses(&destination.received());
    assert!(pauses[0] >= SHORT, "{pauses:?}");
}

#[tokio::test]
async fn where_nobody_listens_all_retries_are_made() {
    let mut destination = Destination::accepting().await;
    destination.stop().await;
    match delivered(&destination, &quick(2)).await {
        Delivered::GivenUp {
            attempt: Attempt::NotReached { why, .. },
            attempts,
        } => assert_eq!((why, attempts), (NotReached::Refused, 3)),
        other => panic!("{other:?}"),
    }
}
