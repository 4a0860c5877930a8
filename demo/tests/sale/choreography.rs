use std::path::Path;

use demo::broker::{Broker, Settings, manifest};
use serde_json::{Value, json};
use testkit::destination::Destination;

use crate::support::{Service, joined, of_type, post, wait_for};

/// Every service gets every event: which ones it takes is its own business.
fn triggers(subscribers: &[(&str, &str)]) -> String {
    subscribers
        .iter()
        .map(|(name, url)| {
            format!(
                "---\napiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {{name: {name}}}\n\
                 spec:\n  broker: default\n  subscriber: {{uri: \"{url}\"}}\n\
                 \x20 delivery: {{retry: 5, backoffPolicy: linear, backoffDelay: PT0.05S}}\n"
            )
        })
        .collect()
}

/// The customer's events are sent by the test; all others by services that know of each other's events only.
#[tokio::test]
async fn a_sale_goes_from_the_line_to_the_tickets_with_no_process_at_all() {
    // Services have to know the Broker, and the Broker its subscribers: the Broker comes first, its
    // Triggers lead to a fixed address each.
    let watch = Destination::accepting().await;
    let relay = Destination::accepting().await;
    let queue = Service::start("queue", &["--shop-seats", "1"], Some(&relay.url())).await;
    let arguments = ["--stock", "10", "--choreographed"];
    let tickets = Service::start("tickets", &arguments, Some(&relay.url())).await;
    let payments = Service::start("payments", &["--work-for-ms", "20"], Some(&relay.url())).await;
    let yaml = triggers(&[
        ("queue", &queue.url),
        ("tickets", &tickets.url),
        ("payments", &payments.url),
        ("watch", &watch.url()),
    ]);
    let mut manifests = manifest::Manifests::default();
    manifest::parse(Path::new("test.yaml"), &yaml, "default", &mut manifests).expect("manifests");
    let broker = Broker::start(Settings {
        manifests,
        ..Settings::default()
    })
    .await
    .expect("a Broker");
    let broker = broker.url("default", "default");
    // What the services send goes on to the Broker as it is.
    let forwarding = {
        let broker = broker.clone();
        tokio::spawn(async move {
            let mut forwarded = 0;
            loop {
                let all = relay.wait_for_count(forwarded + 1).await;
                for event in &all[forwarded..] {
                    let headers: Vec<(&str, &str)> = event
                        .headers
                        .iter()
                        .filter(|(name, _)| {
                            name.as_str().starts_with("ce-") || *name == "content-type"
                        })
                        .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
                        .collect();
                    testkit::request::post(&broker, &headers, event.body.clone()).await;
                }
                forwarded = all.len();
            }
        })
    };
    let customer = |id: &'static str, ty: &'static str, data: Value| {
        let broker = broker.clone();
        async move {
            assert_eq!(post(&broker, id, ty, &[], &data).await.status, 202);
        }
    };
    for (name, card, end) in [
        ("ada", "valid", "Tickets.Emitted"),
        ("bob", "refused", "Tickets.Released"),
    ] {
        let reservation = format!("r-{name}");
        customer(name, "Tickets.CustomerQueueJoined", joined(name)).await;
        watch
            .wait_for("the customer's turn", |received| {
                of_type(received, "Tickets.CustomerAdmitted")
                    .iter()
                    .any(|data| data["session"] == name)
                    .then_some(())
            })
            .await;
        let asked =
            json!({"session": name, "reservationId": reservation, "customer": name, "tickets": 2});
        customer(
            if name == "ada" { "a2" } else { "b2" },
            "Tickets.Requested",
            asked,
        )
        .await;
        watch
            .wait_for("seats", |received| {
                of_type(received, "Tickets.Held")
                    .iter()
                    .any(|data| data["session"] == name)
                    .then_some(())
            })
            .await;
        let checked_out = json!({"session": name, "reservationId": reservation, "card": card});
        customer(
            if name == "ada" { "a3" } else { "b3" },
            "Tickets.CheckedOut",
            checked_out,
        )
        .await;
        wait_for(&watch, end, 1).await;
    }
    forwarding.abort();
    let (office, cashier) = (tickets.books().await, payments.books().await);
    assert_eq!(office["ticketsSold"], 2, "{office}");
    assert_eq!(
        office["amountSold"], cashier["amountCharged"],
        "{office} {cashier}"
    );
    assert_eq!(
        (&office["held"], &cashier["refused"]),
        (&json!(0), &json!(1)),
        "{office} {cashier}"
    );
}
