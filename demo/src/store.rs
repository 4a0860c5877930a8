//! What a service must not forget: its state, the events that it has handled, and those that it still has to
//! send, in one SQLite file.
//!
//! One thread owns the file. All that wait for it at one moment are committed together, with one flush to
//! the disk, each in a savepoint of its own: what one of them gets wrong undoes nothing of the others.
//! Whoever asked is answered after the commit, so what was answered is on the disk.
//!
//! - [`Transaction`]: one piece of work; it reads and writes the service's tables, and emits events.
//! - `apart`: work of one row among many, which takes nothing along where it fails.
//! - `seen`: events are handled once.
//! - `outbox`: events leave after the commit that they come from, and only then.
//!
//! Killed at any point: before a commit nothing has happened and nobody was answered, so the event comes
//! again; after it the state, the event's identity and what it emitted are there together.

mod apart;
mod outbox;
mod seen;
mod transaction;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{Notify, mpsc, oneshot};

pub use apart::Apart;
pub use outbox::{Outbox, OutboxCounts, UNDER_WAY};
pub use transaction::{Trace, Transaction};

/// How many identities of events are remembered unless it is said otherwise: far more than a Broker can still
/// redeliver.
pub const REMEMBERED: u64 = 1_000_000;
/// How many may wait for the thread; beyond that those who ask wait for a place.
const WAITING: usize = 1024;
/// How many are committed together at most.
const TOGETHER: usize = 256;

/// Why a piece of work was not done. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The event is not what it should be, and will not be when it comes again.
    #[error("{0}")]
    Refused(String),
    /// The file could not be read or written; it may work later.
    #[error("the store: {0}")]
    Store(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}

/// A store that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the store {file}: {cause}", file = file.display())]
pub struct OpenError {
    file: PathBuf,
    cause: rusqlite::Error,
}

/// A handle on the thread that owns the file; cheap to clone. The thread ends with the last of them.
#[derive(Debug, Clone)]
pub struct Store {
    work: mpsc::Sender<Work>,
    signals: Arc<Signals>,
}

/// What others are told after a commit.
#[derive(Debug, Default)]
struct Signals {
    /// Something was put into the outbox.
    emitted: Notify,
    /// Something may have become due earlier than was thought.
    due: Notify,
}

