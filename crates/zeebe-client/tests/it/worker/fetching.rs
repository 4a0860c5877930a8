//! Streams that end, break or go silent; polls that fail; pausing.

use std::time::Duration;

use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tokio::time::Instant;
use tonic::{Code, Status};
use zeebe_client::{Topology, WorkerHealth};

use super::{looked, next, start, start_polling, streams_open, until};
use crate::harness::connect;

#[tokio::test]
async fn a_stream_that_ends_cleanly_is_opened_again_at_once() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    let started = std::time::Instant::now();
    for round in 1..=20 {
        fake.wait_for("the stream", |fake| {
            fake.calls("StreamActivatedJobs") == round && fake.open_streams("pay") == 1
        })
        .await;
        pass(Duration::from_secs(1)).await;
        fake.end_streams("pay");
    }
    // With pauses that grow this would take two minutes.
    assert!(started.elapsed() < Duration::from_secs(30));
    streams_open(&fake, &["pay"]).await;
    fake.add_job(NewJob::new("pay"));
    next(&worker).await;
}

#[tokio::test]
async fn a_stream_that_breaks_after_it_worked_is_opened_again_soon() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    let started = std::time::Instant::now();
    for round in 1..=12 {
        fake.wait_for("the stream", |fake| {
            fake.calls("StreamActivatedJobs") == round && fake.open_streams("pay") == 1
        })
        .await;
        pass(Duration::from_secs(2)).await;
        fake.break_streams(
            "pay",
            &Status::new(Code::Unavailable, "the gateway restarts"),
        );
    }
    // With pauses that grow this would take a minute at the least.
    assert!(started.elapsed() < Duration::from_secs(30));
    streams_open(&fake, &["pay"]).await;
    fake.add_job(NewJob::new("pay"));
    next(&worker).await;
}

#[tokio::test]
async fn a_stream_that_cannot_be_opened_leaves_the_polls_alone() {
    let fake = FakeGateway::start().await;
    fake.fail(
        "StreamActivatedJobs",
        Fault::status(Code::Unimplemented, "an old gateway"),
    );
    let worker = start(connect(&fake), |_| {});
    for polls in 1..=3 {
        until("a poll", || worker.stats().polls() == polls).await;
        fake.add_job(NewJob::new("pay"));
        pass(Duration::from_secs(10)).await;
        next(&worker).await.complete("").await;
    }
    assert_eq!(worker.stats().streamed(), 0);
}

#[tokio::test]
async fn a_silent_stream_is_opened_anew_and_the_poll_finds_what_it_kept() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    streams_open(&fake, &["pay"]).await;
    until("the first poll", || worker.stats().polls() == 1).await;
    fake.mute_streams(true);
    fake.add_job(NewJob::new("pay"));
    pass(Duration::from_secs(10)).await;
    let mut polled = next(&worker).await;
    polled.complete("").await;
    assert_eq!(worker.stats().polled(), 1);
    assert_eq!(worker.stats().stream_silences(), 0);
    pass(Duration::from_secs(51)).await;
    fake.wait_for("another stream", |fake| {
        fake.calls("StreamActivatedJobs") == 2 && fake.open_streams("pay") == 1
    })
    .await;
    assert_eq!(worker.stats().stream_silences(), 1);
    fake.mute_streams(false);
    fake.add_job(NewJob::new("pay"));
    next(&worker).await;
    assert_eq!(worker.stats().streamed(), 1);
}

#[tokio::test]
async fn a_job_made_before_the_stream_listens_does_not_wait_for_a_regular_poll() {
    let fake = FakeGateway::start().await;
    // It is open, and the brokers do not know of it yet.
    fake.mute_streams(true);
    let worker = start(connect(&fake), |settings| {
        settings.poll_interval = Duration::from_secs(600);
    });
    until("the first poll", || worker.stats().polls() == 1).await;
    streams_open(&fake, &["pay"]).await;
    // However slow this machine is, the last of the polls that follow an opening comes after the job.
    let all_that_follow = Duration::from_millis(3_100);
    fake.add_job(NewJob::new("pay"));
    pass(all_that_follow).await;
    next(&worker).await.complete("").await;
    // A stream that is opened again is no other.
    fake.end_streams("pay");
    fake.wait_for("another stream", |fake| {
        fake.calls("StreamActivatedJobs") == 2 && fake.open_streams("pay") == 1
    })
    .await;
    fake.add_job(NewJob::new("pay"));
    pass(all_that_follow).await;
    next(&worker).await.complete("").await;
    assert_eq!(worker.stats().streamed(), 0);
}

