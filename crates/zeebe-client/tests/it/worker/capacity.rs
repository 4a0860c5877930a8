//! One capacity for everything, and all of it used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testkit::clock::pass;
use testkit::gateway::{FakeGateway, JobState, NewJob};
use tokio::time::Instant;
use zeebe_client::{Ended, JobWorker};

use super::{next, start, start_polling, streams_open};
use crate::harness::connect;

/// Completes jobs side by side until so many are done; returns the most that were in hand at once.
async fn complete_all(worker: &Arc<JobWorker>, jobs: usize) -> usize {
    let in_hand = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..jobs {
        let mut job = next(worker).await;
        let now = in_hand.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now.max(worker.held()), Ordering::SeqCst);
        let in_hand = Arc::clone(&in_hand);
        tasks.push(tokio::spawn(async move {
            let ended = job.complete("").await;
            assert!(matches!(ended, Ended::Done), "{ended:?}");
            in_hand.fetch_sub(1, Ordering::SeqCst);
            drop(job);
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    most.load(Ordering::SeqCst)
}

#[tokio::test]
async fn polls_and_streams_of_many_types_share_one_capacity() {
    let fake = FakeGateway::start().await;
    let types = ["pay", "ship", "refund"];
    let each = |count: usize| (0..count).flat_map(move |_| types.into_iter().map(NewJob::new));
    fake.add_jobs(each(40));
    let worker = Arc::new(start(connect(&fake), |settings| {
        settings.job_types = types.map(String::from).to_vec();
        settings.max_jobs_active = 4;
    }));
    // Full with the backlog, the worker opens its streams once the first job is done.
    let mut first = next(&worker).await;
    first.complete("").await;
    drop(first);
    let more = async {
        streams_open(&fake, &types).await;
        fake.add_jobs(each(40));
    };
    let (most, ()) = tokio::join!(complete_all(&worker, 239), more);
    assert_eq!(most, 4, "never more, and all of it");
    assert_eq!(fake.jobs(JobState::Completed), 240);
    assert_eq!(worker.held(), 0);
    assert_eq!(worker.stats().polled() + worker.stats().streamed(), 240);
}

#[tokio::test]
async fn a_backlog_of_a_thousand_is_drained_with_a_capacity_of_four() {
    let fake = FakeGateway::start().await;
    fake.add_jobs((0..1_000).map(|_| NewJob::new("pay")));
    let started = Instant::now();
    let worker = Arc::new(start_polling(&fake, |settings| {
        settings.max_jobs_active = 4;
    }));
    let most = complete_all(&worker, 1_000).await;
    assert_eq!(most, 4);
    assert_eq!(fake.most_active(), 4, "as the engine sees it");
    assert_eq!(fake.jobs(JobState::Completed), 1_000);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "nobody waits for the poll interval while there is more"
    );
}

#[tokio::test]
async fn a_busy_type_does_not_keep_the_others_from_their_turn() {
    let fake = FakeGateway::start().await;
    let worker = Arc::new(start(connect(&fake), |settings| {
        settings.job_types = vec![String::from("busy"), String::from("rare")];
        settings.max_jobs_active = 1;
    }));
    streams_open(&fake, &["busy", "rare"]).await;
    fake.add_jobs((0..200).map(|_| NewJob::new("busy")));
    fake.add_job(NewJob::new("rare"));
    let mut before = 0;
    loop {
        let mut job = next(&worker).await;
        job.complete("").await;
        if job.job().job_type == "rare" {
            break;
        }
        before += 1;
    }
    assert!(before < 100, "{before} of the busy type came first");
}

#[tokio::test]
async fn a_handler_that_panics_leaves_its_place_to_the_next_job() {
    let fake = FakeGateway::start().await;
    fake.add_jobs((0..3).map(|_| NewJob::new("pay")));
    let worker = Arc::new(start_polling(&fake, |settings| {
        settings.max_jobs_active = 1
    }));
    for _ in 0..2 {
        let worker = Arc::clone(&worker);
        let panicked = tokio::spawn(async move {
            let job = next(&worker).await;
            panic!("the handler cannot cope with {}", job.job().key);
        });
        assert!(panicked.await.expect_err("a panic").is_panic());
    }
    next(&worker).await.complete("").await;
    assert_eq!(worker.held(), 0);
    // The two come back when their activation has run out.
    assert_eq!(fake.jobs(JobState::Activated), 2);
    pass(Duration::from_secs(15)).await;
    next(&worker).await.complete("").await;
    next(&worker).await.complete("").await;
    assert_eq!(fake.jobs(JobState::Completed), 3);
}

#[tokio::test]
async fn nothing_is_fetched_while_the_bytes_held_are_above_the_budget() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |settings| {
        settings.max_bytes_held = 10_000;
    });
    streams_open(&fake, &["pay"]).await;
    fake.add_jobs((0..10).map(|_| NewJob {
        variables: format!(r#"{{"x":"{}"}}"#, "x".repeat(6_000)),
        ..NewJob::new("pay")
    }));
    let mut held = Vec::new();
    for done in 0..10 {
        // One below the budget and one that takes it above: two, and no third.
        while held.len() < 2.min(10 - done) {
            held.push(next(&worker).await);
        }
        assert!(worker.held() <= 2, "{} are held", worker.held());
        let mut job = held.remove(0);
        job.complete("").await;
    }
    drop(held);
    assert_eq!(fake.jobs(JobState::Completed), 10);
}

#[tokio::test]
async fn jobs_bring_the_variables_that_were_asked_for_by_poll_and_by_stream() {
    let fake = FakeGateway::start().await;
    let job = NewJob {
        variables: String::from(r#"{"price":1.10,"secret":"x"}"#),
        ..NewJob::new("pay")
    };
    fake.add_job(job.clone());
    let worker = start(connect(&fake), |settings| {
        settings.fetch_variables = vec![String::from("price")];
    });
    assert_eq!(next(&worker).await.job().variables, r#"{"price":1.10}"#);
    streams_open(&fake, &["pay"]).await;
    fake.add_job(job);
    assert_eq!(next(&worker).await.job().variables, r#"{"price":1.10}"#);
    assert_eq!(worker.stats().polled(), 1);
    assert_eq!(worker.stats().streamed(), 1);
}

/// A poll asks for as many as there are places; what they bring may be more than there is memory for.
#[tokio::test]
async fn a_poll_takes_no_more_bytes_than_the_budget_and_one_batch() {
    let fake = FakeGateway::start().await;
    let large = format!(r#"{{"x":"{}"}}"#, "x".repeat(500_000));
    let keys = fake.add_jobs((0..64).map(|_| NewJob {
        variables: large.clone(),
        ..NewJob::new("pay")
    }));
    let budget = 4 * 1024 * 1024;
    let worker = start_polling(&fake, |settings| {
        settings.max_jobs_active = 64;
        settings.max_bytes_held = budget;
    });
    let mut done = 0;
    let mut most = 0;
    while done < keys.len() {
        let mut job = next(&worker).await;
        most = most.max(worker.held());
        job.complete("").await;
        drop(job);
        done += 1;
        pass(std::time::Duration::from_millis(500)).await;
    }
    assert!(
        most * 500_000 <= budget + 4 * 1024 * 1024,
        "{most} jobs were held"
    );
    assert!(
        keys.iter().all(|key| fake.job(*key).retries == 3),
        "no retry was used"
    );
    assert!(
        keys.iter()
            .all(|key| fake.job(*key).state == testkit::gateway::JobState::Completed)
    );
}
