//! The thread that sends spans.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::metrics::Meter;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::{mpsc, oneshot};

use super::exporter::Exporter;
use super::otlp::Frame;
use super::queue::{Entrance, Queue};
use super::span::Traces;
use super::trouble::Trouble;
use crate::telemetry::otel::TraceSettings;

/// Why traces cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The collector's settings; names the variable.
    #[error("{0}")]
    Collector(String),
    /// The operating system refuses a thread.
    #[error("cannot start the thread that sends spans: {0}")]
    Thread(#[source] std::io::Error),
}

/// Has what waits sent at a program's end.
#[derive(Debug)]
pub struct Flush(mpsc::Sender<oneshot::Sender<()>>);

impl Flush {
    /// Waits until all spans that have ended are sent, or given up, for at most `limit`. Whether they were
    /// is in the log and the metrics.
    pub async fn within(&self, limit: Duration) {
        let (done, sent) = oneshot::channel();
        let flushing = async {
            if self.0.send(done).await.is_ok() {
                let _ = sent.await;
            }
        };
        if tokio::time::timeout(limit, flushing).await.is_err() {
            tracing::warn!(
                limit_seconds = limit.as_secs_f32(),
                "the collector takes no spans; the last ones are lost"
            );
        }
    }
}

/// Starts to trace; the collector is first connected to when there is something to send.
///
/// `service` and `version` say whose spans they are, unless the settings say otherwise.
///
/// # Errors
/// See [`TraceError`].
pub fn start(
    settings: &TraceSettings,
    service: &'static str,
    version: &'static str,
    meter: &Meter,
) -> Result<(Traces, Flush), TraceError> {
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
    let (flushes, asked) = mpsc::channel(1);
    let (ready, started) = std::sync::mpsc::sync_channel(1);
    let thread = {
        let queue = Arc::clone(&queue);
        let scope = InstrumentationScope::builder(service).build();
        let frame = Frame::new(&resource, &scope);
        let collector = settings.collector.clone();
        move || {
            let runtime = match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(TraceError::Thread(error)));
                    return;
                }
            };
            runtime.block_on(async {
                // Made here, since what it is made of belongs to the runtime that it is made in.
                match Exporter::new(&collector) {
                    Ok(exporter) => {
                        let _ = ready.send(Ok(()));
                        send(&queue, &frame, exporter, asked).await;
                    }
                    Err(problem) => {
                        let _ = ready.send(Err(TraceError::Collector(problem)));
                    }
                }
            });
            runtime.shutdown_background();
        }
    };
    thread::Builder::new()
        .name(String::from("traces"))
        .spawn(thread)
        .map_err(TraceError::Thread)?;
    started.recv().unwrap_or_else(|_| {
        Err(TraceError::Collector(String::from(
            "the thread that sends spans has ended",
        )))
    })?;
    let provider = SdkTracerProvider::builder()
        .with_sampler(settings.sampler.clone())
        .with_resource(resource)
        .with_span_processor(Entrance(queue))
        .build();
    let traces = Traces::on(provider.tracer(service), settings.propagators);
    Ok((traces, Flush(flushes)))
}

/// Sends what waits: when a batch is complete, after a while, and when asked. Ends with who may ask.
async fn send(
    queue: &Queue,
    frame: &Frame,
    mut exporter: Exporter,
    mut flushes: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut trouble = Trouble::default();
    loop {
        let mut flushed = None;
        tokio::select! {
            () = tokio::time::sleep(queue.batches.delay) => {}
            () = queue.complete.notified() => {}
            asked = flushes.recv() => match asked {
                Some(asked) => flushed = Some(asked),
                None => return,
            },
        }
        for batch in queue.take() {
            let spans = batch.spans as u64;
            let request = frame.request(&batch.bytes).into();
            drop(batch);
            let sending = tokio::time::timeout(queue.batches.timeout, exporter.export(request));
            let problem = match sending.await {
                Ok(Ok(())) => None,
                Ok(Err(problem)) => Some(problem),
                Err(_) => Some(String::from("no answer in time")),
            };
            match problem {
                None => {
                    queue.counts.sent.add(spans);
                    if let Some(lost_since) = trouble.over() {
                        tracing::info!(lost_since, "the collector takes spans again");
                    }
                }
                Some(problem) => {
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
