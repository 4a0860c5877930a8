//! What an answer looks like.

use axum::body::Body;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

/// What a sender that comes too fast is asked to wait, in seconds.
const COME_BACK: HeaderValue = HeaderValue::from_static("1");
/// The longest body of a refusal. Knative's in-memory channel makes base64 of it in a buffer of a
/// kilobyte, and ends with a panic where it does not fit.
const LONGEST_BODY: usize = 768;

/// Accepted is an empty 202: any body in it would be taken for a reply event, and a broken one.
#[must_use]
pub fn respond(status: StatusCode, reason: Option<&str>) -> Response<Body> {
    let mut response = match reason {
        None => Response::new(Body::empty()),
        Some(reason) => {
            let body = reason_body(reason);
            let mut response = Response::new(Body::from(body));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    };
    *response.status_mut() = status;
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // As RFC 9110 (12.5.3) wants it where the encoding was at fault; true where it was not.
        response
            .headers_mut()
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if status == StatusCode::UNAUTHORIZED {
        // As RFC 9110 (15.5.2) wants it.
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, COME_BACK);
    }
    response
}

/// To whatever is no POST; the one method that is there is named, as RFC 9110 (15.5.6) wants it.
#[must_use]
pub fn wrong_method() -> Response<Body> {
    let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, Some("events come by POST"));
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

/// `{"error": REASON}`, the reason cut so that the whole is short enough for everyone on the way.
fn reason_body(reason: &str) -> String {
    let mut end = reason.len().min(LONGEST_BODY);
    loop {
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let body = serde_json::json!({ "error": &reason[..end] }).to_string();
        if body.len() <= LONGEST_BODY {
            return body;
        }
        // Escapes make text longer; what is over has to go at least.
        end -= (body.len() - LONGEST_BODY).min(end);
    }
}
