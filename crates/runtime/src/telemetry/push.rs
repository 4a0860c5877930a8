//! Metrics, pushed to a collector by OTLP beside being read as text.
//!
//! A pod that goes to zero vanishes between two scrapes, and what it counted with it. So they are pushed at an interval, and a
//! last time at the program's end.

mod exemplars;

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};
use prost::Message as _;
use tokio::sync::oneshot;

use super::collector::{self, Asked, Exporter, Flush, Rejected, StartError, Trouble};
use super::metrics::exemplars::Exemplars;
use super::otel::MetricSettings;

const METHOD: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Reads all metrics for whoever pushes them. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Reader(Arc<ManualReader>);

impl Reader {
    pub(super) fn new(temporality: Temporality) -> Self {
        Self(Arc::new(
            ManualReader::builder()
                .with_temporality(temporality)
                .build(),
        ))
    }
}

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

/// Starts to push what a reader reads.
pub(super) fn start(
    settings: &MetricSettings,
    reader: Reader,
    exemplars: Exemplars,
) -> Result<Flush, StartError> {
    let (flush, asked) = collector::flush("metrics");
    let (interval, timeout) = (settings.interval, settings.timeout);
    collector::start("metrics", METHOD, &settings.collector, move |exporter| {
        push(reader, exemplars, exporter, interval, timeout, asked)
    })?;
    Ok(flush)
}

/// Pushes at each interval, and when asked. Ends with who may ask.
async fn push(
    reader: Reader,
    exemplars: Exemplars,
    mut exporter: Exporter,
    interval: Duration,
    timeout: Duration,
    mut asked: Asked,
) {
    let mut trouble = Trouble::default();
    // Sums that are cumulative lose nothing by it but the moments between.
    let lost = if reader.temporality(InstrumentKind::Counter) == Temporality::Cumulative {
        "the collector does not take metrics; nothing else is affected"
    } else {
        "the collector does not take metrics; what was counted since the push before is lost, since it is told but once (OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE)"
    };
    loop {
        let mut flushed: Option<oneshot::Sender<()>> = None;
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            asked = asked.recv() => match asked {
                Some(asked) => flushed = Some(asked),
                None => return,
            },
        }
        let pushed =
            tokio::time::timeout(timeout, push_once(&reader, &exemplars, &mut exporter)).await;
        match pushed.unwrap_or_else(|_| Err(String::from("no answer in time"))) {
            Ok(Rejected { count: 0, .. }) => {
                if let Some(lost_since) = trouble.over() {
                    tracing::info!(lost_since, "the collector takes metrics again");
                }
            }
            Ok(Rejected { count, why }) => {
                if trouble.failed(1, Instant::now()).is_some() {
                    tracing::warn!(
                        points = count,
                        problem = why,
                        "the collector rejects some of the metrics that it takes; nothing else is affected"
                    );
                }
            }
            Err(problem) => {
                if let Some(pushes) = trouble.failed(1, Instant::now()) {
                    tracing::warn!(pushes, problem, "{lost}");
                }
            }
        }
        if let Some(flushed) = flushed {
            let _ = flushed.send(());
        }
    }
}

async fn push_once(
    reader: &Reader,
    exemplars: &Exemplars,
    exporter: &mut Exporter,
) -> Result<Rejected, String> {
    let mut metrics = ResourceMetrics::default();
    let collected = reader.collect(&mut metrics);
    collected.map_err(|error| error.to_string())?;
    let mut request = ExportMetricsServiceRequest::from(&metrics);
    exemplars::add(exemplars, &mut request);
    exporter.export(request.encode_to_vec().into()).await
}
