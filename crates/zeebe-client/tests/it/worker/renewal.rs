//! How long a job stays ours.

use std::time::Duration;

use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;
use zeebe_client::{Ended, Topology};

use super::{looked, next, start, start_polling, streams_open, until};
use crate::harness::connect;

#[tokio::test]
async fn a_job_is_renewed_at_a_third_of_its_timeout_for_as_long_as_it_is_held() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |_| {});
    let job = next(&worker).await;
    pass(Duration::from_secs(4)).await;
    connect(&fake).topology(Topology).await.expect("an answer");
    assert_eq!(fake.calls("UpdateJobTimeout"), 0, "not before a third");
    pass(Duration::from_millis(1_100)).await;
    for renewals in 1..=12 {
        fake.wait_for("a renewal", |fake| fake.job(key).renewals == renewals)
            .await;
        // Our own count follows the answer.
        until("the answer", || {
            worker.stats().renewals() >= renewals as u64
        })
        .await;
        pass(Duration::from_secs(6)).await;
    }
    assert!(
        fake.prolonged()
            .iter()
            .all(|renewal| renewal.timeout == 15_000)
    );
    assert_eq!(fake.job(key).activations, 1);
    drop(job);
    let renewals = fake.calls("UpdateJobTimeout");
    pass(Duration::from_secs(16)).await;
    fake.wait_for("the time-out", |fake| {
        fake.job(key).state == JobState::Activatable
    })
    .await;
    assert!(fake.calls("UpdateJobTimeout") <= renewals + 1);
}

#[tokio::test]
async fn a_refused_renewal_is_repeated_while_there_is_time() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |_| {});
    let _job = next(&worker).await;
    fake.fail_next(4, "UpdateJobTimeout", Fault::backpressure());
    pass(Duration::from_secs(5)).await;
    for calls in 1..=4 {
        fake.wait_for("a renewal", |fake| fake.calls("UpdateJobTimeout") >= calls)
            .await;
        pass(Duration::from_secs(1)).await;
    }
    fake.wait_for("the renewal that counts", |fake| {
        fake.job(key).renewals == 1
    })
    .await;
    assert_eq!(worker.stats().locks_lost(), 0);
    assert_eq!(fake.job(key).activations, 1);
}

#[tokio::test]
async fn a_renewal_that_hangs_leaves_time_for_another() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |_| {});
    let _job = next(&worker).await;
    fake.fail_next(1, "UpdateJobTimeout", Fault::Hang);
    pass(Duration::from_millis(5_100)).await;
    fake.wait_for("a renewal", |fake| fake.calls("UpdateJobTimeout") == 1)
        .await;
    pass(Duration::from_millis(5_100)).await;
    fake.wait_for("another renewal", |fake| fake.job(key).renewals == 1)
        .await;
    assert_eq!(fake.job(key).state, JobState::Activated);
}

#[tokio::test]
async fn after_the_deadline_a_job_is_neither_failed_nor_thrown_but_still_completed() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |settings| settings.max_jobs_active = 1);
    let mut job = next(&worker).await;
    fake.fail("UpdateJobTimeout", Fault::backpressure());
    pass(Duration::from_secs(16)).await;
    fake.wait_for("the time-out", |fake| {
        fake.job(key).state == JobState::Activatable
    })
    .await;
    let failed = job.fail(2, "too late", Duration::ZERO).await;
    assert!(matches!(failed, Ended::TooLate), "{failed:?}");
    let thrown = job.throw_error("SOLD_OUT", "too late").await;
    assert!(matches!(thrown, Ended::TooLate), "{thrown:?}");
    let back = job.hand_back("too late", Duration::ZERO).await;
    assert!(matches!(back, Ended::TooLate), "{back:?}");
    assert_eq!((fake.calls("FailJob"), fake.calls("ThrowError")), (0, 0));
    let completed = job.complete("").await;
    assert!(matches!(completed, Ended::Done), "{completed:?}");
    assert_eq!(fake.job(key).state, JobState::Completed);
}

#[tokio::test]
async fn a_job_that_the_engine_calls_gone_is_not_failed() {
    for code in [Code::FailedPrecondition, Code::NotFound] {
        let fake = FakeGateway::start().await;
        fake.add_job(NewJob::new("pay"));
        let worker = start_polling(&fake, |_| {});
        let mut job = next(&worker).await;
        fake.fail("UpdateJobTimeout", Fault::status(code, "somebody else's"));
        pass(Duration::from_secs(5)).await;
        until("the answer", || worker.stats().locks_lost() == 1).await;
        let failed = job.fail(2, "too late", Duration::ZERO).await;
        assert!(matches!(failed, Ended::TooLate), "{failed:?}");
        pass(Duration::from_secs(5)).await;
        connect(&fake).topology(Topology).await.expect("an answer");
        assert_eq!(fake.calls("UpdateJobTimeout"), 1, "asked once is enough");
        assert_eq!(fake.calls("FailJob"), 0);
    }
}

