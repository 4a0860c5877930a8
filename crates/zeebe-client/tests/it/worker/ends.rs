//! Complete, fail, throw an error: what is repeated and what is not.

use std::time::Duration;

use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;
use zeebe_client::{Ended, ErrorKind};

use super::{next, start_polling};

fn short(ended: &Ended) -> &'static str {
    match ended {
        Ended::Done => "done",
        Ended::GoneAlready => "gone already",
        Ended::TooLate => "too late",
        Ended::Refused(_) => "refused",
    }
}

/// What the engine does to the first call of an end, what the end then comes to, and after how many calls.
fn contract() -> Vec<(Fault, &'static str, usize)> {
    let status = |code| Fault::status(code, "because");
    vec![
        (Fault::Delay(Duration::ZERO), "done", 1),
        (Fault::backpressure(), "done", 2),
        (status(Code::Unavailable), "done", 2),
        (status(Code::DeadlineExceeded), "done", 2),
        (status(Code::Unauthenticated), "done", 2),
        (Fault::Cut, "done", 2),
        // It was taken; the engine says so when it is asked again.
        (Fault::CutAfterTaking, "gone already", 2),
        (status(Code::NotFound), "gone already", 1),
        (status(Code::FailedPrecondition), "gone already", 1),
        (status(Code::InvalidArgument), "refused", 1),
        (status(Code::PermissionDenied), "refused", 1),
    ]
}

#[tokio::test]
async fn completing_comes_to_what_the_contract_says() {
    let fake = FakeGateway::start().await;
    let worker = start_polling(&fake, |_| {});
    for (fault, comes_to, calls) in contract() {
        let key = fake.add_job(NewJob::new("pay"));
        pass(Duration::from_secs(10)).await;
        let mut job = next(&worker).await;
        let before = fake.calls("CompleteJob");
        fake.fail_next(1, "CompleteJob", fault.clone());
        let ended = job.complete(r#"{"paid":true}"#).await;
        assert_eq!(short(&ended), comes_to, "{fault:?}");
        assert_eq!(fake.calls("CompleteJob") - before, calls, "{fault:?}");
        if calls == 2 || comes_to == "done" {
            assert_eq!(fake.job(key).state, JobState::Completed, "{fault:?}");
            assert_eq!(fake.job(key).result, r#"{"paid":true}"#);
        }
    }
}

#[tokio::test]
async fn throwing_an_error_comes_to_what_the_contract_says() {
    let fake = FakeGateway::start().await;
    let worker = start_polling(&fake, |_| {});
    for (fault, comes_to, calls) in contract() {
        let key = fake.add_job(NewJob::new("pay"));
        pass(Duration::from_secs(10)).await;
        let mut job = next(&worker).await;
        let before = fake.calls("ThrowError");
        fake.fail_next(1, "ThrowError", fault.clone());
        let ended = job.throw_error("SOLD_OUT", "no seats").await;
        assert_eq!(short(&ended), comes_to, "{fault:?}");
        assert_eq!(fake.calls("ThrowError") - before, calls, "{fault:?}");
        if calls == 2 || comes_to == "done" {
            assert_eq!(fake.job(key).state, JobState::Thrown, "{fault:?}");
            assert_eq!(fake.job(key).error_code, "SOLD_OUT");
        }
    }
}

#[tokio::test]
async fn failing_comes_to_what_the_contract_says() {
    let fake = FakeGateway::start().await;
    let worker = start_polling(&fake, |_| {});
    for (fault, comes_to, calls) in contract() {
        let key = fake.add_job(NewJob::new("pay"));
        pass(Duration::from_secs(10)).await;
        let mut job = next(&worker).await;
        let before = fake.calls("FailJob");
        fake.fail_next(1, "FailJob", fault.clone());
        let ended = job.fail(0, "no seats", Duration::ZERO).await;
        assert_eq!(short(&ended), comes_to, "{fault:?}");
        assert_eq!(fake.calls("FailJob") - before, calls, "{fault:?}");
        if calls == 2 || comes_to == "done" {
            assert_eq!(fake.job(key).state, JobState::Incident, "{fault:?}");
            assert_eq!(fake.job(key).error_message, "no seats");
        }
    }
}

#[tokio::test]
async fn completing_outlives_an_engine_that_is_away() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |settings| settings.max_jobs_active = 1);
    let mut job = next(&worker).await;
    fake.stop().await;
    let back = async {
        for _ in 0..3 {
            pass(Duration::from_secs(10)).await;
            tokio::task::yield_now().await;
        }
        fake.start_again().await;
        pass(Duration::from_secs(10)).await;
    };
    let (ended, ()) = tokio::join!(job.complete(""), back);
    assert!(matches!(ended, Ended::Done), "{ended:?}");
    assert_eq!(fake.job(key).state, JobState::Completed);
}

#[tokio::test]
async fn a_result_that_is_too_large_is_refused_and_never_sent() {
    let fake = FakeGateway::start().await;
    fake.add_job(NewJob::new("pay"));
    let worker = start_polling(&fake, |_| {});
    let mut job = next(&worker).await;
    let ended = job
        .complete(&format!(r#"{{"x":"{}"}}"#, "x".repeat(5 * 1024 * 1024)))
        .await;
    let Ended::Refused(error) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(fake.calls("CompleteJob"), 0);
}

#[tokio::test]
async fn a_job_handed_back_keeps_its_retries_and_waits_its_backoff() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob {
        retries: 1,
        ..NewJob::new("pay")
    });
    let worker = start_polling(&fake, |_| {});
    let mut job = next(&worker).await;
    let ended = job
        .hand_back("nobody is there", Duration::from_secs(30))
        .await;
    assert!(matches!(ended, Ended::Done), "{ended:?}");
    drop(job);
    assert_eq!(fake.job(key).retries, 1);
    assert_eq!(fake.job(key).state, JobState::BackingOff);
    assert_eq!(fake.job(key).error_message, "nobody is there");
    pass(Duration::from_secs(31)).await;
    assert_eq!(next(&worker).await.job().key, key);
}

#[tokio::test]
async fn a_job_of_a_task_without_retries_is_handed_back_and_no_incident_comes_of_it() {
    let fake = FakeGateway::start().await;
    let key = fake.add_job(NewJob {
        retries: 0,
        ..NewJob::new("pay")
    });
    let worker = start_polling(&fake, |_| {});
    fake.wait_for("a job", |fake| fake.jobs(JobState::Activated) == 1)
        .await;
    super::until("a job", || worker.held() == 1).await;
    // Nobody took it.
    worker.stop().await;
    assert_eq!(fake.job(key).state, JobState::Activatable);
    assert_eq!(fake.job(key).retries, 1);
}

/// What was taken may have given the job to another: to fail it again would be to fail that one's.
#[tokio::test]
async fn a_failure_that_was_perhaps_taken_is_sent_again_only_within_its_backoff() {
    for (backoff, calls, comes_to) in [
        (Duration::ZERO, 1, "too late"),
        (Duration::from_secs(60), 2, "gone already"),
    ] {
        let fake = FakeGateway::start().await;
        let key = fake.add_job(NewJob::new("pay"));
        let worker = start_polling(&fake, |_| {});
        let mut job = next(&worker).await;
        fake.fail_next(1, "FailJob", Fault::CutAfterTaking);
        let ended = job.fail(2, "again", backoff).await;
        assert_eq!(short(&ended), comes_to, "{backoff:?}");
        assert_eq!(fake.calls("FailJob"), calls, "{backoff:?}");
        assert_eq!(fake.job(key).retries, 2, "{backoff:?}");
    }
}
