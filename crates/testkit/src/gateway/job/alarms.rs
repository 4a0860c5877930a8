//! Activations and backoffs that run out.

use std::time::Duration;

use tokio::time::Instant;

use super::{JobState, Jobs};

impl Jobs {
    /// When something is next due, if at all.
    pub(in crate::gateway) fn next_alarm(&self) -> Option<Instant> {
        self.alarms.first().map(|(when, _)| *when)
    }

    /// Ends the activations and backoffs that have run out.
    pub(in crate::gateway) fn ring(&mut self, now: Instant) {
        while let Some((when, key)) = self.alarms.first().copied()
            && when <= now
        {
            self.alarms.pop_first();
            let due = self
                .jobs
                .get_mut(&key)
                .is_some_and(|job| job.due.take_if(|due| *due == when).is_some());
            if due {
                self.moved(key, JobState::Activatable);
                self.offer(key);
            }
        }
    }

    pub(super) fn due_in(&mut self, key: i64, millis: i64) {
        let when = Instant::now() + Duration::from_millis(millis.try_into().unwrap_or_default());
        if let Some(job) = self.jobs.get_mut(&key) {
            if let Some(before) = job.due.replace(when) {
                self.alarms.remove(&(before, key));
            }
            self.alarms.insert((when, key));
        }
    }
}
