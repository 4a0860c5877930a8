//! From variables to settings, gathering what cannot be used.

use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::trace::Sampler;

use super::endpoint::{Protocol, resolve};
use super::reader::{Reader, Signal};
use super::text::pairs;
use super::{Batches, CertificateFile, Collector, MetricSettings, TraceSettings};
use crate::telemetry::traces::Propagators;

/// Of all traces those that are recorded, for samplers that decide so.
const SHARE: &str = "OTEL_TRACES_SAMPLER_ARG";

/// How traces leave; `None` where they do not.
pub(super) fn traces(reader: &mut Reader, propagators: Propagators) -> Option<TraceSettings> {
    if reader.is_disabled() {
        return None;
    }
    match reader.get("OTEL_TRACES_EXPORTER") {
        None | Some("otlp") => {}
        Some("none") => return None,
        Some(other) => {
            let problem = format!("there is no exporter `{other}`; traces are off");
            reader.warn("OTEL_TRACES_EXPORTER", &problem);
            return None;
        }
    }
    if reader.of(Signal::Traces, "ENDPOINT").is_none() {
        reader.idle_without_traces();
        return None;
    }
    let collector = collector(reader, Signal::Traces)?;
    let links = reader.number("OTEL_SPAN_LINK_COUNT_LIMIT", 128, 0);
    Some(TraceSettings {
        collector,
        sampler: sampler(reader),
        propagators,
        batches: batches(reader),
        most_links: u32::try_from(links).unwrap_or(u32::MAX),
        resource: resource(reader),
    })
}

/// How metrics are pushed; `None` where they are not.
pub(super) fn metrics(reader: &mut Reader) -> Option<MetricSettings> {
    const EXPORTER: &str = "OTEL_METRICS_EXPORTER";
    if reader.is_disabled() {
        return None;
    }
    let mut pushed = reader.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").is_some();
    if let Some(exporters) = reader.get(EXPORTER).map(str::to_owned) {
        pushed = false;
        for exporter in exporters.split(',').map(str::trim) {
            match exporter {
                "otlp" => pushed = true,
                // It is there whatever else is.
                "prometheus" | "none" => {}
                other => {
                    let problem = format!("there is no exporter `{other}`; it is passed over");
                    reader.warn(EXPORTER, &problem);
                }
            }
        }
        if pushed && reader.of(Signal::Metrics, "ENDPOINT").is_none() {
            reader.warn(
                EXPORTER,
                "no endpoint says where the collector is; metrics are not pushed",
            );
        }
    }
    if !pushed {
        if reader.get(EXPORTER).is_none() {
            reader.idle_without_metrics();
        }
        return None;
    }
    let collector = collector(reader, Signal::Metrics)?;
    let interval = reader.number("OTEL_METRIC_EXPORT_INTERVAL", 60_000, 1);
    let timeout = reader.number("OTEL_METRIC_EXPORT_TIMEOUT", 30_000, 1);
    Some(MetricSettings {
        collector,
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(timeout),
        temporality: temporality(reader),
        resource: resource(reader),
    })
}

fn temporality(reader: &mut Reader) -> Temporality {
    const NAME: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    let Some(text) = reader.get(NAME).map(str::to_lowercase) else {
        return Temporality::Cumulative;
    };
    match text.as_str() {
        "cumulative" => Temporality::Cumulative,
        "delta" => Temporality::Delta,
        "lowmemory" => Temporality::LowMemory,
        other => {
            let problem = format!("`{other}` is not known; `cumulative` stands in for it");
            reader.warn(NAME, &problem);
            Temporality::Cumulative
        }
    }
}

fn collector(reader: &mut Reader, signal: Signal) -> Option<Collector> {
    let (name, written) = reader.of(signal, "ENDPOINT")?;
    let path = (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| signal.path());
    let protocol = protocol(reader, signal);
    let insecure = reader
        .of(signal, "INSECURE")
        .is_some_and(|(_, value)| Reader::is_true(&value));
    let (endpoint, protocol) = match resolve(&written, protocol, path, insecure) {
        Ok(resolved) => resolved,
        Err(problem) => {
            reader.warn(&name, &format!("{problem}; {}", signal.off()));
            return None;
        }
    };
    let timeout = match reader.of(signal, "TIMEOUT") {
        Some((name, _)) => reader.number(&name, 10_000, 1),
        None => 10_000,
    };
    Some(Collector {
        endpoint,
        protocol,
        headers: headers(reader, signal),
        timeout: Duration::from_millis(timeout),
        ca_certificate: reader
            .of(signal, "CERTIFICATE")
            .map(|(variable, path)| CertificateFile {
                variable,
                path: path.into(),
            }),
        gzip: gzip(reader, signal),
    })
}