#[tokio::test]
async fn a_stream_that_pushes_is_not_silent() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    streams_open(&fake, &["pay"]).await;
    for _ in 0..5 {
        fake.add_job(NewJob::new("pay"));
        next(&worker).await.complete("").await;
        pass(Duration::from_secs(40)).await;
        looked(&fake).await;
    }
    assert_eq!(worker.stats().stream_silences(), 0);
    assert_eq!(worker.stats().stream_openings(), 1);
}

#[tokio::test]
async fn a_worker_that_was_full_for_long_does_not_take_its_stream_for_silent() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |settings| settings.max_jobs_active = 1);
    streams_open(&fake, &["pay"]).await;
    fake.add_job(NewJob::new("pay"));
    let mut job = next(&worker).await;
    for renewals in 1..=20 {
        pass(Duration::from_secs(5)).await;
        fake.wait_for("a renewal", |fake| fake.prolonged().len() >= renewals)
            .await;
    }
    job.complete("").await;
    drop(job);
    fake.add_job(NewJob::new("pay"));
    next(&worker).await;
    assert_eq!(worker.stats().stream_silences(), 0);
    assert_eq!(fake.calls("StreamActivatedJobs"), 1);
}

#[tokio::test]
async fn polls_that_fail_are_repeated_with_pauses_until_one_succeeds() {
    let fake = FakeGateway::start().await;
    fake.add_job(NewJob::new("pay"));
    fake.fail_next(4, "ActivateJobs", Fault::backpressure());
    let started = Instant::now();
    let worker = start_polling(&fake, |_| {});
    next(&worker).await.complete("").await;
    assert_eq!(fake.calls("ActivateJobs"), 5);
    // 0.1, 0.2, 0.4 and 0.8 s, each shortened by half at most.
    assert!(started.elapsed() >= Duration::from_millis(750));
}

#[tokio::test]
async fn a_worker_started_before_its_gateway_finds_it_and_says_how_it_stands() {
    let fake = FakeGateway::start().await;
    fake.stop().await;
    fake.add_job(NewJob::new("pay"));
    let worker = start(connect(&fake), |_| {});
    let mut health = worker.health();
    let failing = health
        .wait_for(|health| matches!(health, WorkerHealth::Failing(_)))
        .await
        .expect("the worker runs")
        .clone();
    assert!(
        matches!(&failing, WorkerHealth::Failing(reason) if reason.contains("refused")),
        "{failing:?}"
    );
    fake.start_again().await;
    let mut job = next(&worker).await;
    health
        .wait_for(|health| *health == WorkerHealth::Connected)
        .await
        .expect("the worker runs");
    job.complete("").await;
}

#[tokio::test]
async fn a_gateway_that_restarts_in_the_middle_is_found_again_by_polls_and_streams() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    streams_open(&fake, &["pay"]).await;
    let before = fake.calls("StreamActivatedJobs");
    fake.stop().await;
    fake.start_again().await;
    fake.wait_for("another stream", |fake| {
        fake.calls("StreamActivatedJobs") > before && fake.open_streams("pay") == 1
    })
    .await;
    fake.add_job(NewJob::new("pay"));
    next(&worker).await.complete("").await;
    assert_eq!(fake.jobs(JobState::Completed), 1);
}

#[tokio::test]
async fn a_paused_worker_fetches_nothing_and_resumed_polls_at_once() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    streams_open(&fake, &["pay"]).await;
    fake.add_job(NewJob::new("pay"));
    let mut held = next(&worker).await;
    worker.pause();
    fake.wait_for("the end of the stream", |fake| {
        fake.open_streams("pay") == 0
    })
    .await;
    let polls = fake.calls("ActivateJobs");
    let key = fake.add_job(NewJob::new("pay"));
    for _ in 0..3 {
        pass(Duration::from_secs(5)).await;
        fake.wait_for("a renewal", |fake| fake.job(held.job().key).renewals > 0)
            .await;
    }
    assert_eq!(fake.job(key).state, JobState::Activatable);
    assert_eq!(fake.calls("ActivateJobs"), polls);
    // What is held stays held.
    held.complete("").await;
    worker.resume();
    assert_eq!(next(&worker).await.job().key, key);
    streams_open(&fake, &["pay"]).await;
}

