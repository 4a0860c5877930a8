//! The ids of the current span, at the end of each line.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Lines of another format that are JSON objects, with two more members.
pub(super) struct Json<F>(pub(super) F);

/// Lines of another format that are text, with two more words.
pub(super) struct Text<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for Json<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        within(&self.0, context, writer, event, |line, span| {
            let object = line.trim_end().strip_suffix('}')?;
            let (trace, span) = (span.trace_id(), span.span_id());
            Some(format!(
                "{object},\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"}}\n"
            ))
        })
    }
}

impl<S, N, F> FormatEvent<S, N> for Text<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        within(&self.0, context, writer, event, |line, span| {
            let line = line.trim_end();
            let (trace, span) = (span.trace_id(), span.span_id());
            Some(format!("{line} trace_id={trace} span_id={span}\n"))
        })
    }
}

/// Formats as `inner` does; within a span the line is then what `with` makes of it.
fn within<S, N, F>(
    inner: &F,
    context: &FmtContext<'_, S, N>,
    mut writer: Writer<'_>,
    event: &Event<'_>,
    with: impl FnOnce(&str, &SpanContext) -> Option<String>,
) -> fmt::Result
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    let current = Context::map_current(|current| {
        current
            .has_active_span()
            .then(|| current.span().span_context().clone())
    });
    let Some(current) = current.filter(SpanContext::is_valid) else {
        return inner.format_event(context, writer, event);
    };
    let mut line = String::new();
    let own = Writer::new(&mut line);
    inner.format_event(context, own, event)?;
    match with(&line, &current) {
        Some(line) => writer.write_str(&line),
        None => writer.write_str(&line),
    }
}
