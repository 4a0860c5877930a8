//! A delivery with retries, as a Broker makes it for a Trigger.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloudevents_http::{Event, Message, set_attribute};
use http::{StatusCode, Uri};

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

impl DeliverySpec {
    /// The pause between an attempt and retry number `retry`, counted from 0.
    ///
    /// That is the backoff; or `Retry-After` of a 429 or 503 where that is longer, up to
    /// `retry_after_max`.
    #[must_use]
    pub fn pause(&self, attempt: &Attempt, retry: u32) -> Duration {
        let own = self.backoff_policy.pause(self.backoff_delay, retry);
        let asked = match attempt {
            Attempt::Answered {
                status: StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE,
                retry_after,
                ..
            } => *retry_after,
            Attempt::Answered { .. } | Attempt::Accepted { .. } | Attempt::NotReached { .. } => {
                None
            }
        };
        match (self.retry_after_max, asked) {
            (Some(most), Some(asked)) => own.max(asked.min(most)),
            (Some(_) | None, Some(_) | None) => own,
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
            Retry::Again(_) => tokio::time::sleep(spec.pause(&attempt, attempts - 1)).await,
        }
    }
}

/// Tells a dead letter sink why the event is there, and no longer why it was in another one before.
///
/// | attribute | answered | no answer |
/// |---|---|---|
/// | `knativeerrordest` | the destination | the destination |
/// | `knativeerrorcode` | the status | 500 |
/// | `knativeerrordata` | the body in base64, 1,024 characters at most; none for an empty body | `dispatch error: ` and why, in the same way |
///
/// # Errors
/// A destination that no attribute can hold; one that was sent to before can.
pub fn mark_dead_letter(
    event: &mut Event,
    destination: &Uri,
    attempt: &Attempt,
) -> Result<(), cloudevents_http::Error> {
    let (status, said) = match attempt {
        Attempt::Accepted { status, body, .. } | Attempt::Answered { status, body, .. } => {
            (*status, body.clone())
        }
        Attempt::NotReached { detail, .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Bytes::from(format!("dispatch error: {detail}")),
        ),
    };
    set_attribute(event, ERROR_DEST, &destination.to_string())?;
    // A number, which only structured mode shows, as from Knative.
    event.set_extension(ERROR_CODE, i64::from(status.as_u16()));
    if said.is_empty() {
        event.remove_extension(ERROR_DATA);
        return Ok(());
    }
    let data = STANDARD.encode(said.get(..MAX_ERROR_DATA / 4 * 3).unwrap_or(&said));
    set_attribute(event, ERROR_DATA, &data)
}
