use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, JobState, NewJob};
use testkit::request;

use crate::support::EXECUTABLE;

const PATIENCE: Duration = Duration::from_secs(60);

/// A pod as a SinkBinding makes it, with the file that its token may be in.
struct Pod {
    folder: TempDir,
    gateway: FakeGateway,
    destination: Destination,
}

impl Pod {
    /// Its destination takes what has the token, and nothing else.
    async fn new() -> Self {
        let destination = Destination::start(|received| {
            let known = received.header("authorization") == Some("Bearer abc");
            Answer::Status(if known { 202 } else { 401 })
        })
        .await;
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            gateway: FakeGateway::start().await,
            destination,
        }
    }

    fn token(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    /// Starts both roles, without waiting for either.
    async fn start(&self, settings: &[(&str, &str)]) -> Bridge {
        let (address, url, token) = (
            self.gateway.address(),
            self.destination.url(),
            self.token().display().to_string(),
        );
        let mut all = vec![
            ("ZEEBE_GRPC_ADDRESS", address.as_str()),
            ("K_SINK", &url),
            ("BRIDGE_OIDC_TOKEN_PATH", &token),
            ("BRIDGE_RETRY_BACKOFF_MS", "50"),
        ];
        all.extend_from_slice(settings);
        Bridge::start(EXECUTABLE, &all).await
    }

    fn job(&self) -> zeebe_client::JobKey {
        self.gateway.add_job(NewJob {
            custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
            ..NewJob::new("cloudevents")
        })
    }

    /// So often the engine was asked for jobs.
    fn asked(&self) -> usize {
        self.gateway.calls("ActivateJobs") + self.gateway.calls("StreamActivatedJobs")
    }

    async fn completed(&self, key: zeebe_client::JobKey) {
        self.gateway
            .wait_for("the job", |gateway| {
                gateway.job(key).state == JobState::Completed
            })
            .await;
        assert_eq!(self.gateway.job(key).retries, 3);
    }
}

const REQUIRED: [(&str, &str); 1] = [("BRIDGE_OIDC_TOKEN_REQUIRED", "true")];

/// What `/readyz` waits for before the destination, once it says this of it.
async fn waits(bridge: &Bridge, wanted: &str) -> Value {
    let began = Instant::now();
    loop {
        let answered = bridge.get("readyz").await;
        let page: Value = serde_json::from_slice(&answered.body).expect("JSON");
        let reason = page["waiting"]["destination"].as_str().unwrap_or_default();
        if reason.contains(wanted) {
            assert_eq!(answered.status, 503, "{page}");
            return page;
        }
        assert!(began.elapsed() < PATIENCE, "not `{wanted}`: {page}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn drain(bridge: &Bridge) -> request::Answered {
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-source", "/ping"),
        ("ce-type", "dev.knative.sources.ping"),
        ("ce-id", "1"),
    ];
    request::post(&format!("{}drain", bridge.url()), &headers, "").await
}

/// As the kubelet does it: a new file, moved into its place.
fn mount(token: &Path, text: &str) {
    let next = token.with_extension("next");
    fs::write(&next, text).expect("a file");
    fs::rename(&next, token).expect("a file in its place");
}

/// As a Revision of Knative Serving has it that a SinkBinding had given the address and no token yet.
#[tokio::test]
async fn before_a_required_token_is_there_the_sink_works_and_no_job_is_activated() {
    let pod = Pod::new().await;
    let key = pod.job();
    let bridge = pod.start(&REQUIRED).await;
    let page = waits(&bridge, "is not there").await;
    let reason = page["waiting"]["destination"].as_str().expect("a reason");
    for part in [
        &*pod.token().display().to_string(),
        "BRIDGE_OIDC_TOKEN_REQUIRED",
        "SinkBinding",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(bridge.metric("bridge_source_destination_away").await, 1.0);
    assert_eq!(bridge.send("Test", "1", &json!({})).await.status, 202);
    assert_eq!(bridge.get("healthz").await.status, 200);
    let answered = drain(&bridge).await;
    assert_eq!(answered.status, 503, "{}", answered.text());
    assert_eq!(answered.header("retry-after"), Some("1"));
    // A pod that comes for a wake-up and goes is known by nothing else.
    let drains = "bridge_source_drains_total{outcome=\"destination_away\"}";
    assert_eq!(bridge.metric(drains).await, 1.0);
    for part in ["no jobs to drain yet", "is not there", "send"] {
        assert!(answered.text().contains(part), "{}", answered.text());
    }
    // What cannot be sent is no token either, and is never shown.
    for (text, problem) in [
        (" \n", "is empty"),
        ("s3cret\ns3cret", "characters that no token has"),
        ("e30.eyJleHAiOjF9.s3cret", "has run out"),
    ] {
        mount(&pod.token(), text);
        let page = waits(&bridge, problem).await;
        assert!(!page.to_string().contains("s3cret"), "{page}");
    }
    assert_eq!(pod.asked(), 0);
    assert_eq!(pod.gateway.job(key).activations, 0);

    mount(&pod.token(), "abc\n");
    pod.completed(key).await;
    bridge.ready().await;
    assert_eq!(bridge.metric("bridge_source_destination_away").await, 0.0);
    assert_eq!(pod.destination.received().len(), 1);
    assert_eq!(drain(&bridge).await.status, 202);
}

#[tokio::test]
async fn a_token_that_goes_and_comes_again_is_waited_for_without_an_event_that_has_none() {
    let pod = Pod::new().await;
    mount(&pod.token(), "abc");
    let bridge = pod.start(&REQUIRED).await;
    for _ in 0..3 {
        bridge.ready().await;
        fs::remove_file(pod.token()).expect("the token");
        // It may be activated as long as nobody has looked; then it is handed back.
        let key = pod.job();
        waits(&bridge, "is not there").await;
        pod.gateway
            .wait_for("the end of the stream", |gateway| {
                gateway.open_streams("cloudevents") == 0
            })
            .await;
        assert_eq!(drain(&bridge).await.status, 503);
        assert_ne!(pod.gateway.job(key).state, JobState::Completed);
        mount(&pod.token(), "abc");
        pod.completed(key).await;
    }
    for received in pod.destination.received() {
        assert!(received.header("authorization").is_some(), "{received:?}");
    }
}

#[tokio::test]
async fn a_job_that_probes_for_the_destination_is_handed_back_when_the_token_goes() {
    let mut pod = Pod::new().await;
    mount(&pod.token(), "abc");
    let bridge = pod.start(&REQUIRED).await;
    bridge.ready().await;
    pod.destination.stop().await;
    let key = pod.job();
    waits(&bridge, "refused").await;
    fs::remove_file(pod.token()).expect("the token");
    waits(&bridge, "is not there").await;
    pod.gateway
        .wait_for("the job to be handed back", |gateway| {
            gateway.job(key).state == JobState::Activatable
        })
        .await;
    // Both have to come back, in whichever order.
    mount(&pod.token(), "abc");
    waits(&bridge, "refused").await;
    pod.destination.start_again().await;
    pod.completed(key).await;
    bridge.ready().await;
}

/// Where nobody asks for one a SinkBinding brings none.
#[tokio::test]
async fn a_token_that_is_not_required_is_not_waited_for() {
    let pod = Pod::new().await;
    pod.destination.answer(|_| Answer::Status(202));
    let bridge = pod.start(&[]).await;
    bridge.ready().await;
    pod.completed(pod.job()).await;
    assert_eq!(pod.destination.received()[0].header("authorization"), None);
}
