//! The line in front of the shop: first come, first served.
//!
//! | known of the session | event or time | then |
//! |---|---|---|
//! | nothing | joined | waits, with the next number; `Tickets.CustomerQueued` |
//! | nothing | left, removed | gone; a joining that comes later is ignored |
//! | waits | its number is the lowest and a place in the shop is free | shops; `Tickets.CustomerAdmitted` |
//! | waits | left, removed | gone: passed over |
//! | shops | tickets emitted, released, sold out; left, removed | gone: the place is free |
//! | shops | for too long | gone; `Tickets.CustomerRemoved` |
//! | gone | anything | nothing |
//!
//! How far the line has moved is told to all at once, `Tickets.QueueMoved`, a few times a second at most,
//! rather than to each who waits: a hundred thousand would be told a hundred thousand times.

use std::time::Duration;

use clap::Args;
use cloudevents::AttributesReader;
use cloudevents_http::Event;
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use crate::sale::{self, Admitted, Joined, Moved, OfSession, Queued, Removed};
use crate::service::{Service, data};
use crate::store::{Apart, Fault, Transaction};

/// How often the line is told of at most.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// How many are let in, or removed, in one transaction.
const AT_ONCE: i64 = 200;

/// What the queue is started with.
#[derive(Debug, Clone, Args)]
pub struct QueueArguments {
    /// How many may shop at one time
    #[arg(long, env = "SHOP_SEATS", default_value_t = 50)]
    pub shop_seats: u32,
    /// How long a place in the shop may be taken, in seconds: a backstop, longer than anything that the
    /// process allows
    #[arg(long, env = "DECIDE_WITHIN_SECONDS", default_value_t = 1_800)]
    pub decide_within_seconds: u64,
}

/// The queue.
#[derive(Debug)]
pub struct Queue {
    shop_seats: i64,
    decide_within: Duration,
}

impl Queue {
    /// A queue with these settings.
    #[must_use]
    pub fn new(arguments: &QueueArguments) -> Self {
        Self {
            shop_seats: i64::from(arguments.shop_seats),
            decide_within: Duration::from_secs(arguments.decide_within_seconds),
        }
    }

    fn joined(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let joined: Joined = data(event)?;
        let session = joined.session;
        if state(transaction, &session)?.is_some() {
            return Ok(());
        }
        let number = transaction.number("SELECT max(number) FROM customers", [])? + 1;
        transaction.change(
            "INSERT INTO customers (session, number, state) VALUES (?1, ?2, 'waits')",
            params![session, number],
        )?;
        let queued = Queued {
            session: session.clone(),
            number: number.unsigned_abs(),
        };
        transaction.emit(sale::CUSTOMER_QUEUED, &session, &queued)?;
        transaction.wake_due();
        self.admit(transaction)
    }

    /// Whoever it was is in line and in the shop no longer.
    fn gone(&self, session: &str, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        match state(transaction, session)?.as_deref() {
            Some("gone") => return Ok(()),
            Some(_) => {
                transaction.change(
                    "UPDATE customers SET state = 'gone' WHERE session = ?1",
                    [session],
                )?;
            }
            None => {
                transaction.change(
                    "INSERT INTO customers (session, state) VALUES (?1, 'gone')",
                    [session],
                )?;
            }
        }
        transaction.wake_due();
        self.admit(transaction)
    }

    /// Lets in whoever is next, as far as there are places.
    fn admit(&self, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let shopping =
            transaction.number("SELECT count(*) FROM customers WHERE state = 'shops'", [])?;
        let places = (self.shop_seats - shopping).clamp(0, AT_ONCE);
        if places == 0 {
            return Ok(());
        }
        let now = transaction.now_ms();
        let next: Vec<(String, i64)> = {
            let mut statement = transaction.prepare_cached(
                "SELECT session, number FROM customers
                 WHERE state = 'waits' AND coalesce(deadline, 0) <= ?1 ORDER BY number LIMIT ?2",
            )?;
            let next = statement.query_map([now, places], |row| Ok((row.get(0)?, row.get(1)?)))?;
            next.collect::<Result<_, _>>()?
        };
        let within = i64::try_from(self.decide_within.as_millis()).unwrap_or(i64::MAX);
        let deadline = now.saturating_add(within);
        for (session, number) in next {
            // One who cannot be let in keeps no other out.
            let done = transaction.apart(&session, |transaction| {
                let_in(&session, number, deadline, transaction)
            })?;
            if let Apart::PutOff(until) = done {
                put_off(transaction, &session, until)?;
            }
            transaction.wake_due();
        }
        Ok(())
    }

    /// Removes who has been in the shop for too long.
    fn remove(&self, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        let now = transaction.now_ms();
        let late: Vec<String> = {
            let mut statement = transaction.prepare_cached(
                "SELECT session FROM customers WHERE state = 'shops' AND deadline <= ?1 ORDER BY deadline LIMIT ?2",
            )?;
            let late = statement.query_map([now, AT_ONCE], |row| row.get(0))?;
            late.collect::<Result<_, _>>()?
        };
        for session in late {
            let done = transaction.apart(&session, |transaction| {
                let removed = Removed {
                    session: session.clone(),
                    reason: "took too long in the shop".to_owned(),
                };
                transaction.emit(sale::CUSTOMER_REMOVED, &session, &removed)?;
                self.gone(&session, transaction)
            })?;
            if let Apart::PutOff(until) = done {
                put_off(transaction, &session, until)?;
            }
        }
        Ok(())
    }

