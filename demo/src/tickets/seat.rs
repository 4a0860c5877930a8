//! Seats: each is free, or one reservation's.

use rusqlite::params;

use crate::store::{Fault, Transaction};

/// Seats in a row of the hall.
const IN_A_ROW: u32 = 40;

/// Makes it `stock` seats: adds what is missing, takes away free ones that are too many. Those that are taken
/// go when they are given back.
pub(super) fn lay_out(transaction: &Transaction<'_>, stock: u32) -> Result<(), Fault> {
    transaction.change(
        "INSERT OR IGNORE INTO seats (number)
         WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < ?1)
         SELECT number FROM n WHERE ?1 > 0",
        [stock],
    )?;
    transaction.change("DELETE FROM hall", [])?;
    transaction.change("INSERT INTO hall (stock) VALUES (?1)", [stock])?;
    take_away(transaction)
}

fn take_away(transaction: &Transaction<'_>) -> Result<(), Fault> {
    transaction.change(
        "DELETE FROM seats WHERE number > (SELECT stock FROM hall) AND reservation IS NULL",
        [],
    )?;
    Ok(())
}

/// Takes the first free seats for a reservation and names them; `None`, and none is taken, where there are
/// too few.
pub(super) fn take(
    transaction: &Transaction<'_>,
    reservation: &str,
    count: u32,
) -> Result<Option<Vec<String>>, Fault> {
    let mut free = transaction.prepare_cached(
        "SELECT number FROM seats WHERE reservation IS NULL ORDER BY number LIMIT ?1",
    )?;
    let free: Vec<u32> = free
        .query_map([count], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if free.len() < count as usize {
        return Ok(None);
    }
    for seat in &free {
        transaction.change(
            "UPDATE seats SET reservation = ?2 WHERE number = ?1",
            params![seat, reservation],
        )?;
    }
    Ok(Some(free.into_iter().map(name).collect()))
}

/// The names of a reservation's seats.
pub(super) fn of(transaction: &Transaction<'_>, reservation: &str) -> Result<Vec<String>, Fault> {
    let mut seats = transaction
        .prepare_cached("SELECT number FROM seats WHERE reservation = ?1 ORDER BY number")?;
    let seats: Vec<u32> = seats
        .query_map([reservation], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(seats.into_iter().map(name).collect())
}

/// Gives a reservation's seats back.
pub(super) fn free(transaction: &Transaction<'_>, reservation: &str) -> Result<(), Fault> {
    transaction.change(
        "UPDATE seats SET reservation = NULL WHERE reservation = ?1",
        [reservation],
    )?;
    take_away(transaction)
}

/// `A1` to `A40`, `B1` and so on; after `Z` comes `AA`.
fn name(number: u32) -> String {
    let (mut row, seat) = ((number - 1) / IN_A_ROW, (number - 1) % IN_A_ROW + 1);
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + (row % 26) as u8));
        if row < 26 {
            break;
        }
        row = row / 26 - 1;
    }
    let row: String = letters.into_iter().rev().collect();
    format!("{row}{seat}")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn seats_are_named_by_row_and_place() {
        for (number, seat) in [
            (1, "A1"),
            (40, "A40"),
            (41, "B1"),
            (1_040, "Z40"),
            (1_041, "AA1"),
            (20_000, "SF40"),
        ] {
            assert_eq!(name(number), seat);
        }
    }
}
