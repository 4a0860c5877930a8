//! Traces of a service, by OpenTelemetry's standard variables, as the bridge reads them.

use std::time::Duration;

use runtime::telemetry::collector::Flush;
use runtime::telemetry::metrics::Metrics;
use runtime::telemetry::otel::OtelSettings;
use runtime::telemetry::traces::{self, Traces};

/// Spans of one service, and what has the last of them sent.
#[derive(Debug, Default)]
pub struct Traced {
    traces: Traces,
    flush: Option<Flush>,
}

impl Traced {
    /// Begins to trace, where the variables name a collector. What cannot be used is logged, and the service
    /// works without.
    #[must_use]
    pub fn start(
        service: &'static str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let settings = OtelSettings::from_variables(variables);
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        let Some(settings) = settings.traces else {
            return Self::default();
        };
        let version = env!("CARGO_PKG_VERSION");
        let started = Metrics::new(service, version)
            .map_err(|error| error.to_string())
            .and_then(|metrics| {
                traces::start(&settings, service, version, &metrics.meter("telemetry"))
                    .map_err(|error| error.to_string())
            });
        match started {
            Ok((traces, flush)) => Self {
                traces,
                flush: Some(flush),
            },
            Err(error) => {
                tracing::warn!(error, "traces are off");
                Self::default()
            }
        }
    }

    /// What spans are made with.
    #[must_use]
    pub fn traces(&self) -> Traces {
        self.traces.clone()
    }

    /// Waits until the last spans are sent, for at most `limit`.
    pub async fn finish(self, limit: Duration) {
        if let Some(flush) = self.flush {
            flush.within(limit).await;
        }
    }
}
