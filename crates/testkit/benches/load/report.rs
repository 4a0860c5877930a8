//! The tables, with the aims beside what was measured.

use std::fmt;
use std::path::Path;

use crate::runs::Pair;
use crate::sender::Load;
use crate::traces::Traced;

/// A table of what has been measured so far: one thing beside another.
#[derive(Debug)]
pub(crate) struct Report {
    heads: [&'static str; 2],
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: String,
    one: String,
    other: String,
    ratio: String,
    aim: String,
}

/// A figure that may be at least or at most what it is compared with.
#[derive(Debug, Clone, Copy)]
enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Aim {
    fn judge(self, value: f64, unit: &str) -> String {
        let (met, sign, bound) = match self {
            Self::AtLeast(bound) => (value >= bound, ">=", bound),
            Self::AtMost(bound) => (value <= bound, "<=", bound),
        };
        let verdict = if met { "met" } else { "MISSED" };
        format!("{sign} {bound}{unit}: {verdict}")
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    (least, values.fold(f64::NEG_INFINITY, f64::max))
}

impl Report {
    /// Of the bridge beside the bare limit.
    pub(crate) fn of_limit() -> Self {
        Self::new(["bridge", "bare limit"])
    }

    /// Of the bridge that traces beside the same that does not.
    pub(crate) fn of_traces() -> Self {
        Self::new(["traces on", "off"])
    }

    fn new(heads: [&'static str; 2]) -> Self {
        Self {
            heads,
            rows: Vec::new(),
        }
    }

    fn row(&mut self, what: &str, one: String, other: String, ratio: String, aim: String) {
        self.rows.push(Row {
            what: what.to_owned(),
            one,
            other,
            ratio,
            aim,
        });
    }

    /// A figure of the one and of the other; the ratio is that of the same round, its median and its
    /// range.
    fn compare(
        &mut self,
        what: &str,
        (one, other): (&[Load], &[Load]),
        of: fn(&Load) -> f64,
        aim: Option<Aim>,
    ) {
        let ratios: Vec<f64> = one
            .iter()
            .zip(other)
            .map(|(one, other)| of(one) / of(other))
            .collect();
        let ratio = median(ratios.iter().copied());
        let (least, most) = range(ratios.iter().copied());
        self.row(
            what,
            figure(median(one.iter().map(of))),
            figure(median(other.iter().map(of))),
            format!("{ratio:.2} ({least:.2}-{most:.2})"),
            aim.map_or_else(String::new, |aim| aim.judge(ratio, "")),
        );
    }

    fn memory(&mut self, what: &str, bridge: f64, bare: f64, aim: Option<Aim>) {
        self.row(
            what,
            format!("{bridge:.1}"),
            format!("{bare:.1}"),
            String::new(),
            aim.map_or_else(String::new, |aim| aim.judge(bridge, "")),
        );
    }

    fn rates(&mut self, name: &str, unit: &str, loads: (&[Load], &[Load]), most_cpu: f64) {
        self.compare(
            &format!("{name}: {unit}/s"),
            loads,
            |load| load.per_second,
            Some(Aim::AtLeast(0.85)),
        );
        self.compare(
            &format!("{name}: CPU s per 10,000"),
            loads,
            |load| load.cpu_per_10000,
            Some(Aim::AtMost(most_cpu)),
        );
    }

    pub(crate) fn sink(&mut self, body_bytes: usize, pair: &Pair) {
        let name = format!("sink, {body_bytes} bytes");
        let loads = pair.loads();
        self.rates(&name, "events", loads, 1.25);
        self.compare(&format!("{name}: p50 ms"), loads, |load| load.p50_ms, None);
        self.compare(&format!("{name}: p99 ms"), loads, |load| load.p99_ms, None);
        self.memory(
            &format!("{name}: resident MB idle"),
            pair.bridge_idle.resident,
            pair.bare_idle.resident,
            Some(Aim::AtMost(8.0)),
        );
        self.memory(
            &format!("{name}: resident MB after the load"),
            pair.bridge_busy.resident,
            pair.bare_busy.resident,
            None,
        );
        self.memory(
            &format!("{name}: resident MB at most"),
            pair.bridge_busy.peak,
            pair.bare_busy.peak,
            Some(Aim::AtMost(16.0)),
        );
    }

    pub(crate) fn source(&mut self, pair: &Pair) {
        self.rates("source, 200 bytes", "jobs", pair.loads(), 1.25);
        self.memory(
            "source, 200 bytes: resident MB at most",
            pair.bridge_busy.peak,
            pair.bare_busy.peak,
            Some(Aim::AtMost(16.0)),
        );
    }

    /// What traces cost: to the bridge, and apart from it to the collector.
    pub(crate) fn traces(&mut self, name: &str, unit: &str, traced: &Traced) {
        self.rates(name, unit, (&traced.on, &traced.off), 1.15);
        let mut alone = |what: &str, value: String, aim: String| {
            let what = format!("{name}: {what}");
            self.row(&what, value, String::new(), String::new(), aim);
        };
        let sent = traced.sent / (traced.sent + traced.lost);
        alone(
            "spans sent, share of those made",
            format!("{sent:.2}"),
            Aim::AtLeast(0.99).judge(sent, ""),
        );
        alone(
            "CPU s per 10,000 of the thread that sends",
            figure(median(traced.on.iter().map(|load| load.sending_per_10000))),
            String::new(),
        );
        alone(
            "CPU s of the collector per 10,000 spans",
            figure(traced.collector / traced.sent * 10_000.0),
            String::new(),
        );
    }

    pub(crate) fn start(&mut self, milliseconds: &[f64]) {
        let middle = median(milliseconds.iter().copied());
        let (least, most) = range(milliseconds.iter().copied());
        self.row(
            "start to the first 202, ms",
            format!("{middle:.1} ({least:.1}-{most:.1})"),
            String::new(),
            String::new(),
            Aim::AtMost(10.0).judge(middle, ""),
        );
    }

    pub(crate) fn size(&mut self, bridge: &Path) {
        let bytes = std::fs::metadata(bridge).expect("the bridge").len();
        let megabytes = bytes as f64 / f64::from(1 << 20);
        self.row(
            "size of the program, MB",
            format!("{megabytes:.1}"),
            String::new(),
            String::new(),
            Aim::AtMost(8.0).judge(megabytes, ""),
        );
    }
}

fn figure(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value < 0.1 {
        format!("{value:.3}")
    } else {
        format!("{value:.2}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = self.heads;
        writeln!(
            f,
            "| | {one} | {other} | ratio, median (range) | aim |\n|---|---|---|---|---|"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} | {} | {} | {} | {} |",
                row.what, row.one, row.other, row.ratio, row.aim
            )?;
        }
        Ok(())
    }
}
