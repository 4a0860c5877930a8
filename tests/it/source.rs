use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::destination::{Answer, Destination, Received};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;

use crate::support::source;

/// A job whose task sends `Test.Emitted`.
fn job(variables: &Value) -> NewJob {
    with_headers(variables, &json!({}))
}

/// A job whose task has further custom headers.
fn with_headers(variables: &Value, headers: &Value) -> NewJob {
    let mut all = json!({"ce-type": "Test.Emitted"});
    for (name, value) in headers.as_object().expect("an object") {
        all[name] = value.clone();
    }
    NewJob {
        variables: variables.to_string(),
        custom_headers: all.to_string(),
        ..NewJob::new("cloudevents")
    }
}

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
async fn custom_headers_say_what_the_event_is() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let overrides = json!({"extensions": {"cluster": "eu-1"}}).to_string();
    let settings = [
        ("K_CE_OVERRIDES", overrides.as_str()),
        ("BRIDGE_ENGINE_NAME", "blue"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    let variables = json!({
        "order": {"id": "o-1", "total": 10.5}, "kind": "Placed", "note": "hello",
        "bridgeContext": {"hops": 3, "traceparent": "00-11111111111111111111111111111111-2222222222222222-01"},
    });
    let key = gateway.add_job(with_headers(
        &variables,
        &json!({
            "ce-type": "=\"Order.\" + kind", "ce-source": "/shop", "ce-subject": "=order.id",
            "ce-dataschema": "https://example.com/order", "ce-ext-correlationkey": "=order.id",
            "ce-ext-cluster": "overridden", "ce-data": "order",
        }),
    ));
    let received = destination.wait_for_count(1).await;
    let event = &received[0];
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", key.0.to_string().as_str()),
        ("ce-type", "Order.Placed"),
        ("ce-source", "/shop"),
        ("ce-subject", "o-1"),
        ("ce-dataschema", "https://example.com/order"),
        ("ce-correlationkey", "o-1"),
        ("ce-cluster", "eu-1"),
        ("ce-bpmnprocessid", "ticket-sale"),
        ("ce-bridgehops", "4"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(event.header(name), Some(value), "{name}");
    }
    for header in ["traceparent", "ce-traceparent"] {
        let value = event.header(header).unwrap_or_default();
        assert!(
            value.starts_with("00-11111111111111111111111111111111-"),
            "{header}: {value}"
        );
    }
    assert_eq!(event.json(), json!({"id": "o-1", "total": 10.5}));

    // All variables by default, without what travels; and text as text.
    gateway.add_job(job(&variables));
    let plain = json!({"ce-data": "note", "ce-datacontenttype": "text/plain"});
    gateway.add_job(with_headers(&variables, &plain));
    let received = destination
        .wait_for("three events", |all| (all.len() == 3).then(|| all.to_vec()))
        .await;
    let by_type = |content_type: &str| -> &Received {
        received[1..]
            .iter()
            .find(|one| one.header("content-type") == Some(content_type))
            .expect(content_type)
    };
    let mut rest = variables.clone();
    rest.as_object_mut()
        .expect("an object")
        .remove("bridgeContext");
    assert_eq!(by_type("application/json").json(), rest);
    assert_eq!(
        by_type("application/json").header("ce-source"),
        Some("/zeebe/blue")
    );
    assert_eq!(by_type("text/plain").body, "hello");
}

#[tokio::test]
async fn a_task_that_makes_no_event_is_an_incident_at_once_naming_the_header() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [("BRIDGE_HOP_LIMIT", "5")];
    let bridge = source(&gateway, &destination, &settings).await;
    let cases = [
        (json!({}), json!({"ce-type": ""}), "ce-type"),
        (json!({}), json!({"ce-subject": "=missing"}), "ce-subject"),
        (json!({}), json!({"ce-subject": "=1 +"}), "ce-subject"),
        (json!({}), json!({"ce-ext-Not_Legal": "x"}), "Not_Legal"),
        (json!({}), json!({"ce-data": "missing"}), "ce-data"),
        (json!({}), json!({"ce-ext-id": "x"}), "ce-ext-id"),
        (json!({}), json!({"ce-ext-source": "/x"}), "`ce-source`"),
        (json!({}), json!({"ce-ext-bridgehops": "0"}), "bridgehops"),
        (json!({}), json!({"ce-ext-knativebrokerttl": "9"}), "ttl"),
        (json!({}), json!({"ce-subjct": "x"}), "mean ce-subject?"),
        (json!({}), json!({"errormap": "4xx=X"}), "mean error-map?"),
        (json!({}), json!({"error-map": "9=X"}), "error-map"),
        (
            json!({}),
            json!({"Type": "T", "Mode": "WAIT_FOR_CLOUD_EVENT"}),
            "WAIT_FOR_CLOUD_EVENT",
        ),
        (json!({"bridgeContext": {"hops": 5}}), json!({}), "loop"),
    ];
    for (variables, headers, word) in cases {
        let key = gateway.add_job(with_headers(&variables, &headers));
        gateway
            .wait_for(&format!("an incident for {headers}"), |gateway| {
                gateway.job(key).state == JobState::Incident
            })
            .await;
        let job = gateway.job(key);
        assert!(
            job.error_message.contains(word),
            "{headers}: {}",
            job.error_message
        );
        assert_eq!(job.activations, 1, "{headers}: retries used up in a loop");
    }
    assert!(destination.received().is_empty());
    let loops = bridge.metric("bridge_source_loops_total").await;
    assert!((loops - 1.0).abs() < 0.1, "{loops}");
}