#[tokio::test]
async fn of_two_workers_the_one_that_overslept_spoils_nothing() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let slow = start_polling(&fake, |settings| settings.max_jobs_active = 1);
    let mut overslept = next(&slow).await;
    fake.fail("UpdateJobTimeout", Fault::backpressure());
    pass(Duration::from_secs(16)).await;
    fake.heal("UpdateJobTimeout");
    let quick = start_polling(&fake, |_| {});
    let mut job = next(&quick).await;
    assert_eq!(job.job().key, key);
    let failed = overslept.fail(0, "no incident", Duration::ZERO).await;
    assert!(matches!(failed, Ended::TooLate), "{failed:?}");
    let completed = job.complete(r#"{"by":"quick"}"#).await;
    assert!(matches!(completed, Ended::Done), "{completed:?}");
    let completed = overslept.complete(r#"{"by":"slow"}"#).await;
    assert!(matches!(completed, Ended::GoneAlready), "{completed:?}");
    assert_eq!(fake.job(key).result, r#"{"by":"quick"}"#);
}

#[tokio::test]
async fn a_job_that_comes_back_to_the_same_worker_is_held_apart_from_its_first_time() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start(connect(&fake), |settings| settings.max_jobs_active = 2);
    let mut first = next(&worker).await;
    fake.fail("UpdateJobTimeout", Fault::backpressure());
    pass(Duration::from_secs(16)).await;
    let mut again = next(&worker).await;
    assert_eq!(again.job().key, key);
    assert_eq!(worker.held(), 2);
    // What holds of the second activation does not revive the first.
    let failed = first.fail(0, "no incident", Duration::ZERO).await;
    assert!(matches!(failed, Ended::TooLate), "{failed:?}");
    // And the end of the first does not end the second.
    drop(first);
    assert_eq!(worker.held(), 1);
    fake.heal("UpdateJobTimeout");
    let renewals = fake.job(key).renewals;
    pass(Duration::from_secs(6)).await;
    fake.wait_for("a renewal", |fake| fake.job(key).renewals > renewals)
        .await;
    let failed = again.fail(2, "really", Duration::ZERO).await;
    assert!(matches!(failed, Ended::Done), "{failed:?}");
}

/// Until now a job that had lain in the stream was taken for one that was activated when it was read.
#[tokio::test]
async fn a_job_that_lay_in_the_stream_beyond_its_time_is_nobodys_to_fail_or_deliver() {
    let fake = FakeGateway::start().await;
    let worker = start(connect(&fake), |settings| settings.max_jobs_active = 1);
    streams_open(&fake, &["pay"]).await;
    looked(&fake).await;
    let first = fake.add_job(NewJob::new("pay"));
    let mut in_hand = next(&worker).await;
    assert_eq!(in_hand.job().key, first);
    // There is no room for this one: it lies activated in front of us.
    let second = fake.add_job(NewJob::new("pay"));
    assert_eq!(fake.job(second).state, JobState::Activated);
    for _ in 0..4 {
        pass(Duration::from_secs(4)).await;
        connect(&fake).topology(Topology).await.expect("an answer");
    }
    fake.wait_for("its time-out", |fake| {
        fake.job(second).activations == 2 || fake.job(second).state == JobState::Activatable
    })
    .await;
    let failures = fake.calls("FailJob");
    in_hand.complete("").await;
    drop(in_hand);
    // It comes again, activated anew; the first activation of it went by.
    pass(Duration::from_secs(16)).await;
    looked(&fake).await;
    pass(Duration::from_secs(10)).await;
    let again = next(&worker).await;
    assert_eq!(again.job().key, second);
    assert!(worker.stats().stale() >= 1);
    assert_eq!(
        fake.calls("FailJob"),
        failures,
        "it was not ours to hand back"
    );
}

#[tokio::test]
async fn a_job_that_may_be_old_is_renewed_before_it_is_given_out_and_dropped_if_that_is_refused() {
    for refused in [false, true] {
        let fake = FakeGateway::start().await;
        let worker = start(connect(&fake), |settings| settings.max_jobs_active = 1);
        streams_open(&fake, &["pay"]).await;
        looked(&fake).await;
        fake.add_job(NewJob::new("pay"));
        let mut in_hand = next(&worker).await;
        let second = fake.add_job(NewJob::new("pay"));
        assert_eq!(fake.job(second).state, JobState::Activated);
        // More than a third of its time.
        pass(Duration::from_secs(7)).await;
        if refused {
            fake.fail(
                "UpdateJobTimeout",
                Fault::status(Code::FailedPrecondition, "somebody else's"),
            );
        }
        in_hand.complete("").await;
        drop(in_hand);
        if refused {
            until("it is left", || worker.stats().stale() == 1).await;
            assert_eq!(worker.held(), 0);
            assert_eq!(fake.calls("FailJob"), 0);
        } else {
            let job = next(&worker).await;
            assert_eq!(job.job().key, second);
            assert!(fake.job(second).renewals >= 1);
        }
    }
}

#[tokio::test]
async fn a_deadline_counts_from_before_the_renewal_was_asked_for() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |_| {});
    let mut job = next(&worker).await;
    let began = tokio::time::Instant::now();
    // The answer to the first renewal takes four seconds, and all others are refused.
    fake.fail_next(1, "UpdateJobTimeout", Fault::Delay(Duration::from_secs(4)));
    pass(Duration::from_millis(5_100)).await;
    fake.wait_for("the renewal", |fake| fake.calls("UpdateJobTimeout") == 1)
        .await;
    let asked = began.elapsed();
    pass(Duration::from_secs(4)).await;
    until("its answer", || worker.stats().renewals() == 1).await;
    fake.fail("UpdateJobTimeout", Fault::backpressure());
    let ends = job.deadline().duration_since(began);
    let timeout = Duration::from_secs(15);
    assert!(ends <= asked + timeout, "{ends:?} counts from the answer");
    assert!(ends >= timeout + Duration::from_secs(5), "{ends:?}");
    pass(Duration::from_secs(15)).await;
    let failed = job.fail(2, "too late", Duration::ZERO).await;
    assert!(matches!(failed, Ended::TooLate), "{failed:?}");
    assert_eq!(fake.job(key).activations, 1);
}
