//! Replies: an event in the answer to a delivery.
//!
//! A recipient may answer 200 with an event, which a Broker then treats as newly sent (Knative
//! Eventing data plane, "Event reply"). Any other body in a 2xx answer is taken for a broken reply by
//! Knative's filter and retried, so whoever has no reply answers 202 with an empty body.

use cloudevents_http::ContentMode;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// `Prefer: reply` asks a recipient for a reply.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The value of [`PREFER`].
pub const REPLY: HeaderValue = HeaderValue::from_static("reply");

/// Whether an answer carries a reply.
///
/// | answer | a reply |
/// |---|---|
/// | 2xx with `ce-specversion`, or `application/cloudevents+json` | yes: with 202 too, against the letter of the specification, as Knative's filter has it |
/// | 2xx with a batch | no: a reply is one event |
/// | 2xx with another event format or charset than JSON in UTF-8 | no |
/// | 2xx with anything else, or nothing | no |
/// | any other status | no |
#[must_use]
pub fn is_reply(status: StatusCode, headers: &HeaderMap) -> bool {
    status.is_success()
        && match ContentMode::of(headers) {
            Ok(ContentMode::Structured) => true,
            Ok(ContentMode::Binary) => headers.contains_key("ce-specversion"),
            Ok(ContentMode::Batched) | Err(_) => false,
        }
}
