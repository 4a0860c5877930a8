//! A row of `variables` each.

mod metrics;
mod rows;
mod unread;

use std::time::Duration;

use opentelemetry_sdk::trace::Sampler;

use super::{Batches, CertificateFile, OtelSettings, Protocol, TraceSettings};

fn read(variables: &[(&str, &str)]) -> OtelSettings {
    OtelSettings::from_variables(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

/// With this variable before the others, and nothing wrong.
fn well(first: (&str, &str), variables: &[(&str, &str)]) -> OtelSettings {
    let all: Vec<_> = [first]
        .into_iter()
        .chain(variables.iter().copied())
        .collect();
    let settings = read(&all);
    assert_eq!(settings.warnings, Vec::<String>::new(), "{variables:?}");
    settings
}

/// With an endpoint, and nothing wrong.
fn traces(variables: &[(&str, &str)]) -> TraceSettings {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
    well(endpoint, variables).traces.expect("traces")
}

fn certificate(variable: &str, path: &str) -> Option<CertificateFile> {
    Some(CertificateFile {
        variable: variable.to_owned(),
        path: path.into(),
    })
}

/// With an endpoint and one thing wrong, which the warning names.
fn warned(name: &str, value: &str) -> OtelSettings {
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        (name, value),
    ]);
    assert_eq!(settings.warnings.len(), 1, "{:?}", settings.warnings);
    assert!(
        settings.warnings[0].contains(name),
        "{}",
        settings.warnings[0]
    );
    settings
}

#[test]
fn without_an_endpoint_tracing_is_off() {
    let settings = read(&[("OTEL_SERVICE_NAME", "bridge"), ("PATH", "/bin")]);
    assert!(settings.traces.is_none());
    assert!(settings.warnings.is_empty());
}

