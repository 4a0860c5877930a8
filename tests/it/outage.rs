use std::sync::Arc;
use std::time::Duration;

use eventing_zeebe::config::Config;
use eventing_zeebe::source::Source;
use runtime::shutdown::Shutdown;
use runtime::telemetry::metrics::Metrics;
use serde_json::json;
use testkit::clock;
use testkit::destination::Destination;
use testkit::gateway::{FakeGateway, JobState, NewJob};
use zeebe_client::Gateway;

const JOBS: usize = 200;

#[tokio::test]
async fn after_five_minutes_without_a_destination_all_jobs_have_their_retries_and_are_delivered() {
    let engine = FakeGateway::start().await;
    let mut destination = Destination::accepting().await;
    let variables = [
        ("ZEEBE_GRPC_ADDRESS", engine.address()),
        ("K_SINK", destination.url()),
    ];
    let config = Config::from_variables(variables.map(|(name, value)| (name.to_owned(), value)))
        .expect("a configuration");
    destination.stop().await;
    let metrics = Metrics::new("tests", "0").expect("metrics");
    let source = Source::start(
        Gateway::new(config.engine.clone()).expect("a gateway"),
        config.source.binding.as_ref().expect("K_SINK"),
        &config.source,
        None,
        &metrics.meter("source"),
    )
    .expect("a source");
    let source = Arc::new(source);
    let shutdown = Shutdown::new(Duration::from_secs(20));
    let running = {
        let (source, shutdown) = (Arc::clone(&source), shutdown.clone());
        tokio::spawn(async move { source.run(&shutdown).await })
    };
    let keys = engine.add_jobs((0..JOBS).map(|item| NewJob {
        variables: json!({"item": item}).to_string(),
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    }));

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

    destination.start_again().await;
    let delivered = tokio::spawn(async move { destination.wait_for_count(JOBS).await });
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
    assert_eq!(delivered.await.expect("deliveries").len(), JOBS);
    for key in keys {
        assert_eq!(engine.job(key).retries, 3);
    }
    shutdown.request();
    running.await.expect("an orderly end");
}
