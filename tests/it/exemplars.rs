//! Exemplars, asserted where Prometheus scrapes them and where a collector gets them.

use std::collections::BTreeSet;

use serde_json::json;
use testkit::bridge::Bridge;
use testkit::collector::Collector;
use testkit::destination::{Answer, Destination};
use testkit::gateway::{FakeGateway, Fault, JobState, NewJob};
use tonic::Code;

use crate::support::{sink, source};
use crate::trace::{OTHER, OTHER_TRACE, spans, traced};

/// As Prometheus 3.5 asks.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
const UNSAMPLED: &str = "00-11111111111111111111111111111111-2222222222222222-00";
const COMMANDS: &str = "bridge_sink_command_duration_seconds";
const DELIVERIES: &str = "bridge_source_delivery_duration_seconds";
const SINCE_ACTIVATION: &str = "bridge_source_activation_to_delivery_seconds_bucket";

async fn scraped(bridge: &Bridge) -> String {
    let page = bridge.get_as("metrics", PROMETHEUS).await;
    assert_eq!(
        page.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    page.text().to_owned()
}

async fn send(bridge: &Bridge, id: &str, traceparent: &str) -> u16 {
    let headers = [("traceparent", traceparent)];
    let answered = bridge.send_with("Test", id, &headers, &json!({})).await;
    answered.status.as_u16()
}

/// Trace and span of each exemplar of the buckets with this outcome.
fn exemplars(page: &str, histogram: &str, outcome: &str) -> Vec<(String, String)> {
    let bucket = format!("{histogram}_bucket{{");
    let outcome = format!("outcome=\"{outcome}\"");
    let lines = page.lines().filter(|line| line.starts_with(&bucket));
    let told = lines.filter_map(|line| line.split_once(" # "));
    let of_outcome = told.filter(|(series, _)| series.contains(&outcome));
    let read = of_outcome.map(|(series, exemplar)| {
        let value = |name: &str| {
            let (_, rest) = exemplar.split_once(&format!("{name}=\"")).expect(exemplar);
            rest.split('"').next().expect("an end").to_owned()
        };
        let (_, le) = series.split_once("le=\"").expect(series);
        let le = le.split('"').next().expect("an end").replace("+Inf", "inf");
        let (_, numbers) = exemplar.split_once("} ").expect(exemplar);
        let took: f64 = numbers
            .split(' ')
            .next()
            .expect("one")
            .parse()
            .expect("one");
        assert!(
            took <= le.parse().expect("a boundary"),
            "{series} {exemplar}"
        );
        (value("trace_id"), value("span_id"))
    });
    read.collect()
}

/// The series of a page, by their names and labels, without the buckets' boundaries, which are written in two ways.
fn series(page: &str) -> BTreeSet<&str> {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let series = samples.filter_map(|line| line.split(" # ").next()?.rsplit_once(' '));
    let without = series.map(|(series, _)| series.split("le=").next().unwrap_or_default());
    without.collect()
}

#[tokio::test]
async fn a_bucket_leads_to_the_trace_of_the_event_that_fell_into_it() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    assert_eq!(send(&bridge, "1", OTHER).await, 202);
    let spans = spans(&collector, "receive Test", 1).await;
    let receive = spans.one("receive Test");
    let expected = [(OTHER_TRACE.to_owned(), receive.id.clone())];
    let page = scraped(&bridge).await;
    assert_eq!(exemplars(&page, COMMANDS, "done"), expected, "{page}");
    assert_eq!(page.matches(" # {").count(), 1, "{page}");
    assert!(page.ends_with("\n# EOF\n"), "{page}");

    // Whatever else falls there and is not sampled leaves it.
    assert_eq!(send(&bridge, "2", UNSAMPLED).await, 202);
    let page = scraped(&bridge).await;
    assert_eq!(exemplars(&page, COMMANDS, "done"), expected, "{page}");
}

#[tokio::test]
async fn a_command_that_the_engine_refuses_leads_to_its_trace_too() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    let refused = Fault::status(Code::InvalidArgument, "as told");
    gateway.fail("PublishMessage", refused);
    assert_eq!(send(&bridge, "1", OTHER).await, 422);
    let page = scraped(&bridge).await;
    let found = exemplars(&page, COMMANDS, "invalid");
    assert_eq!(found.len(), 1, "{page}");
    assert_eq!(found[0].0, OTHER_TRACE);
}

