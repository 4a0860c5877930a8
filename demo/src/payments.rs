//! The cashier: one charge for each reservation, at most.
//!
//! | known of the reservation | event or time | then |
//! |---|---|---|
//! | nothing | requested | pending, for a while |
//! | nothing | cancel requested | cancelled beforehand |
//! | cancelled beforehand | requested; cancel requested again | cancelled; `Payments.Cancelled` |
//! | pending | its time is up | authorized; `Payments.Authorized`; or refused; `Payments.Refused` |
//! | pending | cancel requested | cancelled; `Payments.Cancelled` |
//! | authorized | cancel requested | refunded; `Payments.Refunded` |
//! | authorized | requested | its answer again, with the same data |
//! | refused, cancelled, refunded | requested, cancel requested | its answer again, with the same data |
//! | anything else | | nothing |
//!
//! Charged is who is authorized and not refunded. It goes by reservation, not only by the id of the event: a
//! second request for the same one charges nobody twice.

use std::time::Duration;

use clap::{Args, ValueEnum};
use cloudevents::AttributesReader;
use cloudevents_http::Event;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use crate::sale::{self, Card, Payment, PaymentCancelRequested, PaymentRefused, PaymentRequested};
use crate::service::{Service, data};
use crate::store::{Apart, Fault, Trace, Transaction};

/// The most that one payment may be, in cents: all of them together must stay a number.
const MOST: i64 = 1_000_000_000;
/// How many are worked in one transaction.
const AT_ONCE: i64 = 200;

/// What the cashier is started with.
#[derive(Debug, Clone, Args)]
pub struct PaymentsArguments {
    /// How long a payment takes, in milliseconds
    #[arg(long, env = "WORK_FOR_MS", default_value_t = 1_000)]
    pub work_for_ms: u64,
    /// How long one with a slow card takes, in milliseconds
    #[arg(long, env = "SLOW_FOR_MS", default_value_t = 60_000)]
    pub slow_for_ms: u64,
    /// Whether the card decides, or every card is slow or refused
    #[arg(long, env = "MODE", value_enum, default_value_t = Mode::Ok)]
    pub mode: Mode,
}

/// What decides about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// The card.
    Ok,
    /// Every card is slow.
    Slow,
    /// Every card is refused.
    Refuse,
}

/// The cashier.
#[derive(Debug)]
pub struct Payments {
    work_for: Duration,
    slow_for: Duration,
    mode: Mode,
}

impl Payments {
    /// A cashier with these settings.
    #[must_use]
    pub fn new(arguments: &PaymentsArguments) -> Self {
        Self {
            work_for: Duration::from_millis(arguments.work_for_ms),
            slow_for: Duration::from_millis(arguments.slow_for_ms),
            mode: arguments.mode,
        }
    }

    fn requested(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let asked: PaymentRequested = data(event)?;
        let id = &asked.reservation_id;
        let amount = i64::try_from(asked.amount)
            .ok()
            .filter(|amount| *amount <= MOST)
            .ok_or_else(|| {
                Fault::Refused(format!(
                    "data of `{}`: `amount`: is {}, must be at most {MOST} cents",
                    event.ty(),
                    asked.amount
                ))
            })?;
        match state(transaction, id)?.as_deref() {
            None => {}
            Some("cancelled beforehand") => {
                transaction.change(
                    "UPDATE payments SET state = 'cancelled', payment = ?2, session = ?3, amount = ?4
                     WHERE reservation = ?1",
                    params![id, asked.payment_id, asked.session, amount],
                )?;
                return answer(id, transaction);
            }
            // Whoever asks again has lost the answer.
            Some(_) => return answer(id, transaction),
        }
        let (slow, refused) = match (self.mode, asked.card) {
            (Mode::Slow, _) | (Mode::Ok, Card::Slow) => (true, false),
            (Mode::Refuse, _) | (Mode::Ok, Card::Refused) => (false, true),
            (Mode::Ok, Card::Valid) => (false, false),
        };
        let takes = if slow { self.slow_for } else { self.work_for };
        let due = transaction.now_ms() + i64::try_from(takes.as_millis()).unwrap_or(i64::MAX);
        let trace = transaction.trace().clone();
        transaction.change(
            "INSERT INTO payments (reservation, payment, session, amount, state, refused, due, traceparent, tracestate)
             VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7, ?8)",
            params![
                id,
                asked.payment_id,
                asked.session,
                amount,
                refused,
                due,
                trace.traceparent,
                trace.tracestate
            ],
        )?;
        transaction.wake_due();
        Ok(())
    }

    fn cancel_requested(
        &self,
        event: &Event,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Fault> {
        let cancel: PaymentCancelRequested = data(event)?;
        let id = &cancel.reservation_id;
        match state(transaction, id)?.as_deref() {
            None => {
                transaction.change(
                    "INSERT INTO payments (reservation, payment, session, amount, state, refused, due)
                     VALUES (?1, ?2, ?3, 0, 'cancelled beforehand', 0, 0)",
                    params![id, cancel.payment_id, cancel.session],
                )?;
                return Ok(());
            }
            // Whoever asks again waits for an answer, and the request may be lost for good.
            Some("pending" | "cancelled beforehand") => set(transaction, id, "cancelled")?,
            Some("authorized") => set(transaction, id, "refunded")?,
            Some(_) => {}
        }
        answer(id, transaction)
    }
}

