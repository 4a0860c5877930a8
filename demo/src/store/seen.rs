//! Which events were handled: the same event, delivered again, must have no second effect.

use rusqlite::{Connection, params};

pub(super) const SCHEMA: &str = "\
CREATE TABLE IF NOT EXISTS seen (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  UNIQUE (source, id)
);";

/// Remembers an event; `false` where it was there already. The oldest beyond those `remembered` are forgotten.
pub(super) fn first_time(
    connection: &Connection,
    source: &str,
    id: &str,
    remembered: i64,
) -> Result<bool, rusqlite::Error> {
    let inserted = connection
        .prepare_cached("INSERT OR IGNORE INTO seen (source, id) VALUES (?1, ?2)")?
        .execute(params![source, id])?;
    if inserted == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached("DELETE FROM seen WHERE number <= ?1")?
        .execute([connection.last_insert_rowid().saturating_sub(remembered)])?;
    Ok(true)
}
