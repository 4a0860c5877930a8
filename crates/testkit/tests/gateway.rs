//! The fake gateway does what the tests that rely on it take for granted.

use std::time::Duration;

use futures_util::StreamExt;
use testkit::clock::pass;
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;
use zeebe_client::{
    ActivateJobs, ActivatedJob, CompleteJob, ErrorKind, FailJob, Gateway, JobStream,
    PublishMessage, ResolveIncident, Settings, StreamActivatedJobs, UpdateJobRetries,
    UpdateJobTimeout,
};

fn connect(fake: &FakeGateway) -> Gateway {
    let address = fake.address().parse().expect("an address");
    Gateway::new(Settings::new(address)).expect("usable settings")
}

fn message(id: &str, time_to_live: Duration) -> PublishMessage {
    PublishMessage {
        name: String::from("paid"),
        correlation_key: String::from("order-1"),
        message_id: id.to_owned(),
        time_to_live,
        variables: String::new(),
        tenant_id: None,
    }
}

fn poll(most: i32, request_timeout: Option<Duration>) -> ActivateJobs {
    ActivateJobs {
        job_type: String::from("pay"),
        worker: String::from("test"),
        timeout: Duration::from_secs(20),
        max_jobs_to_activate: most,
        fetch_variables: Vec::new(),
        request_timeout,
        tenant_ids: Vec::new(),
    }
}

async fn polled(gateway: &Gateway, command: ActivateJobs) -> Vec<ActivatedJob> {
    let batches = gateway.activate_jobs(command).await.expect("a poll");
    batches.map(|batch| batch.expect("a batch")).concat().await
}

async fn stream(gateway: &Gateway) -> JobStream {
    let command = StreamActivatedJobs {
        job_type: String::from("pay"),
        worker: String::from("test"),
        timeout: Duration::from_secs(20),
        fetch_variables: Vec::new(),
        tenant_ids: Vec::new(),
    };
    gateway
        .stream_activated_jobs(command)
        .await
        .expect("a stream")
}

#[tokio::test]
async fn a_message_is_a_duplicate_for_its_time_to_live() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let minute = Duration::from_secs(60);
    gateway
        .publish_message(message("1", minute))
        .await
        .expect("the first");
    let again = gateway.publish_message(message("1", minute)).await;
    assert_eq!(again.expect_err("a duplicate").kind(), ErrorKind::Duplicate);
    gateway
        .publish_message(message("2", minute))
        .await
        .expect("another id");
    gateway
        .publish_message(message("", minute))
        .await
        .expect("no id");
    gateway
        .publish_message(message("", minute))
        .await
        .expect("no id again");
    pass(minute).await;
    gateway
        .publish_message(message("1", minute))
        .await
        .expect("forgotten by now");
    assert_eq!(fake.calls("PublishMessage"), 6);
    let ids: Vec<_> = fake
        .published()
        .into_iter()
        .map(|message| message.message_id)
        .collect();
    assert_eq!(ids, ["1", "2", "", "", "1"]);
}

#[tokio::test]
async fn a_stream_gets_what_becomes_activatable_while_it_is_open_and_a_poll_the_rest() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let before = fake.add_job(NewJob::new("pay"));
    let opening = tokio::spawn({
        let gateway = gateway.clone();
        async move { stream(&gateway).await }
    });
    fake.wait_for("the stream", |fake| fake.open_streams("pay") == 1)
        .await;
    let pushed = fake.add_job(NewJob::new("pay"));
    let mut jobs = opening.await.expect("no panic");
    assert_eq!(jobs.next().await.expect("open").expect("a job").key, pushed);
    let polled = polled(&gateway, poll(10, None)).await;
    assert_eq!(
        polled.iter().map(|job| job.key).collect::<Vec<_>>(),
        [before]
    );
    assert_eq!(fake.most_active(), 2);
}

