//! Leaving nothing locked behind.

use std::sync::Arc;
use std::time::Duration;

use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use zeebe_client::Ended;

use super::{next, start, start_polling, streams_open, until};
use crate::harness::connect;

#[tokio::test]
async fn what_nobody_took_is_handed_back_with_its_retries() {
    let fake = FakeGateway::start().await;
    let keys = fake.add_jobs((0..10).map(|_| NewJob::new("pay")));
    let worker = start_polling(&fake, |settings| settings.max_jobs_active = 4);
    let mut in_hand = next(&worker).await;
    fake.wait_for("a full worker", |fake| fake.jobs(JobState::Activated) == 4)
        .await;
    until("a full worker", || worker.held() == 4).await;
    worker.stop().await;
    assert_eq!(fake.failed().len(), 3);
    assert_eq!(fake.jobs(JobState::Activatable), 9);
    assert!(keys.iter().all(|key| fake.job(*key).retries == 3));
    // What is in hand stays in hand, and is renewed.
    assert_eq!(worker.held(), 1);
    let key = in_hand.job().key;
    pass(Duration::from_secs(6)).await;
    fake.wait_for("a renewal", |fake| fake.job(key).renewals == 1)
        .await;
    let ended = in_hand.complete("").await;
    assert!(matches!(ended, Ended::Done), "{ended:?}");
    assert!(worker.next().await.is_none());
}

#[tokio::test]
async fn what_lies_in_the_stream_is_handed_back_after_the_stream_is_closed() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |settings| settings.max_jobs_active = 1);
    streams_open(&fake, &["pay"]).await;
    let keys = fake.add_jobs((0..20).map(|_| NewJob::new("pay")));
    let mut in_hand = next(&worker).await;
    assert_eq!(fake.jobs(JobState::Activated), 20);
    // What lies in the stream's buffers arrives while this makes a round trip.
    in_hand
        .hand_back("not now", Duration::from_secs(3600))
        .await;
    drop(in_hand);
    worker.stop().await;
    fake.wait_for("nothing locked", |fake| fake.jobs(JobState::Activated) == 0)
        .await;
    assert_eq!(fake.open_streams("pay"), 0);
    assert!(keys.iter().all(|key| fake.job(*key).retries == 3));
    assert_eq!(worker.held(), 0);
}

#[tokio::test]
async fn whoever_waits_for_a_job_is_told_that_there_will_be_none() {
    let fake = FakeGateway::start().await;
    let worker = Arc::new(start(connect(&fake), |_| {}));
    let waiting = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.next().await.is_none() }
    });
    streams_open(&fake, &["pay"]).await;
    worker.stop().await;
    assert!(waiting.await.expect("no panic"));
    // Stopped is stopped.
    worker.resume();
    worker.stop().await;
    assert!(worker.next().await.is_none());
}

#[tokio::test]
async fn what_a_poll_brings_while_the_worker_stops_is_handed_back() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    fake.fail_next(1, "ActivateJobs", Fault::Delay(Duration::from_millis(100)));
    let worker = start_polling(&fake, |_| {});
    fake.wait_for("the poll", |fake| fake.calls("ActivateJobs") == 1)
        .await;
    worker.stop().await;
    assert_eq!(fake.job(key).activations, 1);
    assert_eq!(fake.job(key).state, JobState::Activatable);
    assert_eq!(fake.job(key).retries, 3);
}

#[tokio::test]
async fn stopping_without_a_gateway_ends_when_the_activations_have_run_out() {
    let fake = FakeGateway::start().await;
    fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |_| {});
    fake.wait_for("a job", |fake| fake.jobs(JobState::Activated) == 1)
        .await;
    until("a job", || worker.held() == 1).await;
    fake.stop().await;
    let time = async {
        loop {
            pass(Duration::from_secs(1)).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = worker.stop() => {}
        () = time => {}
    }
    assert_eq!(worker.held(), 0);
}
