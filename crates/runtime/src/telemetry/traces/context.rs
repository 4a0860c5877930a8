//! A span's context as text, and how it comes and goes in headers.

use std::str::FromStr;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Longer baggage is dropped: it travels with every process that the request leads to.
const LONGEST_BAGGAGE: usize = 1_024;
/// A longer trace state is dropped, as W3C Trace Context (3.3.1.5) allows: each span of the trace holds it.
const LONGEST_TRACESTATE: usize = 512;

/// The header `traceparent`.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header `tracestate`.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const B3: HeaderName = HeaderName::from_static("b3");
const B3_TRACE_ID: HeaderName = HeaderName::from_static("x-b3-traceid");
const B3_SPAN_ID: HeaderName = HeaderName::from_static("x-b3-spanid");
const B3_SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");

/// How context comes and goes, as `OTEL_PROPAGATORS` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Propagators {
    /// W3C `traceparent` and `tracestate`.
    pub trace_context: bool,
    /// W3C `baggage`.
    pub baggage: bool,
    /// Zipkin's one header, `b3`.
    pub b3: bool,
    /// Zipkin's several headers, `x-b3-*`.
    pub b3_multi: bool,
}

impl Default for Propagators {
    fn default() -> Self {
        Self {
            trace_context: true,
            ..Self::NONE
        }
    }
}

impl Propagators {
    /// Nothing comes and nothing goes.
    pub const NONE: Self = Self {
        trace_context: false,
        baggage: false,
        b3: false,
        b3_multi: false,
    };

    /// Whose child a request is; of several contexts W3C's goes first.
    #[must_use]
    pub fn context(&self, headers: &HeaderMap) -> Option<SpanContext> {
        self.w3c(headers).or_else(|| self.any_b3(headers))
    }

    /// Whose child a request is by Zipkin's headers; `None` where W3C's say it.
    #[must_use]
    pub fn context_of_b3(&self, headers: &HeaderMap) -> Option<SpanContext> {
        let context = self.any_b3(headers)?;
        self.w3c(headers).is_none().then_some(context)
    }

    fn w3c(&self, headers: &HeaderMap) -> Option<SpanContext> {
        let of = |name: &str| self.trace_context.then(|| text(headers, name)).flatten();
        let parent = of("traceparent")?;
        read_traceparent(parent, text(headers, "tracestate"))
    }

    fn any_b3(&self, headers: &HeaderMap) -> Option<SpanContext> {
        let b3 = || read_b3(self.b3.then(|| text(headers, "b3")).flatten()?);
        let b3_multi = || {
            let of = |name: &str| self.b3_multi.then(|| text(headers, name)).flatten();
            let sampled = match of("x-b3-flags") {
                Some("1") => Some("d"),
                Some(_) | None => of("x-b3-sampled"),
            };
            b3_context(of("x-b3-traceid")?, of("x-b3-spanid")?, sampled)
        };
        b3().or_else(b3_multi)
    }

