//! What every event pays this crate: a counter, a histogram, a reservation, reading a body, a span.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use http_body_util::Full;
use opentelemetry::KeyValue;
use runtime::body::{BodyRate, Paced, read_body};
use runtime::budget::Budget;
use runtime::telemetry::metrics::{DURATION_BOUNDARIES, Metrics};
use runtime::telemetry::otel::OtelSettings;
use runtime::telemetry::traces::{self, Origin, SpanKind, Traces};

fn metrics(criterion: &mut Criterion) {
    let metrics = Metrics::new("bench", "0").expect("metrics");
    let meter = metrics.meter("bench");
    let labels = || {
        [
            KeyValue::new("role", "sink"),
            KeyValue::new("event_type", "Tickets.Requested"),
            KeyValue::new("outcome", "done"),
        ]
    };
    let counter = meter.u64_counter("bench.events").build();
    let bound_counter = counter.bind(&labels());
    let histogram = meter
        .f64_histogram("bench.duration")
        .with_boundaries(DURATION_BOUNDARIES.to_vec())
        .build();
    let bound_histogram = histogram.bind(&labels());
    criterion.bench_function("counter, 3 labels", |b| {
        b.iter(|| counter.add(1, black_box(&labels())));
    });
    criterion.bench_function("counter, bound", |b| {
        b.iter(|| bound_counter.add(black_box(1)));
    });
    criterion.bench_function("histogram, 3 labels", |b| {
        b.iter(|| histogram.record(0.004, black_box(&labels())));
    });
    criterion.bench_function("histogram, bound", |b| {
        b.iter(|| bound_histogram.record(black_box(0.004)));
    });
    criterion.bench_function("metrics as text", |b| {
        b.iter(|| metrics.render().expect("text").len());
    });
}

fn bodies(criterion: &mut Criterion) {
    let budget = Budget::new(32 * 1024 * 1024, Duration::from_secs(1));
    let event = Bytes::from(vec![b'x'; 200]);
    criterion.bench_function("reservation", |b| {
        b.iter(|| budget.try_reserve(black_box(200)).map(drop));
    });
    criterion.bench_function("read a body of one piece", |b| {
        b.iter(|| {
            let body = Paced::new(Full::new(event.clone()), BodyRate::default());
            read_body(body, 1024 * 1024, &budget)
                .now_or_never()
                .expect("a body that is there")
                .map(drop)
        });
    });
}

/// A span with four attributes, to its end. While tracing is on nobody takes them, so most are dropped from the
/// queue: what the thread that sends them costs is not in it.
fn spans(criterion: &mut Criterion) {
    let metrics = Metrics::new("bench", "0").expect("metrics");
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let variables = [endpoint].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = OtelSettings::from_variables(variables);
    let settings = settings.traces.expect("traces");
    let (on, _flush) =
        traces::start(&settings, "bench", "0", &metrics.meter("telemetry")).expect("a thread");
    for (name, traces) in [("span, off", Traces::off()), ("span, on", on)] {
        criterion.bench_function(name, |b| {
            b.iter(|| {
                black_box(&traces).start(
                    SpanKind::Consumer,
                    |_| Origin::default(),
                    |fields| {
                        fields.name(&["receive ", "Tickets.Requested"]);
                        fields.text("messaging.system", "knative");
                        fields.text("cloudevents.id", "event-1");
                        fields.text("cloudevents.source", "/sale/website");
                        fields.number("http.response.status_code", 202);
                    },
                )
            });
        });
    }
}

criterion_group!(per_event, metrics, bodies, spans);
criterion_main!(per_event);
