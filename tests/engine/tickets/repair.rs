use std::collections::BTreeSet;

use demo::sale;
use serde_json::json;
use testkit::destination::Answer;
use testkit::zeebe::incidents;

use super::shop::Shop;
use crate::on_call::{begin_anew, resolve_job};

const LEVEL: &str = "4-repair";

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
    ada.event("payments", sale::PAYMENT_REFUSED, &json!({}))
        .await;
    ada.ends_in("EndedRefused").await;
    ada.heard_only(&[
        sale::PAYMENT_REQUESTED,
        sale::RELEASE_REQUESTED,
        "payment-refused",
    ]);
    let release = ada.emits(sale::RELEASE_REQUESTED).await;
    assert_eq!(release.header("ce-elementid"), Some("ReleaseSeats"));
}

#[tokio::test]
async fn a_destination_that_answers_402_itself_refuses_the_payment_too() {
    let shop = Shop::open("repair-402", LEVEL, &[]).await;
    shop.broker.answer(|received| {
        let refused = received.ty() == sale::PAYMENT_REQUESTED;
        Answer::Status(if refused { 402 } else { 202 })
    });
    let ada = shop.customer("ada");
    ada.pays().await;
    ada.ends_in("EndedRefused").await;
    ada.heard_only(&[
        sale::PAYMENT_REQUESTED,
        sale::RELEASE_REQUESTED,
        "payment-refused",
    ]);
}

#[tokio::test]
async fn a_sale_whose_event_is_refused_stops_until_an_operator_has_it_go_on() {
    let shop = Shop::open("repair-incident", LEVEL, &[]).await;
    shop.refuses(sale::PAYMENT_REQUESTED);
    let ada = shop.customer("ada");
    ada.pays().await;
    resolve(&shop, &ada.session, "RequestPayment").await;
    ada.is_charged().await;
    ada.gets_tickets().await;
    ada.ends_in("TicketsSold").await;
    let requests = shop.emits(&ada.session, sale::PAYMENT_REQUESTED, 2).await;
    assert_eq!(requests[0].id(), requests[1].id(), "the same event, again");
}

#[tokio::test]
async fn seats_whose_release_is_refused_are_released_once_an_operator_has_it_go_on() {
    let shop = Shop::open("repair-compensation", LEVEL, &[]).await;
    shop.refuses(sale::RELEASE_REQUESTED);
    let ada = shop.customer("ada");
    ada.reserves().await;
    ada.leaves().await;
    ada.emits(sale::RELEASE_REQUESTED).await;
    resolve(&shop, &ada.session, "ReleaseSeats").await;
    ada.ends_in("EndedReleased").await;
    shop.emits(&ada.session, sale::RELEASE_REQUESTED, 2).await;
}

#[tokio::test]
async fn a_sale_that_a_wrong_model_stopped_after_payment_goes_on_in_the_mended_one() {
    let shop = Shop::open("repair-model", LEVEL, &[]).await;
    let file = format!("bpmn/tickets/{LEVEL}.bpmn");
    let wrong = [("value=\"Tickets.EmissionRequested\"", "value=\"= nothing\"")];
    shop.scenario.deploy_with(&file, &wrong).await;
    let ada = shop.customer("ada");
    ada.pays().await;
    ada.is_charged().await;
    let stopped = shop
        .sale(&ada.session, "an incident", |sale| {
            !incidents(sale).is_empty()
        })
        .await;
    begin_anew(&shop.scenario, &stopped, &file).await;
    ada.gets_tickets().await;
    ada.ends_in("TicketsSold").await;
    shop.emits(&ada.session, sale::EMISSION_REQUESTED, 1).await;
    shop.emits(&ada.session, sale::PAYMENT_REQUESTED, 1).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_until_it_comes() {
    let shop = Shop::open("repair-again", LEVEL, &[("askAgainAfter", "PT1S")]).await;
    let cancelled = shop.customer("cancelled");
    cancelled.pays().await;
    cancelled.stands_at("PaidInTime").await;
    cancelled.leaves().await;
    let tickets = shop.customer("tickets");
    tickets.pays().await;
    tickets.is_charged().await;

    for (customer, question, asked_at) in [
        (
            &cancelled,
            sale::PAYMENT_CANCEL_REQUESTED,
            "AwaitNotCharged",
        ),
        (&tickets, sale::EMISSION_REQUESTED, "AwaitTickets"),
    ] {
        let asked = shop.emits(&customer.session, question, 3).await;
        let ids: BTreeSet<String> = asked.iter().map(|event| event.id().to_owned()).collect();
        assert_eq!(
            ids.len(),
            asked.len(),
            "an event with an id of its own each"
        );
        for again in &asked {
            assert_eq!(again.json(), asked[0].json(), "the same question");
        }
        customer.stands_at(asked_at).await;
    }
    cancelled
        .event("payments", sale::PAYMENT_CANCELLED, &json!({}))
        .await;
    cancelled.ends_in("EndedUnpaid").await;
    tickets.gets_tickets().await;
    tickets.ends_in("TicketsSold").await;
    shop.emits(&cancelled.session, sale::RELEASE_REQUESTED, 1)
        .await;
    assert!(!tickets.heard().contains(sale::RELEASE_REQUESTED));
}

/// What an operator does, as docs/OPERATING.md says it: has the destination mended, gives the job its retries,
/// resolves the incident.
async fn resolve(shop: &Shop, session: &str, element: &str) {
    let stopped = shop
        .sale(session, "an incident", |sale| !incidents(sale).is_empty())
        .await;
    let incident = &incidents(&stopped)[0];
    assert_eq!(incident["elementId"], element, "{incident}");
    let message = incident["message"].as_str().expect("a message");
    assert!(message.contains("400"), "{message}");
    shop.accepts();
    resolve_job(shop.scenario.zeebe(), incident).await;
}
