//! Spans, asserted where a collector gets them.

mod collector;
mod ends;
mod propagators;
mod sink;
mod source;
mod stopping;
mod tls;

use testkit::collector::Collector;
use testkit::collector::span::{Span, Spans};

/// The settings that send spans to a collector, soon.
pub(crate) fn traced(url: &str) -> Vec<(&str, &str)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ]
}

/// A span of somebody else, as its context is written.
pub(crate) const OTHER_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_SPAN: &str = "b7ad6b7169203331";
pub(crate) const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Attributes of a span as `name=value`, those named.
pub(crate) fn shown(span: &Span, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| format!("{name}={}", span.get(name)))
        .collect()
}

/// Waits for so many spans of a name.
pub(crate) async fn spans(collector: &Collector, name: &str, count: usize) -> Spans {
    let what = format!("{count} spans `{name}`");
    collector
        .spans_when(&what, |spans| spans.named(name).len() == count)
        .await
}
