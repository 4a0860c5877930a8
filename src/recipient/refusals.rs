//! Which of many lines alike are logged: a crowd of refusals must not fill the log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives each pause one line that is logged, and counts the others.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    passed_over: u64,
}

impl Refusals {
    /// Whether this one is logged: then how many were passed over since the last one was.
    pub fn turn(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.last.is_some_and(|last| now - last < PAUSE) {
            state.passed_over += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_a_second_is_logged_and_tells_of_the_others() {
        let refusals = Refusals::default();
        assert_eq!(refusals.turn(), Some(0));
        assert_eq!(refusals.turn(), None);
        assert_eq!(refusals.turn(), None);
        tokio::time::advance(PAUSE).await;
        assert_eq!(refusals.turn(), Some(2));
        tokio::time::advance(PAUSE).await;
        assert_eq!(refusals.turn(), Some(0));
    }
}
