//! What the destination answers, and what becomes of the job.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;

use super::{job, with_headers};
use crate::support::source;

/// What the destination answers -> what becomes of the job, and the retries it has then.
const ANSWERS: &[(u16, JobState, i32)] = &[
    (200, JobState::Completed, 3),
    (202, JobState::Completed, 3),
    (204, JobState::Completed, 3),
    // Not followed: where the event goes is configuration's to say.
    (301, JobState::Incident, 0),
    (307, JobState::Incident, 0),
    (400, JobState::Incident, 0),
    (401, JobState::Incident, 0),
    (403, JobState::Incident, 0),
    (413, JobState::Incident, 0),
    (422, JobState::Incident, 0),
    // About this event, and may be otherwise later.
    (404, JobState::BackingOff, 2),
    (408, JobState::BackingOff, 2),
    (409, JobState::BackingOff, 2),
    (500, JobState::BackingOff, 2),
    (502, JobState::BackingOff, 2),
    (504, JobState::BackingOff, 2),
];

#[tokio::test]
async fn each_answer_of_the_destination_ends_the_job_as_it_should() {
    for (status, state, retries) in ANSWERS {
        let gateway = FakeGateway::start().await;
        let elsewhere = Destination::accepting().await;
        let location = elsewhere.url();
        let destination = Destination::start(move |_| {
            let response = http::Response::builder()
                .status(*status)
                .header("location", &location);
            Answer::Response(response.body("as told".into()).expect("a response"))
        })
        .await;
        let key = gateway.add_job(job(&json!({"seat": "A1"})));
        // So long that what comes after the first attempt is not this test's.
        let settings = [("BRIDGE_RETRY_BACKOFF_MS", "60000")];
        let _bridge = source(&gateway, &destination, &settings).await;
        gateway
            .wait_for(&format!("{state:?} after {status}"), |gateway| {
                gateway.job(key).state == *state
            })
            .await;
        let job = gateway.job(key);
        assert_eq!(job.retries, *retries, "{status}");
        if *state != JobState::Completed {
            assert!(
                job.error_message.contains(&status.to_string()),
                "{}",
                job.error_message
            );
            assert!(
                job.error_message.contains("as told"),
                "{}",
                job.error_message
            );
        }
        assert!(
            elsewhere.received().is_empty(),
            "{status}: a redirect was followed"
        );
    }
}

#[tokio::test]
async fn while_the_destination_is_away_or_busy_no_retry_is_used_and_nothing_is_activated() {
    tokio::join!(
        an_outage(Answer::Status(429), "429"),
        an_outage(Answer::Status(503), "503"),
        an_outage(Answer::Cut, ""),
        an_outage(Answer::Never, ""),
    );
}

async fn an_outage(answer: Answer, word: &str) {
    let gateway = FakeGateway::start().await;
    let destination = {
        let answer = answer.clone();
        Destination::start(move |_| answer.clone()).await
    };
    let settings = [
        ("BRIDGE_DELIVERY_TIMEOUT_SECONDS", "1"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "4"),
    ];
    let bridge = source(&gateway, &destination, &settings).await;
    let keys = gateway.add_jobs((0..20).map(|item| job(&json!({"item": item}))));
    // Six failed deliveries: one job would be an incident twice over.
    destination.wait_for_count(6).await;
    let readyz = bridge.get("readyz").await;
    assert_eq!(readyz.status, 503, "{answer:?}: {}", readyz.text());
    assert!(readyz.text().contains("destination"), "{}", readyz.text());
    assert!(readyz.text().contains(word), "{}", readyz.text());
    assert_eq!(bridge.metric("bridge_source_destination_away").await, 1.0);
    // What was in hand when it began has been handed back: only the probe holds a job.
    bridge
        .metric_when("bridge_source_jobs_held", |held| held < 1.5)
        .await;
    assert!(
        keys.iter().all(|key| gateway.job(*key).retries == 3),
        "{answer:?}"
    );
    destination.answer(|_| Answer::Status(202));
    gateway
        .wait_for("all jobs", |gateway| {
            gateway.jobs(JobState::Completed) == 20
        })
        .await;
    assert_eq!(bridge.metric("bridge_source_destination_away").await, 0.0);
    assert_eq!(gateway.jobs(JobState::Incident), 0, "{answer:?}");
    assert!(
        keys.iter().all(|key| gateway.job(*key).retries == 3),
        "{answer:?}"
    );
    let ids: HashSet<String> = destination
        .received()
        .iter()
        .map(|one| one.id().to_owned())
        .collect();
    assert_eq!(ids.len(), 20, "{answer:?}");
}

