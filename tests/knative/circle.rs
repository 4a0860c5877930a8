use serde_json::json;
use testkit::destination::{Destination, Received};
use testkit::scenario::workspace;
use testkit::zeebe::Zeebe;

use crate::bridge::{self, sink};
use crate::dataplane::{Dataplane, Manifests};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The shipped manifests, rules and model, and a service that pays.
#[tokio::test]
async fn a_ticket_sale_goes_through_the_broker_from_its_first_event_to_its_last() {
    let zeebe = Zeebe::shared().await;
    let rules = workspace().join("examples/rules/ticket-sale.yaml");
    let model = workspace().join("bpmn/ticket-sale.bpmn");
    let bridge = sink(&[
        ("ZEEBE_GRPC_ADDRESS", zeebe.gateway()),
        ("RULES", rules.to_str().expect("a path that is UTF-8")),
        ("MODELS", model.to_str().expect("a path that is UTF-8")),
    ])
    .await;
    bridge.ready().await;
    let watch = Destination::accepting().await;
    let dead_letters = Destination::accepting().await;
    let dataplane = Dataplane::start(
        Manifests::shipped(&["triggers", "demo"]).path(),
        &[
            ("Service/eventing-zeebe", bridge.url()),
            ("Service/watch", &watch.url()),
            ("Service/dead-letters", &dead_letters.url()),
        ],
    )
    .await;
    // The model as it is shipped, so its job type as well: no other scenario here works that one.
    let source = bridge::source_of(zeebe, "cloudevents", dataplane.broker(), &[]).await;

    let reservation = "sale-1";
    let traced = [
        ("traceparent", &*format!("00-{TRACE}-00f067aa0ba902b7-01")),
        ("tracestate", "shop=1"),
    ];
    let requested = json!({
        "reservationId": reservation, "customer": "Ada", "seats": ["A1", "A2"], "amount": 99.80,
    });
    let answered = dataplane
        .send_with("Tickets.Requested", "requested-1", &traced, &requested)
        .await;
    assert_eq!(answered.status, 202);
    let checked_out = json!({"reservationId": reservation});
    let answered = dataplane
        .send_with("Tickets.CheckedOut", "checked-out-1", &traced, &checked_out)
        .await;
    assert_eq!(answered.status, 202);

    let payment = &watch.wait_for_count(1).await[0];
    assert_eq!(payment.ty(), "Payments.RequestReceived");
    assert_eq!(
        payment.json(),
        json!({"reservationId": reservation, "customer": "Ada", "amount": 99.80})
    );
    assert_carries(payment, reservation, "RequestPayment");

    let authorized = json!({"reservationId": reservation, "paymentId": "p-1"});
    let answered = dataplane
        .send_with("Payments.Authorized", "authorized-1", &traced, &authorized)
        .await;
    assert_eq!(answered.status, 202);
    let emitted = &watch.wait_for_count(2).await[1];
    assert_eq!(emitted.ty(), "Tickets.Emitted");
    assert_eq!(
        emitted.json(),
        json!({"reservationId": reservation, "customer": "Ada", "seats": ["A1", "A2"]})
    );
    assert_carries(emitted, reservation, "EmitTickets");
    assert_ne!(payment.id(), emitted.id());

    let sales = zeebe
        .instances_when("ticket-sale", "the sale is complete", |all| {
            all.iter().any(|sale| sale["state"] == "COMPLETED")
        })
        .await;
    assert_eq!(sales.len(), 1, "{sales:#?}");
    assert_eq!(sales[0]["endEvents"], json!(["TicketsSold"]));
    assert_eq!(sales[0]["variables"]["payment"], "p-1");
    assert_eq!(watch.received().len(), 2);
    assert_eq!(dead_letters.received().len(), 0);
    source
        .metric_when("bridge_source_jobs_total", |ended| ended == 2.0)
        .await;
}

/// What an event of the sale brings besides its data, after ingress, channel and filter.
fn assert_carries(event: &Received, reservation: &str, element: &str) {
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-source", "/zeebe/tests"),
        ("ce-subject", reservation),
        ("ce-correlationkey", reservation),
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
