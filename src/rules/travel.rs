//! What travels with a process: from the event that came in to the events that go out.

use cloudevents::Event;
use cloudevents::event::ExtensionValue;

use super::json;

/// The process variable that carries it, a JSON object `{"traceparent", "tracestate", "baggage",
/// "hops"}`.
///
/// It is the bridge's own: data that brings a variable of this name has it replaced, and the source
/// role leaves it out of every event.
pub const TRAVEL_VARIABLE: &str = "bridgeContext";

/// The extension attribute that counts how often an event's ancestors went through an engine.
pub const HOPS_ATTRIBUTE: &str = "bridgehops";

/// A trace state longer than this may be dropped (W3C Trace Context, 3.3.1.5).
const TRACESTATE_LIMIT: usize = 512;

/// The trace context that a request brought beside its event.
///
/// Where it brought none, the event's own attributes `traceparent` and `tracestate` are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Travel<'a> {
    /// The HTTP header `traceparent`; what is not well-formed counts as absent.
    pub traceparent: Option<&'a str>,
    /// The HTTP header `tracestate`; it means nothing without the other.
    pub tracestate: Option<&'a str>,
    /// W3C baggage, where the bridge is told to carry it.
    pub baggage: Option<&'a str>,
}

/// Writes the member `"bridgeContext":{...}`.
pub(super) fn write(out: &mut String, event: &Event, travel: &Travel<'_>) {
    json::string(out, TRAVEL_VARIABLE);
    out.push_str(":{");
    let from_request = travel
        .traceparent
        .filter(|parent| is_traceparent(parent))
        .map(|parent| (parent, travel.tracestate));
    let trace = from_request.or_else(|| {
        text(event, "traceparent")
            .filter(|parent| is_traceparent(parent))
            .map(|parent| (parent, text(event, "tracestate")))
    });
    if let Some((parent, state)) = trace {
        out.push_str("\"traceparent\":");
        json::string(out, parent);
        if let Some(state) =
            state.filter(|state| !state.is_empty() && state.len() <= TRACESTATE_LIMIT)
        {
            out.push_str(",\"tracestate\":");
            json::string(out, state);
        }
        out.push(',');
    }
    if let Some(baggage) = travel.baggage {
        out.push_str("\"baggage\":");
        json::string(out, baggage);
        out.push(',');
    }
    out.push_str("\"hops\":");
    out.push_str(&hops(event).to_string());
    out.push('}');
}

/// The hops that an event brings: 0 where it says none, as high as can be where it says too many.
fn hops(event: &Event) -> u32 {
    match event.extension(HOPS_ATTRIBUTE) {
        Some(ExtensionValue::Integer(hops)) => {
            u32::try_from(*hops).unwrap_or(if *hops < 0 { 0 } else { u32::MAX })
        }
        Some(ExtensionValue::String(digits))
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            digits.parse().unwrap_or(u32::MAX)
        }
        Some(ExtensionValue::String(_) | ExtensionValue::Boolean(_)) | None => 0,
    }
}

fn text<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    match event.extension(name) {
        Some(ExtensionValue::String(text)) => Some(text),
        Some(ExtensionValue::Boolean(_) | ExtensionValue::Integer(_)) | None => None,
    }
}

/// Whether it is well-formed by W3C Trace Context (section 3.2); later versions may be longer.
fn is_traceparent(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut hex = |length: usize| {
        parts.next().filter(|part| {
            part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let (Some(version), Some(trace), Some(parent), Some(_flags)) =
        (hex(2), hex(32), hex(16), hex(2))
    else {
        return false;
    };
    let zero = |part: &str| part.bytes().all(|b| b == b'0');
    version != "ff"
        && !zero(trace)
        && !zero(parent)
        && (version != "00" || parts.next().is_none())
        && text.len() <= TRACESTATE_LIMIT
}
