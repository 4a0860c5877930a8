//! Exemplars in the points of what is pushed, since the SDK hands on none.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as Measured;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, HistogramDataPoint};

use crate::telemetry::metrics::exemplars::{self, Exemplars, OfHistogram};

/// Adds to each point those that came since it begins: with counts since the push before, none that was pushed then.
pub(super) fn add(exemplars: &Exemplars, request: &mut ExportMetricsServiceRequest) {
    let scopes = request.resource_metrics.iter_mut();
    let scopes = scopes.flat_map(|of_resource| of_resource.scope_metrics.iter_mut());
    for metric in scopes.flat_map(|of_scope| of_scope.metrics.iter_mut()) {
        if let Some(Data::Histogram(histogram)) = &mut metric.data
            && let Some(of_histogram) = exemplars.of(|name| name == metric.name)
        {
            for point in &mut histogram.data_points {
                point.exemplars = of_point(point, &of_histogram);
            }
        }
    }
}

fn of_point(point: &HistogramDataPoint, of_histogram: &OfHistogram) -> Vec<Exemplar> {
    let labels: Vec<_> = point.attributes.iter().filter_map(text).collect();
    let boundaries = point.explicit_bounds.iter().copied();
    boundaries
        .chain([f64::INFINITY])
        .filter_map(|boundary| of_histogram.get(&labels, boundary))
        .map(|exemplar| written(&exemplar))
        .filter(|exemplar| exemplar.time_unix_nano >= point.start_time_unix_nano)
        .collect()
}

fn text(label: &KeyValue) -> Option<(&str, &str)> {
    let Value::StringValue(value) = label.value.as_ref()?.value.as_ref()? else {
        return None;
    };
    Some((&label.key, value))
}

fn written(exemplar: &exemplars::Exemplar) -> Exemplar {
    Exemplar {
        filtered_attributes: Vec::new(),
        time_unix_nano: nanoseconds(exemplar.at),
        span_id: exemplar.span.to_bytes().to_vec(),
        trace_id: exemplar.trace.to_bytes().to_vec(),
        value: Some(Measured::AsDouble(exemplar.value)),
    }
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
