//! What a request asks for: from its path, headers and body.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use runtime::body::ReadError;
use runtime::telemetry::traces::{Origin, Span, SpanKind, Traces, read_traceparent};
use serde::de::DeserializeOwned;

use super::acts::Act;
use super::identity;
use crate::service::{JsonError, from_json, status_of};
use crate::store::Trace;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Join,
    Request,
    Checkout,
    Leave,
    Again,
}

/// Why it cannot be done, and the status that says so.
pub(super) type Unread = (StatusCode, String);

/// What is asked for.
pub(super) fn act(verb: Verb, body: Result<Bytes, ReadError>) -> Result<Act, Unread> {
    let body = body.map_err(|error| (status_of(&error), error.to_string()))?;
    match verb {
        Verb::Join => Ok(Act::Join(read(&body)?)),
        Verb::Request => {
            let asked = read(&body)?;
            let reservation = identity::random(24).map_err(no_random_bits)?;
            let reservation = format!("r-{reservation}");
            Ok(Act::Request { asked, reservation })
        }
        Verb::Checkout => Ok(Act::Checkout(read(&body)?)),
        Verb::Leave => Ok(Act::Leave),
        Verb::Again => Ok(Act::Again),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unread> {
    from_json(body).map_err(|error| match error {
        JsonError::Syntax(reason) => {
            let reason = format!("the body is not JSON: {reason}");
            (StatusCode::BAD_REQUEST, reason)
        }
        JsonError::Shape(reason) => (StatusCode::UNPROCESSABLE_ENTITY, reason),
    })
}

/// The span of what a customer did: all that comes of it is below.
pub(super) fn click(traces: &Traces, verb: Verb, headers: &HeaderMap) -> Span {
    let name = match verb {
        Verb::Join => "customer joins the line",
        Verb::Request => "customer asks for tickets",
        Verb::Checkout => "customer pays",
        Verb::Leave => "customer leaves",
        Verb::Again => "customer begins again",
    };
    traces.start(
        SpanKind::Server,
        |propagators| Origin {
            parent: propagators.context(headers),
            ..Origin::default()
        },
        |fields| {
            fields.name(&[name]);
            fields.text("http.request.method", "POST");
        },
    )
}

/// The trace of a request: that of its span; without one that which it brings, or a new one where it has none that can be gone on with.
pub(super) fn trace(span: &Span, headers: &HeaderMap) -> Result<Trace, Unread> {
    if let Some(trace) = Trace::of_span(span) {
        return Ok(trace);
    }
    let is_one = |parent: &str| read_traceparent(parent, None).is_some();
    let sent =
        Trace::of_headers(headers).filter(|trace| trace.traceparent.as_deref().is_some_and(is_one));
    match sent {
        Some(trace) => Ok(trace),
        None => {
            let random = |digits| identity::random(digits).map_err(no_random_bits);
            Ok(Trace {
                traceparent: Some(format!("00-{}-{}-01", random(32)?, random(16)?)),
                tracestate: None,
            })
        }
    }
}

pub(super) fn no_random_bits(error: getrandom::Error) -> Unread {
    tracing::error!(%error, "the operating system has no random bits");
    let reason = "no random bits are to be had";
    (StatusCode::INTERNAL_SERVER_ERROR, reason.to_owned())
}
