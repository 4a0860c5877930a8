use std::path::Path;

use demo::broker::{Broker, Running, Settings, manifest};
use demo::sale;
use serde_json::json;
use testkit::collector::Collector;

use super::shop::Shop;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The local Broker, with one Trigger for everything.
async fn broker(subscriber: &str) -> Running {
    let trigger = format!(
        "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {{name: bridge}}\n\
         spec:\n  broker: default\n  subscriber: {{uri: \"{subscriber}\"}}\n"
    );
    let mut manifests = manifest::Manifests::default();
    manifest::parse(Path::new("test.yaml"), &trigger, "default", &mut manifests)
        .expect("a Trigger");
    Broker::start(Settings {
        manifests,
        ..Settings::default()
    })
    .await
    .expect("a Broker")
}

/// Through the Broker into the process, and out of it with both kinds of headers.
#[tokio::test]
async fn a_sale_whose_events_bring_b3_alone_is_one_trace_where_b3_is_asked_for() {
    let collector = Collector::start().await;
    let endpoint = collector.url();
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_PROPAGATORS", "tracecontext,b3multi"),
    ];
    let shop = Shop::open_with("b3", "2-coordinate", &[], &settings).await;
    let broker = broker(shop.bridge.url()).await;
    let url = broker.url("default", "default");
    let ada = shop.customer("ada");
    let acts = [
        ("website", sale::CUSTOMER_QUEUE_JOINED, "1111111111111111"),
        ("queue", sale::CUSTOMER_ADMITTED, "2222222222222222"),
        ("website", sale::REQUESTED, "3333333333333333"),
        ("tickets", sale::HELD, "4444444444444444"),
        ("website", sale::CHECKED_OUT, "5555555555555555"),
    ];
    for (service, ty, span) in acts {
        let b3 = [
            ("x-b3-traceid", TRACE),
            ("x-b3-spanid", span),
            ("x-b3-sampled", "1"),
        ];
        ada.event_to(&url, &b3, service, ty, &json!({"card": "valid"}))
            .await;
    }
    let asked = ada.emits(sale::PAYMENT_REQUESTED).await;
    let spans = collector
        .spans_when("the job's end", |spans| {
            !spans.named("activate RequestPayment").is_empty()
        })
        .await;
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans}");
    assert_eq!(spans.orphans(&acts.map(|(_, _, span)| span)).len(), 0);
    let delivery = spans.one(&format!("deliver {}", sale::PAYMENT_REQUESTED));
    assert_eq!(
        spans.path(delivery),
        [
            format!("eventing-zeebe: receive {}", sale::CHECKED_OUT),
            String::from("eventing-zeebe: activate RequestPayment"),
            format!("eventing-zeebe: deliver {}", sale::PAYMENT_REQUESTED),
        ]
    );
    let parent = delivery.traceparent();
    assert_eq!(asked.header("traceparent"), Some(parent.as_str()));
    assert_eq!(asked.header("x-b3-traceid"), Some(TRACE));
    assert_eq!(asked.header("x-b3-spanid"), Some(delivery.id.as_str()));
}
