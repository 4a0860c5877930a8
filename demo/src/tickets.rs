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
//!
//! Of a release and an emission that are both there before the request, the emission counts: it has been paid.
//! Seats change hands in the same transaction, so no seat is ever two customers'.
//!
//! Where nobody coordinates the sale (`--choreographed`), the office asks for the payment itself once a held
//! reservation is checked out; an authorized payment is an emission wanted, a refused one a release wanted.

mod seat;

use clap::Args;
use cloudevents::AttributesReader;
use cloudevents_http::Event;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use crate::sale::{
    self, Card, CheckedOut, Emitted, Held, OfReservation, PaymentRequested, Requested,
};
use crate::service::{Service, data};
use crate::store::{Fault, Store, Trace, Transaction};

/// What the ticket office is started with.
#[derive(Debug, Clone, Args)]
pub struct TicketsArguments {
    /// How many seats there are
    #[arg(long, env = "STOCK", default_value_t = 20_000)]
    pub stock: u32,
    /// What a ticket costs, in cents
    #[arg(long, env = "PRICE_CENTS", default_value_t = sale::PRICE_CENTS)]
    pub price: u64,
    /// Ask for payments and emit tickets of its own accord: for a sale that no process coordinates
    #[arg(long, env = "CHOREOGRAPHED")]
    pub choreographed: bool,
}

/// The ticket office.
#[derive(Debug)]
pub struct Tickets {
    price: u64,
    choreographed: bool,
}

/// A reservation, as far as is known.
#[derive(Debug)]
struct Reservation {
    session: String,
    tickets: Option<u32>,
    state: String,
    card: Option<String>,
    checked_out: bool,
    emission_wanted: bool,
    release_wanted: bool,
    payment_asked: bool,
}

impl Tickets {
    /// An office with these settings.
    #[must_use]
    pub fn new(arguments: &TicketsArguments) -> Self {
        Self {
            price: arguments.price,
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
        event: &Event,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Fault> {
        let of: OfReservation = data(event)?;
        learn(transaction, &of.reservation_id, &of.session)?;
        transaction.change(what, [&of.reservation_id])?;
        self.settle(&of.reservation_id, transaction)
    }

    /// Draws the conclusion from the facts; see the table above.
    fn settle(&self, id: &str, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let Some(reservation) = read(transaction, id)? else {
            return Ok(());
        };
        let Some(tickets) = reservation.tickets else {
            return Ok(());
        };
        let session = &reservation.session;
        let amount = self.price * u64::from(tickets);
        let mut state = reservation.state.as_str();
        if state == "new" {
            if reservation.release_wanted && !reservation.emission_wanted {
                set(transaction, id, "released")?;
                return transaction.emit(sale::RELEASED, session, &of(session, id));
            }
            let Some(seats) = seat::take(transaction, id, tickets)? else {
                set(transaction, id, "sold out")?;
                return transaction.emit(sale::SOLD_OUT, session, &of(session, id));
            };
            set(transaction, id, "held")?;
            state = "held";
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
        match state {
            "held" if reservation.emission_wanted => {
                set(transaction, id, "emitted")?;
                let emitted = Emitted {
                    session: session.clone(),
                    reservation_id: id.to_owned(),
                    seats: seat::of(transaction, id)?,
                    amount,
                };
                transaction.emit(sale::EMITTED, session, &emitted)
            }
            "held" if reservation.release_wanted => {
                set(transaction, id, "released")?;
                seat::free(transaction, id)?;
                transaction.emit(sale::RELEASED, session, &of(session, id))
            }
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
                let payment = PaymentRequested {
                    session: session.clone(),
                    reservation_id: id.to_owned(),
                    payment_id: format!("p-{id}"),
                    amount,
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
           state TEXT NOT NULL DEFAULT 'new',
           card TEXT,
           checked_out INTEGER NOT NULL DEFAULT 0,
           emission_wanted INTEGER NOT NULL DEFAULT 0,
           release_wanted INTEGER NOT NULL DEFAULT 0,
           payment_asked INTEGER NOT NULL DEFAULT 0
         ) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS seats (number INTEGER PRIMARY KEY, reservation TEXT);
         CREATE INDEX IF NOT EXISTS seats_free ON seats (number) WHERE reservation IS NULL;
         CREATE INDEX IF NOT EXISTS seats_taken ON seats (reservation) WHERE reservation IS NOT NULL;
         CREATE TABLE IF NOT EXISTS hall (stock INTEGER NOT NULL);"
    }

    fn apply(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        const EMISSION: &str = "UPDATE reservations SET emission_wanted = 1 WHERE id = ?1";
        const RELEASE: &str = "UPDATE reservations SET release_wanted = 1 WHERE id = ?1";
        match event.ty() {
            sale::REQUESTED => self.requested(event, transaction),
            sale::CHECKED_OUT => self.checked_out(event, transaction),
            sale::EMISSION_REQUESTED => self.wanted(EMISSION, event, transaction),
            sale::RELEASE_REQUESTED => self.wanted(RELEASE, event, transaction),
            sale::PAYMENT_AUTHORIZED if self.choreographed => {
                self.wanted(EMISSION, event, transaction)
            }
            sale::PAYMENT_REFUSED if self.choreographed => self.wanted(RELEASE, event, transaction),
            _ => Ok(()),
        }
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
            "soldOut": count("state = 'sold out'")?,
            "lateReleases": count("state = 'emitted' AND release_wanted")?,
            "ticketsSold": sold,
            "amountSold": sold.unsigned_abs() * self.price,
            "seatsAstray": taken_by_none,
        }))
    }
}

/// Makes a reservation known, whatever event mentions it first.
fn learn(transaction: &Transaction<'_>, id: &str, session: &str) -> Result<(), Fault> {
    transaction.change(
        "INSERT OR IGNORE INTO reservations (id, session) VALUES (?1, ?2)",
        params![id, session],
    )?;
    Ok(())
}

fn set(transaction: &Transaction<'_>, id: &str, state: &str) -> Result<(), Fault> {
    transaction.change(
        "UPDATE reservations SET state = ?2 WHERE id = ?1",
        params![id, state],
    )?;
    Ok(())
}

fn read(transaction: &Transaction<'_>, id: &str) -> Result<Option<Reservation>, Fault> {
    let reservation = transaction
        .prepare_cached(
            "SELECT session, tickets, state, card, checked_out, emission_wanted, release_wanted, payment_asked
             FROM reservations WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Reservation {
                session: row.get(0)?,
                tickets: row.get(1)?,
                state: row.get(2)?,
                card: row.get(3)?,
                checked_out: row.get(4)?,
                emission_wanted: row.get(5)?,
                release_wanted: row.get(6)?,
                payment_asked: row.get(7)?,
            })
        })
        .optional()?;
    Ok(reservation)
}

fn of(session: &str, id: &str) -> OfReservation {
    OfReservation {
        session: session.to_owned(),
        reservation_id: id.to_owned(),
    }
}
