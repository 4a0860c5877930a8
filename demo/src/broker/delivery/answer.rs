//! TABLE: which of the answers that accept a Broker's filter takes for accepting.
//!
//! | answer | taken for |
//! |---|---|
//! | 2xx, empty body | accepted |
//! | 2xx with an event | accepted; the event is a reply and goes to the Broker (202 too, against the letter of the specification: Knative does so) |
//! | 2xx with an event that breaks a rule | accepted; the Broker refuses the reply with 400 |
//! | 2xx with any other body, or one that breaks off | 502 |
//! | any other | itself |

use cloudevents_http::{Limits, Problem};
use eventing::Attempt;
use eventing::reply::is_reply;
use http::StatusCode;

use super::Reply;
use crate::broker::arrival::{self, Unread};

/// What an attempt comes to.
#[derive(Debug)]
pub(super) enum Judged<T> {
    Accepted(T),
    /// To be judged further by its status.
    Refused(Attempt),
}

/// Whether a subscriber has accepted, and its reply.
pub(super) fn of_subscriber(attempt: Attempt, limits: &Limits) -> Judged<Option<Box<Reply>>> {
    let (status, headers, body, whole) = match attempt {
        Attempt::Accepted {
            status,
            headers,
            body,
            whole,
        } => (status, headers, body, whole),
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
    if !whole {
        return bad(format!(
            "the answer {status} is longer than an event may be, takes too long, or breaks off"
        ));
    }
    let bytes = body.len();
    let event = match arrival::read(&headers, body, limits) {
        Ok(event) => Ok(event),
        Err(Unread::Bad(error)) if is_event(error.problem()) => Err(error.to_string()),
        Err(error @ (Unread::Bad(_) | Unread::Batch)) => {
            return bad(format!("the answer {status} is no event: {error}"));
        }
    };
    Judged::Accepted(Some(Box::new(Reply {
        event,
        headers,
        bytes,
    })))
}

/// Whether what is wrong with an event leaves it an event to the filter, which reads it but does
/// not validate it.
fn is_event(problem: &Problem) -> bool {
    match problem {
        Problem::Missing { .. }
        | Problem::Empty { .. }
        | Problem::Duplicate { .. }
        | Problem::Name { .. }
        | Problem::Reserved { .. }
        | Problem::Value { .. } => true,
        Problem::Version { .. }
        | Problem::Json { .. }
        | Problem::Format { .. }
        | Problem::Charset { .. }
        | Problem::TooManyAttributes { .. }
        | Problem::AttributeTooLong { .. }
        | Problem::DataTooLarge { .. }
        | Problem::TooManyEvents { .. } => false,
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