#[tokio::test]
async fn a_job_is_completed_only_after_its_event_was_accepted() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Never).await;
    let settings = [("BRIDGE_JOB_TIMEOUT_SECONDS", "3")];
    let _bridge = source(&gateway, &destination, &settings).await;
    let key = gateway.add_job(job(&json!({})));
    // Held for many times its timeout while the POST hangs.
    gateway
        .wait_for("renewals", |gateway| gateway.job(key).renewals >= 4)
        .await;
    assert!(gateway.completed().is_empty());
    assert_eq!(gateway.job(key).activations, 1);
    assert_eq!(destination.received().len(), 1);
}

#[tokio::test]
async fn a_completion_whose_result_is_unknown_is_repeated_and_the_delivery_is_not() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let _bridge = source(&gateway, &destination, &[]).await;
    for fault in [
        Fault::CutAfterTaking,
        Fault::Cut,
        Fault::status(Code::Unavailable, "no leader"),
        Fault::StatusAfterTaking(Code::DeadlineExceeded, String::from("too late")),
    ] {
        let before = (gateway.calls("CompleteJob"), destination.received().len());
        gateway.fail_next(1, "CompleteJob", fault.clone());
        let key = gateway.add_job(job(&json!({})));
        gateway
            .wait_for(&format!("two calls after {fault:?}"), |gateway| {
                gateway.calls("CompleteJob") >= before.0 + 2
                    && gateway.job(key).state == JobState::Completed
            })
            .await;
        assert_eq!(destination.received().len(), before.1 + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn after_its_time_ran_out_a_job_is_not_failed_but_still_completed() {
    tokio::join!(
        a_late_answer(202, true),
        a_late_answer(500, false),
        a_late_answer(400, false)
    );
}

async fn a_late_answer(status: u16, completes: bool) {
    let gateway = FakeGateway::start().await;
    // Renewals fail; the answer comes when the lock has long run out.
    gateway.fail("UpdateJobTimeout", Fault::Hang);
    let destination = Destination::start(move |_| {
        Answer::After(Duration::from_secs(6), Box::new(Answer::Status(status)))
    })
    .await;
    let settings = [
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "3"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "1"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    let key = gateway.add_job(job(&json!({})));
    if completes {
        gateway
            .wait_for("the completion", |gateway| {
                gateway.job(key).state == JobState::Completed
            })
            .await;
    } else {
        // It is delivered again, as somebody else would: the first attempt has ended then.
        destination.wait_for_count(2).await;
    }
    assert!(
        gateway.failed().is_empty(),
        "{status}: a late FailJob hits whoever holds it now"
    );
}

#[tokio::test]
async fn the_error_map_comes_before_the_table() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|received| {
        Answer::Status(
            received.json()["status"]
                .as_u64()
                .and_then(|s| u16::try_from(s).ok())
                .unwrap_or(500),
        )
    })
    .await;
    let _bridge = source(&gateway, &destination, &[]).await;
    for (status, code) in [(409, "SOLD_OUT"), (403, "REFUSED"), (503, "AWAY")] {
        let headers = json!({"error-map": "409=SOLD_OUT, 4xx=REFUSED, 503=AWAY"});
        let key = gateway.add_job(with_headers(&json!({"status": status}), &headers));
        gateway
            .wait_for(code, |gateway| gateway.job(key).state == JobState::Thrown)
            .await;
        assert_eq!(gateway.job(key).error_code, code);
    }
    // Not mapped: the table.
    let headers = json!({"error-map": "409=SOLD_OUT"});
    let key = gateway.add_job(with_headers(&json!({"status": 422}), &headers));
    gateway
        .wait_for("an incident", |gateway| {
            gateway.job(key).state == JobState::Incident
        })
        .await;
}

#[tokio::test]
async fn an_end_that_the_engine_refuses_for_good_is_an_incident_and_not_a_redelivery() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|received| {
        let status = received.json()["status"].as_u64().unwrap_or(202);
        Answer::Status(u16::try_from(status).expect("a status"))
    })
    .await;
    let settings = [("BRIDGE_JOB_TIMEOUT_SECONDS", "3")];
    let _bridge = source(&gateway, &destination, &settings).await;
    for (rpc, variables) in [
        ("CompleteJob", json!({})),
        ("ThrowError", json!({"status": 409})),
    ] {
        gateway.fail(rpc, Fault::status(Code::InvalidArgument, "not like this"));
        let headers = json!({"error-map": "409=SOLD_OUT"});
        let key = gateway.add_job(with_headers(&variables, &headers));
        gateway
            .wait_for("an incident", |gateway| {
                gateway.job(key).state == JobState::Incident
            })
            .await;
        let job = gateway.job(key);
        assert_eq!((job.retries, job.activations), (0, 1), "{rpc}");
        for word in ["not like this", "delivered again"] {
            assert!(job.error_message.contains(word), "{}", job.error_message);
        }
    }
    assert_eq!(destination.received().len(), 2);
}

