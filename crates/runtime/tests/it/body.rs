//! In paused time: these bodies come through channels.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, Limited, StreamBody};
use runtime::body::{BodyRate, Paced, ReadError, read_body};
use runtime::budget::{Budget, Exhausted};
use tokio::sync::mpsc;
use tokio::time::Instant;

const KIB: usize = 1024;
const PATIENCE: Duration = Duration::from_secs(1);

fn budget(bytes: usize) -> Budget {
    Budget::new(bytes, PATIENCE)
}

type Piece = Result<Frame<Bytes>, std::io::Error>;

/// A body that a test sends piece by piece.
fn channel() -> (
    mpsc::UnboundedSender<Piece>,
    impl http_body::Body<Data = Bytes, Error = std::io::Error> + Unpin + Send + 'static,
) {
    let (send, pieces) = mpsc::unbounded_channel();
    let pieces = stream::unfold(pieces, |mut pieces: mpsc::UnboundedReceiver<Piece>| async {
        Some((pieces.recv().await?, pieces))
    });
    (send, StreamBody::new(Box::pin(pieces)))
}

fn piece(bytes: usize) -> Piece {
    Ok(Frame::data(Bytes::from(vec![b'x'; bytes])))
}

// -- reading

#[tokio::test]
async fn a_body_in_one_piece_is_returned_without_copying() {
    let sent = Bytes::from_static(b"an event");
    let budget = budget(KIB);
    let (read, reservation) = read_body(Full::new(sent.clone()), KIB, &budget)
        .await
        .unwrap();
    assert_eq!(read, sent);
    assert_eq!(read.as_ptr(), sent.as_ptr());
    assert_eq!(reservation.bytes(), sent.len());
    assert_eq!(budget.available(), KIB - sent.len());
    drop(reservation);
    assert_eq!(budget.available(), KIB);
}

#[tokio::test]
async fn an_empty_body_needs_no_budget() {
    let budget = budget(0);
    let (read, reservation) = read_body(Empty::new(), 0, &budget).await.unwrap();
    assert_eq!((read.len(), reservation.bytes()), (0, 0));
}

#[tokio::test]
async fn pieces_are_joined_in_order_and_trailers_ignored() {
    let (send, body) = channel();
    for text in ["one ", "", "two ", "three"] {
        send.send(Ok(Frame::data(Bytes::from_static(text.as_bytes()))))
            .unwrap();
    }
    send.send(Ok(Frame::trailers(http::HeaderMap::new())))
        .unwrap();
    drop(send);
    let budget = budget(KIB);
    let (read, reservation) = read_body(body, KIB, &budget).await.unwrap();
    assert_eq!(read, "one two three");
    assert_eq!(reservation.bytes(), read.len());
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_before_a_byte_is_read() {
    let body = Full::new(Bytes::from(vec![0; KIB + 1]));
    let error = read_body(body, KIB, &budget(0)).await.unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { max_bytes: KIB }));
    assert!(error.to_string().contains("1024 bytes"));
}

#[tokio::test]
async fn an_unannounced_body_is_refused_at_the_limit_and_gives_its_bytes_back() {
    let (send, body) = channel();
    for _ in 0..3 {
        send.send(piece(KIB / 2)).unwrap();
    }
    let budget = budget(4 * KIB);
    let error = read_body(body, KIB, &budget).await.unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { max_bytes: KIB }));
    assert_eq!(budget.available(), 4 * KIB);
}