impl Service for Payments {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS payments (
           reservation TEXT PRIMARY KEY,
           payment TEXT NOT NULL,
           session TEXT NOT NULL,
           amount INTEGER NOT NULL,
           state TEXT NOT NULL,
           refused INTEGER NOT NULL,
           due INTEGER NOT NULL,
           traceparent TEXT,
           tracestate TEXT
         ) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS payments_due ON payments (due) WHERE state = 'pending';"
    }

    fn apply(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        match event.ty() {
            sale::PAYMENT_REQUESTED => self.requested(event, transaction),
            sale::PAYMENT_CANCEL_REQUESTED => self.cancel_requested(event, transaction),
            _ => Ok(()),
        }
    }

    fn due(&self, transaction: &mut Transaction<'_>) -> Result<Option<u64>, Fault> {
        let now = transaction.now_ms();
        for id in time_is_up(transaction, now)? {
            // One that cannot be decided keeps nobody else from paying.
            let decided = transaction.apart(&id, |transaction| decide(&id, transaction))?;
            if let Apart::PutOff(until) = decided {
                transaction.change(
                    "UPDATE payments SET due = ?2 WHERE reservation = ?1",
                    params![id, until],
                )?;
            }
        }
        let next: Option<i64> = transaction
            .prepare_cached("SELECT min(due) FROM payments WHERE state = 'pending'")?
            .query_row([], |row| row.get(0))?;
        Ok(next.map(|next| u64::try_from(next - now).unwrap_or(0)))
    }

    fn books(&self, transaction: &mut Transaction<'_>) -> Result<Value, Fault> {
        let count = |state: &str| {
            transaction.number("SELECT count(*) FROM payments WHERE state = ?1", [state])
        };
        Ok(json!({
            "pending": count("pending")?,
            "authorized": count("authorized")?,
            "refused": count("refused")?,
            "cancelled": count("cancelled")?,
            "cancelledBeforehand": count("cancelled beforehand")?,
            "refunded": count("refunded")?,
            "amountCharged": transaction.number("SELECT sum(amount) FROM payments WHERE state = 'authorized'", [])?,
        }))
    }
}

/// The reservations whose payments are to be decided now.
fn time_is_up(transaction: &Transaction<'_>, now: i64) -> Result<Vec<String>, Fault> {
    let mut statement = transaction.prepare_cached(
        "SELECT reservation FROM payments WHERE state = 'pending' AND due <= ?1 ORDER BY due LIMIT ?2",
    )?;
    let ids = statement.query_map([now, AT_ONCE], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// A payment's time is up.
fn decide(id: &str, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
    let (refused, trace) = transaction
        .prepare_cached(
            "SELECT refused, traceparent, tracestate FROM payments WHERE reservation = ?1",
        )?
        .query_row([id], |row| {
            let trace = Trace {
                traceparent: row.get(1)?,
                tracestate: row.get(2)?,
            };
            Ok((row.get(0)?, trace))
        })?;
    transaction.continue_trace(trace);
    let state = if refused { "refused" } else { "authorized" };
    set(transaction, id, state)?;
    answer(id, transaction)
}

/// Says what has become of a payment; nothing while that is open.
fn answer(id: &str, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
    let (state, payment) = transaction
        .prepare_cached(
            "SELECT state, session, reservation, payment, amount FROM payments WHERE reservation = ?1",
        )?
        .query_row([id], |row| {
            let payment = Payment {
                session: row.get(1)?,
                reservation_id: row.get(2)?,
                payment_id: row.get(3)?,
                amount: row.get::<_, i64>(4)?.unsigned_abs(),
            };
            Ok((row.get::<_, String>(0)?, payment))
        })?;
    let ty = match state.as_str() {
        "authorized" => sale::PAYMENT_AUTHORIZED,
        "cancelled" => sale::PAYMENT_CANCELLED,
        "refunded" => sale::PAYMENT_REFUNDED,
        "refused" => {
            let refused = PaymentRefused {
                session: payment.session,
                reservation_id: payment.reservation_id,
                payment_id: payment.payment_id,
                reason: "the card was refused".to_owned(),
            };
            return transaction.emit(sale::PAYMENT_REFUSED, &refused.session, &refused);
        }
        _ => return Ok(()),
    };
    transaction.emit(ty, &payment.session, &payment)
}

fn state(transaction: &Transaction<'_>, reservation: &str) -> Result<Option<String>, Fault> {
    let state = transaction
        .prepare_cached("SELECT state FROM payments WHERE reservation = ?1")?
        .query_row([reservation], |row| row.get(0))
        .optional()?;
    Ok(state)
}

fn set(transaction: &Transaction<'_>, reservation: &str, state: &str) -> Result<(), Fault> {
    transaction.change(
        "UPDATE payments SET state = ?2 WHERE reservation = ?1",
        params![reservation, state],
    )?;
    Ok(())
}
