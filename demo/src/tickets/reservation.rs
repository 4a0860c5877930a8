//! Reservations: what is known of each, and how it ended.

use rusqlite::{OptionalExtension, params};

use super::seat;
use crate::sale::{self, Emitted, OfReservation};
use crate::store::{Fault, Transaction};

/// How many are released in one transaction.
const AT_ONCE: i64 = 200;

/// A reservation, as far as is known.
#[derive(Debug)]
pub(super) struct Reservation {
    pub(super) session: String,
    pub(super) tickets: Option<u32>,
    /// What they cost together; 0 until they are held.
    pub(super) amount: u64,
    pub(super) state: String,
    pub(super) card: Option<String>,
    pub(super) checked_out: bool,
    pub(super) emission_wanted: bool,
    pub(super) release_wanted: bool,
    pub(super) payment_asked: bool,
}

/// Reservations whose seats go back now. Who has checked out is paying: only the answer to that decides.
pub(super) fn held_too_long(transaction: &Transaction<'_>, now: i64) -> Result<Vec<String>, Fault> {
    let mut statement = transaction.prepare_cached(
        "SELECT id FROM reservations WHERE state = 'held' AND checked_out = 0 AND held_until <= ?1
         ORDER BY held_until LIMIT ?2",
    )?;
    let ids = statement.query_map([now, AT_ONCE], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Makes a reservation known, whatever event mentions it first.
pub(super) fn learn(transaction: &Transaction<'_>, id: &str, session: &str) -> Result<(), Fault> {
    transaction.change(
        "INSERT OR IGNORE INTO reservations (id, session) VALUES (?1, ?2)",
        params![id, session],
    )?;
    Ok(())
}

/// A reservation comes to its end, and whoever listens is told.
pub(super) fn end(
    id: &str,
    state: &str,
    mut reservation: Reservation,
    transaction: &mut Transaction<'_>,
) -> Result<(), Fault> {
    transaction.change(
        "UPDATE reservations SET state = ?2 WHERE id = ?1",
        params![id, state],
    )?;
    if state == "released" {
        seat::free(transaction, id)?;
    }
    reservation.state = state.to_owned();
    answer(id, &reservation, transaction)
}

/// Says how a reservation has ended; nothing while it has not.
pub(super) fn answer(
    id: &str,
    reservation: &Reservation,
    transaction: &mut Transaction<'_>,
) -> Result<(), Fault> {
    let session = &reservation.session;
    let of_reservation = OfReservation {
        session: session.clone(),
        reservation_id: id.to_owned(),
    };
    match reservation.state.as_str() {
        "emitted" => {
            let emitted = Emitted {
                session: session.clone(),
                reservation_id: id.to_owned(),
                seats: seat::of(transaction, id)?,
                amount: reservation.amount,
            };
            transaction.emit(sale::EMITTED, session, &emitted)
        }
        "released" => transaction.emit(sale::RELEASED, session, &of_reservation),
        "sold out" => transaction.emit(sale::SOLD_OUT, session, &of_reservation),
        _ => Ok(()),
    }
}

pub(super) fn read(transaction: &Transaction<'_>, id: &str) -> Result<Option<Reservation>, Fault> {
    let reservation = transaction
        .prepare_cached(
            "SELECT session, tickets, amount, state, card, checked_out, emission_wanted, release_wanted, payment_asked
             FROM reservations WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Reservation {
                session: row.get(0)?,
                tickets: row.get(1)?,
                amount: row.get::<_, i64>(2)?.unsigned_abs(),
                state: row.get(3)?,
                card: row.get(4)?,
                checked_out: row.get(5)?,
                emission_wanted: row.get(6)?,
                release_wanted: row.get(7)?,
                payment_asked: row.get(8)?,
            })
        })
        .optional()?;
    Ok(reservation)
}
