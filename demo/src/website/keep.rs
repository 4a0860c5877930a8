//! What the website's file holds: sessions, the events that each is shown, and how far the line has moved.
//!
//! All of it is bounded: see [`Bounds`]. Data of an event beyond [`LARGEST`] bytes is not kept, and shown as
//! `null`.

use std::time::Duration;

use chrono::SecondsFormat;
use cloudevents::AttributesReader;
use cloudevents_http::{DataKind, Event, data_kind};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::identity::{COOKIE_SECONDS, Customer};
use super::story::Story;
use crate::store::{Fault, Transaction};

pub(super) const SCHEMA: &str = "\
CREATE TABLE IF NOT EXISTS site (
  salt TEXT NOT NULL,
  admitted INTEGER NOT NULL,
  sessions INTEGER NOT NULL
);
INSERT INTO site SELECT lower(hex(randomblob(16))), 0, 0 WHERE NOT EXISTS (SELECT 1 FROM site);
CREATE TABLE IF NOT EXISTS sessions (
  session TEXT PRIMARY KEY,
  customer TEXT NOT NULL,
  sale INTEGER NOT NULL,
  step TEXT NOT NULL,
  story TEXT NOT NULL,
  touched INTEGER NOT NULL,
  UNIQUE (customer, sale)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_touched ON sessions (touched);
CREATE TRIGGER IF NOT EXISTS sessions_more AFTER INSERT ON sessions
  BEGIN UPDATE site SET sessions = sessions + 1; END;
CREATE TRIGGER IF NOT EXISTS sessions_fewer AFTER DELETE ON sessions
  BEGIN UPDATE site SET sessions = sessions - 1; END;
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  session TEXT NOT NULL REFERENCES sessions (session) ON DELETE CASCADE,
  event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_session ON events (session, number);";

/// How much the website keeps.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Sessions; beyond that nobody new may join.
    pub sessions: u32,
    /// The last events of a session.
    pub events_each: u32,
    /// The last events of all.
    pub events: u32,
    /// How long after the last that was heard of a session it is waited for what becomes of its reservation.
    pub unsettled: Duration,
    /// How long a session is kept that nothing touches.
    pub untouched: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            sessions: 200_000,
            events_each: 200,
            events: 1_000_000,
            // Twice as long as the ticket office holds what nobody pays.
            unsettled: Duration::from_secs(2 * 60 * 60),
            // Longer than its cookie lives: a sale's number is not given out again to who still has it.
            untouched: Duration::from_secs(2 * COOKIE_SECONDS),
        }
    }
}

/// The largest data that is kept, in bytes as JSON.
const LARGEST: usize = 8 * 1024;
/// How often sessions that nothing touches are looked for, at least.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// How many go in one transaction.
const AT_ONCE: u32 = 200;

/// A session of a customer.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) customer: Customer,
    pub(super) sale: i64,
    pub(super) story: Story,
    /// When something was last heard of it, in milliseconds since 1970; 0 of one that is not in the file.
    pub(super) touched: i64,
}

impl Session {
    /// One that nothing has happened to.
    pub(super) fn new(customer: Customer, sale: i64, salt: &str) -> Self {
        Self {
            id: customer.session(salt, sale),
            customer,
            sale,
            story: Story::default(),
            touched: 0,
        }
    }

    fn of_row(row: &Row<'_>) -> Result<(Self, String), rusqlite::Error> {
        let session = Self {
            id: row.get(0)?,
            customer: Customer::from(row.get::<_, String>(1)?),
            sale: row.get(2)?,
            story: Story::default(),
            touched: row.get(4)?,
        };
        Ok((session, row.get(3)?))
    }
}

