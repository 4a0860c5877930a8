//! A customer, and what the services have to say about one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use demo::sale;
use serde_json::{Value, json};
use testkit::destination::Received;
use testkit::request;
use testkit::zeebe::is_completed;

use super::shop::Shop;

/// One session, from its joining to its end.
pub(super) struct Customer<'a> {
    shop: &'a Shop,
    pub(super) session: String,
    pub(super) reservation: String,
    sent: AtomicU32,
}

impl<'a> Customer<'a> {
    pub(super) fn new(shop: &'a Shop, name: &str) -> Self {
        Self {
            shop,
            session: format!("s-{name}"),
            reservation: format!("r-{name}"),
            sent: AtomicU32::new(0),
        }
    }

    /// Has a service send an event of this type about the customer, with all that the sale says of one.
    pub(super) async fn event(&self, service: &str, ty: &str, more: &Value) {
        self.event_to(self.shop.bridge.url(), &[], service, ty, more)
            .await;
    }

    /// As [`Customer::event`], to this address, with headers of the sender's.
    pub(super) async fn event_to(
        &self,
        url: &str,
        of_sender: &[(&str, &str)],
        service: &str,
        ty: &str,
        more: &Value,
    ) {
        let mut data = json!({
            "session": self.session, "reservationId": self.reservation,
            "paymentId": self.payment(), "customer": "Ada", "tickets": 2, "number": 7,
            "seats": ["A1", "A2"], "amount": 9980, "currency": "EUR", "reason": "as a test wants it",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        let source = format!("/sale/{service}");
        let id = format!(
            "{}-{}",
            self.session,
            self.sent.fetch_add(1, Ordering::Relaxed)
        );
        let mut headers = vec![
            ("ce-specversion", "1.0"),
            ("ce-source", source.as_str()),
            ("ce-type", ty),
            ("ce-id", id.as_str()),
            ("ce-subject", self.session.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend_from_slice(of_sender);
        let answered = request::post(url, &headers, data.to_string()).await;
        assert_eq!(answered.status, 202, "{ty}: {}", answered.text());
    }

    fn payment(&self) -> String {
        format!("p-{}", self.reservation)
    }

    pub(super) async fn joins(&self) {
        self.event("website", sale::CUSTOMER_QUEUE_JOINED, &json!({}))
            .await;
    }

    pub(super) async fn is_admitted(&self) {
        self.event("queue", sale::CUSTOMER_ADMITTED, &json!({}))
            .await;
    }

    pub(super) async fn asks_for_tickets(&self) {
        self.event("website", sale::REQUESTED, &json!({})).await;
    }

    pub(super) async fn has_seats_held(&self) {
        self.event("tickets", sale::HELD, &json!({})).await;
    }

    pub(super) async fn checks_out(&self) {
        self.event("website", sale::CHECKED_OUT, &json!({"card": "slow"}))
            .await;
    }

    pub(super) async fn is_charged(&self) {
        self.event("payments", sale::PAYMENT_AUTHORIZED, &json!({}))
            .await;
    }

    pub(super) async fn gets_tickets(&self) {
        self.event("tickets", sale::EMITTED, &json!({})).await;
    }

    pub(super) async fn leaves(&self) {
        self.event("website", sale::CUSTOMER_QUEUE_LEFT, &json!({}))
            .await;
    }

    /// Joins and is let in.
    pub(super) async fn enters_the_shop(&self) {
        self.joins().await;
        self.is_admitted().await;
    }

    /// Goes as far as having seats.
    pub(super) async fn reserves(&self) {
        self.enters_the_shop().await;
        self.asks_for_tickets().await;
        self.has_seats_held().await;
    }

    /// Goes as far as the payment's being asked for; returns that event.
    pub(super) async fn pays(&self) -> Received {
        self.reserves().await;
        self.checks_out().await;
        self.emits(sale::PAYMENT_REQUESTED).await
    }

    /// Waits until the process stands at an element.
    pub(super) async fn stands_at(&self, element: &str) -> Value {
        self.shop
            .sale(&self.session, &format!("stands at {element}"), |sale| {
                sale["waitingAt"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one["elementId"] == element))
            })
            .await
    }

    /// Waits until the process has emitted an event of this type about the customer.
    pub(super) async fn emits(&self, ty: &str) -> Received {
        self.shop.emits(&self.session, ty, 1).await.remove(0)
    }

    /// Waits for the end of the sale, which must be in this end event.
    pub(super) async fn ends_in(&self, end_event: &str) {
        let sale = self.ends().await;
        let ends = sale["endEvents"].as_array().expect("end events");
        assert_eq!(ends.last(), Some(&json!(end_event)), "{sale:#}");
    }

    /// Waits for the end of the sale, whichever it is.
    pub(super) async fn ends(&self) -> Value {
        let sale = self.shop.sale(&self.session, "ended", is_completed).await;
        for event in self.shop.emitted(&self.session) {
            let data = event.json();
            assert_eq!(data["session"], self.session.as_str(), "{}", event.ty());
            assert!(data.get("bridgeContext").is_none(), "{data}");
        }
        sale
    }

    /// What the process has emitted about the customer: each type, and each notification by its kind.
    pub(super) fn heard(&self) -> BTreeSet<String> {
        let events = self.shop.emitted(&self.session);
        let name = |event: &Received| match event.json()["kind"].as_str() {
            Some(kind) => kind.to_owned(),
            None => event.ty().to_owned(),
        };
        events.iter().map(name).collect()
    }

    /// Checks that the process has emitted events of these types and kinds, and no other.
    pub(super) fn heard_only(&self, expected: &[&str]) {
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(self.heard(), expected, "{}", self.session);
    }
}
