use serde_json::{Value, json};
use testkit::destination::Destination;

use crate::market::Market;
use crate::support::{Service, joined, of_type, post, wait_for};

/// The customer's events are sent by the test; all others by services that know of each other's events only.
#[tokio::test]
async fn a_sale_goes_from_the_line_to_the_tickets_with_no_process_at_all() {
    let relay = Destination::accepting().await;
    let queue = Service::start("queue", &["--shop-seats", "1"], Some(&relay.url())).await;
    let arguments = ["--stock", "10", "--choreographed"];
    let tickets = Service::start("tickets", &arguments, Some(&relay.url())).await;
    let payments = Service::start("payments", &["--work-for-ms", "20"], Some(&relay.url())).await;
    let subscribers = [
        ("queue", queue.url.as_str()),
        ("tickets", &tickets.url),
        ("payments", &payments.url),
    ];
    let market = Market::open(relay, &subscribers).await;
    let (broker, watch) = (&market.broker, &market.watch);
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
        wait_for(watch, end, 1).await;
    }
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
