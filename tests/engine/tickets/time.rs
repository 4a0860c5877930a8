use demo::sale;
use serde_json::json;

use super::shop::Shop;

#[tokio::test]
async fn who_takes_too_long_to_choose_is_told_and_removed() {
    for (name, level) in [("time-decide", "3-time"), ("repair-decide", "4-repair")] {
        let durations = [("decideTimeout", "PT1S"), ("settleFor", "PT1S")];
        let shop = Shop::open(name, level, &durations).await;
        let ada = shop.customer("ada");
        ada.enters_the_shop().await;
        ada.ends_in("EndedEmptyHanded").await;
        ada.heard_only(&[sale::CUSTOMER_REMOVED, "decide-timeout"]);
        let removed = ada.emits(sale::CUSTOMER_REMOVED).await;
        assert_eq!(
            removed.json(),
            json!({"session": "s-ada", "reason": "took too long to decide"})
        );
    }
}

#[tokio::test]
async fn a_customer_is_reminded_again_and_again_and_can_still_choose() {
    for (name, level) in [("time-remind", "3-time"), ("repair-remind", "4-repair")] {
        let shop = Shop::open(name, level, &[("remindEvery", "PT1S")]).await;
        let ada = shop.customer("ada");
        ada.enters_the_shop().await;
        let reminders = shop
            .emits(&ada.session, sale::NOTIFICATION_REQUESTED, 2)
            .await;
        for reminder in reminders {
            let data = reminder.json();
            assert_eq!(data["kind"], "decide-reminder");
            assert_eq!(data["reservationId"], "");
        }
        ada.asks_for_tickets().await;
        ada.has_seats_held().await;
        ada.checks_out().await;
        ada.is_charged().await;
        ada.gets_tickets().await;
        ada.ends_in("TicketsSold").await;
        ada.heard_only(&[
            "decide-reminder",
            sale::PAYMENT_REQUESTED,
            sale::EMISSION_REQUESTED,
            "tickets-sent",
        ]);
    }
}

#[tokio::test]
async fn seats_that_are_not_checked_out_in_time_are_released() {
    for (name, level) in [("time-checkout", "3-time"), ("repair-checkout", "4-repair")] {
        let shop = Shop::open(name, level, &[("checkoutTimeout", "PT1S")]).await;
        let ada = shop.customer("ada");
        ada.reserves().await;
        ada.ends_in("EndedTooLate").await;
        ada.heard_only(&[sale::RELEASE_REQUESTED, "checkout-timeout"]);
    }
}

#[tokio::test]
async fn a_payment_that_takes_too_long_is_cancelled_and_only_then_the_seats_are_released() {
    for (name, level) in [("time-payment", "3-time"), ("repair-payment", "4-repair")] {
        let shop = Shop::open(name, level, &[("paymentTimeout", "PT1S")]).await;
        for answer in [
            sale::PAYMENT_CANCELLED,
            sale::PAYMENT_REFUNDED,
            sale::PAYMENT_REFUSED,
        ] {
            let slow = shop.customer(answer);
            slow.pays().await;
            let cancel = slow.emits(sale::PAYMENT_CANCEL_REQUESTED).await;
            assert_eq!(
                cancel.json()["paymentId"],
                format!("p-{}", slow.reservation)
            );
            slow.stands_at("AwaitNotCharged").await;
            if answer == sale::PAYMENT_REFUNDED {
                // It crosses the cancellation; the refund comes behind it.
                slow.is_charged().await;
            }
            slow.heard_only(&[sale::PAYMENT_REQUESTED, sale::PAYMENT_CANCEL_REQUESTED]);
            slow.event("payments", answer, &json!({})).await;
            slow.ends_in("EndedUnpaid").await;
            slow.heard_only(&[
                sale::PAYMENT_REQUESTED,
                sale::PAYMENT_CANCEL_REQUESTED,
                sale::RELEASE_REQUESTED,
                "payment-timeout",
            ]);
        }
    }
}
