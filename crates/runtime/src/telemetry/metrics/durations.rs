//! Histograms of durations whose slow buckets lead to a trace.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, Histogram, Meter};

use super::DURATION_BOUNDARIES;
use super::exemplars::{Exemplars, OfHistogram, Series};
use crate::telemetry::traces::Span;

/// A histogram in seconds, which remembers for each of its buckets the last event there that is traced. Clones share it.
#[derive(Debug, Clone)]
pub struct Durations {
    histogram: Histogram<f64>,
    exemplars: OfHistogram,
}

/// The same, with its labels.
#[derive(Debug, Clone)]
pub struct BoundDurations {
    histogram: BoundHistogram<f64>,
    exemplars: Option<Arc<Series>>,
}

impl Durations {
    pub(super) fn new(
        meter: &Meter,
        exemplars: &Exemplars,
        name: &'static str,
        description: &'static str,
    ) -> Self {
        let histogram = meter
            .f64_histogram(name)
            .with_unit("s")
            .with_description(description)
            .with_boundaries(DURATION_BOUNDARIES.to_vec())
            .build();
        Self {
            histogram,
            exemplars: exemplars.room(name),
        }
    }

    /// For labels that many events have: looking them up costs several times as much as counting.
    #[must_use]
    pub fn bind(&self, labels: &[KeyValue]) -> BoundDurations {
        BoundDurations {
            histogram: self.histogram.bind(labels),
            exemplars: self.exemplars.series(labels),
        }
    }

    /// Counts one, and remembers `span` if it is recorded.
    pub fn record(&self, took: Duration, labels: &[KeyValue], span: &Span) {
        let seconds = took.as_secs_f64();
        self.histogram.record(seconds, labels);
        self.exemplars.remember(labels, seconds, span);
    }
}

impl BoundDurations {
    /// Counts one, and remembers `span` if it is recorded.
    pub fn record(&self, took: Duration, span: &Span) {
        let seconds = took.as_secs_f64();
        self.histogram.record(seconds);
        if let Some(series) = &self.exemplars {
            series.remember(seconds, span);
        }
    }
}
