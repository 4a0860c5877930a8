//! The words of the ticket sale: its event types, and what their data holds.
//!
//! Who sends what to whom stands in docs/TICKETS.md. Data is JSON; unknown members are ignored, since others
//! may say more. `session` is the customer's, as all of the sale may know it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// The most tickets that one customer may ask for.
pub const MAX_TICKETS: u32 = 6;
/// What a ticket costs, unless the ticket office is told otherwise.
pub const PRICE_CENTS: u64 = 4_990;
/// What amounts are counted in.
pub const CURRENCY: &str = "EUR";
/// The longest that a session, a reservation's or a payment's id may be, in bytes.
const MAX_ID_BYTES: usize = 128;

/// The `source` of what the queue says: only it knows who is let in, and how far the line has moved.
pub const QUEUE: &str = "/sale/queue";

/// A customer joins the line.
pub const CUSTOMER_QUEUE_JOINED: &str = "Tickets.CustomerQueueJoined";
/// A customer leaves it, or the shop.
pub const CUSTOMER_QUEUE_LEFT: &str = "Tickets.CustomerQueueLeft";
/// The queue gives a customer a number.
pub const CUSTOMER_QUEUED: &str = "Tickets.CustomerQueued";
/// The line has moved.
pub const QUEUE_MOVED: &str = "Tickets.QueueMoved";
/// A customer is let into the shop.
pub const CUSTOMER_ADMITTED: &str = "Tickets.CustomerAdmitted";
/// A customer loses the place in the shop.
pub const CUSTOMER_REMOVED: &str = "Tickets.CustomerRemoved";
/// A customer asks for tickets.
pub const REQUESTED: &str = "Tickets.Requested";
/// Seats are held for a customer.
pub const HELD: &str = "Tickets.Held";
/// There are fewer seats than a customer asked for.
pub const SOLD_OUT: &str = "Tickets.SoldOut";
/// A customer wants to pay.
pub const CHECKED_OUT: &str = "Tickets.CheckedOut";
/// The tickets shall be given to the customer.
pub const EMISSION_REQUESTED: &str = "Tickets.EmissionRequested";
/// The customer has the tickets.
pub const EMITTED: &str = "Tickets.Emitted";
/// What is held shall be free again.
pub const RELEASE_REQUESTED: &str = "Tickets.ReleaseRequested";
/// What was held is free again.
pub const RELEASED: &str = "Tickets.Released";
/// A payment is asked for.
pub const PAYMENT_REQUESTED: &str = "Payments.RequestReceived";
/// A customer is charged.
pub const PAYMENT_AUTHORIZED: &str = "Payments.Authorized";
/// A customer is not charged: the card was refused.
pub const PAYMENT_REFUSED: &str = "Payments.Refused";
/// A customer shall not be charged, or get back what was charged.
pub const PAYMENT_CANCEL_REQUESTED: &str = "Payments.CancelRequested";
/// A customer will not be charged.
pub const PAYMENT_CANCELLED: &str = "Payments.Cancelled";
/// A customer has got back what was charged.
pub const PAYMENT_REFUNDED: &str = "Payments.Refunded";
/// A customer shall be told something.
pub const NOTIFICATION_REQUESTED: &str = "Notifications.Requested";

/// What every event of the sale says; all that some of them do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfSession {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
}

/// Data of [`CUSTOMER_QUEUE_JOINED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// A name to call the customer by.
    pub customer: String,
}

/// Data of [`CUSTOMER_QUEUED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// Counted from 1, in the order in which customers are let in.
    pub number: u64,
}

/// Data of [`QUEUE_MOVED`], which is for all who wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Empty.
    pub session: String,
    /// The highest number that was let in or passed over.
    pub admitted: u64,
    /// How many wait.
    pub waiting: u64,
}

/// Data of [`CUSTOMER_ADMITTED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Admitted {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The customer's number.
    pub number: u64,
    /// When, RFC 3339.
    pub admitted_at: String,
}

/// Data of [`CUSTOMER_REMOVED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// Why, in words.
    pub reason: String,
}

/// Data of [`REQUESTED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// What is asked for goes by this from here on.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// A name to call the customer by.
    pub customer: String,
    /// How many, 1 to 6.
    pub tickets: u32,
}

/// Data of [`SOLD_OUT`], [`EMISSION_REQUESTED`], [`RELEASE_REQUESTED`] and [`RELEASED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfReservation {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
}

/// Data of [`HELD`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// How many.
    pub tickets: u32,
    /// Which, such as `A1`.
    pub seats: Vec<String>,
    /// What they cost together, in cents.
    pub amount: u64,
    /// `EUR`.
    pub currency: String,
}

/// A card to pay with: what becomes of the payment can be chosen by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Card {
    /// Is charged after a moment.
    #[default]
    Valid,
    /// Is charged after a long while.
    Slow,
    /// Is refused.
    Refused,
}

/// Data of [`CHECKED_OUT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedOut {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// The card to pay with.
    #[serde(default)]
    pub card: Card,
}

/// Data of [`EMITTED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Emitted {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// Which seats.
    pub seats: Vec<String>,
    /// What they cost together, in cents.
    pub amount: u64,
}

/// Data of [`PAYMENT_REQUESTED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequested {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation that is paid for; there is one payment for each.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// What the payment goes by from here on.
    #[serde(deserialize_with = "id")]
    pub payment_id: String,
    /// In cents.
    pub amount: u64,
    /// The card to pay with.
    #[serde(default)]
    pub card: Card,
}

/// Data of [`PAYMENT_AUTHORIZED`], [`PAYMENT_REFUNDED`] and, without an amount of use, of
/// [`PAYMENT_CANCELLED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// The payment.
    #[serde(deserialize_with = "id")]
    pub payment_id: String,
    /// In cents.
    #[serde(default)]
    pub amount: u64,
}

/// Data of [`PAYMENT_REFUSED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRefused {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// The payment.
    #[serde(deserialize_with = "id")]
    pub payment_id: String,
    /// Why, in words.
    pub reason: String,
}

/// Data of [`PAYMENT_CANCEL_REQUESTED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentCancelRequested {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation.
    #[serde(deserialize_with = "id")]
    pub reservation_id: String,
    /// The payment.
    #[serde(deserialize_with = "id")]
    pub payment_id: String,
}

/// Data of [`NOTIFICATION_REQUESTED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The customer's session.
    #[serde(deserialize_with = "id")]
    pub session: String,
    /// The reservation; empty where there is none yet.
    #[serde(default)]
    pub reservation_id: String,
    /// What kind of notification, for programs.
    pub kind: String,
    /// What to say to the customer.
    pub text: String,
}

/// What something goes by: it becomes a subject, a key, and part of an address.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    let visible = id.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=MAX_ID_BYTES).contains(&id.len()) {
        Ok(id)
    } else {
        Err(D::Error::custom(format!(
            "must be 1 to {MAX_ID_BYTES} visible ASCII characters"
        )))
    }
}
