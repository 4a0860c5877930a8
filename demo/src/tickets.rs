//! The ticket office: a stock of seats that cannot be oversold.
//!
//! It keeps a reservation as a set of facts, each of which one event adds, in any order and any number of times:
//! *requested*, *checked out*, *emission wanted*, *release wanted*. What becomes of it follows from them:
//!
//! | requested | seats | emission wanted | release wanted | then |
//! |---|---|---|---|---|
//! | no | | any | any | nothing yet |
//! | yes | not looked at | no | before the request | released, for good; `Tickets.Released` |
//! | yes | too few free | any | any other | sold out, for good; `Tickets.SoldOut` |
//! | yes | held | yes, first | any | emitted, for good; `Tickets.Emitted`; a release that comes later is ignored and counted |
//! | yes | held | no, or later | yes, first | released, for good; `Tickets.Released`; the seats are free again |
//! | yes | held | no | no | held; `Tickets.Held` |
//! | yes | held for too long, and not checked out | no | no | released, for good; `Tickets.Released` |
//!
//! Who wants again what has become of it (another event, not the same delivered again) is answered again, with the same
//! data: `Tickets.Emitted` where it is emitted, `Tickets.Released` where it is released. What the seats cost is settled when
//! they are held.
//!
//! Of a release and an emission that are both there before the request, the emission counts: it has been paid.
//! Seats change hands in the same transaction, so no seat is ever two customers'.
//!
//! Where nobody coordinates the sale (`--choreographed`), the office asks for the payment itself once a held
//! reservation is checked out; an authorized payment is an emission wanted, a refused one a release wanted.

mod reservation;
mod seat;

use std::time::Duration;

use clap::Args;
use cloudevents::AttributesReader;
use cloudevents_http::Event;
use rusqlite::params;
use serde_json::{Value, json};

use self::reservation::{answer, end, held_too_long, learn, read};
use crate::sale::{self, Card, CheckedOut, Held, OfReservation, PaymentRequested, Requested};
use crate::service::{Service, data};
use crate::store::{Apart, Fault, Store, Trace, Transaction};

/// The most that a ticket may cost, in cents: all that are sold together must stay a number.
const HIGHEST_PRICE: u64 = 100_000_000;
const EMISSION: &str = "UPDATE reservations SET emission_wanted = 1 WHERE id = ?1";
const RELEASE: &str = "UPDATE reservations SET release_wanted = 1 WHERE id = ?1";

/// What the ticket office is started with.
#[derive(Debug, Clone, Args)]
pub struct TicketsArguments {
    /// How many seats there are
    #[arg(long, env = "STOCK", default_value_t = 20_000)]
    pub stock: u32,
    /// What a ticket costs, in cents
    #[arg(long, env = "PRICE_CENTS", default_value_t = sale::PRICE_CENTS,
          value_parser = clap::value_parser!(u64).range(..=HIGHEST_PRICE))]
    pub price: u64,
    /// How long seats may be held that nobody checks out, in seconds: a backstop, longer than anything that
    /// the process allows
    #[arg(long, env = "HOLD_FOR_SECONDS", default_value_t = 3_600)]
    pub hold_for_seconds: u64,
    /// Ask for payments and emit tickets of its own accord: for a sale that no process coordinates
    #[arg(long, env = "CHOREOGRAPHED")]
    pub choreographed: bool,
}

/// The ticket office.
#[derive(Debug)]
pub struct Tickets {
    price: u64,
    hold_for: Duration,
    choreographed: bool,
}

impl Tickets {
    /// An office with these settings.
    #[must_use]
    pub fn new(arguments: &TicketsArguments) -> Self {
        Self {
            price: arguments.price,
            hold_for: Duration::from_secs(arguments.hold_for_seconds),
            choreographed: arguments.choreographed,
        }
    }

    /// Lays out as many seats as there should be; of those that are too many, a taken one goes when it is
    /// given back.
    ///
    /// # Errors
    /// The store.
    pub async fn lay_out(store: &Store, stock: u32) -> Result<(), Fault> {
        store
            .transact(Trace::default(), move |transaction| {
                seat::lay_out(transaction, stock)
            })
            .await
    }

