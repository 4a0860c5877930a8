use demo::sale;
use serde_json::json;

use super::shop::Shop;

const LEVEL: &str = "4-repair";

#[tokio::test]
async fn who_leaves_the_line_or_the_shop_leaves_nothing_behind() {
    let shop = Shop::open("leaving-early", LEVEL, &[("settleFor", "PT1S")]).await;
    let in_line = shop.customer("line");
    in_line.joins().await;
    in_line.stands_at("WaitInLine").await;
    in_line.leaves().await;

    let choosing = shop.customer("shop");
    choosing.enters_the_shop().await;
    choosing.stands_at("ChooseTickets").await;
    choosing.leaves().await;

    let removed = shop.customer("removed");
    removed.enters_the_shop().await;
    removed.stands_at("ChooseTickets").await;
    removed
        .event("queue", sale::CUSTOMER_REMOVED, &json!({}))
        .await;

    for gone in [in_line, choosing, removed] {
        gone.ends_in("EndedEmptyHanded").await;
        gone.heard_only(&[]);
    }
}

#[tokio::test]
async fn seats_that_come_to_be_held_behind_their_customers_leaving_are_released() {
    let shop = Shop::open("leaving-late", LEVEL, &[]).await;
    let ada = shop.customer("ada");
    ada.joins().await;
    ada.leaves().await;
    ada.stands_at("HeldAtTheLastMoment").await;
    ada.asks_for_tickets().await;
    ada.has_seats_held().await;
    ada.ends_in("EndedReleasedLate").await;
    ada.heard_only(&[sale::RELEASE_REQUESTED]);
}

#[tokio::test]
async fn who_leaves_after_asking_has_the_seats_released_whether_or_not_they_are_held_yet() {
    let shop = Shop::open("leaving-seats", LEVEL, &[]).await;
    let asked = shop.customer("asked");
    asked.enters_the_shop().await;
    asked.asks_for_tickets().await;
    asked.stands_at("SeatsToHave").await;
    asked.leaves().await;

    let held = shop.customer("held");
    held.reserves().await;
    held.stands_at("CheckedOut").await;
    held.leaves().await;

    for gone in [asked, held] {
        gone.ends_in("EndedReleased").await;
        gone.heard_only(&[sale::RELEASE_REQUESTED]);
    }
}

#[tokio::test]
async fn who_leaves_while_paying_is_released_only_when_it_is_certain_that_nobody_is_charged() {
    let shop = Shop::open("leaving-paying", LEVEL, &[]).await;
    for answer in [
        sale::PAYMENT_CANCELLED,
        sale::PAYMENT_REFUNDED,
        sale::PAYMENT_REFUSED,
    ] {
        let gone = shop.customer(answer);
        gone.pays().await;
        gone.stands_at("PaidInTime").await;
        gone.leaves().await;
        gone.emits(sale::PAYMENT_CANCEL_REQUESTED).await;
        gone.stands_at("AwaitNotCharged").await;
        gone.heard_only(&[sale::PAYMENT_REQUESTED, sale::PAYMENT_CANCEL_REQUESTED]);
        gone.event("payments", answer, &json!({})).await;
        gone.ends_in("EndedUnpaid").await;
        gone.heard_only(&[
            sale::PAYMENT_REQUESTED,
            sale::PAYMENT_CANCEL_REQUESTED,
            sale::RELEASE_REQUESTED,
            "payment-cancelled",
        ]);
    }
}

#[tokio::test]
async fn who_leaves_after_paying_gets_the_tickets() {
    let shop = Shop::open("leaving-paid", LEVEL, &[]).await;
    let ada = shop.customer("ada");
    ada.pays().await;
    ada.is_charged().await;
    ada.stands_at("AwaitTickets").await;
    ada.leaves().await;
    ada.gets_tickets().await;
    ada.ends_in("TicketsSold").await;
    ada.heard_only(&[
        sale::PAYMENT_REQUESTED,
        sale::EMISSION_REQUESTED,
        "tickets-sent",
    ]);
}
