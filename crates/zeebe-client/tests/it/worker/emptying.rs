//! Polls at once, and the end of what is held.

use std::sync::Arc;
use std::time::Duration;

use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;
use zeebe_client::Found;

use super::{next, start_polling, until};

#[tokio::test]
async fn a_poll_at_once_waits_for_no_interval_and_says_what_it_found() {
    let fake = FakeGateway::start().await;
    let worker = start_polling(&fake, |_| {});
    until("the first poll", || worker.stats().polls() == 1).await;
    assert!(matches!(worker.poll_now().await, Found::Nothing));
    fake.add_job(NewJob::new("pay"));
    assert!(matches!(worker.poll_now().await, Found::Jobs));
    let mut job = next(&worker).await;
    // What is held does not wait.
    assert!(matches!(worker.poll_now().await, Found::Nothing));
    job.complete("").await;
    fake.fail(
        "ActivateJobs",
        Fault::status(Code::Unavailable, "no leader"),
    );
    match worker.poll_now().await {
        Found::Unknown(error) => assert!(error.to_string().contains("no leader"), "{error}"),
        found @ (Found::Nothing | Found::Jobs) => panic!("{found:?}"),
    }
}

#[tokio::test]
async fn a_poll_at_once_is_not_answered_by_one_that_began_before() {
    let fake = FakeGateway::start().await;
    let worker = Arc::new(start_polling(&fake, |_| {}));
    until("the first poll", || worker.stats().polls() == 1).await;
    fake.fail("ActivateJobs", Fault::Hang);
    // The poll that hangs began before the job was there.
    let before = {
        let worker = Arc::clone(&worker);
        tokio::spawn(async move { worker.poll_now().await })
    };
    fake.wait_for("the poll that hangs", |fake| {
        fake.calls("ActivateJobs") == 2
    })
    .await;
    let after = {
        let worker = Arc::clone(&worker);
        tokio::spawn(async move { worker.poll_now().await })
    };
    fake.heal("ActivateJobs");
    fake.add_job(NewJob::new("pay"));
    fake.cut_connections();
    assert!(matches!(before.await.expect("no panic"), Found::Unknown(_)));
    assert!(matches!(after.await.expect("no panic"), Found::Jobs));
}

#[tokio::test]
async fn a_poll_at_once_takes_no_more_than_there_is_room_for() {
    let fake = FakeGateway::start().await;
    let worker = Arc::new(start_polling(&fake, |settings| {
        settings.max_jobs_active = 2;
    }));
    until("the first poll", || worker.stats().polls() == 1).await;
    fake.add_jobs((0..3).map(|_| NewJob::new("pay")));
    assert!(matches!(worker.poll_now().await, Found::Jobs));
    let (mut first, _second) = (next(&worker).await, next(&worker).await);
    let third = {
        let worker = Arc::clone(&worker);
        tokio::spawn(async move { worker.poll_now().await })
    };
    pass(Duration::from_secs(60)).await;
    assert_eq!(worker.stats().polls(), 2, "it waits for a place");
    first.complete("").await;
    drop(first);
    assert!(matches!(third.await.expect("no panic"), Found::Jobs));
    assert_eq!(fake.most_active(), 2);
}

#[tokio::test]
async fn settled_waits_for_what_is_held_and_not_for_what_comes_later() {
    let fake = FakeGateway::start().await;
    let worker = Arc::new(start_polling(&fake, |_| {}));
    worker.settled().await;
    fake.add_job(NewJob::new("pay"));
    worker.poll_now().await;
    let mut early = next(&worker).await;
    let settled = {
        let worker = Arc::clone(&worker);
        tokio::spawn(async move { worker.settled().await })
    };
    tokio::task::yield_now().await;
    fake.add_job(NewJob::new("pay"));
    worker.poll_now().await;
    let _late = next(&worker).await;
    assert!(!settled.is_finished(), "one of the two is held still");
    early.complete("").await;
    drop(early);
    settled.await.expect("no panic");
    assert_eq!(fake.jobs(JobState::Activated), 1);
}