#[test]
fn disabled_and_none_turn_it_off() {
    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
    for off in [
        ("OTEL_SDK_DISABLED", "TRUE"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let settings = read(&[ENDPOINT, off]);
        assert!(settings.traces.is_none(), "{off:?}");
        assert!(settings.warnings.is_empty(), "{off:?}");
    }
    traces(&[("OTEL_SDK_DISABLED", "false")]);
    traces(&[("OTEL_TRACES_EXPORTER", "otlp")]);
    assert!(warned("OTEL_TRACES_EXPORTER", "zipkin").traces.is_none());
}

#[test]
fn an_endpoint_decides_where_and_how() {
    let of = |variables: &[(&str, &str)]| {
        let settings = read(variables);
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
        let collector = settings.traces.expect("traces").collector;
        (collector.endpoint, collector.protocol)
    };
    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const OWN: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    let grpc = |endpoint: &str| (endpoint.to_owned(), Protocol::Grpc);
    let http = |endpoint: &str| (endpoint.to_owned(), Protocol::HttpProtobuf);
    assert_eq!(of(&[(ALL, "http://c:4317")]), grpc("http://c:4317"));
    assert_eq!(
        of(&[(ALL, "http://c:4318/")]),
        http("http://c:4318/v1/traces")
    );
    assert_eq!(of(&[(OWN, "http://c:4318/in")]), http("http://c:4318/in"));
    assert_eq!(
        of(&[(ALL, "http://all:1"), (OWN, "http://own:1")]),
        grpc("http://own:1")
    );
    assert_eq!(of(&[(ALL, "c:4317")]), grpc("https://c:4317"));
    let insecure = [(ALL, "c:4317"), ("OTEL_EXPORTER_OTLP_INSECURE", "true")];
    assert_eq!(of(&insecure), grpc("http://c:4317"));
    let insecure = [
        (ALL, "c:4317"),
        ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true"),
    ];
    assert_eq!(of(&insecure), grpc("http://c:4317"));
    for name in [ALL, OWN] {
        for bad in ["http://", "ftp://c:1", "http://c d", "http://u:secret@c:1"] {
            let settings = read(&[(name, bad)]);
            assert!(settings.traces.is_none(), "{bad}");
            assert!(
                settings.warnings[0].starts_with(name) && !settings.warnings[0].contains("secret"),
                "{:?}",
                settings.warnings
            );
        }
    }
}

#[test]
fn a_protocol_that_is_named_goes_before_the_port() {
    for name in [
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    ] {
        let settings = traces(&[(name, "http/protobuf")]);
        assert_eq!(settings.collector.protocol, Protocol::HttpProtobuf);
        assert_eq!(
            settings.collector.endpoint,
            "http://collector:4317/v1/traces"
        );
        assert_eq!(traces(&[(name, "grpc")]).collector.protocol, Protocol::Grpc);
        warned(name, "http/json");
    }
}

#[test]
fn headers_are_decoded_and_a_bad_one_shows_no_value() {
    for name in [
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    ] {
        let headers = traces(&[(name, "x-key=se%20cret, x-team = shop")])
            .collector
            .headers;
        let expected = [("x-key", "se cret"), ("x-team", "shop")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(headers, expected);
        for bad in [
            "hunter2",
            "=hunter2",
            "bad key=hunter2",
            "x=hunter2%0a",
            "x=hunter2%ff",
        ] {
            let settings = warned(name, bad);
            assert!(
                !settings.warnings[0].contains("hunter2"),
                "{:?}",
                settings.warnings
            );
            assert!(
                settings
                    .traces
                    .expect("traces")
                    .collector
                    .headers
                    .is_empty()
            );
        }
    }
}

#[test]
fn what_is_for_traces_alone_goes_before_what_is_for_all() {
    let collector = traces(&[
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/all.pem"),
        ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/own.pem"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
    ])
    .collector;
    assert_eq!(collector.timeout, Duration::from_millis(2500));
    assert_eq!(
        collector.ca_certificate,
        certificate("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/own.pem")
    );
    assert!(collector.gzip);
    let collector = traces(&[
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "7"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/all.pem"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ])
    .collector;
    assert_eq!(collector.timeout, Duration::from_millis(7));
    assert_eq!(
        collector.ca_certificate,
        certificate("OTEL_EXPORTER_OTLP_CERTIFICATE", "/all.pem")
    );
    assert!(collector.gzip);
    warned("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd");
    warned("OTEL_EXPORTER_OTLP_TIMEOUT", "10s");
}

#[test]
fn the_service_is_named_by_its_own_variable_first() {
    let named = traces(&[
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other,team=ticket%20shop",
        ),
        ("OTEL_SERVICE_NAME", "bridge"),
    ]);
    let expected = [("team", "ticket shop"), ("service.name", "bridge")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(named.resource, expected);
    warned("OTEL_RESOURCE_ATTRIBUTES", "team");
}

#[test]
fn samplers_are_those_of_the_standard() {
    let of = |name: &str| format!("{:?}", traces(&[("OTEL_TRACES_SAMPLER", name)]).sampler);
    let parent_based = |root: Sampler| format!("{:?}", Sampler::ParentBased(Box::new(root)));
    assert_eq!(
        format!("{:?}", traces(&[]).sampler),
        parent_based(Sampler::AlwaysOn)
    );
    assert_eq!(of("always_on"), "AlwaysOn");
    assert_eq!(of("always_off"), "AlwaysOff");
    assert_eq!(
        of("parentbased_always_off"),
        parent_based(Sampler::AlwaysOff)
    );
    assert_eq!(
        of("traceidratio"),
        format!("{:?}", Sampler::TraceIdRatioBased(1.0))
    );
    let share = traces(&[
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
    ]);
    assert_eq!(
        format!("{:?}", share.sampler),
        parent_based(Sampler::TraceIdRatioBased(0.25))
    );
    warned("OTEL_TRACES_SAMPLER", "xray");
    let bad = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "25%"),
    ]);
    assert!(
        bad.warnings[0].starts_with("OTEL_TRACES_SAMPLER_ARG"),
        "{:?}",
        bad.warnings
    );
}

#[test]
fn propagators_are_added_up() {
    let all = traces(&[("OTEL_PROPAGATORS", "tracecontext, baggage,b3,b3multi")]).propagators;
    assert!(all.trace_context && all.baggage && all.b3 && all.b3_multi);
    let standard = traces(&[]).propagators;
    assert!(standard.trace_context && !standard.baggage && !standard.b3 && !standard.b3_multi);
    let none = traces(&[("OTEL_PROPAGATORS", "none")]).propagators;
    assert!(!none.trace_context);
    for off in [("PATH", "/bin"), ("OTEL_SDK_DISABLED", "true")] {
        let untraced = well(off, &[("OTEL_PROPAGATORS", "b3")]);
        assert!(untraced.traces.is_none());
        assert!(untraced.propagators.b3 && !untraced.propagators.trace_context);
    }
    warned("OTEL_PROPAGATORS", "tracecontext,jaeger");
}

#[test]
fn batches_are_as_told_and_never_above_the_queue() {
    assert_eq!(traces(&[]).batches, Batches::default());
    let batches = traces(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "500"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1000"),
    ])
    .batches;
    let expected = Batches {
        delay: Duration::from_millis(20),
        queue: 100,
        batch: 100,
        timeout: Duration::from_secs(1),
    };
    assert_eq!(batches, expected);
    for name in [
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        "OTEL_BSP_EXPORT_TIMEOUT",
    ] {
        assert_eq!(
            warned(name, "0").traces.expect("traces").batches,
            Batches::default()
        );
    }
}
