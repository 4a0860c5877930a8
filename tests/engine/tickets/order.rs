use demo::sale;
use serde_json::json;

use super::customer::Customer;
use super::shop::Shop;

const LEVEL: &str = "4-repair";

#[tokio::test]
async fn a_sale_ends_well_whatever_the_order_of_its_events() {
    const EVENTS: [(&str, &str); 7] = [
        ("website", sale::CUSTOMER_QUEUE_JOINED),
        ("queue", sale::CUSTOMER_ADMITTED),
        ("website", sale::REQUESTED),
        ("tickets", sale::HELD),
        ("website", sale::CHECKED_OUT),
        ("payments", sale::PAYMENT_AUTHORIZED),
        ("tickets", sale::EMITTED),
    ];
    let shop = Shop::open("order-sold", LEVEL, &[]).await;
    for customer in &in_every_order(&shop, &EVENTS).await {
        customer.ends_in("TicketsSold").await;
        customer.heard_only(&[
            sale::PAYMENT_REQUESTED,
            sale::EMISSION_REQUESTED,
            "tickets-sent",
        ]);
    }
}

#[tokio::test]
async fn who_leaves_has_the_seats_released_once_whatever_the_order_of_the_events() {
    const EVENTS: [(&str, &str); 5] = [
        ("website", sale::CUSTOMER_QUEUE_JOINED),
        ("queue", sale::CUSTOMER_ADMITTED),
        ("website", sale::REQUESTED),
        ("tickets", sale::HELD),
        ("website", sale::CUSTOMER_QUEUE_LEFT),
    ];
    // Of two messages that reach one element at the same moment the engine takes one, and the other is gone.
    // Where that is the leaving, the next timer does what it would have done.
    let durations = [("decideTimeout", "PT2S"), ("checkoutTimeout", "PT2S")];
    let shop = Shop::open("order-left", LEVEL, &durations).await;
    for customer in &in_every_order(&shop, &EVENTS).await {
        customer.ends().await;
        let released = shop
            .emits(&customer.session, sale::RELEASE_REQUESTED, 1)
            .await;
        assert_eq!(released.len(), 1, "{:?}", customer.heard());
    }
}

/// What docs/TICKETS.md says of the engine, and why no path of a model depends on both.
#[tokio::test]
async fn of_two_messages_for_a_task_and_its_border_that_come_at_once_the_engine_takes_one() {
    let shop = Shop::open("order-border", LEVEL, &[]).await;
    let ada = shop.customer("ada");
    ada.is_admitted().await;
    ada.leaves().await;
    ada.joins().await;
    // Had the leaving been kept, it would end the next wait.
    ada.asks_for_tickets().await;
    ada.stands_at("SeatsToHave").await;
}

/// Customers whose events come from last to first, and from first to last beginning with each of them.
async fn in_every_order<'a>(shop: &'a Shop, events: &[(&str, &str)]) -> Vec<Customer<'a>> {
    let mut customers = Vec::new();
    for order in 0..=events.len() {
        let mut events = events.to_vec();
        match events.len() == order {
            true => events.reverse(),
            false => events.rotate_left(order),
        }
        let customer = shop.customer(&format!("order-{order}"));
        for (service, ty) in events {
            customer.event(service, ty, &json!({})).await;
        }
        customers.push(customer);
    }
    customers
}