fn protocol(reader: &mut Reader, signal: Signal) -> Option<Protocol> {
    let (name, value) = reader.of(signal, "PROTOCOL")?;
    match value.as_str() {
        "grpc" => Some(Protocol::Grpc),
        "http/protobuf" => Some(Protocol::HttpProtobuf),
        other => {
            let problem = format!("`{other}` is not spoken here; use `grpc` or `http/protobuf`");
            reader.warn(&name, &problem);
            None
        }
    }
}

fn headers(reader: &mut Reader, signal: Signal) -> Vec<(String, String)> {
    let Some((name, text)) = reader.of(signal, "HEADERS") else {
        return Vec::new();
    };
    let read = pairs(&text).and_then(|pairs| {
        let bad = pairs.iter().find(|(key, value)| {
            http::HeaderName::try_from(key).is_err() || http::HeaderValue::try_from(value).is_err()
        });
        match bad {
            Some((key, _)) => Err(format!("`{key}` and its value make no header")),
            None => Ok(pairs),
        }
    });
    read.unwrap_or_else(|problem| {
        reader.warn(&name, &format!("{problem}; none of its headers is sent"));
        Vec::new()
    })
}

fn gzip(reader: &mut Reader, signal: Signal) -> bool {
    match reader.of(signal, "COMPRESSION") {
        None => false,
        Some((_, value)) if value == "none" => false,
        Some((_, value)) if value == "gzip" => true,
        Some((name, value)) => {
            let problem = format!("`{value}` is not known here; bodies are not compressed");
            reader.warn(&name, &problem);
            false
        }
    }
}

fn sampler(reader: &mut Reader) -> Sampler {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    let written = reader
        .get(NAME)
        .unwrap_or("parentbased_always_on")
        .to_owned();
    let (parent_based, root) = match written.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, written.as_str()),
    };
    let root = match root {
        "always_on" | "always_off" => {
            if reader.get(SHARE).is_some() {
                let problem = format!("set and ignored: `{written}` has no share");
                reader.warn(SHARE, &problem);
            }
            if root == "always_on" {
                Sampler::AlwaysOn
            } else {
                Sampler::AlwaysOff
            }
        }
        "traceidratio" => Sampler::TraceIdRatioBased(share(reader)),
        _ => {
            let problem =
                format!("`{written}` is not known here; `parentbased_always_on` stands in for it");
            reader.warn(NAME, &problem);
            return Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
        }
    };
    if parent_based {
        Sampler::ParentBased(Box::new(root))
    } else {
        root
    }
}

fn share(reader: &mut Reader) -> f64 {
    let Some(text) = reader.get(SHARE) else {
        return 1.0;
    };
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => share,
        Ok(_) | Err(_) => {
            let problem = format!("`{text}` is not a share from 0 to 1; 1 stands in for it");
            reader.warn(SHARE, &problem);
            1.0
        }
    }
}

/// How context comes and goes. The standard has it so whether or not anything is recorded.
pub(super) fn propagators(reader: &mut Reader) -> Propagators {
    const NAME: &str = "OTEL_PROPAGATORS";
    let Some(text) = reader.get(NAME).map(str::to_owned) else {
        return Propagators::default();
    };
    let mut propagators = Propagators::NONE;
    for name in text.split(',').map(str::trim) {
        match name {
            "tracecontext" => propagators.trace_context = true,
            "baggage" => propagators.baggage = true,
            "b3" => propagators.b3 = true,
            "b3multi" => propagators.b3_multi = true,
            "none" | "" => {}
            other => {
                let problem = format!(
                    "`{other}` is not known here; `tracecontext`, `baggage`, `b3`, `b3multi` and `none` are"
                );
                reader.warn(NAME, &problem);
            }
        }
    }
    propagators
}

fn batches(reader: &mut Reader) -> Batches {
    let standard = Batches::default();
    let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let delay = reader.number("OTEL_BSP_SCHEDULE_DELAY", milliseconds(standard.delay), 1);
    let timeout = reader.number("OTEL_BSP_EXPORT_TIMEOUT", milliseconds(standard.timeout), 1);
    let queue = reader.size("OTEL_BSP_MAX_QUEUE_SIZE", standard.queue);
    let batch = reader.size("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", standard.batch);
    Batches {
        delay: Duration::from_millis(delay),
        queue,
        batch: batch.min(queue),
        timeout: Duration::from_millis(timeout),
    }
}

fn resource(reader: &mut Reader) -> Vec<(String, String)> {
    const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut attributes = match reader.get(NAME).map(pairs) {
        None => Vec::new(),
        Some(Ok(attributes)) => attributes,
        Some(Err(problem)) => {
            reader.warn(NAME, &format!("{problem}; none of it is taken"));
            Vec::new()
        }
    };
    if let Some(name) = reader.get("OTEL_SERVICE_NAME") {
        attributes.retain(|(key, _)| key != "service.name");
        attributes.push((String::from("service.name"), name.to_owned()));
    }
    attributes
}
