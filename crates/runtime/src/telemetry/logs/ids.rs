//! The ids of the current span, at the end of each line.

use std::fmt;

use opentelemetry::trace::SpanContext;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::telemetry::traces::current_context;

/// A line, and the span that it was written in -> the line with the ids; `None` where it is as it is.
type Put = fn(&str, &SpanContext) -> Option<String>;

/// Lines of another format; within a span they end with its ids.
pub(super) struct WithIds<F> {
    inner: F,
    put: Put,
}

/// Lines that are JSON objects, with two more members.
pub(super) fn json<F>(inner: F) -> WithIds<F> {
    let put: Put = |line, span| {
        let object = line.trim_end().strip_suffix('}')?;
        let (trace, span) = (span.trace_id(), span.span_id());
        Some(format!(
            "{object},\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"}}\n"
        ))
    };
    WithIds { inner, put }
}

/// Lines that are text, with two more words.
pub(super) fn text<F>(inner: F) -> WithIds<F> {
    let put: Put = |line, span| {
        let line = line.trim_end();
        let (trace, span) = (span.trace_id(), span.span_id());
        Some(format!("{line} trace_id={trace} span_id={span}\n"))
    };
    WithIds { inner, put }
}

impl<S, N, F> FormatEvent<S, N> for WithIds<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(current) = current_context() else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        let own = Writer::new(&mut line);
        self.inner.format_event(context, own, event)?;
        match (self.put)(&line, &current) {
            Some(line) => writer.write_str(&line),
            None => writer.write_str(&line),
        }
    }
}
