use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use eventing_zeebe::config::Config;
use eventing_zeebe::decisions::Decisions;
use eventing_zeebe::source::Source;
use runtime::shutdown::Shutdown;
use runtime::telemetry::metrics::Metrics;
use runtime::telemetry::traces::Traces;
use serde_json::json;
use testkit::clock;
use testkit::destination::{Answer, Destination, Received};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;
use zeebe_client::Gateway;

use crate::support::source;

const JOBS: usize = 200;

fn job(item: &str) -> NewJob {
    NewJob {
        variables: json!({"item": item}).to_string(),
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    }
}

fn is_poison(received: &Received) -> bool {
    received.json()["item"] == "poison"
}

#[tokio::test]
async fn after_five_minutes_without_a_destination_all_jobs_have_their_retries_and_are_delivered() {
    let mut destination = Destination::accepting().await;
    destination.stop().await;
    let (destination, received) = five_minutes(destination, async |mut destination| {
        destination.start_again().await;
        destination
    })
    .await;
    assert_eq!(received, 0);
    assert_eq!(destination.received().len(), JOBS);
}

#[tokio::test]
async fn after_five_minutes_of_503_all_jobs_have_their_retries_and_few_were_activated_for_it() {
    let destination = Destination::start(|_| Answer::Status(503)).await;
    let (_, received) = five_minutes(destination, async |destination| {
        destination.answer(|_| Answer::Status(202));
        destination
    })
    .await;
    // What was in hand when it began, and then one each 2.5 s at the most.
    assert!((60..=32 + 120 + 8).contains(&received), "{received}");
}

/// Works 200 jobs against a destination that is away for five minutes, and then as `back` has it; returns
/// it, and what it received until then.
async fn five_minutes(
    destination: Destination,
    back: impl AsyncFnOnce(Destination) -> Destination,
) -> (Destination, usize) {
    let engine = FakeGateway::start().await;
    let variables = [
        ("ZEEBE_GRPC_ADDRESS", engine.address()),
        ("K_SINK", destination.url()),
    ];
    let config = Config::from_variables(variables.map(|(name, value)| (name.to_owned(), value)))
        .expect("a configuration");
    let metrics = Metrics::new("tests", "0").expect("metrics");
    let source = Source::start(
        Gateway::new(config.engine.clone()).expect("a gateway"),
        config.source.binding.as_ref().expect("K_SINK"),
        &config.source,
        None,
        Decisions::default(),
        &metrics,
        Traces::off(),
    )
    .expect("a source");
    let source = Arc::new(source);
    let shutdown = Shutdown::new(Duration::from_secs(20));
    let running = {
        let (source, shutdown) = (Arc::clone(&source), shutdown.clone());
        tokio::spawn(async move { source.run(&shutdown).await })
    };
    let keys = engine.add_jobs((0..JOBS).map(|item| job(&item.to_string())));

    let mut trouble = source.destination_trouble();
    trouble
        .wait_for(Option::is_some)
        .await
        .expect("the source runs");
    for _ in 0..300 {
        clock::pass(Duration::from_secs(1)).await;
        // What the second made due goes over real sockets; this is a moment for that, not a condition.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(trouble.borrow().is_some(), "nobody answered");
    }
    assert_eq!(engine.jobs(JobState::Incident), 0);
    assert_eq!(engine.jobs(JobState::Completed), 0);
    let received = destination.received().len();

    let destination = back(destination).await;
    // The probe's next attempt and the pauses of what was handed back are seconds away.
    let mut seconds = 0;
    while engine.jobs(JobState::Completed) < JOBS {
        seconds += 1;
        assert!(
            seconds < 600,
            "{} of {JOBS}",
            engine.jobs(JobState::Completed)
        );
        clock::pass(Duration::from_secs(1)).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for key in keys {
        assert_eq!(engine.job(key).retries, 3);
    }
    shutdown.request();
    running.await.expect("an orderly end");
    (destination, received)
}

#[tokio::test]
async fn one_event_that_is_never_answered_keeps_nobody_waiting_and_stops_the_others_once_at_most() {
    tokio::join!(
        one_poison(Answer::Status(429)),
        one_poison(Answer::Status(503)),
        one_poison(Answer::Cut),
        one_poison(Answer::Never),
    );
}

async fn one_poison(answer: Answer) {
    let gateway = FakeGateway::start().await;
    let poisoned = answer.clone();
    let destination = Destination::start(move |received| {
        if is_poison(received) {
            poisoned.clone()
        } else {
            Answer::Status(202)
        }
    })
    .await;
    let settings = [
        ("BRIDGE_DELIVERY_TIMEOUT_SECONDS", "1"),
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "3"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "1"),
    ];
    let mut bridge = source(&gateway, &destination, &settings).await;
    let poison = gateway.add_job(job("poison"));
    destination.wait_for_count(1).await;
    for others in 1..=3 {
        // Alone, then with others before and after it.
        gateway.add_jobs((0..5).map(|item| job(&item.to_string())));
        gateway
            .wait_for(&format!("the others beside {answer:?}"), |gateway| {
                gateway.jobs(JobState::Completed) == others * 5
            })
            .await;
        destination
            .wait_for("the poison again", |all| {
                (all.iter().filter(|one| is_poison(one)).count() > others).then_some(())
            })
            .await;
    }
    let job = gateway.job(poison);
    assert_eq!(job.retries, 3, "{answer:?}: {job:?}");
    let outages = bridge
        .program()
        .output()
        .iter()
        .filter(|line| line.contains("the destination is away"))
        .count();
    assert!(outages <= 1, "{answer:?}: {outages} outages");
    bridge.ready().await;
    destination.answer(|_| Answer::Status(202));
    gateway
        .wait_for("the poison", |gateway| {
            gateway.job(poison).state == JobState::Completed
        })
        .await;
    assert_eq!(gateway.job(poison).retries, 3);
}