/// A piece of work: done inside the common transaction, then told whether that was committed.
type Work = Box<dyn FnOnce(&mut rusqlite::Transaction<'_>, &mut Identities) -> Told + Send>;
type Told = Box<dyn FnOnce(Result<(), Fault>) + Send>;

/// Where the identities of outgoing events come from, and how many of incoming ones are kept.
#[derive(Debug)]
struct Identities {
    remembered: i64,
    source: String,
    /// Random, made with the file: ids of another file, which would begin anew, differ.
    epoch: String,
    /// The last one given. It never goes back, also where the work that took it is undone.
    sequence: i64,
}

impl Store {
    /// Opens or makes the file, with the tables of `schema` (statements that may be run again), and starts
    /// its thread. `source` is the `source` attribute of all that is emitted; so many identities of incoming
    /// events are `remembered` ([`REMEMBERED`] unless there is a reason).
    ///
    /// # Errors
    /// The file cannot be opened, is no database, or another program has it open.
    pub fn open(
        file: &Path,
        schema: &str,
        source: &str,
        remembered: u64,
    ) -> Result<Self, OpenError> {
        let failed = |cause| OpenError {
            file: file.to_owned(),
            cause,
        };
        let (connection, mut identities) = prepare(file, schema, source).map_err(failed)?;
        identities.remembered = i64::try_from(remembered).unwrap_or(i64::MAX);
        let signals = Arc::new(Signals::default());
        let (work, queue) = mpsc::channel(WAITING);
        std::thread::spawn(move || run(connection, identities, queue));
        Ok(Self { work, signals })
    }

    /// Does a piece of work and returns after its commit.
    ///
    /// Dropping the future does not undo it: it may still be done.
    ///
    /// # Errors
    /// What the work returns, or that it could not be committed; then nothing of it was kept.
    pub async fn transact<T: Send + 'static>(
        &self,
        trace: Trace,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let signals = Arc::clone(&self.signals);
        let work: Work = Box::new(move |outer, identities| {
            let done = inside(outer, identities, trace, work);
            Box::new(move |committed| {
                let result = match (committed, done) {
                    (Err(fault), _) | (Ok(()), Err(fault)) => Err(fault),
                    (Ok(()), Ok((value, afterwards))) => {
                        if afterwards.emitted {
                            signals.emitted.notify_one();
                        }
                        if afterwards.due {
                            signals.due.notify_one();
                        }
                        for then in afterwards.then {
                            then();
                        }
                        Ok(value)
                    }
                };
                // Whoever asked may have gone.
                let _ = answer.send(result);
            })
        });
        let gone = || Fault::Store("it could not begin, or its thread has ended".to_owned());
        self.work.send(work).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Comes back once the store is lost: its thread has ended though it is still needed. No more can be done
    /// then, and the program should end, to be started again.
    pub(crate) async fn lost(&self) {
        self.work.closed().await;
    }

    /// Comes back once something may be due earlier than was thought.
    pub(crate) async fn due_changed(&self) {
        self.signals.due.notified().await;
    }

    /// Comes back once something was put into the outbox.
    async fn emitted(&self) {
        self.signals.emitted.notified().await;
    }
}

/// Does one piece of work in a savepoint, which is undone where it fails.
fn inside<T>(
    outer: &mut rusqlite::Transaction<'_>,
    identities: &mut Identities,
    trace: Trace,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Fault>,
) -> Result<(T, transaction::Afterwards), Fault> {
    let savepoint = outer.savepoint()?;
    let mut transaction = Transaction::new(&savepoint, identities, trace);
    let value = work(&mut transaction)?;
    let afterwards = transaction.into_afterwards();
    savepoint.commit()?;
    Ok((value, afterwards))
}

fn prepare(
    file: &Path,
    schema: &str,
    source: &str,
) -> Result<(Connection, Identities), rusqlite::Error> {
    let connection = Connection::open(file)?;
    // FULL: what was answered survives the machine's end, not only the program's. EXCLUSIVE: two programs
    // on one file would each think that they own it. MEMORY: what undoes a single statement would otherwise go to a
    // temporary file, and a container whose root file system is read-only has no place for one.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON;",
    )?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS store (epoch TEXT NOT NULL);
         INSERT INTO store SELECT lower(hex(randomblob(6))) WHERE NOT EXISTS (SELECT 1 FROM store);",
    )?;
    connection.execute_batch(seen::SCHEMA)?;
    connection.execute_batch(outbox::SCHEMA)?;
    connection.execute_batch(apart::SCHEMA)?;
    connection.execute_batch(schema)?;
    let identities = Identities {
        remembered: 0,
        source: source.to_owned(),
        epoch: connection.query_row("SELECT epoch FROM store", [], |row| row.get(0))?,
        // The highest number ever given, also of rows that are gone.
        sequence: connection.query_row(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)",
            [],
            |row| row.get(0),
        )?,
    };
    Ok((connection, identities))
}

fn run(mut connection: Connection, mut identities: Identities, mut queue: mpsc::Receiver<Work>) {
    while let Some(first) = queue.blocking_recv() {
        let mut told = Vec::new();
        let committed = together(
            &mut connection,
            &mut identities,
            first,
            &mut queue,
            &mut told,
        );
        for tell in told {
            tell(committed.clone());
        }
    }
}

/// Does all that waits in one transaction, and commits it.
fn together(
    connection: &mut Connection,
    identities: &mut Identities,
    first: Work,
    queue: &mut mpsc::Receiver<Work>,
    told: &mut Vec<Told>,
) -> Result<(), Fault> {
    // Where it cannot begin the work is dropped, which tells whoever asked that it was not done.
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut work = Some(first);
    while let Some(next) = work {
        told.push(next(&mut transaction, identities));
        if transaction.is_autocommit() {
            // A full disk and the like make SQLite undo everything by itself. Further work would be
            // committed one by one, unasked.
            return Err(Fault::Store(
                "the file refused a change, and all that was to be committed with it".to_owned(),
            ));
        }
        work = if told.len() < TOGETHER {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    transaction.commit().map_err(Fault::from)
}