    /// Tells how far the line has moved, if it has; returns after how many milliseconds it may tell again.
    fn tell(&self, transaction: &mut Transaction<'_>) -> Result<Option<u64>, Fault> {
        let told: (i64, i64, i64) =
            transaction.query_row("SELECT admitted, waiting, at FROM told", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let now = transaction.now_ms();
        let every = i64::try_from(TELL_EVERY.as_millis()).unwrap_or(i64::MAX);
        // A clock that was set back must not silence it.
        let wait = (told.2 + every - now).min(every);
        if wait > 0 {
            return Ok(u64::try_from(wait).ok());
        }
        let waiting =
            transaction.number("SELECT count(*) FROM customers WHERE state = 'waits'", [])?;
        // All below the first who waits were let in or passed over.
        let admitted = match waiting {
            0 => transaction.number("SELECT max(number) FROM customers", [])?,
            _ => {
                transaction.number(
                    "SELECT min(number) FROM customers WHERE state = 'waits'",
                    [],
                )? - 1
            }
        };
        if (told.0, told.1) == (admitted, waiting) {
            return Ok(None);
        }
        transaction.change(
            "UPDATE told SET admitted = ?1, waiting = ?2, at = ?3",
            [admitted, waiting, now],
        )?;
        let moved = Moved {
            session: String::new(),
            admitted: admitted.unsigned_abs(),
            waiting: waiting.unsigned_abs(),
        };
        transaction.emit(sale::QUEUE_MOVED, "", &moved)?;
        Ok(None)
    }
}

impl Service for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS customers (
           session TEXT PRIMARY KEY,
           number INTEGER UNIQUE,
           state TEXT NOT NULL,
           deadline INTEGER,
           admitted INTEGER UNIQUE
         ) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS customers_waiting ON customers (number) WHERE state = 'waits';
         CREATE INDEX IF NOT EXISTS customers_put_off ON customers (deadline)
           WHERE state = 'waits' AND deadline IS NOT NULL;
         CREATE INDEX IF NOT EXISTS customers_shopping ON customers (deadline) WHERE state = 'shops';
         CREATE TABLE IF NOT EXISTS told (admitted INTEGER NOT NULL, waiting INTEGER NOT NULL, at INTEGER NOT NULL);
         INSERT INTO told SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM told);"
    }

    fn apply(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), Fault> {
        match event.ty() {
            sale::CUSTOMER_QUEUE_JOINED => self.joined(event, transaction),
            sale::CUSTOMER_QUEUE_LEFT | sale::CUSTOMER_REMOVED => {
                let of: OfSession = data(event)?;
                self.gone(&of.session, transaction)
            }
            sale::EMITTED | sale::RELEASED | sale::SOLD_OUT => {
                let of: OfSession = data(event)?;
                self.gone(&of.session, transaction)
            }
            _ => Ok(()),
        }
    }

    fn due(&self, transaction: &mut Transaction<'_>) -> Result<Option<u64>, Fault> {
        self.remove(transaction)?;
        // Also after a start with more places than before.
        self.admit(transaction)?;
        let told = self.tell(transaction)?;
        let now = transaction.now_ms();
        let deadline: Option<i64> = transaction
            .prepare_cached("SELECT min(deadline) FROM customers WHERE state = 'shops'")?
            .query_row([], |row| row.get(0))?;
        // Who was put off and may be let in by now waits for a place, not for time.
        let put_off: Option<i64> = transaction
            .prepare_cached(
                "SELECT min(deadline) FROM customers WHERE state = 'waits' AND deadline > ?1",
            )?
            .query_row([now], |row| row.get(0))?;
        let later = [deadline, put_off].into_iter().flatten();
        let later = later.map(|at| u64::try_from(at - now).unwrap_or(0));
        Ok(told.into_iter().chain(later).min())
    }

    fn books(&self, transaction: &mut Transaction<'_>) -> Result<Value, Fault> {
        let count = |what: &str| {
            transaction.number(&format!("SELECT count(*) FROM customers WHERE {what}"), [])
        };
        let out_of_turn = transaction.number(
            "SELECT count(*) FROM (
               SELECT number, max(number) OVER (ORDER BY admitted ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
               FROM customers WHERE admitted IS NOT NULL)
             WHERE number < before",
            [],
        )?;
        Ok(json!({
            "joined": count("number IS NOT NULL")?,
            "waiting": count("state = 'waits'")?,
            "shopping": count("state = 'shops'")?,
            "admitted": count("admitted IS NOT NULL")?,
            "leftInLine": count("number IS NOT NULL AND admitted IS NULL AND state = 'gone'")?,
            "outOfTurn": out_of_turn,
        }))
    }
}

fn let_in(
    session: &str,
    number: i64,
    deadline: i64,
    transaction: &mut Transaction<'_>,
) -> Result<(), Fault> {
    transaction.change(
        "UPDATE customers SET state = 'shops', deadline = ?2,
           admitted = (SELECT coalesce(max(admitted), 0) + 1 FROM customers)
         WHERE session = ?1",
        params![session, deadline],
    )?;
    let admitted = Admitted {
        session: session.to_owned(),
        number: number.unsigned_abs(),
        admitted_at: transaction.now_text(),
    };
    transaction.emit(sale::CUSTOMER_ADMITTED, session, &admitted)
}

/// What is due of a customer is not due before this moment.
fn put_off(transaction: &Transaction<'_>, session: &str, until: i64) -> Result<(), Fault> {
    transaction.change(
        "UPDATE customers SET deadline = ?2 WHERE session = ?1",
        params![session, until],
    )?;
    Ok(())
}

fn state(transaction: &Transaction<'_>, session: &str) -> Result<Option<String>, Fault> {
    let state = transaction
        .prepare_cached("SELECT state FROM customers WHERE session = ?1")?
        .query_row([session], |row| row.get(0))
        .optional()?;
    Ok(state)
}