#[tokio::test]
async fn deliveries_lead_to_theirs_by_what_became_of_them() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let destination = Destination::start(|received| match received.ty() {
        "Bad" => Answer::Status(400),
        _ => Answer::Status(202),
    })
    .await;
    let bridge = source(&gateway, &destination, &traced(&url)).await;
    let context = json!({"bridgeContext": {"traceparent": OTHER, "hops": 1}});
    for (ty, state, outcome) in [
        ("Good", JobState::Completed, "complete"),
        ("Bad", JobState::Incident, "incident"),
    ] {
        let key = gateway.add_job(NewJob {
            variables: context.to_string(),
            custom_headers: json!({"ce-type": ty}).to_string(),
            ..NewJob::new("cloudevents")
        });
        let ended = |gateway: &FakeGateway| gateway.job(key).state == state;
        gateway.wait_for("its end", ended).await;
        let name = format!("deliver {ty}");
        let spans = spans(&collector, &name, 1).await;
        let delivery = spans.one(&name);
        let page = scraped(&bridge).await;
        let expected = [(OTHER_TRACE.to_owned(), delivery.id.clone())];
        assert_eq!(exemplars(&page, DELIVERIES, outcome), expected, "{page}");
        // What was accepted leads there from the time since its job came as well.
        let mut since = page
            .lines()
            .filter(|line| line.starts_with(SINCE_ACTIVATION));
        let leads = since.any(|line| line.contains(&delivery.id));
        assert_eq!(leads, outcome == "complete", "{page}");
    }
}

#[tokio::test]
async fn what_is_not_traced_leaves_none() {
    let collector = Collector::start().await;
    let url = collector.url();
    for settings in [traced(&url), Vec::new()] {
        let gateway = FakeGateway::start().await;
        let bridge = sink(&gateway, &settings).await;
        assert_eq!(send(&bridge, "1", UNSAMPLED).await, 202);
        if settings.is_empty() {
            assert_eq!(send(&bridge, "2", OTHER).await, 202);
        }
        let page = scraped(&bridge).await;
        assert!(page.contains(&format!("{COMMANDS}_count")), "{page}");
        assert!(!page.contains(" # {"), "{page}");
    }
}

#[tokio::test]
async fn whoever_does_not_ask_for_openmetrics_reads_the_same_as_before() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let bridge = sink(&gateway, &traced(&url)).await;
    assert_eq!(send(&bridge, "1", OTHER).await, 202);
    let asked = [
        bridge.get("metrics").await,
        bridge.get_as("metrics", "text/html,*/*;q=0.8").await,
        bridge.get_as("metrics", "text/plain;version=0.0.4").await,
    ];
    for page in &asked {
        assert_eq!(
            page.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        let text = page.text();
        assert!(text.contains("\n# TYPE bridge_sink_events_total counter\n"));
        assert!(text.contains("\nbridge_sink_events_total 1\n"), "{text}");
        assert!(text.contains(r#"le="1"} 1"#), "{text}");
        assert!(!text.contains(" # {") && !text.contains("# EOF"), "{text}");
    }
    // And both say the same.
    let scraped = scraped(&bridge).await;
    assert_eq!(series(&scraped), series(asked[0].text()));
}

#[tokio::test]
async fn what_is_pushed_has_them_too() {
    let gateway = FakeGateway::start().await;
    let collector = Collector::start().await;
    let url = collector.url();
    let mut settings = traced(&url);
    settings.push(("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &url));
    settings.push(("OTEL_METRIC_EXPORT_INTERVAL", "20"));
    let bridge = sink(&gateway, &settings).await;
    assert_eq!(send(&bridge, "1", UNSAMPLED).await, 202);
    let pushes = collector.pushed(collector.pushes().len() + 2).await;
    let last = pushes.last().expect("a push");
    assert_eq!(last.exemplars("bridge.sink.command.duration"), []);

    assert_eq!(send(&bridge, "2", OTHER).await, 202);
    let spans = collector
        .spans_when("the sampled one", |spans| {
            !spans.named("receive Test").is_empty()
        })
        .await;
    let expected = [(OTHER_TRACE.to_owned(), spans.one("receive Test").id.clone())];
    let pushes = collector.pushed(collector.pushes().len() + 2).await;
    let last = pushes.last().expect("a push");
    assert_eq!(last.exemplars("bridge.sink.command.duration"), expected);
}
