use std::time::Duration;

use opentelemetry::trace::{SpanId, SpanKind, TraceContextExt, TraceState};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::Resource;
use prost::Message as _;

use super::*;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::otel::Batches;

fn tracer() -> Arc<Tracer> {
    let batches = Batches {
        queue: 16,
        batch: 16,
        delay: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
    };
    let metrics = Metrics::new("test", "0").expect("metrics");
    Arc::new(Tracer {
        sampler: Sampler::AlwaysOn,
        propagators: Propagators::default(),
        most_links: 3,
        queue: Arc::new(Queue::new(batches, &metrics.meter("telemetry"))),
    })
}

/// The only span that waits, as a collector reads it.
fn ended(tracer: &Tracer) -> Span {
    let frame = otlp::Frame::new(
        &Resource::builder_empty().build(),
        &InstrumentationScope::builder("test").build(),
    );
    let batches = tracer.queue.take();
    let request = frame.request(&batches[0].bytes);
    let mut read = ExportTraceServiceRequest::decode(&request[..]).expect("OTLP");
    read.resource_spans[0].scope_spans[0].spans.remove(0)
}

fn other(trace: u128, sampled: bool) -> SpanContext {
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(7),
        TraceFlags::default().with_sampled(sampled),
        true,
        TraceState::default(),
    )
}

#[test]
fn a_span_has_so_many_links_and_counts_the_others() {
    let tracer = tracer();
    let kind = SpanKind::Internal;
    let span = Live::begin(&tracer, &SpanContext::NONE, &kind, None, |_| {});
    for _ in 0..5 {
        span.link(&other(1, true));
    }
    drop(span);
    let ended = ended(&tracer);
    assert_eq!(ended.links.len(), 3);
    assert_eq!(ended.dropped_links_count, 2);
}

#[test]
fn what_is_sampled_is_what_the_sdk_samples() {
    let roots = || {
        [
            Sampler::AlwaysOn,
            Sampler::AlwaysOff,
            Sampler::TraceIdRatioBased(0.5),
        ]
    };
    let parent_based = roots().map(|root| Sampler::ParentBased(Box::new(root)));
    let traces = [1_u128, u128::MAX, u128::MAX / 3, 1 << 62, 1 << 63];
    for sampler in roots().into_iter().chain(parent_based) {
        for trace in traces {
            for parent in [None, Some(other(trace, true)), Some(other(trace, false))] {
                let (id, kind) = (TraceId::from(trace), SpanKind::Server);
                let ours = is_sampled(&sampler, parent.as_ref(), id, &kind);
                let context = parent.as_ref().map_or_else(Context::new, |parent| {
                    Context::new().with_remote_span_context(parent.clone())
                });
                let sdk = sampler.should_sample(Some(&context), id, "span", &kind, &[], &[]);
                let sdk = matches!(sdk.decision, SamplingDecision::RecordAndSample);
                assert_eq!(ours, sdk, "{sampler:?}, {trace:x}, {parent:?}");
            }
        }
    }
}
