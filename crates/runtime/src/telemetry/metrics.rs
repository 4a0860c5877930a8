//! Metrics: OpenTelemetry instruments, read as Prometheus text or as OpenMetrics.
//!
//! Names are dotted and carry their unit apart (`bridge.sink.events`, `s`, `By`); Prometheus gets
//! `bridge_sink_events_total`. Labels come from closed sets only; past 2,000 combinations of one
//! instrument the SDK counts the rest under `otel_metric_overflow`.
//!
//! What is counted for each event is bound once to its labels (`counter.bind(&[...])`, kept where
//! the labels are known): with three labels a bound counter took 11 ns where `add` took 330, a bound
//! histogram 54 where `record` took 370 (`cargo bench -p runtime --bench per_event`).
//!
//! - [`Durations`]: histograms whose buckets lead to a trace; `exemplars`: which one.
//! - [`Format`]: how they are read, and who gets which; `openmetrics`: the one that has exemplars.

mod durations;
pub(super) mod exemplars;
mod format;
mod openmetrics;

use std::fs;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider};
use prometheus::{Registry, TextEncoder};

use super::collector::{Flush, StartError};
use super::otel::MetricSettings;
use super::{process, push};
use exemplars::Exemplars;

pub use durations::{BoundDurations, Durations};
pub use format::Format;

/// Boundaries in seconds for the durations of calls and requests, from half a millisecond to the
/// ten minutes for which a delivery may take.
pub const DURATION_BOUNDARIES: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0,
    600.0,
];

/// One program's metrics. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
    exemplars: Exemplars,
}

/// Why metrics cannot be set up or read.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The exporter could not be built.
    #[error("cannot set up metrics: {0}")]
    SetUp(#[from] OTelSdkError),
    /// The text could not be written.
    #[error("cannot write metrics as text: {0}")]
    Render(#[from] prometheus::Error),
}

impl Metrics {
    /// Metrics of the program `service`, with those of its operating system process: memory, open
    /// files, CPU time, start.
    ///
    /// # Errors
    /// [`MetricsError::SetUp`].
    pub fn new(service: &'static str, version: &'static str) -> Result<Self, MetricsError> {
        Self::read_by(service, version, &[], |builder| builder)
    }

    /// As [`new`](Self::new), and pushed to a collector besides; [`Flush`] has them pushed at the program's end.
    /// Where they cannot be, they are read as text alone, and the error says why.
    ///
    /// # Errors
    /// [`MetricsError::SetUp`].
    pub fn pushed(
        service: &'static str,
        version: &'static str,
        settings: &MetricSettings,
    ) -> Result<(Self, Result<Flush, StartError>), MetricsError> {
        let reader = push::Reader::new(settings.temporality);
        let metrics = Self::read_by(service, version, &settings.resource, |builder| {
            builder.with_reader(reader.clone())
        })?;
        let pushing = push::start(settings, reader, metrics.exemplars.clone());
        Ok((metrics, pushing))
    }

    fn read_by(
        service: &'static str,
        version: &'static str,
        resource: &[(String, String)],
        readers: impl FnOnce(MeterProviderBuilder) -> MeterProviderBuilder,
    ) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let text = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            // The scope of each instrument says nothing that its name does not.
            .scope_info_enabled(false)
            .build()?;
        let resource = Resource::builder_empty()
            .with_service_name(service)
            .with_attribute(KeyValue::new("service.version", version))
            .with_attribute(KeyValue::new("service.instance.id", instance()))
            .with_attributes(
                resource
                    .iter()
                    .map(|(key, value)| KeyValue::new(key.clone(), value.clone())),
            )
            .build();
        let builder = SdkMeterProvider::builder().with_resource(resource);
        let provider = readers(builder.with_reader(text)).build();
        process::observe(&provider.meter("process"));
        Ok(Self {
            provider,
            registry,
            exemplars: Exemplars::default(),
        })
    }

    /// The meter a room makes its instruments from; `scope` is the room's name.
    #[must_use]
    pub fn meter(&self, scope: &'static str) -> Meter {
        self.provider.meter(scope)
    }

    /// A histogram of durations that leads to traces, in a room's own scope; `name` without the unit, which is seconds.
    #[must_use]
    pub fn durations(
        &self,
        scope: &'static str,
        name: &'static str,
        description: &'static str,
    ) -> Durations {
        Durations::new(&self.meter(scope), &self.exemplars, name, description)
    }

    /// All metrics now.
    ///
    /// Takes some hundred microseconds and reads `/proc`: for a scrape, not for each request.
    ///
    /// # Errors
    /// [`MetricsError::Render`].
    pub fn render(&self, format: Format) -> Result<String, MetricsError> {
        let families = self.registry.gather();
        match format {
            Format::Text => Ok(TextEncoder::new().encode_to_string(&families)?),
            Format::OpenMetrics => Ok(openmetrics::write(&families, &self.exemplars)),
        }
    }
}

/// Tells this process from others of the same service, whose pushed sums would be taken for its own: the host, which
/// in a cluster is the pod, and the process.
fn instance() -> String {
    let process = std::process::id();
    match fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(host) => format!("{}:{process}", host.trim()),
        Err(_) => process.to_string(),
    }
}
