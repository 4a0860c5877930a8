//! Metrics, as a collector gets them.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};
use prost::Message;

use super::span::{hex, texts};

/// One push: what was counted.
#[derive(Debug, Clone, Default)]
pub struct Pushed {
    /// What the metrics are of.
    pub resource: BTreeMap<String, String>,
    metrics: Vec<Metric>,
}

impl Pushed {
    pub(super) fn read(request: ExportMetricsServiceRequest) -> Self {
        let mut read = Self::default();
        for of_resource in request.resource_metrics {
            let resource = of_resource.resource.unwrap_or_default();
            read.resource.extend(texts(resource.attributes));
            for of_scope in of_resource.scope_metrics {
                read.metrics.extend(of_scope.metrics);
            }
        }
        read
    }

    /// Reads the body of a request by HTTP.
    ///
    /// # Panics
    /// Where it is no OTLP.
    #[must_use]
    pub fn decode(body: &[u8]) -> Self {
        Self::read(ExportMetricsServiceRequest::decode(body).expect("OTLP"))
    }

    /// The names of all metrics.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.metrics
            .iter()
            .map(|metric| metric.name.as_str())
            .collect()
    }

    /// The trace and the span, in hexadecimal, of each exemplar of a histogram.
    #[must_use]
    pub fn exemplars(&self, name: &str) -> Vec<(String, String)> {
        let metrics = self.metrics.iter().filter(|metric| metric.name == name);
        let points = metrics.filter_map(|metric| match &metric.data {
            Some(Data::Histogram(histogram)) => Some(&histogram.data_points),
            _ => None,
        });
        points
            .flatten()
            .flat_map(|point| &point.exemplars)
            .map(|exemplar| (hex(&exemplar.trace_id), hex(&exemplar.span_id)))
            .collect()
    }

    /// The sum of all that a counter with these labels has counted; `None` where there is none such.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let points = self.metrics.iter().filter(|metric| metric.name == name);
        points
            .filter_map(|metric| match &metric.data {
                Some(Data::Sum(sum)) => Some(&sum.data_points),
                Some(Data::Gauge(gauge)) => Some(&gauge.data_points),
                _ => None,
            })
            .flatten()
            .filter(|point| {
                let has = texts(point.attributes.clone());
                labels
                    .iter()
                    .all(|(label, value)| has.get(*label).is_some_and(|has| has == value))
            })
            .map(number)
            .fold(None, |sum, number| Some(sum.unwrap_or(0.0) + number))
    }
}

#[expect(clippy::cast_precision_loss, reason = "tests count in small numbers")]
fn number(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(Value::AsInt(number)) => number as f64,
        Some(Value::AsDouble(number)) => number,
        None => 0.0,
    }
}