#[tokio::test]
async fn a_model_sends_elsewhere_only_where_configuration_allows_it() {
    let gateway = FakeGateway::start().await;
    let (destination, direct, other) = tokio::join!(
        Destination::accepting(),
        Destination::accepting(),
        Destination::accepting()
    );
    let allowed = format!("{}tickets", direct.url());
    let settings = [("BRIDGE_ALLOWED_DESTINATIONS", allowed.as_str())];
    let _bridge = source(&gateway, &destination, &settings).await;
    let hosts = [
        (format!("{}tickets/emit", direct.url()), "direct"),
        (format!("{}ticketsandmore", direct.url()), "shared"),
        (format!("{}tickets/../admin", direct.url()), "shared"),
        (format!("{}tickets/%2e%2E/admin", direct.url()), "shared"),
        (format!("{}tickets/..%2fadmin", direct.url()), "shared"),
        (format!("{}tickets//", direct.url()), "shared"),
        (other.url(), "shared"),
    ];
    for (host, _) in &hosts {
        let headers = json!({"Type": "Test.Emitted", "Host": host, "Mode": "EMIT_ONLY"});
        gateway.add_job(with_headers(&json!({"host": host}), &headers));
    }
    gateway
        .wait_for("all jobs", |gateway| {
            gateway.jobs(JobState::Completed) == hosts.len()
        })
        .await;
    let shared = hosts.iter().filter(|(_, to)| *to == "shared").count();
    assert_eq!(destination.received().len(), shared);
    assert_eq!(direct.received().len(), 1);
    assert_eq!(direct.received()[0].path, "/tickets/emit");
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn one_direct_destination_that_is_away_does_not_stop_the_others() {
    let gateway = FakeGateway::start().await;
    let (destination, mut direct) =
        tokio::join!(Destination::accepting(), Destination::accepting());
    direct.stop().await;
    let allowed = direct.url();
    let settings = [("BRIDGE_ALLOWED_DESTINATIONS", allowed.as_str())];
    let bridge = source(&gateway, &destination, &settings).await;
    let headers = json!({"Type": "Test.Emitted", "Host": direct.url()});
    let stuck = gateway.add_job(with_headers(&json!({}), &headers));
    gateway
        .wait_for("a hand-back", |gateway| gateway.job(stuck).failures > 0)
        .await;
    gateway.add_jobs((0..20).map(|_| job(&json!({}))));
    destination.wait_for_count(20).await;
    assert_eq!(gateway.job(stuck).retries, 3);
    assert_eq!(bridge.get("readyz").await.status, 200);
    direct.start_again().await;
    gateway
        .wait_for("the job", |gateway| {
            gateway.job(stuck).state == JobState::Completed
        })
        .await;
}

#[tokio::test]
async fn a_direct_destination_that_hangs_does_not_take_the_places_of_the_others() {
    let gateway = FakeGateway::start().await;
    let (destination, direct) = tokio::join!(
        Destination::accepting(),
        Destination::start(|_| Answer::Never)
    );
    let allowed = direct.url();
    let settings = [
        ("BRIDGE_ALLOWED_DESTINATIONS", allowed.as_str()),
        ("BRIDGE_MAX_JOBS_ACTIVE", "4"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    let headers = json!({"Type": "Test.Emitted", "Host": direct.url()});
    let stuck = gateway.add_jobs((0..12).map(|_| with_headers(&json!({}), &headers)));
    // Half of the capacity, and no more.
    direct.wait_for_count(2).await;
    gateway.add_jobs((0..20).map(|_| job(&json!({}))));
    gateway
        .wait_for("the others", |gateway| {
            gateway.jobs(JobState::Completed) == 20
        })
        .await;
    assert_eq!(direct.received().len(), 2);
    // Those that found no place kept their retries.
    assert!(stuck.iter().all(|key| gateway.job(*key).retries == 3));
    direct.answer(|_| Answer::Status(202));
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
async fn the_same_variables_are_fetched_by_stream_and_poll_and_what_travels_always() {
    use zeebe_client::protocol::{ActivateJobsRequest, StreamActivatedJobsRequest};

    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [
        ("FETCH_VARIABLES", "seat, price"),
        ("ZEEBE_DEFAULT_TENANT_ID", "acme"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    gateway
        .wait_for("stream and poll", |gateway| {
            gateway.calls("ActivateJobs") > 1 && gateway.calls("StreamActivatedJobs") > 1
        })
        .await;
    let wanted = ["seat", "price", "bridgeContext"]
        .map(str::to_owned)
        .to_vec();
    let mut types = HashSet::new();
    for poll in gateway.arrived::<ActivateJobsRequest>() {
        assert_eq!(poll.fetch_variable, wanted);
        assert_eq!(poll.tenant_ids, ["acme"]);
        types.insert(poll.r#type);
    }
    for stream in gateway.arrived::<StreamActivatedJobsRequest>() {
        assert_eq!(stream.fetch_variable, wanted);
        assert_eq!(stream.tenant_ids, ["acme"]);
        types.insert(stream.r#type);
    }
    assert_eq!(
        types,
        HashSet::from(["cloudevents", "knative"].map(str::to_owned))
    );
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

#[tokio::test]
async fn every_counter_of_the_source_is_there_before_it_has_counted_anything() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let bridge = source(&gateway, &destination, &[]).await;
    let page = bridge.get("metrics").await;
    for outcome in [
        "complete",
        "throw_error",
        "hand_back",
        "use_retry",
        "incident",
        "gone_already",
        "too_late",
        "refused",
    ] {
        let series = format!("bridge_source_jobs_total{{outcome=\"{outcome}\"}} 0");
        assert!(page.text().contains(&series), "{series}");
    }
    for name in ["loops", "replies_dropped", "locks_lost"] {
        let series = format!("\nbridge_source_{name}_total 0");
        assert!(page.text().contains(&series), "{series}");
    }
}

#[tokio::test]
async fn a_stop_hands_back_what_it_cannot_finish_without_using_a_retry() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| Answer::Never).await;
    let settings = [
        ("BRIDGE_GRACE_SECONDS", "4"),
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "600"),
    ];
    let mut bridge = source(&gateway, &destination, &settings).await;
    let keys = gateway.add_jobs((0..10).map(|_| job(&json!({}))));
    destination.wait_for_count(10).await;
    bridge.program().terminate();
    let status = bridge.program().ended().await;
    assert_eq!(
        status.code(),
        Some(0),
        "{}",
        bridge.program().output().join("\n")
    );
    for key in keys {
        let job = gateway.job(key);
        assert_eq!(job.state, JobState::Activatable, "{job:?}");
        assert_eq!((job.retries, job.activations), (3, 1), "{job:?}");
    }
}

#[tokio::test]
async fn a_poll_that_hangs_does_not_outlast_the_grace() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [
        ("BRIDGE_GRACE_SECONDS", "2"),
        ("BRIDGE_POLL_INTERVAL_SECONDS", "1"),
    ];
    let mut bridge = source(&gateway, &destination, &settings).await;
    gateway.fail("ActivateJobs", Fault::Hang);
    let polls = gateway.calls("ActivateJobs");
    gateway
        .wait_for("a poll that hangs", |gateway| {
            gateway.calls("ActivateJobs") > polls
        })
        .await;
    bridge.program().terminate();
    // The poll itself would be given up only later.
    bridge
        .program()
        .wait_for_log("what is left", |line| {
            line.to_string().contains("what is left").then_some(())
        })
        .await;
    bridge.program().ended().await;
}

#[tokio::test]
async fn capacity_is_what_configuration_says_over_all_types() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::start(|_| {
        Answer::After(Duration::from_millis(5), Box::new(Answer::Status(202)))
    })
    .await;
    let settings = [("BRIDGE_MAX_JOBS_ACTIVE", "4")];
    let _bridge = source(&gateway, &destination, &settings).await;
    for item in 0..300 {
        let mut one = job(&json!({"item": item}));
        if item % 2 == 0 {
            one.job_type = String::from("knative");
        }
        gateway.add_job(one);
    }
    gateway
        .wait_for("all jobs", |gateway| {
            gateway.jobs(JobState::Completed) == 300
        })
        .await;
    assert_eq!(destination.received().len(), 300);
}