    /// The baggage that a request brings, as it is written.
    #[must_use]
    pub fn baggage<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let baggage = self.baggage.then(|| text(headers, "baggage")).flatten()?;
        (baggage.len() <= LONGEST_BAGGAGE).then_some(baggage)
    }

    /// Writes a context, if there is one, into a request's headers. A W3C context that is there gives way, also where
    /// only others are written: whoever reads it first would go on from another span.
    pub fn inject(
        &self,
        context: Option<&SpanContext>,
        baggage: Option<&str>,
        headers: &mut HeaderMap,
    ) {
        if let Some(context) = context {
            self.write(context, headers);
        }
        if !self.trace_context {
            headers.remove(TRACEPARENT);
            headers.remove(TRACESTATE);
        }
        if let Some(baggage) =
            baggage.filter(|baggage| self.baggage && baggage.len() <= LONGEST_BAGGAGE)
        {
            set(headers, BAGGAGE, baggage);
        }
    }

    fn write(&self, context: &SpanContext, headers: &mut HeaderMap) {
        let sampled = if context.is_sampled() { "1" } else { "0" };
        if self.trace_context {
            set(headers, TRACEPARENT, &traceparent(context));
            match tracestate(context) {
                Some(state) => set(headers, TRACESTATE, &state),
                // What is there belongs to another context.
                None => drop(headers.remove(TRACESTATE)),
            }
        }
        if self.b3 {
            let (trace, span) = (context.trace_id(), context.span_id());
            set(headers, B3, &format!("{trace}-{span}-{sampled}"));
        }
        if self.b3_multi {
            set(headers, B3_TRACE_ID, &context.trace_id().to_string());
            set(headers, B3_SPAN_ID, &context.span_id().to_string());
            set(headers, B3_SAMPLED, sampled);
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// A context as the header `traceparent` (W3C Trace Context, 3.2).
#[must_use]
pub fn traceparent(context: &SpanContext) -> String {
    // Without the formatter, since each delivery and each command has one.
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&context.trace_id().to_bytes(), &mut text[3..35]);
    write_hex(&context.span_id().to_bytes(), &mut text[36..52]);
    text[54] |= u8::from(context.is_sampled());
    String::from_utf8(text.to_vec()).expect("digits")
}

fn write_hex(bytes: &[u8], text: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, digits) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// A context's trace state as the header `tracestate`; `None` where it is empty.
#[must_use]
pub fn tracestate(context: &SpanContext) -> Option<String> {
    Some(context.trace_state().header()).filter(|state| !state.is_empty())
}

/// Reads `traceparent`, and `tracestate` where it can be read; later versions of the former may be longer.
#[must_use]
pub fn read_traceparent(parent: &str, state: Option<&str>) -> Option<SpanContext> {
    let mut parts = parent.splitn(5, '-');
    let version = hex(parts.next()?, 2)?;
    let trace = hex(parts.next()?, 32)?;
    let span = hex(parts.next()?, 16)?;
    let flags = u8::from_str_radix(hex(parts.next()?, 2)?, 16).ok()?;
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let state = state
        .filter(|state| state.len() <= LONGEST_TRACESTATE && printable(state))
        .and_then(|state| TraceState::from_str(state).ok())
        .unwrap_or_default();
    context(
        trace,
        span,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        state,
    )
}

/// Whether a header can hold it: what a process brought back may have been written by anybody.
fn printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// `b3: TRACE-SPAN[-SAMPLED[-PARENT]]`; a lone sampling decision has no context.
fn read_b3(text: &str) -> Option<SpanContext> {
    let mut parts = text.trim().split('-');
    let (trace, span) = (parts.next()?, parts.next()?);
    b3_context(trace, span, parts.next())
}

/// Trace ids of 64 bits are padded. Without a decision the trace is recorded: whoever left it open leaves
/// it to us.
fn b3_context(trace: &str, span: &str, sampled: Option<&str>) -> Option<SpanContext> {
    let flags = match sampled {
        Some("0" | "false") => TraceFlags::default(),
        Some("1" | "d" | "true") | None => TraceFlags::SAMPLED,
        Some(_) => return None,
    };
    let trace = trace.to_ascii_lowercase();
    if !matches!(trace.len(), 16 | 32) {
        return None;
    }
    let (trace, span) = (format!("{trace:0>32}"), span.to_ascii_lowercase());
    context(
        hex(&trace, 32)?,
        hex(&span, 16)?,
        flags,
        TraceState::default(),
    )
}

fn context(trace: &str, span: &str, flags: TraceFlags, state: TraceState) -> Option<SpanContext> {
    let trace = TraceId::from_hex(trace).ok()?;
    let span = SpanId::from_hex(span).ok()?;
    let context = SpanContext::new(trace, span, flags, true, state);
    context.is_valid().then_some(context)
}

fn hex(text: &str, length: usize) -> Option<&str> {
    let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (text.len() == length && digits).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let value = HeaderValue::try_from(*value).expect("a header");
                (HeaderName::from_static(name), value)
            })
            .collect()
    }

    fn all() -> Propagators {
        Propagators {
            trace_context: true,
            baggage: true,
            b3: true,
            b3_multi: true,
        }
    }

    #[test]
    fn what_is_written_is_read_again_whatever_the_form() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let context = read_traceparent(&parent, Some("vendor=a,other=b")).expect("a context");
        let forms = [
            Propagators::default(),
            Propagators {
                b3: true,
                ..Propagators::NONE
            },
            Propagators {
                b3_multi: true,
                ..Propagators::NONE
            },
        ];
        for form in forms {
            let mut headers = HeaderMap::new();
            form.inject(Some(&context), None, &mut headers);
            let read = form.context(&headers).expect("a context");
            assert_eq!(traceparent(&read), parent, "{form:?}");
        }
        assert_eq!(tracestate(&context).as_deref(), Some("vendor=a,other=b"));
    }

    #[test]
    fn what_is_malformed_counts_as_absent() {
        for parent in [
            "",
            "00",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        ] {
            assert_eq!(read_traceparent(parent, None), None, "{parent}");
        }
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
        assert!(read_traceparent(later, Some("=")).is_some());
        for b3 in [
            "",
            "0",
            "abc-def-1",
            "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-x",
        ] {
            assert_eq!(all().context(&headers(&[("b3", b3)])), None, "{b3}");
        }
    }

    #[test]
    fn a_long_trace_state_is_dropped_and_the_parent_kept() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        // A member has 256 characters at most.
        let member = |name: &str| format!("{name}={}", "x".repeat(250));
        for (members, kept) in [(&["a", "b"][..], true), (&["a", "b", "c"], false)] {
            let state = members
                .iter()
                .map(|name| member(name))
                .collect::<Vec<_>>()
                .join(",");
            let read = read_traceparent(&parent, Some(&state)).expect("a context");
            assert_eq!(traceparent(&read), parent);
            assert_eq!(tracestate(&read), kept.then_some(state));
        }
    }

    #[test]
    fn a_trace_state_of_another_context_does_not_stay() {
        let mut headers = headers(&[("traceparent", "of another"), ("tracestate", "its=own")]);
        let parent = format!("00-{TRACE}-{SPAN}-00");
        let context = read_traceparent(&parent, None).expect("a context");
        Propagators::default().inject(Some(&context), None, &mut headers);
        assert_eq!(headers.get("traceparent").expect("one"), parent.as_str());
        assert_eq!(headers.get("tracestate"), None);
    }

    #[test]
    fn a_short_trace_id_of_b3_is_padded_and_its_decision_kept() {
        let read = all().context(&headers(&[
            ("x-b3-traceid", "8448EB211C80319C"),
            ("x-b3-spanid", SPAN),
            ("x-b3-sampled", "0"),
        ]));
        let expected = format!("00-00000000000000008448eb211c80319c-{SPAN}-00");
        assert_eq!(read.as_ref().map(traceparent), Some(expected));
        let debug = all().context(&headers(&[
            ("x-b3-traceid", TRACE),
            ("x-b3-spanid", SPAN),
            ("x-b3-flags", "1"),
        ]));
        assert!(debug.expect("a context").is_sampled());
    }

    #[test]
    fn what_was_not_asked_for_is_not_read() {
        let everything = headers(&[
            ("b3", &format!("{TRACE}-{SPAN}-1")),
            ("x-b3-traceid", TRACE),
            ("x-b3-spanid", SPAN),
            ("baggage", "user=ada"),
        ]);
        assert_eq!(Propagators::default().context(&everything), None);
        assert_eq!(Propagators::default().baggage(&everything), None);
        assert_eq!(all().baggage(&everything), Some("user=ada"));
        let long = "k=".to_owned() + &"v".repeat(LONGEST_BAGGAGE);
        assert_eq!(all().baggage(&headers(&[("baggage", &long)])), None);
    }
}