#[tokio::test]
async fn a_worker_that_begins_paused_asks_for_nothing_before_it_is_resumed() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start(connect(&fake), |settings| settings.paused = true);
    looked(&fake).await;
    assert_eq!(fake.calls("ActivateJobs"), 0);
    assert_eq!(fake.calls("StreamActivatedJobs"), 0);
    worker.resume();
    assert_eq!(next(&worker).await.job().key, key);
    streams_open(&fake, &["pay"]).await;
}

#[tokio::test]
async fn pausing_twice_or_resuming_a_running_worker_changes_nothing() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    streams_open(&fake, &["pay"]).await;
    worker.resume();
    worker.pause();
    worker.pause();
    fake.wait_for("the end of the stream", |fake| {
        fake.open_streams("pay") == 0
    })
    .await;
    worker.resume();
    worker.resume();
    fake.add_job(NewJob::new("pay"));
    next(&worker).await;
}

#[tokio::test]
async fn jobs_that_come_one_by_one_without_a_pause_are_all_worked_at_once() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |_| {});
    streams_open(&fake, &["pay"]).await;
    looked(&fake).await;
    for _ in 0..500 {
        fake.add_job(NewJob::new("pay"));
        next(&worker).await.complete("").await;
        pass(Duration::from_millis(40)).await;
    }
    assert_eq!(worker.stats().stale(), 0);
    assert_eq!(worker.stats().renewals(), 0, "none of them was old");
}

#[tokio::test]
async fn a_gateway_without_streams_is_polled_and_not_asked_again_each_time() {
    let fake = FakeGateway::start().await;
    fake.fail(
        "StreamActivatedJobs",
        Fault::status(Code::Unimplemented, "unknown method"),
    );
    let worker = start(connect(&fake), |_| {});
    for _ in 0..5 {
        fake.add_job(NewJob::new("pay"));
        pass(Duration::from_secs(10)).await;
        next(&worker).await.complete("").await;
    }
    assert_eq!(fake.calls("StreamActivatedJobs"), 1);
    assert_eq!(*worker.health().borrow(), WorkerHealth::Connected);
}

#[tokio::test]
async fn asked_for_one_job_a_worker_takes_one_and_is_paused() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |settings| settings.max_jobs_active = 4);
    streams_open(&fake, &["pay"]).await;
    worker.fetch_one();
    fake.wait_for("the end of the stream", |fake| {
        fake.open_streams("pay") == 0
    })
    .await;
    // None is there yet: it is asked for until there is one.
    let polls = fake.calls("ActivateJobs");
    fake.add_jobs((0..20).map(|_| NewJob::new("pay")));
    pass(Duration::from_secs(1)).await;
    let first = next(&worker).await;
    assert!(fake.calls("ActivateJobs") > polls);
    for taken in 2..=5 {
        worker.fetch_one();
        if taken == 5 {
            break;
        }
        std::mem::forget(next(&worker).await);
        assert_eq!(fake.jobs(JobState::Activated), taken);
    }
    // A full worker asks for none.
    pass(Duration::from_secs(3)).await;
    assert_eq!(fake.jobs(JobState::Activated), 4);
    drop(first);
    next(&worker).await;
    pass(Duration::from_secs(3)).await;
    assert_eq!(fake.jobs(JobState::Activated), 5);
    worker.resume();
    fake.wait_for("all it has room for", |fake| {
        fake.jobs(JobState::Activated) > 5
    })
    .await;
}

#[tokio::test]
async fn a_job_that_was_asked_for_and_then_left_is_asked_for_again() {
    let fake = FakeGateway::start().await;
    let worker = start_polling(&fake, |_| {});
    // Its end: else it could bring what is meant for the second.
    until("the first poll", || worker.stats().polls() == 1).await;
    worker.pause();
    fake.add_job(NewJob::new("pay"));
    // Its answer is late, and by then the job is another's.
    fake.fail_next(1, "ActivateJobs", Fault::Delay(Duration::from_secs(6)));
    fake.fail_next(
        1,
        "UpdateJobTimeout",
        Fault::status(Code::NotFound, "somebody else's"),
    );
    worker.fetch_one();
    fake.wait_for("the poll", |fake| fake.calls("ActivateJobs") == 2)
        .await;
    for _ in 0..20 {
        pass(Duration::from_millis(500)).await;
        connect(&fake).topology(Topology).await.expect("an answer");
    }
    until("the job is left", || worker.stats().stale() == 1).await;
    let another = fake.add_job(NewJob::new("pay"));
    pass(Duration::from_secs(2)).await;
    assert_eq!(next(&worker).await.job().key, another);
}
