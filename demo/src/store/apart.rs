//! Work of one row among many that are due: where it fails, nothing of it is kept, the others go on, and it is
//! put off for a growing while, a minute at most.
//!
//! How often each failed is in the file, so that a start does not have all of them try at once for ever.

use rusqlite::params;

use super::Fault;
use super::transaction::Transaction;

pub(super) const SCHEMA: &str = "\
CREATE TABLE IF NOT EXISTS put_off (
  what TEXT PRIMARY KEY,
  times INTEGER NOT NULL
) WITHOUT ROWID;";

/// The first while, in milliseconds.
const FIRST_MS: i64 = 1_000;
/// The longest, in milliseconds.
const LONGEST_MS: i64 = 60_000;

/// What became of work that was done apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Apart {
    /// It is kept.
    Done,
    /// It failed, and nothing of it was kept: not to be tried again before this moment, in milliseconds
    /// since 1970. Whoever asked for it writes that down.
    PutOff(i64),
}

impl Transaction<'_> {
    /// Does the work of one row, which goes by `what`, on its own.
    ///
    /// # Errors
    /// The file. That the work fails is no error: see [`Apart::PutOff`].
    pub fn apart(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<Apart, Fault> {
        self.execute_batch("SAVEPOINT apart")?;
        let trace = self.trace().clone();
        let then = self.planned();
        let outcome = work(self);
        self.continue_trace(trace);
        let fault = match outcome {
            Ok(()) => {
                self.execute_batch("RELEASE apart")?;
                self.change("DELETE FROM put_off WHERE what = ?1", [what])?;
                return Ok(Apart::Done);
            }
            Err(fault) => fault,
        };
        self.execute_batch("ROLLBACK TO apart; RELEASE apart")?;
        self.forget_plans_since(then);
        let times: u32 = self
            .prepare_cached(
                "INSERT INTO put_off (what, times) VALUES (?1, 1)
                 ON CONFLICT (what) DO UPDATE SET times = times + 1 RETURNING times",
            )?
            .query_row(params![what], |row| row.get(0))?;
        let pause = LONGEST_MS.min(FIRST_MS << times.saturating_sub(1).min(16));
        tracing::error!(what, %fault, again_in_ms = pause, "what is due is put off; all else goes on");
        Ok(Apart::PutOff(self.now_ms().saturating_add(pause)))
    }
}
