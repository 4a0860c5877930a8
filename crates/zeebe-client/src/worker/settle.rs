//! When to poll because a stream was opened.

use std::time::Duration;

use tokio::time::Instant;

/// A stream brings what becomes activatable once the brokers know of it, and nothing says when that is:
/// a job of the moment before is found by a poll only, and must not wait for the next of the regular ones.
const AFTER: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// The next moment for a poll after a stream was opened at `opened`, where the last began at `polled`;
/// `None` where that was after all of them. Passed moments count as well: whoever had no time to poll,
/// being full or asleep, makes up for it.
pub(super) fn next_poll(opened: Instant, polled: Instant) -> Option<Instant> {
    AFTER
        .into_iter()
        .map(|after| opened + after)
        .find(|moment| *moment > polled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn polls_follow_an_opening_three_times() {
        let opened = Instant::now();
        let mut moments = Vec::new();
        while let Some(moment) = next_poll(opened, Instant::now()) {
            tokio::time::sleep_until(moment).await;
            moments.push(opened.elapsed().as_millis());
        }
        assert_eq!(moments, [300, 1_000, 3_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_moments_passed_without_a_poll_one_is_due_and_it_is_enough() {
        let opened = Instant::now();
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(next_poll(opened, opened).is_some_and(|moment| moment < Instant::now()));
        assert_eq!(next_poll(opened, Instant::now()), None);
    }
}
