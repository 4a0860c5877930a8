//! OpenTelemetry's standard variables, read from what they are handed and never from the process.
//!
//! Telemetry must not keep a program from its work. So nothing here is fatal: what cannot be used is a
//! warning that names the variable, and the standard's default, or no telemetry, stands in for it.
//!
//! - [`variables`]: all that are known, and what becomes of each; a page of documentation is made of it.
//! - [`OtelSettings`]: what they say, validated.

mod endpoint;
mod read;
mod reader;
mod text;
mod unread;
pub mod variables;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use endpoint::Protocol;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::trace::Sampler;

use super::traces::Propagators;

/// What the standard variables say of one program.
#[derive(Debug, Clone)]
pub struct OtelSettings {
    /// How traces leave; `None` where they do not.
    pub traces: Option<TraceSettings>,
    /// How metrics are pushed; `None` where they are read alone.
    pub metrics: Option<MetricSettings>,
    /// How context comes and goes, whether or not spans are made.
    pub propagators: Propagators,
    /// What is set and cannot be used, one line each, for the log.
    pub warnings: Vec<String>,
}

/// How spans are made and where they go.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The collector.
    pub collector: Collector,
    /// Which traces are recorded.
    pub sampler: Sampler,
    /// How context comes and goes in headers.
    pub propagators: Propagators,
    /// How spans wait until they are sent.
    pub batches: Batches,
    /// Links of one span; further ones are left out and counted.
    pub most_links: u32,
    /// What the spans are of, beside the program's own name and version.
    pub resource: Vec<(String, String)>,
}

/// How metrics are pushed.
#[derive(Debug, Clone)]
pub struct MetricSettings {
    /// The collector.
    pub collector: Collector,
    /// From one push to the next.
    pub interval: Duration,
    /// How long one push may take.
    pub timeout: Duration,
    /// Whether counts are since the start, or since the push before.
    pub temporality: Temporality,
    /// What the metrics are of, beside the program's own name and version.
    pub resource: Vec<(String, String)>,
}

/// Who takes telemetry.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector {
    /// With its scheme; for HTTP with its path.
    pub endpoint: String,
    /// What is spoken with it.
    pub protocol: Protocol,
    /// Sent with each request; may hold secrets.
    pub headers: Vec<(String, String)>,
    /// How long one request may take.
    pub timeout: Duration,
    /// The authority that vouches for it, in place of the public ones.
    pub ca_certificate: Option<CertificateFile>,
    /// Whether bodies are compressed with gzip.
    pub gzip: bool,
}

/// A PEM file with the certificate of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFile {
    /// The variable that names it.
    pub variable: String,
    /// Where it is.
    pub path: PathBuf,
}

impl fmt::Debug for Collector {
    /// Without what the headers say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Collector")
            .field("endpoint", &self.endpoint)
            .field("protocol", &self.protocol)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// How many spans wait, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// The longest that a span waits for others.
    pub delay: Duration,
    /// How many wait at most; further ones are dropped and counted.
    pub queue: usize,
    /// How many are sent at once.
    pub batch: usize,
    /// How long sending them may take, repeats included.
    pub timeout: Duration,
}

impl Default for Batches {
    /// As the standard has it: 5 s, 2,048 spans, 512 at once, 30 s.
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(5),
            queue: 2_048,
            batch: 512,
            timeout: Duration::from_secs(30),
        }
    }
}

impl OtelSettings {
    /// Reads a process environment, given as its variables; those of others are passed over.
    #[must_use]
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut reader = reader::Reader::new(variables);
        let propagators = read::propagators(&mut reader);
        let traces = read::traces(&mut reader, propagators);
        let metrics = read::metrics(&mut reader);
        Self {
            traces,
            metrics,
            propagators,
            warnings: reader.finish(),
        }
    }
}
