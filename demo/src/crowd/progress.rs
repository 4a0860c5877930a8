//! How far it is: a line that is drawn anew in a terminal, else one every few seconds.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::ledger::Ledger;

const WIDTH: usize = 24;

/// Shows how far it is.
#[derive(Debug)]
pub(super) struct Progress {
    ticks: Interval,
    in_place: bool,
    shown: (u64, Duration),
}

impl Default for Progress {
    fn default() -> Self {
        let in_place = std::io::stderr().is_terminal();
        let mut ticks = interval(Duration::from_secs(if in_place { 1 } else { 5 }));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            in_place,
            shown: (0, Duration::ZERO),
        }
    }
}

impl Progress {
    /// Comes back when it is time to show something.
    pub(super) async fn tick(&mut self) {
        self.ticks.tick().await;
    }

    pub(super) fn show(&mut self, arrived: u32, total: usize, ledger: &Ledger, after: Duration) {
        let over = ledger.over();
        let (seen_before, then) = self.shown;
        let seconds = after.saturating_sub(then).as_secs_f64().max(0.001);
        let rate = (ledger.seen - seen_before) as f64 / seconds;
        self.shown = (ledger.seen, after);
        let full = (over as usize * WIDTH).checked_div(total).unwrap_or(WIDTH);
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
        let line = format!(
            "[{bar}] {:4} s  {arrived} of {total} came, {over} are done  {rate:.0} events/s",
            after.as_secs()
        );
        // Whoever looked may have gone: it goes on.
        let _ = if self.in_place {
            write!(std::io::stderr(), "\r{line}\u{1b}[K")
        } else {
            writeln!(std::io::stderr(), "{line}")
        };
    }

    /// Goes on in a new line.
    pub(super) fn end(&mut self) {
        if self.in_place {
            eprintln!();
        }
    }
}
