//! The engine or the destination is away.

use testkit::bridge::Bridge;
use testkit::destination::Destination;
use testkit::gateway::{FakeGateway, Fault, JobState};
use tonic::Code;

use super::{BY_DRAINS_ALONE, asleep, begun, drain, jobs};
use crate::support::EXECUTABLE;

#[tokio::test]
async fn a_drain_that_comes_before_the_engine_waits_for_it() {
    let gateway = FakeGateway::start().await;
    gateway.stop().await;
    let destination = Destination::accepting().await;
    let (address, url) = (gateway.address(), destination.url());
    let mut settings = BY_DRAINS_ALONE.to_vec();
    settings.extend([
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("K_SINK", &url),
        ("BRIDGE_RETRY_IN_REQUEST_SECONDS", "29"),
    ]);
    let mut bridge = Bridge::start(EXECUTABLE, &settings).await;
    let asking = begun(&mut bridge).await;
    gateway.add_jobs(jobs(3));
    gateway.start_again().await;
    let answered = asking.await.expect("no panic").expect("an answer");
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.jobs(JobState::Completed), 3);
}

#[tokio::test]
async fn while_the_engine_is_away_it_is_503_within_the_time_that_a_request_has() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let settings = [("BRIDGE_RETRY_IN_REQUEST_SECONDS", "1")];
    let bridge = asleep(&gateway, &destination, &settings).await;
    gateway.stop().await;
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 503, "{}", answered.text());
    assert_eq!(answered.header("retry-after"), Some("1"));
    assert!(
        answered.text().contains("the engine"),
        "{}",
        answered.text()
    );
    let away = [("outcome", "engine_away")];
    assert_eq!(
        bridge.metric_of("bridge_source_drains_total", &away).await,
        1.0
    );
    gateway.start_again().await;
    gateway.add_jobs(jobs(3));
    bridge.ready().await;
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.jobs(JobState::Completed), 3);
}

#[tokio::test]
async fn an_engine_that_refuses_for_a_moment_in_the_middle_costs_nothing() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let bridge = asleep(&gateway, &destination, &[("BRIDGE_MAX_JOBS_ACTIVE", "2")]).await;
    gateway.add_jobs(jobs(20));
    gateway.fail_next(
        3,
        "ActivateJobs",
        Fault::status(Code::ResourceExhausted, "busy"),
    );
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    assert_eq!(gateway.jobs(JobState::Completed), 20);
}

#[tokio::test]
async fn while_the_destination_is_away_it_ends_with_503_and_no_job_is_the_worse_for_it() {
    const JOBS: usize = 20;
    let gateway = FakeGateway::start().await;
    let mut destination = Destination::accepting().await;
    let settings = [("BRIDGE_RETRY_IN_REQUEST_SECONDS", "1")];
    let bridge = asleep(&gateway, &destination, &settings).await;
    let keys = gateway.add_jobs(jobs(JOBS));
    destination.stop().await;
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 503, "{}", answered.text());
    assert!(
        answered.text().contains("the destination"),
        "{}",
        answered.text()
    );
    let away = [("outcome", "destination_away")];
    assert_eq!(
        bridge.metric_of("bridge_source_drains_total", &away).await,
        1.0
    );

    destination.start_again().await;
    bridge.ready().await;
    // What was handed back is away for some seconds, so one drain may be over before the last is there again.
    while gateway.jobs(JobState::Completed) < JOBS {
        let answered = drain(&bridge).await;
        assert_eq!(answered.status, 202, "{}", answered.text());
    }
    for key in keys {
        assert_eq!(gateway.job(key).retries, 3);
    }
}
