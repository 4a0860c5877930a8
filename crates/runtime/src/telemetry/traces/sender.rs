//! The thread that sends spans.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry::metrics::Meter;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;

use super::live::Tracer;
use super::otlp::Frame;
use super::queue::Queue;
use super::span::Traces;
use crate::telemetry::collector::{self, Asked, Exporter, Flush, Rejected, StartError, Trouble};
use crate::telemetry::otel::TraceSettings;

/// What spans are sent by.
const METHOD: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Starts to trace; the collector is first connected to when there is something to send.
///
/// `service` and `version` say whose spans they are, unless the settings say otherwise.
///
/// # Errors
/// See [`StartError`].
pub fn start(
    settings: &TraceSettings,
    service: &'static str,
    version: &'static str,
    meter: &Meter,
) -> Result<(Traces, Flush), StartError> {
    let resource = Resource::builder_empty()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", version))
        .with_attributes(
            settings
                .resource
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
        )
        .build();
    let queue = Arc::new(Queue::new(settings.batches, meter));
    let (flush, asked) = collector::flush("spans");
    let waiting = Arc::clone(&queue);
    let frame = Frame::new(&resource, &InstrumentationScope::builder(service).build());
    collector::start("traces", METHOD, &settings.collector, move |exporter| {
        send(waiting, frame, exporter, asked)
    })?;
    let traces = Traces::on(Tracer {
        sampler: settings.sampler.clone(),
        propagators: settings.propagators,
        most_links: settings.most_links,
        queue,
    });
    Ok((traces, flush))
}

/// Sends what waits: when a batch is complete, after a while, and when asked. Ends with who may ask.
async fn send(queue: Arc<Queue>, frame: Frame, mut exporter: Exporter, mut asked: Asked) {
    let mut trouble = Trouble::default();
    loop {
        let mut flushed = None;
        tokio::select! {
            () = tokio::time::sleep(queue.batches.delay) => {}
            () = queue.complete.notified() => {}
            asked = asked.recv() => match asked {
                Some(asked) => flushed = Some(asked),
                None => return,
            },
        }
        for batch in queue.take() {
            let spans = batch.spans as u64;
            let request = frame.request(&batch.bytes).into();
            drop(batch);
            let sending = tokio::time::timeout(queue.batches.timeout, exporter.export(request));
            let sent = sending
                .await
                .unwrap_or_else(|_| Err(String::from("no answer in time")));
            match sent {
                Ok(Rejected { count: 0, .. }) => {
                    queue.counts.sent.add(spans);
                    if let Some(lost_since) = trouble.over() {
                        tracing::info!(lost_since, "the collector takes spans again");
                    }
                }
                Ok(Rejected { count, why }) => {
                    let rejected = count.min(spans);
                    queue.counts.sent.add(spans - rejected);
                    queue.counts.failed.add(rejected);
                    if let Some(spans) = trouble.failed(rejected, Instant::now()) {
                        tracing::warn!(
                            spans,
                            problem = why,
                            "the collector rejects some of the spans that it takes; they are lost, and nothing else is affected"
                        );
                    }
                }
                Err(problem) => {
                    queue.counts.failed.add(spans);
                    if let Some(spans) = trouble.failed(spans, Instant::now()) {
                        tracing::warn!(
                            spans,
                            problem,
                            "the collector does not take spans; they are lost, and nothing else is affected"
                        );
                    }
                }
            }
        }
        if let Some(flushed) = flushed {
            let _ = flushed.send(());
        }
    }
}
