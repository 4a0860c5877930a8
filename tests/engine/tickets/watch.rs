use demo::sale;
use serde_json::json;

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
