//! For how long the engine knows a message, and whether that is long enough.

use std::time::Duration;

use crate::rules::document::Mistake;

/// A rule's time to live, and where it comes from.
pub(super) struct TimeToLive {
    pub(super) line: u64,
    pub(super) length: Duration,
    /// Whether the rule has one of its own; else it is `BRIDGE_TIME_TO_LIVE_SECONDS`.
    pub(super) of_the_rule: bool,
}

impl TimeToLive {
    /// What is wrong where the Triggers go on with an event for longer; `called` is the rule's name.
    pub(super) fn too_short(&self, called: &str, retry_horizon: Duration) -> Option<Mistake> {
        if self.length >= retry_horizon {
            return None;
        }
        let least = retry_horizon.as_secs() + u64::from(retry_horizon.subsec_nanos() > 0);
        let instead = if self.of_the_rule {
            format!("set its `time_to_live` to `{least}s` or more")
        } else {
            format!("set BRIDGE_TIME_TO_LIVE_SECONDS, or its `time_to_live`, to {least} s or more")
        };
        Some(Mistake::new(
            self.line,
            format!(
                "rule `{called}`: the time to live is {:?}, but Triggers redeliver for {retry_horizon:?} \
                 (BRIDGE_TRIGGER_HORIZON_SECONDS): a redelivery after the message is forgotten acts a second time; \
                 {instead}",
                self.length
            ),
        ))
    }
}
