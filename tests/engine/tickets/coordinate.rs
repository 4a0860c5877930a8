use demo::sale;

use super::shop::Shop;

const LEVEL: &str = "2-coordinate";

#[tokio::test]
async fn a_process_that_coordinates_asks_for_the_payment_and_then_for_the_tickets() {
    let shop = Shop::open("coordinate", LEVEL, &[]).await;
    let ada = shop.customer("ada");
    ada.pays().await;
    ada.heard_only(&[sale::PAYMENT_REQUESTED]);
    ada.is_charged().await;
    ada.emits(sale::EMISSION_REQUESTED).await;
    ada.gets_tickets().await;
    ada.ends_in("TicketsSold").await;
    ada.heard_only(&[
        sale::PAYMENT_REQUESTED,
        sale::EMISSION_REQUESTED,
        "tickets-sent",
    ]);
}

#[tokio::test]
async fn who_leaves_before_paying_ends_the_sale_and_has_the_seats_released() {
    let shop = Shop::open("coordinate-leaving", LEVEL, &[]).await;
    let in_line = shop.customer("line");
    in_line.joins().await;
    in_line.leaves().await;
    in_line.ends_in("LeftLine").await;
    in_line.heard_only(&[]);

    let choosing = shop.customer("choosing");
    choosing.enters_the_shop().await;
    choosing.stands_at("ChooseTickets").await;
    choosing.leaves().await;
    choosing.ends_in("LeftShop").await;
    choosing.heard_only(&[]);

    let held = shop.customer("held");
    held.reserves().await;
    held.stands_at("WaitForCheckout").await;
    held.leaves().await;
    held.ends_in("EndedReleased").await;
    held.heard_only(&[sale::RELEASE_REQUESTED]);
}