    fn requested(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let asked: Requested = data(event)?;
        if asked.tickets == 0 || asked.tickets > sale::MAX_TICKETS {
            return Err(Fault::Refused(format!(
                "data of `{}`: `tickets`: is {}, must be 1 to {}",
                event.ty(),
                asked.tickets,
                sale::MAX_TICKETS
            )));
        }
        learn(transaction, &asked.reservation_id, &asked.session)?;
        let news = transaction.change(
            "UPDATE reservations SET tickets = ?2, session = ?3 WHERE id = ?1 AND tickets IS NULL",
            params![asked.reservation_id, asked.tickets, asked.session],
        )?;
        if news == 0 {
            return Ok(());
        }
        self.settle(&asked.reservation_id, transaction)
    }

    fn checked_out(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let checked_out: CheckedOut = data(event)?;
        let id = &checked_out.reservation_id;
        learn(transaction, id, &checked_out.session)?;
        let card = serde_json::to_string(&checked_out.card)
            .map_err(|error| Fault::Store(error.to_string()))?;
        transaction.change(
            "UPDATE reservations SET checked_out = 1, card = ?2 WHERE id = ?1",
            params![id, card],
        )?;
        self.settle(id, transaction)
    }

    fn wanted(
        &self,
        what: &'static str,
        done: &str,
        event: &Event,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Fault> {
        let of: OfReservation = data(event)?;
        let id = &of.reservation_id;
        learn(transaction, id, &of.session)?;
        transaction.change(what, [id])?;
        match read(transaction, id)? {
            // Whoever asks again has lost the answer.
            Some(known) if known.state == done => answer(id, &known, transaction),
            _ => self.settle(id, transaction),
        }
    }

    /// Draws the conclusion from the facts; see the table above.
    fn settle(&self, id: &str, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let Some(mut reservation) = read(transaction, id)? else {
            return Ok(());
        };
        let Some(tickets) = reservation.tickets else {
            return Ok(());
        };
        if reservation.state == "new" {
            if reservation.release_wanted && !reservation.emission_wanted {
                return end(id, "released", reservation, transaction);
            }
            let Some(seats) = seat::take(transaction, id, tickets)? else {
                return end(id, "sold out", reservation, transaction);
            };
            let amount = self.price * u64::from(tickets);
            let hold_for = i64::try_from(self.hold_for.as_millis()).unwrap_or(i64::MAX);
            let until = transaction.now_ms().saturating_add(hold_for);
            transaction.change(
                "UPDATE reservations SET state = 'held', amount = ?2, held_until = ?3 WHERE id = ?1",
                params![id, i64::try_from(amount).unwrap_or(i64::MAX), until],
            )?;
            transaction.wake_due();
            reservation.state = "held".to_owned();
            reservation.amount = amount;
            let session = &reservation.session;
            let held = Held {
                session: session.clone(),
                reservation_id: id.to_owned(),
                tickets,
                seats,
                amount,
                currency: sale::CURRENCY.to_owned(),
            };
            transaction.emit(sale::HELD, session, &held)?;
        }
        match reservation.state.as_str() {
            "held" if reservation.emission_wanted => end(id, "emitted", reservation, transaction),
            "held" if reservation.release_wanted => end(id, "released", reservation, transaction),
            "held"
                if self.choreographed && reservation.checked_out && !reservation.payment_asked =>
            {
                transaction.change(
                    "UPDATE reservations SET payment_asked = 1 WHERE id = ?1",
                    [id],
                )?;
                let card = reservation
                    .card
                    .as_deref()
                    .map(serde_json::from_str::<Card>);
                let session = &reservation.session;
                let payment = PaymentRequested {
                    session: session.clone(),
                    reservation_id: id.to_owned(),
                    payment_id: format!("p-{id}"),
                    amount: reservation.amount,
                    card: card.transpose().ok().flatten().unwrap_or_default(),
                };
                transaction.emit(sale::PAYMENT_REQUESTED, session, &payment)
            }
            // Waits for what comes next, or is over.
            _ => Ok(()),
        }
    }
}

impl Service for Tickets {
    fn name(&self) -> &'static str {
        "tickets"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS reservations (
           id TEXT PRIMARY KEY,
           session TEXT NOT NULL,
           tickets INTEGER,
           amount INTEGER NOT NULL DEFAULT 0,
           state TEXT NOT NULL DEFAULT 'new',
           held_until INTEGER,
           held_too_long INTEGER NOT NULL DEFAULT 0,
           card TEXT,
           checked_out INTEGER NOT NULL DEFAULT 0,
           emission_wanted INTEGER NOT NULL DEFAULT 0,
           release_wanted INTEGER NOT NULL DEFAULT 0,
           payment_asked INTEGER NOT NULL DEFAULT 0
         ) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS reservations_held ON reservations (held_until)
           WHERE state = 'held' AND checked_out = 0;
         CREATE TABLE IF NOT EXISTS seats (number INTEGER PRIMARY KEY, reservation TEXT);
         CREATE INDEX IF NOT EXISTS seats_free ON seats (number) WHERE reservation IS NULL;
         CREATE INDEX IF NOT EXISTS seats_taken ON seats (reservation) WHERE reservation IS NOT NULL;
         CREATE TABLE IF NOT EXISTS hall (stock INTEGER NOT NULL);"
    }

