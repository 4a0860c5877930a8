//! Pauses between attempts.
//!
//! | retry number | 0 | 1 | 2 | 3 | `n` |
//! |---|---|---|---|---|---|
//! | linear | 0 | `delay` | 2 `delay` | 3 `delay` | `n * delay` |
//! | exponential | `delay` | 2 `delay` | 4 `delay` | 8 `delay` | `2^n * delay` |

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;

/// How pauses grow (`delivery.backoffPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackoffPolicy {
    /// `delay * attempt`, counted from 0: the first retry comes at once, as in Knative's sender.
    Linear,
    /// `delay * 2^attempt`, counted from 0.
    #[default]
    Exponential,
}

/// No pause grows longer, so that a large exponent cannot park an event for days.
const LONGEST: Duration = Duration::from_secs(3600);

impl BackoffPolicy {
    /// The pause before retry number `attempt`, counted from 0: it grows to an hour at most, or stays at
    /// `delay` where that is longer.
    #[must_use]
    pub fn pause(self, delay: Duration, attempt: u32) -> Duration {
        match self {
            Self::Linear => delay.saturating_mul(attempt),
            Self::Exponential => {
                delay.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX))
            }
        }
        .min(LONGEST.max(delay))
    }
}

/// A random part of a pause, between half and all of it, so that many who failed together do not
/// come back together.
#[must_use]
pub fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// How long an answer's `Retry-After` asks to wait from `now` on, in seconds or until a date.
///
/// `None` where it is missing or neither; nothing is left to wait of a date that is past.
#[must_use]
pub fn retry_after(headers: &http::HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text)
            .ok()
            .map(|date| date.duration_since(now).unwrap_or_default()),
    }
}
