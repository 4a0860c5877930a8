//! OpenMetrics 1.0 as text: what Prometheus' older format says, and exemplars.
//!
//! A counter's family is named without the `_total` of its samples; a text is escaped the same way everywhere; boundaries
//! have a point, so that they are the same label whoever writes them; and an end says that nothing was cut off. The
//! label set of an exemplar may have 128 characters; ours has 63.

use std::fmt::{self, Write as _};
use std::time::UNIX_EPOCH;

use prometheus::proto::{Histogram, LabelPair, MetricFamily, MetricType};

use super::exemplars::{Exemplar, Exemplars, OfHistogram};

/// What the metrics are of: the one family whose type the older format does not know.
const TARGET_INFO: &str = "target_info";
/// Units that names end with.
const UNITS: [&str; 2] = ["seconds", "bytes"];

/// All families of a registry, as it gathers them.
pub(super) fn write(families: &[MetricFamily], exemplars: &Exemplars) -> String {
    let mut page = Page(String::new());
    for family in families {
        page.family(family, exemplars);
    }
    page.0.push_str("# EOF\n");
    page.0
}

struct Page(String);

impl Page {
    fn family(&mut self, family: &MetricFamily, exemplars: &Exemplars) {
        let (name, kind) = match family.get_field_type() {
            _ if family.name() == TARGET_INFO => ("target", "info"),
            MetricType::COUNTER => {
                let name = family.name();
                (name.strip_suffix("_total").unwrap_or(name), "counter")
            }
            MetricType::GAUGE => (family.name(), "gauge"),
            MetricType::HISTOGRAM => (family.name(), "histogram"),
            // OpenTelemetry has none.
            MetricType::SUMMARY | MetricType::UNTYPED => return,
        };
        self.add(format_args!("# TYPE {name} {kind}\n"));
        if let Some(unit) = UNITS.iter().find(|unit| ends_with_word(name, unit)) {
            self.add(format_args!("# UNIT {name} {unit}\n"));
        }
        if !family.help().is_empty() {
            self.add(format_args!("# HELP {name} "));
            self.escaped(family.help());
            self.0.push('\n');
        }
        let of_histogram = exemplars.of(|instrument| is_read_as(instrument, name));
        for metric in family.get_metric() {
            let labels = metric.get_label();
            match kind {
                "counter" => {
                    let counted = metric.get_counter().get_value();
                    self.sample(name, "_total", labels, None, counted);
                }
                "info" => self.sample(name, "_info", labels, None, 1.0),
                "gauge" => self.sample(name, "", labels, None, metric.get_gauge().get_value()),
                _ => self.histogram(name, labels, metric.get_histogram(), of_histogram.as_ref()),
            }
            self.0.push('\n');
        }
    }

    /// All samples of a series; the last without the end of its line.
    fn histogram(
        &mut self,
        name: &str,
        labels: &[LabelPair],
        histogram: &Histogram,
        exemplars: Option<&OfHistogram>,
    ) {
        let names: Vec<_> = labels
            .iter()
            .map(|label| (label.name(), label.value()))
            .collect();
        let all = histogram.get_sample_count();
        let buckets = histogram
            .get_bucket()
            .iter()
            .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
            .filter(|(boundary, _)| boundary.is_finite());
        let mut below = 0;
        for (boundary, count) in buckets.chain([(f64::INFINITY, all)]) {
            self.sample(name, "_bucket", labels, Some(boundary), count);
            let exemplar = exemplars.and_then(|all| all.get(&names, boundary));
            // Not one that came after what it is of was counted.
            if let Some(exemplar) = exemplar.filter(|_| count > below) {
                self.exemplar(&exemplar);
            }
            self.0.push('\n');
            below = count;
        }
        self.sample(name, "_sum", labels, None, histogram.get_sample_sum());
        self.0.push('\n');
        self.sample(name, "_count", labels, None, all);
    }

    /// One sample, without the end of its line.
    fn sample(
        &mut self,
        name: &str,
        suffix: &str,
        labels: &[LabelPair],
        boundary: Option<f64>,
        value: impl Into<Number>,
    ) {
        self.add(format_args!("{name}{suffix}"));
        let mut before = '{';
        for label in labels {
            self.add(format_args!("{before}{}=\"", label.name()));
            self.escaped(label.value());
            self.0.push('"');
            before = ',';
        }
        if let Some(boundary) = boundary {
            let boundary = Boundary(boundary);
            self.add(format_args!("{before}le=\"{boundary}\""));
            before = ',';
        }
        if before == ',' {
            self.0.push('}');
        }
        self.add(format_args!(" {}", value.into()));
    }

    fn exemplar(&mut self, exemplar: &Exemplar) {
        let Exemplar {
            trace,
            span,
            value,
            at,
        } = exemplar;
        let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.add(format_args!(
            " # {{trace_id=\"{trace}\",span_id=\"{span}\"}} {value} {}.{:03}",
            at.as_secs(),
            at.subsec_millis()
        ));
    }

    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' => self.0.push_str("\\n"),
                '"' | '\\' => self.0.extend(['\\', character]),
                _ => self.0.push(character),
            }
        }
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.0.write_fmt(text);
    }
}

/// Whether the exporter makes this name of a histogram's instrument, whose unit is a second.
fn is_read_as(instrument: &str, name: &str) -> bool {
    name.strip_suffix("_seconds")
        .is_some_and(|name| name == instrument.replace('.', "_"))
}

fn ends_with_word(name: &str, word: &str) -> bool {
    name.strip_suffix(word)
        .is_some_and(|before| before.ends_with('_'))
}

/// A value. Counts have no point.
enum Number {
    Count(u64),
    Real(f64),
}

impl From<u64> for Number {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Number {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Real(real) if real.is_infinite() => write!(f, "{}Inf", sign(*real)),
            Self::Real(real) => real.fmt(f),
        }
    }
}

struct Boundary(f64);

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_infinite() {
            return Number::Real(self.0).fmt(f);
        }
        write!(f, "{:?}", self.0)
    }
}

fn sign(real: f64) -> char {
    if real.is_sign_negative() { '-' } else { '+' }
}

#[cfg(test)]
mod tests;
