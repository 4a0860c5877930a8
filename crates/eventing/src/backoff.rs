//! Pauses between attempts.

use std::time::Duration;

/// How pauses grow (`delivery.backoffPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackoffPolicy {
    /// `delay * attempt`, counted from 0: the first retry comes at once, as in Knative's sender.
    Linear,
    /// `delay * 2^attempt`, counted from 0.
    #[default]
    Exponential,
}

/// The longest pause, so that a large exponent cannot park an event for days.
const LONGEST: Duration = Duration::from_secs(3600);

impl BackoffPolicy {
    /// The pause before retry number `attempt`, counted from 0.
    #[must_use]
    pub fn pause(self, delay: Duration, attempt: u32) -> Duration {
        match self {
            Self::Linear => delay.saturating_mul(attempt),
            Self::Exponential => {
                delay.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX))
            }
        }
        .min(LONGEST)
    }
}

/// A random part of a pause, between half and all of it, so that many who failed together do not
/// come back together.
#[must_use]
pub fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// How long an answer's `Retry-After` asks to wait, if it says so in seconds.
#[must_use]
pub fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}
