//! What a collector gets of a drain.

use serde_json::json;
use testkit::collector::Collector;
use testkit::destination::Destination;
use testkit::gateway::{FakeGateway, NewJob};
use testkit::request;

use super::{PING, asleep, begun, drain, job, url};
use crate::support::sink;
use crate::trace::{OTHER, OTHER_TRACE, shown, spans, traced};

#[tokio::test]
async fn a_drain_is_below_who_woke_it_and_its_jobs_stay_in_the_traces_of_their_processes() {
    const WOKEN_BY: &str = "00-11111111111111111111111111111111-2222222222222222-01";
    let gateway = FakeGateway::start().await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let collected = collector.url();
    let bridge = asleep(&gateway, &destination, &traced(&collected)).await;
    gateway.add_jobs((0..3).map(|item| NewJob {
        variables: json!({"bridgeContext": {"traceparent": OTHER}}).to_string(),
        element_id: String::from("Emit"),
        ..job(item)
    }));
    let mut woken = PING.to_vec();
    woken.push(("traceparent", WOKEN_BY));
    let answered = request::post(&url(&bridge), &woken, "{}").await;
    assert_eq!(answered.status, 202, "{}", answered.text());
    let spans = spans(&collector, "POST /drain", 1).await;
    let asked = spans.one("POST /drain");
    assert_eq!(format!("{:?}", asked.kind), "Server");
    assert!(WOKEN_BY.contains(&format!("{}-{}", asked.trace, asked.parent)));
    assert_eq!(asked.error, None);
    assert_eq!(
        shown(
            asked,
            &[
                "http.request.method",
                "http.route",
                "http.response.status_code",
                "cloudevents.type",
            ]
        ),
        [
            "http.request.method=POST",
            "http.route=/drain",
            "http.response.status_code=202",
            "cloudevents.type=dev.knative.sources.ping",
        ]
    );
    let drained = spans.one("drain");
    assert_eq!((&drained.trace, &drained.parent), (&asked.trace, &asked.id));
    assert_eq!(
        shown(drained, &["zeebe.drain.end", "zeebe.drain.jobs"]),
        ["zeebe.drain.end=drained", "zeebe.drain.jobs=3"]
    );
    let jobs = spans.named("activate Emit");
    assert_eq!(jobs.len(), 3, "{spans}");
    assert!(jobs.iter().all(|job| job.trace == OTHER_TRACE), "{spans}");
}

#[tokio::test]
async fn who_joins_a_drain_that_runs_is_told_by_a_link_which_it_was() {
    let gateway = FakeGateway::start().await;
    let (collector, destination) = (Collector::start().await, Destination::accepting().await);
    let collected = collector.url();
    let mut bridge = asleep(&gateway, &destination, &traced(&collected)).await;
    // It looks for as long as a job's activation takes to run out, so the second comes while it runs.
    let first = begun(&mut bridge).await;
    assert_eq!(drain(&bridge).await.status, 202);
    let first = first.await.expect("no panic").expect("an answer");
    assert_eq!(first.status, 202);
    let spans = spans(&collector, "POST /drain", 2).await;
    let drained = spans.one("drain");
    let joined = (drained.trace.clone(), drained.id.clone());
    for asked in spans.named("POST /drain") {
        if asked.id == drained.parent {
            assert_eq!(asked.links, []);
        } else {
            assert_ne!(asked.trace, drained.trace);
            assert_eq!(asked.links, std::slice::from_ref(&joined));
        }
    }
}

#[tokio::test]
async fn a_wake_up_that_is_refused_is_an_error_with_its_reason() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let collected = collector.url();
    let mut settings = traced(&collected);
    settings.push(("ROLES", "sink"));
    let bridge = sink(&gateway, &settings).await;
    assert_eq!(drain(&bridge).await.status, 501);
    let spans = spans(&collector, "POST /drain", 1).await;
    let asked = spans.one("POST /drain");
    assert_eq!(asked.get("error.type"), "501");
    let error = asked.error.as_deref().expect("an error");
    assert!(error.contains("ROLES does not name the source"), "{error}");
    assert_eq!(spans.named("drain").len(), 0);
}

#[tokio::test]
async fn a_drain_that_nothing_could_be_done_in_is_an_error_with_its_reason() {
    let gateway = FakeGateway::start().await;
    let (collector, mut destination) = (Collector::start().await, Destination::accepting().await);
    let collected = collector.url();
    let mut settings = traced(&collected);
    settings.push(("BRIDGE_RETRY_IN_REQUEST_SECONDS", "1"));
    let bridge = asleep(&gateway, &destination, &settings).await;
    gateway.add_job(job(0));
    destination.stop().await;
    assert_eq!(drain(&bridge).await.status, 503);
    let spans = spans(&collector, "POST /drain", 1).await;
    for (name, kind) in [("drain", "destination_away"), ("POST /drain", "503")] {
        let span = spans.one(name);
        assert_eq!(span.get("error.type"), kind, "{spans}");
        let error = span.error.as_deref().expect("an error");
        assert!(error.contains("the destination takes no events"), "{error}");
    }
    assert_eq!(
        spans.one("drain").get("zeebe.drain.end"),
        "destination_away"
    );
}
