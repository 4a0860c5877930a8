//! A delivery with retries, as a Broker makes it for a Trigger.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloudevents_http::{Event, Message, set_attribute};
use http::Uri;

use super::{Attempt, Sender};
use crate::backoff::BackoffPolicy;
use crate::extension::{ERROR_CODE, ERROR_DATA, ERROR_DEST};
use crate::retry::{Retry, retry};

/// `knativeerrordata` holds at most so many characters.
const MAX_ERROR_DATA: usize = 1024;

/// How an event is delivered (`spec.delivery` of a Trigger or Broker).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySpec {
    /// Attempts after the first.
    pub retry: u32,
    /// How pauses grow.
    pub backoff_policy: BackoffPolicy,
    /// The pause that grows.
    pub backoff_delay: Duration,
    /// Of each attempt.
    pub timeout: Duration,
    /// The longest `Retry-After` that is followed; `None` ignores it, as Knative does by default.
    pub retry_after_max: Option<Duration>,
}

impl Default for DeliverySpec {
    /// What Knative's default Broker configuration says: 10 retries, exponential from 0.2 s.
    fn default() -> Self {
        Self {
            retry: 10,
            backoff_policy: BackoffPolicy::Exponential,
            backoff_delay: Duration::from_millis(200),
            timeout: Duration::from_secs(60),
            retry_after_max: None,
        }
    }
}

/// How a whole delivery went.
#[derive(Debug)]
pub enum Delivered {
    /// Accepted; the last attempt holds the answer.
    Accepted {
        /// The answer.
        attempt: Attempt,
        /// How many attempts it took.
        attempts: u32,
    },
    /// Given up, for good or because no retry was left.
    GivenUp {
        /// The last attempt.
        attempt: Attempt,
        /// How many attempts were made.
        attempts: u32,
    },
}

/// Sends a message until it is accepted or given up.
///
/// Dropping the future ends it between two attempts or within one.
pub async fn deliver(
    sender: &Sender,
    destination: &Uri,
    message: &Message,
    spec: &DeliverySpec,
) -> Delivered {
    let mut attempts = 0;
    loop {
        let attempt = sender
            .send(destination, message.clone(), spec.timeout)
            .await;
        attempts += 1;
        match retry(&attempt) {
            Retry::Done => return Delivered::Accepted { attempt, attempts },
            Retry::GiveUp(_) => return Delivered::GivenUp { attempt, attempts },
            Retry::Again(_) if attempts > spec.retry => {
                return Delivered::GivenUp { attempt, attempts };
            }
            Retry::Again(_) => tokio::time::sleep(pause(spec, &attempt, attempts - 1)).await,
        }
    }
}

fn pause(spec: &DeliverySpec, attempt: &Attempt, retries: u32) -> Duration {
    let own = spec.backoff_policy.pause(spec.backoff_delay, retries);
    let asked = match attempt {
        Attempt::Answered { retry_after, .. } => *retry_after,
        Attempt::Accepted { .. } | Attempt::NotReached { .. } => None,
    };
    match (spec.retry_after_max, asked) {
        (Some(most), Some(asked)) => own.max(asked.min(most)),
        (Some(_) | None, Some(_) | None) => own,
    }
}

/// Tells a dead letter sink why the event is there.
///
/// # Errors
/// None that an event which was sent before can cause; kept for attributes that grew too long.
pub fn mark_dead_letter(
    event: &mut Event,
    destination: &Uri,
    attempt: &Attempt,
) -> Result<(), cloudevents_http::Error> {
    set_attribute(event, ERROR_DEST, &destination.to_string())?;
    if let Attempt::Answered { status, body, .. } = attempt {
        set_attribute(event, ERROR_CODE, status.as_str())?;
        let most = MAX_ERROR_DATA / 4 * 3;
        let data = STANDARD.encode(body.get(..body.len().min(most)).unwrap_or_default());
        if !data.is_empty() {
            set_attribute(event, ERROR_DATA, &data)?;
        }
    }
    Ok(())
}
