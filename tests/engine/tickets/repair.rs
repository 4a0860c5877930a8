use demo::sale;
use serde_json::json;
use testkit::zeebe::incidents;
use zeebe_client::{JobKey, ResolveIncident, UpdateJobRetries};

use super::customer::Customer;
use super::shop::Shop;

const LEVEL: &str = "4-repair";
/// Somebody who is in the sale already, and how it came to that.
type Place = (&'static str, &'static str);

#[tokio::test]
async fn a_sale_that_meets_no_obstacle_is_paid_and_emitted_once() {
    let shop = Shop::open("repair-sold", LEVEL, &[]).await;
    let ada = shop.customer("ada");
    let payment = ada.pays().await;
    assert_eq!(
        payment.json(),
        json!({
            "session": "s-ada", "reservationId": "r-ada", "paymentId": "p-r-ada",
            "amount": 9980, "card": "slow",
        })
    );
    assert_eq!(payment.header("ce-source"), Some("/zeebe/tests"));
    ada.is_charged().await;
    let emission = ada.emits(sale::EMISSION_REQUESTED).await;
    assert_eq!(
        emission.json(),
        json!({"session": "s-ada", "reservationId": "r-ada"})
    );
    ada.gets_tickets().await;
    ada.ends_in("TicketsSold").await;
    ada.heard_only(&[
        sale::PAYMENT_REQUESTED,
        sale::EMISSION_REQUESTED,
        "tickets-sent",
    ]);
    assert_eq!(shop.emitted(&ada.session).len(), 3, "each of them once");
}

#[tokio::test]
async fn a_sale_that_is_sold_out_is_told_and_releases_nothing() {
    let shop = Shop::open("repair-sold-out", LEVEL, &[]).await;
    let ada = shop.customer("ada");
    ada.enters_the_shop().await;
    ada.asks_for_tickets().await;
    ada.event("tickets", sale::SOLD_OUT, &json!({})).await;
    ada.ends_in("EndedSoldOut").await;
    ada.heard_only(&["sold-out"]);
}

#[tokio::test]
async fn a_refused_payment_undoes_the_request_and_is_told() {
    let shop = Shop::open("repair-refused", LEVEL, &[]).await;
    let ada = shop.customer("ada");
    ada.pays().await;
    ada.event("payments", sale::PAYMENT_REFUSED, &json!({})).await;
    ada.ends_in("EndedRefused").await;
    ada.heard_only(&[
        sale::PAYMENT_REQUESTED,
        sale::RELEASE_REQUESTED,
        "payment-refused",
    ]);
    let release = ada.emits(sale::RELEASE_REQUESTED).await;
    assert_eq!(release.header("ce-elementid"), Some("ReleaseSeats"));
}
