//! What travels with a process: from the event that came in to the events that go out.

use cloudevents::Event;
use cloudevents::event::ExtensionValue;
use runtime::telemetry::traces::read_traceparent;

use super::json;

/// The process variable that carries it, a JSON object `{"traceparent", "tracestate", "baggage",
/// "hops"}`.
///
/// It is the bridge's own: data that brings a variable of this name has it replaced, and the source
/// role leaves it out of every event.
pub const TRAVEL_VARIABLE: &str = "bridgeContext";

/// The extension attribute that counts how often an event's ancestors went through an engine.
pub const HOPS_ATTRIBUTE: &str = "bridgehops";

/// A longer trace state may be dropped (W3C Trace Context, 3.3.1.5); nor is a longer parent kept.
const LONGEST: usize = 512;

/// The trace context that a request brought beside its event.
///
/// Where it brought none, the event's own attributes `traceparent` and `tracestate` are taken, unless it stands alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Travel<'a> {
    /// The HTTP header `traceparent`; what is not well-formed counts as absent.
    pub traceparent: Option<&'a str>,
    /// The HTTP header `tracestate`; it means nothing without the other.
    pub tracestate: Option<&'a str>,
    /// W3C baggage, where the bridge is told to carry it.
    pub baggage: Option<&'a str>,
    /// Whether the event's own attributes do not count.
    pub alone: bool,
}

impl<'a> Travel<'a> {
    /// The trace that an event belongs to, if any.
    pub(crate) fn trace_id(&self, event: &'a Event) -> Option<&'a str> {
        let (parent, _) = self.context(event)?;
        parent.get(3..35)
    }

    /// Trace parent and state: the request's, else the event's own.
    fn context(&self, event: &'a Event) -> Option<(&'a str, Option<&'a str>)> {
        let from_request = self
            .traceparent
            .filter(|parent| is_traceparent(parent))
            .map(|parent| (parent, self.tracestate));
        from_request.or_else(|| {
            text(event, "traceparent")
                .filter(|parent| !self.alone && is_traceparent(parent))
                .map(|parent| (parent, text(event, "tracestate")))
        })
    }
}

/// Writes the member `"bridgeContext":{...}`.
pub(super) fn write<'a>(out: &mut String, event: &'a Event, travel: &Travel<'a>) {
    json::string(out, TRAVEL_VARIABLE);
    out.push_str(":{");
    if let Some((parent, state)) = travel.context(event) {
        out.push_str("\"traceparent\":");
        json::string(out, parent);
        if let Some(state) = state.filter(|state| !state.is_empty() && state.len() <= LONGEST) {
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

/// Whether it is one that can be gone on with. Later versions may be longer than ours, and are kept as they are.
fn is_traceparent(text: &str) -> bool {
    text.len() <= LONGEST && read_traceparent(text, None).is_some()
}