    fn apply(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        match event.ty() {
            sale::REQUESTED => self.requested(event, transaction),
            sale::CHECKED_OUT => self.checked_out(event, transaction),
            sale::EMISSION_REQUESTED => self.wanted(EMISSION, "emitted", event, transaction),
            sale::RELEASE_REQUESTED => self.wanted(RELEASE, "released", event, transaction),
            sale::PAYMENT_AUTHORIZED if self.choreographed => {
                self.wanted(EMISSION, "emitted", event, transaction)
            }
            sale::PAYMENT_REFUSED if self.choreographed => {
                self.wanted(RELEASE, "released", event, transaction)
            }
            _ => Ok(()),
        }
    }

    fn due(&self, transaction: &mut Transaction<'_>) -> Result<Option<u64>, Fault> {
        let now = transaction.now_ms();
        for id in held_too_long(transaction, now)? {
            let released = transaction.apart(&id, |transaction| {
                let Some(reservation) = read(transaction, &id)? else {
                    return Ok(());
                };
                tracing::warn!(
                    reservation = id,
                    "seats were held for too long, and are released"
                );
                transaction.change(
                    "UPDATE reservations SET held_too_long = 1 WHERE id = ?1",
                    [&id],
                )?;
                end(&id, "released", reservation, transaction)
            })?;
            if let Apart::PutOff(until) = released {
                transaction.change(
                    "UPDATE reservations SET held_until = ?2 WHERE id = ?1",
                    params![id, until],
                )?;
            }
        }
        let next: Option<i64> = transaction
            .prepare_cached(
                "SELECT min(held_until) FROM reservations WHERE state = 'held' AND checked_out = 0",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(next.map(|next| u64::try_from(next - now).unwrap_or(0)))
    }

    fn books(&self, transaction: &mut Transaction<'_>) -> Result<Value, Fault> {
        let count = |what: &str| {
            transaction.number(
                &format!("SELECT count(*) FROM reservations WHERE {what}"),
                [],
            )
        };
        let seats = |what: &str| {
            transaction.number(&format!("SELECT count(*) FROM seats WHERE {what}"), [])
        };
        let sold = transaction.number(
            "SELECT sum(tickets) FROM reservations WHERE state = 'emitted'",
            [],
        )?;
        let taken_by_none = transaction.number(
            "SELECT count(*) FROM seats s LEFT JOIN reservations r ON r.id = s.reservation
             WHERE s.reservation IS NOT NULL AND (r.id IS NULL OR r.state NOT IN ('held', 'emitted'))",
            [],
        )?;
        Ok(json!({
            "stock": seats("true")?,
            "free": seats("reservation IS NULL")?,
            "held": count("state = 'held'")?,
            "emitted": count("state = 'emitted'")?,
            "released": count("state = 'released'")?,
            "heldTooLong": count("held_too_long")?,
            "soldOut": count("state = 'sold out'")?,
            "lateReleases": count("state = 'emitted' AND release_wanted")?,
            "ticketsSold": sold,
            "amountSold": transaction.number("SELECT sum(amount) FROM reservations WHERE state = 'emitted'", [])?,
            "seatsAstray": taken_by_none,
        }))
    }
}
