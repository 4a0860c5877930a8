use demo::sale;
use serde_json::{Value, json};
use testkit::zeebe::Zeebe;

use super::shop::Shop;

const LEVEL: &str = "1-watch";

#[tokio::test]
async fn a_process_that_watches_follows_a_sale_and_emits_nothing() {
    let shop = Shop::open("watch", LEVEL, &[]).await;
    let sold = shop.customer("sold");
    sold.joins().await;
    sold.stands_at("WaitInLine").await;
    sold.is_admitted().await;
    sold.stands_at("ChooseTickets").await;
    sold.asks_for_tickets().await;
    sold.stands_at("SeatsToHave").await;
    sold.has_seats_held().await;
    sold.stands_at("WaitForCheckout").await;
    sold.checks_out().await;
    sold.stands_at("WaitForTickets").await;
    sold.gets_tickets().await;
    sold.ends_in("TicketsSold").await;

    let unpaid = shop.customer("unpaid");
    unpaid.reserves().await;
    unpaid.checks_out().await;
    unpaid.event("tickets", sale::RELEASED, &json!({})).await;
    unpaid.ends_in("EndedReleased").await;

    let sold_out = shop.customer("sold-out");
    sold_out.enters_the_shop().await;
    sold_out.asks_for_tickets().await;
    sold_out.event("tickets", sale::SOLD_OUT, &json!({})).await;
    sold_out.ends_in("EndedSoldOut").await;

    let in_line = shop.customer("line");
    in_line.joins().await;
    in_line.leaves().await;
    in_line.ends_in("LeftLine").await;

    let choosing = shop.customer("choosing");
    choosing.enters_the_shop().await;
    choosing.stands_at("ChooseTickets").await;
    choosing.leaves().await;
    choosing.ends_in("LeftShop").await;

    assert!(
        shop.broker.received().is_empty(),
        "{:#?}",
        shop.broker.received()
    );
}

#[tokio::test]
async fn the_observer_finds_a_sale_by_its_session_tells_its_path_and_counts_them_all() {
    let shop = Shop::open("watch-observed", LEVEL, &[]).await;
    let gone = shop.customer("observed-gone");
    gone.joins().await;
    gone.leaves().await;
    gone.ends_in("LeftLine").await;
    let waits = shop.customer("observed-waits");
    waits.enters_the_shop().await;
    waits.stands_at("ChooseTickets").await;

    let zeebe = Zeebe::shared().await;
    let found = zeebe.instances_with("session", "s-observed-gone").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let passed: Vec<&Value> = found[0]["completed"]
        .as_array()
        .expect("a path")
        .iter()
        .filter(|id| !id.as_str().is_some_and(|id| id.contains("_to_")))
        .collect();
    assert_eq!(
        passed,
        ["CustomerJoined", "WaitInLine", "GoneFromLine", "LeftLine"]
    );
    assert!(zeebe.instances_with("session", "s-nobody").await.is_empty());
    // One that is asked for after the variable was first asked for.
    let late = shop.customer("observed-late");
    late.joins().await;
    late.stands_at("WaitInLine").await;
    let found = zeebe.instances_with("session", "s-observed-late").await;
    assert_eq!(found.len(), 1, "{found:#?}");

    let counts = zeebe.counts(&shop.scenario.of("ticket-sale")).await;
    assert_eq!(
        counts,
        json!({
            "active": 2, "completed": 1, "terminated": 0, "incidents": 0,
            "endEvents": {"LeftLine": 1},
        })
    );
}