#[tokio::test]
async fn a_destination_that_comes_and_goes_leaves_nobody_waiting_for_ever() {
    const MANY: usize = 200;
    let gateway = FakeGateway::start().await;
    let count = AtomicUsize::new(0);
    let destination =
        Destination::start(move |_| match count.fetch_add(1, Ordering::Relaxed) % 9 {
            2 => Answer::Status(503),
            3 => Answer::Cut,
            7 => Answer::Status(429),
            _ => Answer::Status(202),
        })
        .await;
    let settings = [
        ("BRIDGE_THREADS", "4"),
        ("BRIDGE_RETRY_BACKOFF_MS", "1"),
        // What lies in the stream when it is closed comes back after this.
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "3"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "8"),
    ];
    let bridge = source(&gateway, &destination, &settings).await;
    let keys = gateway.add_jobs((0..MANY).map(|item| job(&item.to_string())));
    gateway
        .wait_for("all jobs", |gateway| {
            gateway.jobs(JobState::Completed) == MANY
        })
        .await;
    assert!(keys.iter().all(|key| gateway.job(*key).retries == 3));
    bridge.ready().await;
    // And it goes on by the stream.
    gateway.add_job(job("last"));
    gateway
        .wait_for("the last", |gateway| {
            gateway.jobs(JobState::Completed) == MANY + 1
        })
        .await;
}

#[tokio::test]
async fn a_probe_whose_job_is_lost_leaves_the_probing_to_the_next() {
    let gateway = FakeGateway::start().await;
    let mut destination = Destination::accepting().await;
    let settings = [
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "3"),
        ("BRIDGE_MAX_JOBS_ACTIVE", "1"),
    ];
    let _bridge = source(&gateway, &destination, &settings).await;
    destination.stop().await;
    gateway.fail(
        "UpdateJobTimeout",
        Fault::status(Code::NotFound, "its instance is gone"),
    );
    let key = gateway.add_job(job("lost"));
    // Its activation runs out in the engine, and it comes again as the next probe.
    gateway
        .wait_for("the next probe", |gateway| {
            gateway.job(key).activations >= 3
        })
        .await;
    assert!(gateway.failed().is_empty(), "not ours to fail");
    gateway.heal("UpdateJobTimeout");
    destination.start_again().await;
    gateway
        .wait_for("the completion", |gateway| {
            gateway.job(key).state == JobState::Completed
        })
        .await;
    assert_eq!(destination.received().len(), 1);
}
