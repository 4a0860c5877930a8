//! What the log is told of a collector that takes nothing, or takes it by turns.

use std::time::{Duration, Instant};

/// Between two lines that say that something is lost.
const QUIET: Duration = Duration::from_secs(60);

/// Keeps a collector that is away, or comes and goes, from filling the log.
#[derive(Debug, Default)]
pub(in crate::telemetry) struct Trouble {
    logged: Option<Instant>,
    /// The last line said that something is lost.
    told: bool,
    lost: u64,
}

impl Trouble {
    /// So many spans, or pushes of metrics, were lost now. Those that the log is to be told of, if it is: all since it
    /// was last.
    pub(in crate::telemetry) fn failed(&mut self, lost: u64, now: Instant) -> Option<u64> {
        self.lost += lost;
        if self.logged.is_some_and(|logged| now - logged < QUIET) {
            return None;
        }
        self.logged = Some(now);
        self.told = true;
        Some(std::mem::take(&mut self.lost))
    }

    /// Some were taken. How many were lost since the log was told of the trouble, if it was.
    pub(in crate::telemetry) fn over(&mut self) -> Option<u64> {
        std::mem::take(&mut self.told).then(|| std::mem::take(&mut self.lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_is_away_is_complained_of_once_a_minute() {
        let mut trouble = Trouble::default();
        let began = Instant::now();
        assert_eq!(trouble.over(), None);
        assert_eq!(trouble.failed(4, began), Some(4));
        assert_eq!(trouble.failed(5, began + QUIET / 2), None);
        assert_eq!(trouble.failed(1, began + QUIET), Some(6));
        assert_eq!(trouble.failed(2, began + QUIET), None);
        assert_eq!(trouble.over(), Some(2));
        assert_eq!(trouble.over(), None);
    }

    #[test]
    fn one_that_takes_every_other_batch_is_not_complained_of_more_often() {
        let mut trouble = Trouble::default();
        let began = Instant::now();
        let mut lines = 0;
        for second in 0..120 {
            let now = began + Duration::from_secs(second);
            lines += usize::from(trouble.failed(1, now).is_some());
            lines += usize::from(trouble.over().is_some());
        }
        assert_eq!(lines, 4);
    }
}
