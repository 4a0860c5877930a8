//! TABLE: what an answer means, as Knative's filter and channel take it.
//!
//! | answer | meaning |
//! |---|---|
//! | 2xx, empty body | accepted |
//! | 2xx with an event | accepted; the event is a reply and goes to the Broker (202 too, against the letter of the specification: Knative does so) |
//! | 2xx with any other body | 502: again |
//! | 404, 408, 409, 429, 5xx | again |
//! | no answer, no answer in time | 500: again |
//! | any other | given up at once |

use std::time::Duration;

use bytes::Bytes;
use cloudevents_http::{ContentMode, Limits};
use http::{HeaderMap, StatusCode, header};

use super::Reply;
use super::attempt::{NoResponse, Response};
use crate::broker::arrival;

/// How much of a refusal is kept, in bytes: as much as a dead letter sink is told.
const TOLD: usize = 768;

#[derive(Debug)]
pub(super) enum Answer {
    Accepted(Option<Box<Reply>>),
    Refused {
        code: StatusCode,
        body: Bytes,
        retry_after: Option<Duration>,
    },
}

/// What comes after an answer.
#[derive(Debug)]
pub(super) enum Next {
    Done(Option<Box<Reply>>),
    Again { retry_after: Option<Duration> },
    GiveUp { code: u16, body: Bytes },
}

pub(super) fn of_subscriber(response: Result<Response, NoResponse>, limits: &Limits) -> Answer {
    let response = match of_any(response) {
        Ok(response) => response,
        Err(refused) => return refused,
    };
    let bad = |reason: String| Answer::Refused {
        code: StatusCode::BAD_GATEWAY,
        body: Bytes::from(reason),
        retry_after: None,
    };
    let Response {
        headers,
        body,
        reservation,
        status: _,
    } = response;
    if !announces_event(&headers) {
        return if body.is_empty() {
            Answer::Accepted(None)
        } else {
            bad("the answer has a body that is no event: it must be empty or an event".to_owned())
        };
    }
    match arrival::read(&headers, body, limits) {
        Ok(event) => Answer::Accepted(Some(Box::new(Reply {
            event,
            headers,
            reservation,
        }))),
        Err(error) => bad(format!("the answer is no valid event: {error}")),
    }
}

pub(super) fn of_dead_letter_sink(response: Result<Response, NoResponse>) -> Answer {
    match of_any(response) {
        Ok(_) => Answer::Accepted(None),
        Err(refused) => refused,
    }
}

/// The response, if its status accepts.
fn of_any(response: Result<Response, NoResponse>) -> Result<Response, Answer> {
    match response {
        Ok(response) if response.status.is_success() => Ok(response),
        Ok(response) => Err(Answer::Refused {
            code: response.status,
            retry_after: retry_after(response.status, &response.headers),
            // A copy, so that the rest and what pays for it can go.
            body: Bytes::copy_from_slice(response.body.get(..TOLD).unwrap_or(&response.body)),
        }),
        Err(error) => Err(Answer::Refused {
            code: StatusCode::INTERNAL_SERVER_ERROR,
            body: Bytes::from(format!("dispatch error: {error}")),
            retry_after: None,
        }),
    }
}

fn announces_event(headers: &HeaderMap) -> bool {
    headers.contains_key("ce-specversion")
        || !matches!(ContentMode::of(headers), Ok(ContentMode::Binary))
}

fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        return None;
    }
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    (at.to_utc() - chrono::Utc::now()).to_std().ok()
}

impl Answer {
    pub(super) fn next(self, tries_left: bool) -> Next {
        match self {
            Self::Accepted(reply) => Next::Done(reply),
            Self::Refused {
                code, retry_after, ..
            } if tries_left && is_retried(code) => Next::Again { retry_after },
            Self::Refused { code, body, .. } => Next::GiveUp {
                code: code.as_u16(),
                body,
            },
        }
    }
}

fn is_retried(code: StatusCode) -> bool {
    code.as_u16() >= 500 || matches!(code.as_u16(), 404 | 408 | 409 | 429)
}
