//! Replies: an event in the answer to a delivery.
//!
//! A recipient may answer 200 with an event, which a Broker then treats as newly sent (Knative
//! Eventing data plane, "Event reply"). Any other body in a 2xx answer is taken for a broken reply by
//! Knative's filter and retried, so whoever has no reply answers 202 with an empty body.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// `Prefer: reply` asks a recipient for a reply.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The value of [`PREFER`].
pub const REPLY: HeaderValue = HeaderValue::from_static("reply");

/// Whether an accepted delivery's answer carries an event.
#[must_use]
pub fn is_reply(status: StatusCode, headers: &HeaderMap) -> bool {
    status.is_success()
        && cloudevents_http::ContentMode::of(headers).is_ok()
        && names_an_event(headers)
}

fn names_an_event(headers: &HeaderMap) -> bool {
    headers.contains_key("ce-specversion")
        || headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .trim_start()
                    .to_ascii_lowercase()
                    .starts_with("application/cloudevents")
            })
}