#[tokio::test]
async fn the_last_retry_ends_as_an_incident_and_a_job_without_retries_waits_like_any_other() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Status(500)).await;
    let bridge = source(&gateway, &destination, &[]).await;
    for retries in [1, 0] {
        let key = gateway.add_job(NewJob {
            retries,
            ..job(&json!({}))
        });
        gateway
            .wait_for("an incident", |gateway| {
                gateway.job(key).state == JobState::Incident
            })
            .await;
        let job = gateway.job(key);
        assert_eq!((job.retries, job.activations), (0, 1));
        assert!(job.error_message.contains("500"), "{}", job.error_message);
    }
    // Counted when the engine has answered, which is after it has the incident.
    bridge
        .metric_when("bridge_source_jobs_total", |ended| ended > 1.5)
        .await;
    let incidents = bridge
        .metric_of("bridge_source_jobs_total", &[("outcome", "incident")])
        .await;
    assert!((incidents - 2.0).abs() < 0.1, "{incidents}");

    destination.answer(|_| Answer::Status(503));
    let key = gateway.add_job(NewJob {
        retries: 0,
        ..job(&json!({}))
    });
    gateway
        .wait_for("hand-backs", |gateway| gateway.job(key).failures >= 2)
        .await;
    assert_eq!(gateway.jobs(JobState::Incident), 2, "an outage makes none");
    destination.answer(|_| Answer::Status(202));
    gateway
        .wait_for("the completion", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
}

#[tokio::test]
async fn a_reply_event_is_dropped_and_counted_and_the_job_is_complete() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| {
        let response = http::Response::builder()
            .header("ce-specversion", "1.0")
            .header("ce-id", "r")
            .header("ce-source", "/r")
            .header("ce-type", "Reply");
        Answer::Response(response.body("{}".into()).expect("a response"))
    })
    .await;
    let bridge = source(&gateway, &destination, &[]).await;
    let key = gateway.add_job(job(&json!({})));
    gateway
        .wait_for("the completion", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
    let dropped = bridge.metric("bridge_source_replies_dropped_total").await;
    assert!((dropped - 1.0).abs() < 0.1, "{dropped}");
}