#[tokio::test]
async fn a_long_poll_waits_for_a_job() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let polling = tokio::spawn({
        let gateway = gateway.clone();
        async move { polled(&gateway, poll(1, Some(Duration::from_secs(30)))).await }
    });
    fake.wait_for("the poll", |fake| fake.calls("ActivateJobs") == 1)
        .await;
    let key = fake.add_job(NewJob {
        variables: String::from(r#"{"price":1.10}"#),
        ..NewJob::new("pay")
    });
    let jobs = polling.await.expect("no panic");
    assert_eq!(jobs[0].key, key);
    assert_eq!(jobs[0].variables, r#"{"price":1.10}"#);
}

#[tokio::test]
async fn an_activation_runs_out_unless_it_is_prolonged() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let key = fake.add_job(NewJob::new("pay"));
    polled(&gateway, poll(1, None)).await;
    let prolong = UpdateJobTimeout {
        job_key: key,
        timeout: Duration::from_secs(20),
    };
    pass(Duration::from_secs(15)).await;
    gateway
        .update_job_timeout(prolong.clone())
        .await
        .expect("held");
    pass(Duration::from_secs(15)).await;
    assert_eq!(fake.job(key).state, JobState::Activated);
    pass(Duration::from_secs(6)).await;
    fake.wait_for("the time-out", |fake| {
        fake.job(key).state == JobState::Activatable
    })
    .await;
    let late = gateway.update_job_timeout(prolong).await;
    assert_eq!(late.expect_err("run out").kind(), ErrorKind::WrongState);
    let complete = CompleteJob {
        job_key: key,
        variables: String::from(r#"{"paid":true}"#),
    };
    gateway
        .complete_job(complete.clone())
        .await
        .expect("accepted from anybody");
    assert_eq!(fake.job(key).result, r#"{"paid":true}"#);
    let again = gateway.complete_job(complete).await;
    assert_eq!(again.expect_err("done").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_failed_job_backs_off_and_without_retries_becomes_an_incident() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let key = fake.add_job(NewJob::new("pay"));
    let fail = |retries, seconds| FailJob {
        job_key: key,
        retries,
        error_message: String::from("no"),
        retry_back_off: Duration::from_secs(seconds),
        variables: String::new(),
    };
    polled(&gateway, poll(1, None)).await;
    gateway.fail_job(fail(2, 5)).await.expect("failed");
    assert_eq!(polled(&gateway, poll(1, None)).await.len(), 0);
    pass(Duration::from_secs(5)).await;
    assert_eq!(
        polled(&gateway, poll(1, Some(Duration::from_secs(5)))).await[0].retries,
        2
    );
    gateway.fail_job(fail(0, 0)).await.expect("failed");
    assert_eq!(fake.job(key).state, JobState::Incident);
    let complete = gateway
        .complete_job(CompleteJob {
            job_key: key,
            variables: String::new(),
        })
        .await;
    assert_eq!(
        complete.expect_err("an incident").kind(),
        ErrorKind::WrongState
    );
    gateway
        .update_job_retries(UpdateJobRetries {
            job_key: key,
            retries: 1,
        })
        .await
        .expect("retries");
    let incident_key = fake.job(key).incident_key.expect("an incident");
    gateway
        .resolve_incident(ResolveIncident { incident_key })
        .await
        .expect("resolved");
    assert_eq!(polled(&gateway, poll(1, None)).await.len(), 1);
}

#[tokio::test]
async fn faults_strike_as_often_as_they_are_told() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let minute = Duration::from_secs(60);
    fake.fail_next(2, "PublishMessage", Fault::backpressure());
    for _ in 0..2 {
        let refused = gateway.publish_message(message("1", minute)).await;
        assert_eq!(refused.expect_err("busy").kind(), ErrorKind::Backpressure);
    }
    gateway
        .publish_message(message("1", minute))
        .await
        .expect("taken");

    fake.fail("PublishMessage", Fault::CutAfterTaking);
    let lost = gateway.publish_message(message("2", minute)).await;
    assert_eq!(lost.expect_err("lost").kind(), ErrorKind::OutcomeUnknown);
    fake.fail("PublishMessage", Fault::Cut);
    let lost = gateway.publish_message(message("3", minute)).await;
    assert_eq!(lost.expect_err("lost").kind(), ErrorKind::OutcomeUnknown);
    fake.heal("PublishMessage");
    let known = gateway.publish_message(message("2", minute)).await;
    assert_eq!(known.expect_err("was taken").kind(), ErrorKind::Duplicate);
    gateway
        .publish_message(message("3", minute))
        .await
        .expect("was not taken");

    fake.fail(
        "PublishMessage",
        Fault::StatusAfterTaking(Code::DeadlineExceeded, String::new()),
    );
    let late = gateway.publish_message(message("4", minute)).await;
    assert_eq!(late.expect_err("late").kind(), ErrorKind::OutcomeUnknown);
    assert_eq!(fake.published().len(), 4);
}

#[tokio::test]
async fn once_a_stream_is_closed_jobs_wait_for_a_poll() {
    let fake = FakeGateway::start().await;
    let gateway = connect(&fake);
    let opening = tokio::spawn({
        let gateway = gateway.clone();
        async move { stream(&gateway).await }
    });
    fake.wait_for("the stream", |fake| fake.open_streams("pay") == 1)
        .await;
    fake.add_job(NewJob::new("pay"));
    drop(opening.await.expect("no panic"));
    fake.wait_for("the end of the stream", |fake| {
        fake.open_streams("pay") == 0
    })
    .await;
    fake.add_jobs((0..3).map(|_| NewJob::new("pay")));
    assert_eq!(polled(&gateway, poll(10, None)).await.len(), 3);
}

#[tokio::test]
async fn a_fast_gateway_has_jobs_without_end_and_counts() {
    let fake = FakeGateway::fast(200).await;
    let gateway = connect(&fake);
    let mut jobs = stream(&gateway).await;
    for _ in 0..1_000 {
        let job = jobs.next().await.expect("no end").expect("a job");
        assert_eq!(job.variables.len(), 200);
        let complete = CompleteJob {
            job_key: job.key,
            variables: String::new(),
        };
        gateway.complete_job(complete).await.expect("done");
    }
    assert_eq!(polled(&gateway, poll(7, None)).await.len(), 7);
    gateway
        .publish_message(message("1", Duration::ZERO))
        .await
        .expect("published");
    assert_eq!((fake.count_completed(), fake.count_published()), (1_000, 1));
}
