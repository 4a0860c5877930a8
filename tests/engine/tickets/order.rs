//! Events in random orders. `ORDER_SEED` repeats those of a run, whose seed is in what it printed.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use demo::sale;
use futures_util::{StreamExt, stream};
use serde_json::json;
use testkit::zeebe::is_completed;

use super::customer::Customer;
use super::shop::Shop;

const LEVEL: &str = "4-repair";

type Event = (&'static str, &'static str);

const JOINED: Event = ("website", sale::CUSTOMER_QUEUE_JOINED);
const ADMITTED: Event = ("queue", sale::CUSTOMER_ADMITTED);
const REQUESTED: Event = ("website", sale::REQUESTED);
const HELD: Event = ("tickets", sale::HELD);
const SOLD_OUT: Event = ("tickets", sale::SOLD_OUT);
const CHECKED_OUT: Event = ("website", sale::CHECKED_OUT);
const AUTHORIZED: Event = ("payments", sale::PAYMENT_AUTHORIZED);
const REFUSED: Event = ("payments", sale::PAYMENT_REFUSED);
const REFUNDED: Event = ("payments", sale::PAYMENT_REFUNDED);
const EMITTED: Event = ("tickets", sale::EMITTED);
const LEFT: Event = ("website", sale::CUSTOMER_QUEUE_LEFT);
const REMOVED: Event = ("queue", sale::CUSTOMER_REMOVED);

#[tokio::test]
async fn a_sale_has_its_one_end_in_random_orders_of_its_events() {
    let shop = Shop::open("order-end", LEVEL, &[]).await;
    let sales: [(usize, &[Event], &str, &[&str]); 3] = [
        (
            40,
            &[
                JOINED,
                ADMITTED,
                REQUESTED,
                HELD,
                CHECKED_OUT,
                AUTHORIZED,
                EMITTED,
            ],
            "TicketsSold",
            &[
                sale::PAYMENT_REQUESTED,
                sale::EMISSION_REQUESTED,
                "tickets-sent",
            ],
        ),
        (
            20,
            &[JOINED, ADMITTED, REQUESTED, SOLD_OUT],
            "EndedSoldOut",
            &["sold-out"],
        ),
        (
            30,
            &[JOINED, ADMITTED, REQUESTED, HELD, CHECKED_OUT, REFUSED],
            "EndedRefused",
            &[
                sale::PAYMENT_REQUESTED,
                sale::RELEASE_REQUESTED,
                "payment-refused",
            ],
        ),
    ];
    let mut random = Random::new();
    for (count, events, end_event, heard) in sales {
        for customer in all_end(&shop, &mut random, count, events).await {
            customer.ends_in(end_event).await;
            customer.heard_only(heard);
        }
    }
}

#[tokio::test]
async fn who_leaves_or_is_removed_has_the_seats_released_once_in_random_orders_of_the_events() {
    // Of two messages that reach one element at the same moment the engine takes one, and the other is gone.
    // Where that is the leaving, time that is up leads to the same.
    let durations = [
        ("decideTimeout", "PT2S"),
        ("checkoutTimeout", "PT2S"),
        ("paymentTimeout", "PT2S"),
    ];
    let shop = Shop::open("order-left", LEVEL, &durations).await;
    let sales: [(usize, &[Event]); 3] = [
        (30, &[JOINED, ADMITTED, REQUESTED, HELD, LEFT]),
        (20, &[JOINED, ADMITTED, REQUESTED, HELD, REMOVED]),
        // The cashier's word that nobody is charged, whether it was asked for or not.
        (
            30,
            &[
                JOINED,
                ADMITTED,
                REQUESTED,
                HELD,
                CHECKED_OUT,
                LEFT,
                REFUNDED,
            ],
        ),
    ];
    let mut random = Random::new();
    for (count, events) in sales {
        for customer in all_end(&shop, &mut random, count, events).await {
            let released = shop
                .emits(&customer.session, sale::RELEASE_REQUESTED, 1)
                .await;
            let heard = customer.heard();
            assert_eq!(released.len(), 1, "{}: {heard:?}", customer.session);
            assert!(
                !heard.contains(sale::EMISSION_REQUESTED),
                "{}: {heard:?}",
                customer.session
            );
        }
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

/// So many customers, each with these events in an order that no other has, several at a time; returns them
/// once all their sales have ended. A session tells the order of its events.
async fn all_end<'a>(
    shop: &'a Shop,
    random: &mut Random,
    count: usize,
    events: &[Event],
) -> Vec<Customer<'a>> {
    let mut orders = BTreeSet::new();
    while orders.len() < count {
        orders.insert(random.order(events.len()));
    }
    let last = events.last().expect("events").1;
    let send = async |order: Vec<usize>| {
        let customer = shop.customer(&format!("{last}-{order:?}").replace(", ", ""));
        for at in order {
            let (service, ty) = events[at];
            customer.event(service, ty, &json!({})).await;
        }
        customer
    };
    let customers: Vec<Customer<'a>> = stream::iter(orders)
        .map(send)
        .buffer_unordered(8)
        .collect()
        .await;
    let what = format!("all ended that had {last}");
    shop.scenario
        .instances_when("ticket-sale", &what, |all| {
            let ended = |customer: &Customer<'_>| {
                all.iter().any(|sale| {
                    sale["variables"]["session"] == customer.session.as_str() && is_completed(sale)
                })
            };
            customers.iter().all(ended)
        })
        .await;
    customers
}

/// SplitMix64: enough for orders, and the same for the same seed.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = match std::env::var("ORDER_SEED") {
            Ok(seed) => seed.parse().expect("ORDER_SEED is a number"),
            Err(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::from(since.subsec_nanos())),
        };
        // Shown where the test fails.
        println!("ORDER_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The numbers below `len`, in one of all orders.
    fn order(&mut self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        for i in (1..len).rev() {
            let below = u64::try_from(i).expect("a small number") + 1;
            order.swap(
                i,
                usize::try_from(self.next() % below).expect("a small number"),
            );
        }
        order
    }
}