#[tokio::test]
async fn a_broken_body_is_aborted_with_its_cause_and_gives_its_bytes_back() {
    let (send, body) = channel();
    send.send(piece(100)).unwrap();
    send.send(Err(std::io::Error::other("connection reset")))
        .unwrap();
    let budget = budget(KIB);
    let error = read_body(body, KIB, &budget).await.unwrap_err();
    assert!(matches!(error, ReadError::Aborted(_)));
    assert!(error.to_string().contains("connection reset"));
    assert_eq!(budget.available(), KIB);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_dropped_gives_its_bytes_back() {
    let (send, body) = channel();
    send.send(piece(100)).unwrap();
    let budget = budget(KIB);
    let reading = tokio::spawn({
        let budget = budget.clone();
        async move { read_body(body, KIB, &budget).await.map(drop) }
    });
    while budget.available() == KIB {
        tokio::task::yield_now().await;
    }
    reading.abort();
    assert!(reading.await.is_err());
    assert_eq!(budget.available(), KIB);
}

// -- the least rate

fn rate() -> BodyRate {
    BodyRate {
        bytes_per_second: 100,
        grace: Duration::from_secs(5),
    }
}

#[tokio::test(start_paused = true)]
async fn a_silence_longer_than_the_grace_ends_a_body_however_fast_it_was_before() {
    let (send, body) = channel();
    send.send(piece(KIB)).unwrap();
    let started = Instant::now();
    let error = read_body(Paced::new(body, rate()), 2 * KIB, &budget(2 * KIB))
        .await
        .unwrap_err();
    let ReadError::TooSlow(slow) = &error else {
        panic!("{error:?}");
    };
    assert_eq!((slow.received, slow.rate), (1024, rate()));
    assert!(error.to_string().contains("slower than 100 bytes a second"));
    assert_eq!(started.elapsed().as_secs(), 5);
    drop(send);
}

async fn trickle(bytes_each_second: usize) -> (Result<usize, ReadError>, Duration) {
    let (send, body) = channel();
    tokio::spawn(async move {
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if send.send(piece(bytes_each_second)).is_err() {
                return;
            }
        }
    });
    let started = Instant::now();
    let read = read_body(Paced::new(body, rate()), 64 * KIB, &budget(64 * KIB)).await;
    (read.map(|(bytes, _)| bytes.len()), started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_steady_sender_at_the_least_rate_may_take_its_time() {
    let (read, took) = trickle(110).await;
    assert_eq!(read.unwrap(), 60 * 110);
    assert_eq!(took.as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_trickle_below_the_least_rate_is_ended_though_it_never_pauses() {
    let (read, took) = trickle(50).await;
    assert!(matches!(read, Err(ReadError::TooSlow(_))));
    // Half the rate: the grace of 5 s lasts twice as long.
    assert!((9..=10).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn time_in_which_nobody_reads_is_not_the_senders() {
    let (send, body) = channel();
    let mut body = Paced::new(body, rate());
    send.send(piece(1)).unwrap();
    assert!(body.frame().await.is_some());
    tokio::time::advance(Duration::from_secs(60)).await;
    send.send(piece(1)).unwrap();
    assert!(body.frame().await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_slow_sender_is_recognised_through_other_bodies_around_it() {
    let (_send, body) = channel();
    let body = Limited::new(Paced::new(body, rate()), KIB);
    let body = axum::body::Body::new(body);
    let error = read_body(body, KIB, &budget(KIB)).await.unwrap_err();
    assert!(matches!(error, ReadError::TooSlow(_)), "{error:?}");
}

// -- the budget

#[tokio::test(start_paused = true)]
async fn a_reservation_grows_while_there_is_room_and_frees_all_on_drop() {
    let budget = budget(100);
    let mut reservation = budget.try_reserve(60).unwrap();
    reservation.try_grow(40).unwrap();
    assert_eq!(
        reservation.try_grow(1).unwrap_err(),
        Exhausted {
            wanted: 1,
            capacity: 100
        }
    );
    assert_eq!((reservation.bytes(), budget.available()), (100, 0));
    drop(reservation);
    assert_eq!(budget.available(), 100);
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_waits_and_is_served_when_it_comes_free() {
    let budget = budget(100);
    let held = budget.try_reserve(100).unwrap();
    let waiting = tokio::spawn({
        let budget = budget.clone();
        async move {
            budget
                .reserve(10)
                .await
                .map(|reservation| reservation.bytes())
        }
    });
    tokio::time::advance(PATIENCE / 2).await;
    assert!(!waiting.is_finished());
    drop(held);
    assert_eq!(waiting.await.unwrap(), Ok(10));
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_in_time_is_told_so() {
    let budget = budget(100);
    let held = budget.try_reserve(95).unwrap();
    let started = Instant::now();
    let error = budget.reserve(10).await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), PATIENCE.as_secs());
    assert!(error.to_string().contains("10 bytes"), "{error}");
    drop(held);
    assert_eq!(budget.available(), 100);
}

#[tokio::test(start_paused = true)]
async fn what_can_never_fit_is_refused_at_once() {
    let budget = budget(100);
    let started = Instant::now();
    assert!(budget.reserve(101).await.is_err());
    let mut half = budget.try_reserve(50).unwrap();
    assert!(half.grow(51).await.is_err());
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn half_read_bodies_that_fill_the_budget_together_do_not_lock_each_other_out() {
    let budget = budget(8 * KIB);
    let mut senders = Vec::new();
    let mut readers = Vec::new();
    for _ in 0..8 {
        let (send, body) = channel();
        send.send(piece(KIB)).unwrap();
        senders.push(send);
        let budget = budget.clone();
        readers.push(tokio::spawn(async move {
            read_body(body, 4 * KIB, &budget)
                .await
                .map(|(bytes, _)| bytes.len())
        }));
    }
    while budget.available() > 0 {
        tokio::task::yield_now().await;
    }
    // Each holds an eighth and needs as much again; nobody can go on.
    for send in senders {
        send.send(piece(KIB)).unwrap();
    }
    let started = Instant::now();
    let mut complete = 0;
    for reader in readers {
        match reader.await.unwrap() {
            Ok(length) => {
                assert_eq!(length, 2 * KIB);
                complete += 1;
            }
            Err(error) => assert!(matches!(error, ReadError::BudgetExhausted(_)), "{error:?}"),
        }
    }
    assert!(complete >= 1, "who gives up must let others finish");
    assert!(started.elapsed() <= PATIENCE + Duration::from_millis(2));
    assert_eq!(budget.available(), 8 * KIB);
}
