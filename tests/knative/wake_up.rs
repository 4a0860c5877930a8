use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::destination::{Answer, Destination, Received};
use testkit::gateway::{FakeGateway, JobState, NewJob};
use testkit::scenario::workspace;

use crate::bridge::EXECUTABLE;
use crate::dataplane::Dataplane;

/// Answers that a PingSource leaves it at.
const ONCE: [u16; 7] = [202, 400, 401, 403, 408, 500, 501];
/// Answers after which it sends its event again.
const AGAIN: [u16; 7] = [404, 413, 425, 429, 502, 503, 504];
/// How often it sends one that is never taken.
const ATTEMPTS: usize = 6;

/// A Broker, which every data plane here has, and these PingSources: name, schedule and path.
fn manifests(sources: &[(String, &str, String)]) -> tempfile::TempDir {
    let mut documents = vec![String::from(
        "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata:\n  name: default\n",
    )];
    for (name, schedule, path) in sources {
        documents.push(format!(
            "apiVersion: sources.knative.dev/v1\nkind: PingSource\nmetadata:\n  name: {name}\nspec:\n  \
             schedule: \"{schedule}\"\n  sink:\n    ref: {{apiVersion: v1, kind: Service, name: sink}}\n    \
             uri: {path}\n"
        ));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("all.yaml"), documents.join("---\n"))
        .expect("a file can be written");
    folder
}

/// How often each event came to a path, in the order of their first coming.
fn attempts(received: &[Received], path: &str) -> Vec<usize> {
    let mut order = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in received.iter().filter(|one| one.path == path) {
        let count = counts.entry(one.id()).or_default();
        if *count == 0 {
            order.push(one.id());
        }
        *count += 1;
    }
    order.iter().map(|id| counts[id]).collect()
}

#[tokio::test]
async fn a_ping_source_sends_again_after_the_answers_that_the_page_names_and_waits_for_no_answer() {
    let destination =
        Destination::start(
            |received| match received.path.trim_start_matches('/').parse() {
                Ok(status) => Answer::Status(status),
                Err(_) => Answer::Never,
            },
        )
        .await;
    let sources: Vec<_> = ONCE
        .iter()
        .chain(&AGAIN)
        .map(ToString::to_string)
        .chain([String::from("never")])
        .map(|answer| {
            (
                format!("ping-{answer}"),
                "* * * * * *",
                format!("/{answer}"),
            )
        })
        .collect();
    let folder = manifests(&sources);
    let url = destination.url();
    let _dataplane = Dataplane::start(folder.path(), &[("Service/sink", &url)]).await;
    // Those that came first are over by the time that nine more have come.
    let received = destination
        .wait_for("some seconds' events", |received| {
            sources
                .iter()
                .all(|(_, _, path)| attempts(received, path).len() > 9)
                .then(|| received.to_vec())
        })
        .await;
    for status in ONCE {
        let attempts = attempts(&received, &format!("/{status}"));
        assert!(
            attempts.iter().all(|count| *count == 1),
            "{status}: {attempts:?}"
        );
    }
    for status in AGAIN {
        let attempts = attempts(&received, &format!("/{status}"));
        assert_eq!(attempts[0], ATTEMPTS, "{status}: {attempts:?}");
        assert!(attempts.iter().all(|count| *count <= ATTEMPTS));
    }
    let unanswered = attempts(&received, "/never");
    assert!(unanswered.iter().all(|count| *count == 1), "{unanswered:?}");
    let types: BTreeSet<_> = received.iter().map(Received::ty).collect();
    assert_eq!(types, BTreeSet::from(["dev.knative.sources.ping"]));
}

#[tokio::test]
async fn the_shipped_ping_source_has_the_jobs_worked_that_wait() {
    let gateway = FakeGateway::start().await;
    let destination = Destination::accepting().await;
    let (address, url) = (gateway.address(), destination.url());
    // So that nothing is worked but by a wake-up.
    let settings = [
        ("ZEEBE_GRPC_ADDRESS", address.as_str()),
        ("K_SINK", &url),
        ("BRIDGE_STREAM", "false"),
        ("BRIDGE_POLL_INTERVAL_SECONDS", "3600"),
        ("BRIDGE_JOB_TIMEOUT_SECONDS", "3"),
    ];
    let bridge = Bridge::start(EXECUTABLE, &settings).await;
    bridge
        .metric_when("bridge_source_polls_total", |polls| polls >= 1.0)
        .await;
    gateway.add_jobs((0..5).map(|item| NewJob {
        variables: json!({"item": item}).to_string(),
        custom_headers: json!({"ce-type": "Test.Emitted"}).to_string(),
        ..NewJob::new("cloudevents")
    }));
    let shipped = workspace().join("knative/combined/component/wake-up.yaml");
    let shipped = std::fs::read_to_string(shipped).expect("it is shipped");
    let every_second: Vec<&str> = shipped
        .lines()
        .map(|line| match line.trim_start().strip_prefix("schedule:") {
            Some(_) => "  schedule: \"* * * * * *\"",
            None => line,
        })
        .collect();
    let folder = manifests(&[]);
    std::fs::write(folder.path().join("wake-up.yaml"), every_second.join("\n"))
        .expect("a file can be written");
    let refs = [("Service/eventing-zeebe", bridge.url())];
    let dataplane = Dataplane::start(folder.path(), &refs).await;
    gateway
        .wait_for("the jobs", |gateway| gateway.jobs(JobState::Completed) == 5)
        .await;
    // More requests than drains: those that came meanwhile have joined.
    bridge
        .metric_when("bridge_source_drains_total", |drains| drains >= 2.0)
        .await;
    assert!(dataplane.printed().is_empty(), "{:?}", dataplane.printed());
}
