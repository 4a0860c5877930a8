//! Events on their way out: each stays in the store until the destination has accepted it.
//!
//! | the destination | the event |
//! |---|---|
//! | accepts it | is deleted |
//! | is away, busy, or does not answer | is sent again after a growing pause; after eight attempts it makes room for others for a while |
//! | fails at this event (500, 404 and the like) | is put aside for a growing while, so that others go on |
//! | refuses it for good | goes to the table `refused`, with the reason, and into the log |
//!
//! The program killed between sending and deleting sends again, the same event with the same id. No order is
//! kept: many are under way at one time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloudevents_http::{Limits, Message, attribute, decode, into_binary};
use eventing::extension::{TRACEPARENT, TRACESTATE};
use eventing::{Attempt, Reason, Retry, Sender, SinkBinding, retry};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use runtime::shutdown::Shutdown;
use rusqlite::{Connection, params};
use tokio::task::JoinSet;

use super::{Fault, Store, Trace};

pub(super) const SCHEMA: &str = "\
CREATE TABLE IF NOT EXISTS outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  event BLOB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due, sequence);
CREATE TABLE IF NOT EXISTS refused (
  sequence INTEGER PRIMARY KEY,
  event BLOB NOT NULL,
  reason TEXT NOT NULL
);";

/// How many are under way at one time.
const UNDER_WAY: usize = 32;
/// How long the destination has for an answer: a Broker in memory answers after all its retries.
const TIMEOUT: Duration = Duration::from_secs(600);
/// The first pause, and the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often in a row one is sent that gets no answer.
const ATTEMPTS: u32 = 8;
/// The longest that an event is put aside for.
const LONGEST_ASIDE: Duration = Duration::from_secs(60);

pub(super) fn put(
    connection: &Connection,
    sequence: i64,
    event: &[u8],
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT INTO outbox (sequence, event) VALUES (?1, ?2)")?
        .execute(params![sequence, event])?;
    Ok(())
}

/// What became of the events that left, since the program began.
#[derive(Debug, Default)]
pub struct OutboxCounts {
    accepted: AtomicU64,
    repeated: AtomicU64,
    refused: AtomicU64,
}

impl OutboxCounts {
    /// Accepted by the destination; sent again; refused for good.
    #[must_use]
    pub fn read(&self) -> (u64, u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (
            read(&self.accepted),
            read(&self.repeated),
            read(&self.refused),
        )
    }
}

/// Sends what is in a store's outbox.
#[derive(Debug)]
pub struct Outbox {
    store: Store,
    sender: Sender,
    binding: SinkBinding,
    counts: Arc<OutboxCounts>,
}

/// An event in the outbox.
#[derive(Debug)]
struct Row {
    sequence: i64,
    event: Vec<u8>,
    attempts: u32,
}

impl Outbox {
    /// An outbox of `store` for the destination of `binding`.
    #[must_use]
    pub fn new(store: Store, sender: Sender, binding: SinkBinding) -> Self {
        Self {
            store,
            sender,
            binding,
            counts: Arc::default(),
        }
    }

    /// What became of the events up to now.
    #[must_use]
    pub fn counts(&self) -> Arc<OutboxCounts> {
        Arc::clone(&self.counts)
    }

    /// Sends until the shutdown was requested and nothing is left, or the grace is over.
    ///
    /// `last_word` comes back once nothing more will be put in: then an empty outbox is the end.
    pub async fn run(self, shutdown: &Shutdown, last_word: impl Future<Output = ()>) {
        let outbox = Arc::new(self);
        tokio::select! {
            () = Arc::clone(&outbox).send_all(last_word) => {}
            () = shutdown.expired() => {
                tracing::warn!("events are left in the outbox; they are sent after the next start");
            }
        }
    }

