use demo::sale;
use serde_json::json;
use testkit::collector::Collector;
use testkit::destination::{Destination, Received};
use testkit::request;
use testkit::scenario::workspace;
use testkit::zeebe::Zeebe;

use crate::bridge::{self, sink};
use crate::dataplane::{Dataplane, Manifests};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SESSION: &str = "s-1";

/// The shipped Triggers, rules and model; the services are played by the test.
#[tokio::test]
async fn a_ticket_sale_goes_through_the_broker_from_its_first_event_to_its_last() {
    let zeebe = Zeebe::shared().await;
    let rules = workspace().join("knative/tickets/rules.yaml");
    let model = workspace().join("bpmn/tickets/4-repair.bpmn");
    let collector = Collector::start().await;
    let endpoint = collector.url();
    let traced = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let bridge = sink(&[
        traced[0],
        traced[1],
        ("ZEEBE_GRPC_ADDRESS", zeebe.gateway()),
        ("RULES", rules.to_str().expect("a path that is UTF-8")),
        ("MODELS", model.to_str().expect("a path that is UTF-8")),
    ])
    .await;
    bridge.ready().await;
    let tickets = Destination::accepting().await;
    let payments = Destination::accepting().await;
    let website = Destination::accepting().await;
    let others = Destination::accepting().await;
    let dead_letters = Destination::accepting().await;
    let dataplane = Dataplane::start(
        Manifests::shipped(&["tickets/triggers"]).path(),
        &[
            ("Service/eventing-zeebe", bridge.url()),
            ("Service/tickets", &tickets.url()),
            ("Service/payments", &payments.url()),
            ("Service/website-events", &website.url()),
            ("Service/dead-letters", &dead_letters.url()),
            ("*", &others.url()),
        ],
    )
    .await;
    // The model as it is shipped, so its job type as well: no other scenario here works that one.
    let source = bridge::source_of(zeebe, "cloudevents", dataplane.broker(), &traced).await;

    for (service, ty) in [
        ("website", sale::CUSTOMER_QUEUE_JOINED),
        ("queue", sale::CUSTOMER_ADMITTED),
        ("website", sale::REQUESTED),
        ("tickets", sale::HELD),
        ("website", sale::CHECKED_OUT),
    ] {
        send(&dataplane, service, ty).await;
    }
    let payment = first(&payments, sale::PAYMENT_REQUESTED).await;
    assert_eq!(
        payment.json(),
        json!({
            "session": SESSION, "reservationId": "r-1", "paymentId": "p-r-1", "amount": 9980,
            "card": "valid",
        })
    );
    assert_carries(&payment, "RequestPayment");

    send(&dataplane, "payments", sale::PAYMENT_AUTHORIZED).await;
    let emission = first(&tickets, sale::EMISSION_REQUESTED).await;
    assert_eq!(
        emission.json(),
        json!({"session": SESSION, "reservationId": "r-1"})
    );
    assert_carries(&emission, "RequestTickets");
    assert_ne!(payment.id(), emission.id());

    send(&dataplane, "tickets", sale::EMITTED).await;
    let sent = first(&website, sale::NOTIFICATION_REQUESTED).await;
    assert_eq!(sent.json()["kind"], "tickets-sent");

    let sales = zeebe
        .instances_when("ticket-sale", "the sale is complete", |all| {
            all.iter().any(|sale| sale["state"] == "COMPLETED")
        })
        .await;
    assert_eq!(sales.len(), 1, "{sales:#?}");
    assert_eq!(
        sales[0]["endEvents"],
        json!(["ReadyToPay", "Paid", "TicketsSold"])
    );
    assert_eq!(dead_letters.received().len(), 0);
    source
        .metric_when("bridge_source_jobs_total", |ended| ended == 3.0)
        .await;
    one_trace(&collector, &payment, &emission).await;
}

/// That all spans of both roles are in the customer's trace, each job below the event that moved the process on,
/// and that the events that left say of which delivery they are.
async fn one_trace(collector: &Collector, payment: &Received, emission: &Received) {
    let activated = |name: &str| name.starts_with("activate ");
    let spans = collector
        .spans_when("the ends of three jobs", |spans| {
            spans.iter().filter(|span| activated(&span.name)).count() == 3
        })
        .await;
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans}");
    for (moved_by, element, ty, event) in [
        (
            sale::CHECKED_OUT,
            "RequestPayment",
            sale::PAYMENT_REQUESTED,
            payment,
        ),
        (
            sale::PAYMENT_AUTHORIZED,
            "RequestTickets",
            sale::EMISSION_REQUESTED,
            emission,
        ),
    ] {
        let delivery = spans.one(&format!("deliver {ty}"));
        let path = [
            format!("eventing-zeebe: receive {moved_by}"),
            format!("eventing-zeebe: activate {element}"),
            format!("eventing-zeebe: deliver {ty}"),
        ];
        assert_eq!(spans.path(delivery), path, "{spans}");
        let parent = delivery.traceparent();
        assert_eq!(event.header("ce-traceparent"), Some(parent.as_str()));
    }
}

/// Has a service send an event about the one sale there is.
async fn send(dataplane: &Dataplane, service: &str, ty: &str) {
    let data = json!({
        "session": SESSION, "reservationId": "r-1", "paymentId": "p-r-1", "customer": "Ada",
        "tickets": 2, "seats": ["A1", "A2"], "amount": 9980,
    });
    let source = format!("/sale/{service}");
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-source", source.as_str()),
        ("ce-type", ty),
        ("ce-id", ty),
        ("ce-subject", SESSION),
        ("content-type", "application/json"),
        ("traceparent", traceparent.as_str()),
        ("tracestate", "shop=1"),
    ];
    let answered = request::post(dataplane.broker(), &headers, data.to_string()).await;
    assert_eq!(answered.status, 202, "{ty}: {}", answered.text());
}

/// Waits for the first event of this type at a service.
async fn first(service: &Destination, ty: &str) -> Received {
    service
        .wait_for(ty, |all| all.iter().find(|event| event.ty() == ty).cloned())
        .await
}

/// What an event of the sale brings besides its data, after ingress, channel and filter.
fn assert_carries(event: &Received, element: &str) {
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-source", "/zeebe/tests"),
        ("ce-subject", SESSION),
        ("ce-bpmnprocessid", "ticket-sale"),
        ("ce-elementid", element),
        ("ce-bridgehops", "1"),
        ("content-type", "application/json"),
        ("tracestate", "shop=1"),
    ] {
        assert_eq!(event.header(name), Some(value), "{name} of {event:#?}");
    }
    let key: i64 = event.id().parse().expect("the job's key");
    assert!(key > 0);
    for name in ["traceparent", "ce-traceparent"] {
        let parent = event
            .header(name)
            .unwrap_or_else(|| panic!("no {name}: {event:#?}"));
        assert!(parent.contains(TRACE), "{name} is {parent}");
    }
}
