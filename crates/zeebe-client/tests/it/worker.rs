//! The job worker. Time passes when the scenarios say so; nobody sleeps.

mod capacity;
mod emptying;
mod ends;
mod fetching;
mod renewal;
mod stopping;

use std::time::Duration;

use testkit::gateway::FakeGateway;
use zeebe_client::{Gateway, HeldJob, JobWorker, WorkerSettings};

use crate::harness::connect;

/// Starts a worker for jobs of the type `pay`, with these changes to the default settings.
fn start(gateway: Gateway, change: impl FnOnce(&mut WorkerSettings)) -> JobWorker {
    let mut settings = WorkerSettings {
        job_types: vec![String::from("pay")],
        worker_name: String::from("test"),
        ..WorkerSettings::default()
    };
    change(&mut settings);
    JobWorker::start(gateway, settings).expect("usable settings")
}

/// Starts a worker that only polls, and so only when the scenario lets the interval pass.
fn start_polling(fake: &FakeGateway, change: impl FnOnce(&mut WorkerSettings)) -> JobWorker {
    start(connect(fake), |settings| {
        settings.stream = false;
        change(settings);
    })
}

/// Waits for the streams of these types.
async fn streams_open(fake: &FakeGateway, job_types: &[&str]) {
    fake.wait_for("open streams", |fake| {
        job_types
            .iter()
            .all(|job_type| fake.open_streams(job_type) == 1)
    })
    .await;
}

/// Gives the worker the time to see that its streams are empty: what lay in them for longer than it looked
/// may be another's by then.
async fn looked(fake: &FakeGateway) {
    for _ in 0..10 {
        testkit::clock::pass(Duration::from_millis(50)).await;
        connect(fake)
            .topology(zeebe_client::Topology)
            .await
            .expect("an answer");
    }
}

/// Gives others their turn until our own side has come so far; what the gateway saw may be ahead of it.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        tokio::task::yield_now().await;
    }
}

/// The next job; a minute's patience.
async fn next(worker: &JobWorker) -> HeldJob {
    tokio::time::timeout(Duration::from_secs(60), worker.next())
        .await
        .expect("a job within a minute")
        .expect("the worker runs")
}