/// The salt of sessions, and the highest number that was let in or passed over.
pub(super) fn site(transaction: &Transaction<'_>) -> Result<(String, u64), Fault> {
    let site = transaction.query_row("SELECT salt, admitted FROM site", [], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    Ok(site)
}

/// The line has moved, and never moves back: `false` where it had.
pub(super) fn moved(transaction: &Transaction<'_>, admitted: i64) -> Result<bool, Fault> {
    let statement = "UPDATE site SET admitted = ?1 WHERE admitted < ?1";
    Ok(transaction.change(statement, [admitted])? > 0)
}

/// The session of this name, if it is one of the website's.
pub(super) fn session(transaction: &Transaction<'_>, id: &str) -> Result<Option<Session>, Fault> {
    let row = transaction
        .prepare_cached(
            "SELECT session, customer, sale, story, touched FROM sessions WHERE session = ?1",
        )?
        .query_row([id], Session::of_row)
        .optional()?;
    row.map(read).transpose()
}

/// The customer's session in the sale that the customer is in: a new one, not in the file, at the first visit.
pub(super) fn current(
    transaction: &Transaction<'_>,
    customer: &Customer,
    salt: &str,
) -> Result<Session, Fault> {
    let row = transaction
        .prepare_cached(
            "SELECT session, customer, sale, story, touched FROM sessions
             WHERE customer = ?1 ORDER BY sale DESC LIMIT 1",
        )?
        .query_row([customer.as_str()], Session::of_row)
        .optional()?;
    match row {
        Some(row) => read(row),
        None => Ok(Session::new(customer.clone(), 1, salt)),
    }
}

fn read((mut session, story): (Session, String)) -> Result<Session, Fault> {
    session.story = serde_json::from_str(&story)
        .map_err(|error| Fault::Store(format!("session {}: {error}", session.id)))?;
    Ok(session)
}

/// Keeps a session as it is now.
pub(super) fn save(transaction: &Transaction<'_>, session: &Session) -> Result<(), Fault> {
    let text = |value: serde_json::Result<Value>| {
        value.map_err(|error| Fault::Store(format!("session {}: {error}", session.id)))
    };
    let story = text(serde_json::to_value(&session.story))?;
    transaction.change(
        "INSERT INTO sessions (session, customer, sale, step, story, touched)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (session) DO UPDATE SET step = ?4, story = ?5, touched = ?6",
        params![
            session.id,
            session.customer.as_str(),
            session.sale,
            story["step"].as_str(),
            story.to_string(),
            transaction.now_ms()
        ],
    )?;
    Ok(())
}

/// Whether one more session can be kept.
pub(super) fn has_room(transaction: &Transaction<'_>, bounds: &Bounds) -> Result<bool, Fault> {
    let sessions = transaction.number("SELECT sessions FROM site", [])?;
    Ok(sessions < i64::from(bounds.sessions))
}

/// Keeps an event for the session's customer to see.
pub(super) fn add_event(
    transaction: &Transaction<'_>,
    session: &str,
    event: &Event,
    bounds: &Bounds,
) -> Result<(), Fault> {
    let shown = shown(transaction, event).to_string();
    transaction.change(
        "INSERT INTO events (session, event) VALUES (?1, ?2)",
        [session, &shown],
    )?;
    let number = transaction.last_insert_rowid();
    transaction.change(
        "DELETE FROM events WHERE session = ?1 AND number <=
           (SELECT number FROM events WHERE session = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        params![session, bounds.events_each],
    )?;
    let oldest = number - i64::from(bounds.events);
    transaction.change("DELETE FROM events WHERE number <= ?1", [oldest])?;
    Ok(())
}

/// An event as a browser is shown it, but for its number.
fn shown(transaction: &Transaction<'_>, event: &Event) -> Value {
    let data = match data_kind(event) {
        Ok(DataKind::Json(json)) if json.len() <= LARGEST => {
            serde_json::from_slice(json).unwrap_or(Value::Null)
        }
        Ok(DataKind::Json(_) | DataKind::Bytes(_) | DataKind::None) | Err(_) => Value::Null,
    };
    let time = event
        .time()
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true));
    json!({
        "id": event.id(),
        "source": event.source(),
        "type": event.ty(),
        "subject": event.subject(),
        "time": time.unwrap_or_else(|| transaction.now_text()),
        "traceparent": transaction.trace().traceparent,
        "data": data,
    })
}

/// The session's events after a number, oldest first, until together they have so many bytes; each is JSON.
pub(super) fn events_after(
    transaction: &Transaction<'_>,
    session: &str,
    after: i64,
    bytes: usize,
) -> Result<Vec<(i64, String)>, Fault> {
    let mut statement = transaction.prepare_cached(
        "SELECT number, event FROM events WHERE session = ?1 AND number > ?2 ORDER BY number",
    )?;
    let mut rows = statement.query(params![session, after])?;
    let mut events = Vec::new();
    let mut taken = 0;
    while taken < bytes
        && let Some(row) = rows.next()?
    {
        let number: i64 = row.get(0)?;
        let event: String = row.get(1)?;
        taken += event.len();
        let members = event.strip_prefix('{').unwrap_or_default();
        events.push((number, format!("{{\"number\":{number},{members}")));
    }
    Ok(events)
}

/// The highest number that an event was ever given.
pub(super) fn last_number(transaction: &Transaction<'_>) -> Result<i64, Fault> {
    transaction.number("SELECT seq FROM sqlite_sequence WHERE name = 'events'", [])
}

/// Forgets sessions that nothing has touched for long, and returns after what time to look again.
pub(super) fn forget(transaction: &Transaction<'_>, bounds: &Bounds) -> Result<Duration, Fault> {
    let untouched = i64::try_from(bounds.untouched.as_millis()).unwrap_or(i64::MAX);
    let gone = transaction.change(
        "DELETE FROM sessions WHERE session IN
           (SELECT session FROM sessions WHERE touched < ?1 ORDER BY touched LIMIT ?2)",
        params![transaction.now_ms().saturating_sub(untouched), AT_ONCE],
    )?;
    Ok(if gone < AT_ONCE as usize {
        bounds.untouched.min(LOOK_EVERY)
    } else {
        Duration::ZERO
    })
}