    async fn send_all(self: Arc<Self>, last_word: impl Future<Output = ()>) {
        let mut last_word = std::pin::pin!(last_word);
        let mut closing = false;
        let mut under_way = BTreeSet::new();
        let mut sending: JoinSet<i64> = JoinSet::new();
        loop {
            let mut next_due = None;
            if under_way.len() < UNDER_WAY {
                match self.due(&under_way).await {
                    Ok((rows, next)) => {
                        next_due = next;
                        for row in rows {
                            under_way.insert(row.sequence);
                            sending.spawn(Arc::clone(&self).send(row));
                        }
                    }
                    Err(fault) => {
                        tracing::error!(%fault, "the outbox cannot be read; it is tried again");
                        next_due = Some(LONGEST_PAUSE);
                    }
                }
            }
            if closing && under_way.is_empty() && next_due.is_none() {
                return;
            }
            let due = async {
                match next_due {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(sent) = sending.join_next() => {
                    if let Ok(sequence) = sent {
                        under_way.remove(&sequence);
                    }
                    while let Some(sent) = sending.try_join_next() {
                        if let Ok(sequence) = sent {
                            under_way.remove(&sequence);
                        }
                    }
                }
                () = self.store.emitted(), if under_way.len() < UNDER_WAY => {}
                () = due => {}
                () = &mut last_word, if !closing => closing = true,
            }
        }
    }

    /// Events to send now, as many as there are places, and after what time there may be more.
    async fn due(&self, under_way: &BTreeSet<i64>) -> Result<(Vec<Row>, Option<Duration>), Fault> {
        let under_way = under_way.clone();
        self.store
            .transact(Trace::default(), move |transaction| {
                let now = transaction.now_ms();
                let mut statement = transaction.prepare_cached(
                    "SELECT sequence, event, attempts FROM outbox WHERE due <= ?1 ORDER BY due, sequence LIMIT ?2",
                )?;
                let mut rows = statement.query(params![now, (2 * UNDER_WAY) as i64])?;
                let mut due = Vec::new();
                while under_way.len() + due.len() < UNDER_WAY
                    && let Some(row) = rows.next()?
                {
                    let sequence = row.get(0)?;
                    if !under_way.contains(&sequence) {
                        due.push(Row { sequence, event: row.get(1)?, attempts: row.get(2)? });
                    }
                }
                let later = transaction.number("SELECT min(due) FROM outbox WHERE due > ?1", [now])?;
                let later = u64::try_from(later - now).ok().map(Duration::from_millis);
                Ok((due, later))
            })
            .await
    }

    /// Sends one event until it is accepted, refused or put aside; returns its number.
    async fn send(self: Arc<Self>, row: Row) -> i64 {
        let sequence = row.sequence;
        let message = match self.message(row.event) {
            Ok(message) => message,
            Err(reason) => {
                self.give_up(sequence, reason).await;
                return sequence;
            }
        };
        let mut pause = PAUSE;
        for attempts_left in (0..ATTEMPTS).rev() {
            let attempt = self
                .sender
                .send(self.binding.destination(), message.clone(), TIMEOUT)
                .await;
            match retry(&attempt) {
                Retry::Done => {
                    self.counts.accepted.fetch_add(1, Ordering::Relaxed);
                    self.settle("deleted", sequence, |sequence, transaction| {
                        transaction.change("DELETE FROM outbox WHERE sequence = ?1", [sequence])?;
                        Ok(())
                    })
                    .await;
                    return sequence;
                }
                Retry::GiveUp(_) => {
                    self.give_up(sequence, attempt.summary()).await;
                    return sequence;
                }
                Retry::Again(Reason::Failing) => {
                    self.put_aside(sequence, row.attempts, &attempt).await;
                    return sequence;
                }
                Retry::Again(
                    Reason::Away
                    | Reason::NoAnswer
                    | Reason::Busy
                    | Reason::Refused
                    | Reason::Redirected,
                ) if attempts_left == 0 => {
                    self.put_aside(sequence, row.attempts, &attempt).await;
                }
                Retry::Again(
                    Reason::Away
                    | Reason::NoAnswer
                    | Reason::Busy
                    | Reason::Refused
                    | Reason::Redirected,
                ) => {
                    self.counts.repeated.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(answer = attempt.summary(), "an event is sent again");
                    tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        sequence
    }

    fn message(&self, event: Vec<u8>) -> Result<Message, String> {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/cloudevents+json"),
        );
        let event = decode(&headers, event.into(), &Limits::default())
            .map_err(|error| error.to_string())?
            .pop();
        let mut event = event.ok_or("no event")?;
        self.binding.apply_overrides(&mut event);
        let trace: Vec<_> = [TRACEPARENT, TRACESTATE]
            .into_iter()
            .filter_map(|name| {
                let value = HeaderValue::from_str(&attribute(&event, name)?).ok()?;
                Some((name, value))
            })
            .collect();
        let mut message = into_binary(event).map_err(|error| error.to_string())?;
        message.headers.extend(
            trace
                .into_iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), value)),
        );
        Ok(message)
    }

    async fn put_aside(&self, sequence: i64, attempts: u32, attempt: &Attempt) {
        self.counts.repeated.fetch_add(1, Ordering::Relaxed);
        let aside = (PAUSE * 2_u32.saturating_pow(attempts.min(16))).min(LONGEST_ASIDE);
        tracing::warn!(
            answer = attempt.summary(),
            again_in_ms = aside.as_millis(),
            "an event is put aside for a while"
        );
        let aside = i64::try_from(aside.as_millis()).unwrap_or(i64::MAX);
        self.settle("put aside", sequence, move |sequence, transaction| {
            let due = transaction.now_ms().saturating_add(aside);
            transaction.change(
                "UPDATE outbox SET attempts = attempts + 1, due = ?2 WHERE sequence = ?1",
                params![sequence, due],
            )?;
            Ok(())
        })
        .await;
    }

    async fn give_up(&self, sequence: i64, reason: String) {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            sequence,
            reason,
            "the destination refuses an event for good; it is in the table `refused`"
        );
        self.settle("moved", sequence, move |sequence, transaction| {
            transaction.given_up(sequence, &reason)
        })
        .await;
    }

    /// Writes what became of an event. Where that fails it is sent again later, with its own id.
    async fn settle(
        &self,
        how: &str,
        sequence: i64,
        work: impl FnOnce(i64, &mut super::Transaction<'_>) -> Result<(), Fault> + Send + 'static,
    ) {
        let settled = self
            .store
            .transact(Trace::default(), move |transaction| {
                work(sequence, transaction)
            })
            .await;
        if let Err(fault) = settled {
            tracing::error!(sequence, %fault, "an event that was sent could not be {how}");
        }
    }
}
