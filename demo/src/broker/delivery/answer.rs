//! TABLE: which of the answers that accept a Broker's filter takes for accepting.
//!
//! | answer | taken for |
//! |---|---|
//! | 2xx, empty body | accepted |
//! | 2xx with an event | accepted; the event is a reply and goes to the Broker (202 too, against the letter of the specification: Knative does so) |
//! | 2xx with any other body | 502 |
//! | any other | itself |

use cloudevents_http::Limits;
use eventing::Attempt;
use eventing::reply::is_reply;
use http::StatusCode;

use super::Reply;
use crate::broker::arrival;

/// What an attempt comes to.
#[derive(Debug)]
pub(super) enum Judged<T> {
    Accepted(T),
    /// To be judged further by its status.
    Refused(Attempt),
}

/// Whether a subscriber has accepted, and its reply.
pub(super) fn of_subscriber(attempt: Attempt, limits: &Limits) -> Judged<Option<Box<Reply>>> {
    let (status, headers, body) = match attempt {
        Attempt::Accepted {
            status,
            headers,
            body,
        } => (status, headers, body),
        refused @ (Attempt::Answered { .. } | Attempt::NotReached { .. }) => {
            return Judged::Refused(refused);
        }
    };
    let bad = |reason: String| {
        Judged::Refused(Attempt::Answered {
            status: StatusCode::BAD_GATEWAY,
            retry_after: None,
            body: reason.into(),
        })
    };
    if !is_reply(status, &headers) {
        return if body.is_empty() {
            Judged::Accepted(None)
        } else {
            bad(format!(
                "the answer {status} has a body that is no event: \
                 it must be empty or an event"
            ))
        };
    }
    let bytes = body.len();
    match arrival::read(&headers, body, limits) {
        Ok(event) => Judged::Accepted(Some(Box::new(Reply {
            event,
            headers,
            bytes,
        }))),
        Err(error) => bad(format!("the answer {status} is no valid event: {error}")),
    }
}

/// Whether the status accepts, whatever comes with it.
pub(super) fn of_any(attempt: Attempt) -> Judged<()> {
    match attempt {
        Attempt::Accepted { .. } => Judged::Accepted(()),
        refused @ (Attempt::Answered { .. } | Attempt::NotReached { .. }) => {
            Judged::Refused(refused)
        }
    }
}
