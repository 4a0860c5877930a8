//! What one event costs in each content mode, read and written, with small and larger data.

use std::hint::black_box;

use bytes::Bytes;
use cloudevents_http::{
    Event, Limits, Message, decode, encode_batch, encode_binary, encode_structured, into_binary,
    new_event, set_attribute, set_data,
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http::HeaderValue;

/// An event as a Broker delivers it, with JSON of about `bytes` bytes.
fn event(bytes: usize) -> Event {
    let mut event = new_event(
        "7f6a1c1e-9b1c-4d7e-8a53-0a6cf8c0b9f1",
        "/tickets/shop",
        "Tickets.Requested",
    )
    .expect("valid");
    for (name, value) in [
        ("subject", "reservation-4711"),
        ("time", "2024-05-06T07:08:09.123456789Z"),
        ("correlationkey", "4711"),
        ("knativearrivaltime", "2024-05-06T07:08:09.223456789Z"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    ] {
        set_attribute(&mut event, name, value).expect(name);
    }
    let item = r#"{"seat":"A12","price":12.50,"taken":false},"#;
    let items = item.repeat(bytes / item.len());
    let data = format!("[{}]", items.trim_end_matches(','));
    set_data(&mut event, Some("application/json"), data).expect("valid");
    event
}

/// As it comes from a server: with headers that are not ours, and a body that others refer to too.
fn received(mut message: Message) -> Message {
    for (name, value) in [
        ("host", "sink.default.svc.cluster.local"),
        ("user-agent", "Go-http-client/1.1"),
        ("content-length", "200"),
        ("kn-namespace", "default"),
        ("prefer", "reply"),
        ("accept-encoding", "gzip"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    ] {
        message
            .headers
            .insert(name, HeaderValue::from_static(value));
    }
    let body = Bytes::copy_from_slice(&message.body);
    message.body = body.slice(..);
    message
}

fn codec(c: &mut Criterion) {
    let limits = Limits::default();
    for (size, bytes) in [("200B", 200), ("8KB", 8192)] {
        let event = event(bytes);
        let ten = vec![event.clone(); 10];

        let mut group = c.benchmark_group("decode");
        for (mode, events, message) in [
            ("binary", 1, encode_binary(&event)),
            ("structured", 1, encode_structured(&event)),
            ("batch of 10", 10, encode_batch(&ten)),
        ] {
            let message = received(message.expect("valid"));
            group.throughput(Throughput::Elements(events));
            group.bench_function(BenchmarkId::new(mode, size), |b| {
                b.iter(|| {
                    decode(black_box(&message.headers), message.body.clone(), &limits)
                        .expect("valid")
                });
            });
        }
        group.finish();

        let mut group = c.benchmark_group("encode");
        group.bench_function(BenchmarkId::new("binary", size), |b| {
            b.iter(|| encode_binary(black_box(&event)).expect("valid"));
        });
        group.bench_function(BenchmarkId::new("binary, data handed over", size), |b| {
            b.iter_batched(
                || event.clone(),
                |event| into_binary(event).expect("valid"),
                BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("structured", size), |b| {
            b.iter(|| encode_structured(black_box(&event)).expect("valid"));
        });
        group.throughput(Throughput::Elements(10));
        group.bench_function(BenchmarkId::new("batch of 10", size), |b| {
            b.iter(|| encode_batch(black_box(&ten)).expect("valid"));
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
