//! Events on their way out: each stays in the store until the destination has accepted it.
//!
//! | the destination | the event |
//! |---|---|
//! | accepts it | is deleted |
//! | is away or busy | is sent again after a growing pause of 5 s at most; after eight attempts it makes room for others for as long |
//! | does not answer | is put aside for a growing while, 5 s at most, so that others go on: it may be about this event |
//! | fails at this event (500, 404 and the like) | is put aside for a growing while, a minute at most, so that others go on |
//! | refuses it for good | goes to the table `refused`, with the reason, and into the log |
//!
//! What was put aside goes before all that came later once its time is up, on half of the places at most (on the
//! only one, where there is one): neither does it wait behind a crowd of others, nor do they behind it.
//!
//! At the start, and when the program is asked to stop, nothing stays aside: each is sent at once. The program
//! killed between sending and deleting sends again, the same event with the same id. No order is kept: many are
//! under way at one time.

mod send;
mod sending;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eventing::spans::Recipient;
use eventing::{Sender, SinkBinding};
use runtime::shutdown::Shutdown;
use rusqlite::{Connection, params, params_from_iter};

use self::sending::{Sending, Under};

use super::{Fault, Store, Trace, Transaction};

pub(super) const SCHEMA: &str = "\
CREATE TABLE IF NOT EXISTS outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  event BLOB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS outbox_fresh ON outbox (sequence) WHERE attempts = 0;
CREATE INDEX IF NOT EXISTS outbox_aside ON outbox (due, sequence) WHERE attempts > 0;
CREATE TABLE IF NOT EXISTS refused (
  sequence INTEGER PRIMARY KEY,
  event BLOB NOT NULL,
  reason TEXT NOT NULL
);";

/// How many are under way at one time unless it is said otherwise.
pub const UNDER_WAY: usize = 32;
/// The longest pause before it is sent again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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
    recipient: Recipient,
    under_way: usize,
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
    /// An outbox of `store` for the destination of `binding`, with so many events `under_way` at one time.
    #[must_use]
    pub fn new(store: Store, sender: Sender, binding: SinkBinding, under_way: usize) -> Self {
        Self {
            store,
            sender,
            recipient: Recipient::of(binding.destination()),
            binding,
            under_way: under_way.max(1),
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
        let mut sending = Sending::default();
        self.nothing_aside().await;
        loop {
            let mut next_due = None;
            if sending.count() < self.under_way {
                match self.due(&sending).await {
                    Ok((rows, next)) => {
                        next_due = next;
                        for row in rows {
                            let under = Under::of(&row);
                            sending.begin(under, Arc::clone(&self).send(row));
                        }
                    }
                    Err(fault) => {
                        tracing::error!(%fault, "the outbox cannot be read; it is tried again");
                        next_due = Some(LONGEST_PAUSE);
                    }
                }
            }
            if closing && sending.count() == 0 && next_due.is_none() {
                return;
            }
            let due = async {
                match next_due {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sending.some_ended() => {}
                () = self.store.emitted(), if sending.count() < self.under_way => {}
                () = due => {}
                () = &mut last_word, if !closing => {
                    closing = true;
                    self.nothing_aside().await;
                }
            }
        }
    }

    /// Has all that is put aside sent now.
    async fn nothing_aside(&self) {
        let changed = self
            .store
            .transact(Trace::default(), |transaction| {
                transaction.change(
                    "UPDATE outbox SET due = 0 WHERE attempts > 0 AND due > 0",
                    [],
                )
            })
            .await;
        if let Err(fault) = changed {
            tracing::error!(%fault, "what is put aside in the outbox stays there for its time");
        }
    }

    /// Events to send now, as many as there are places, and after what time there may be more.
    async fn due(&self, sending: &Sending) -> Result<(Vec<Row>, Option<Duration>), Fault> {
        let places = self.under_way - sending.count();
        let again = (self.under_way / 2)
            .max(1)
            .saturating_sub(sending.count_again())
            .min(places);
        // One of so many is not being sent, if there is one.
        let at_most = i64::try_from(self.under_way).unwrap_or(i64::MAX);
        let sending = sending.sequences();
        self.store
            .transact(Trace::default(), move |transaction| {
                let now = transaction.now_ms();
                let mut due = Vec::new();
                let aside = "SELECT sequence, event, attempts FROM outbox
                     WHERE attempts > 0 AND due <= ?1 ORDER BY due, sequence LIMIT ?2";
                add(
                    &mut due,
                    again,
                    aside,
                    &[now, at_most],
                    &sending,
                    transaction,
                )?;
                let fresh = "SELECT sequence, event, attempts FROM outbox
                     WHERE attempts = 0 ORDER BY sequence LIMIT ?1";
                add(&mut due, places, fresh, &[at_most], &sending, transaction)?;
                let later = "SELECT min(due) FROM outbox WHERE attempts > 0 AND due > ?1";
                let later = transaction.number(later, [now])?;
                let later = u64::try_from(later - now).ok().map(Duration::from_millis);
                Ok((due, later))
            })
            .await
    }
}

/// Adds events that are not being sent, until there are so many.
fn add(
    rows: &mut Vec<Row>,
    up_to: usize,
    query: &str,
    values: &[i64],
    sending: &[i64],
    transaction: &Transaction<'_>,
) -> Result<(), Fault> {
    if rows.len() >= up_to {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(query)?;
    let mut found = statement.query(params_from_iter(values))?;
    while rows.len() < up_to
        && let Some(row) = found.next()?
    {
        let sequence = row.get(0)?;
        if !sending.contains(&sequence) {
            rows.push(Row {
                sequence,
                event: row.get(1)?,
                attempts: row.get(2)?,
            });
        }
    }
    Ok(())
}
