//! Variables as they were given, and what is wrong with them.

use std::collections::BTreeMap;

use super::unread;

/// Looks variables up, and notes what is wrong with them.
pub(super) struct Reader {
    given: BTreeMap<String, String>,
    warnings: Vec<String>,
}

impl Reader {
    /// An empty value counts as unset, as the standard says.
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            given: variables
                .into_iter()
                .filter(|(name, _)| name.starts_with("OTEL_"))
                .map(|(name, value)| (name, value.trim().to_owned()))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            warnings: Vec::new(),
        }
    }

    /// All that is wrong, and what is set and nobody reads.
    pub(super) fn finish(mut self) -> Vec<String> {
        for (name, value) in &self.given {
            self.warnings.extend(unread::said_of(name, value));
        }
        self.warnings
    }

    /// Whether nothing at all is to be sent.
    pub(super) fn is_disabled(&self) -> bool {
        self.get("OTEL_SDK_DISABLED").is_some_and(Self::is_true)
    }

    /// Says what is set about traces, though nobody says where they go.
    pub(super) fn idle_without_traces(&mut self) {
        let metrics = self.of(Signal::Metrics, "ENDPOINT").is_some();
        let idle = self.among(|name| {
            [
                "OTEL_TRACES_",
                "OTEL_BSP_",
                "OTEL_SPAN_LINK_",
                "OTEL_EXPORTER_OTLP_TRACES_",
            ]
            .iter()
            .any(|start| name.starts_with(start))
                || (!metrics && Signal::is_for_all(name))
        });
        self.idle(
            &idle,
            "traces are off: OTEL_EXPORTER_OTLP_ENDPOINT says where they go",
        );
    }

    /// Says what is set about metrics that are pushed, though nobody says that they are.
    pub(super) fn idle_without_metrics(&mut self) {
        let idle = self.among(|name| {
            name.starts_with("OTEL_METRIC_") || name.starts_with("OTEL_EXPORTER_OTLP_METRICS_")
        });
        self.idle(
            &idle,
            "metrics are not pushed: OTEL_METRICS_EXPORTER=otlp says that they are",
        );
    }

    /// The variables that are set and honoured, those of a kind.
    fn among(&self, is_one: impl Fn(&str) -> bool) -> Vec<String> {
        let names = self.given.keys().filter(|name| is_one(name));
        names
            .filter(|name| unread::is_honoured(name))
            .cloned()
            .collect()
    }

    fn idle(&mut self, names: &[String], why: &str) {
        if !names.is_empty() {
            let what = if names.len() == 1 { "does" } else { "do" };
            self.warn(
                &names.join(", "),
                &format!("set, and {what} nothing, since {why}"),
            );
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// The variable for a signal alone, else the one for all; with its name.
    pub(super) fn of(&self, signal: Signal, rest: &str) -> Option<(String, String)> {
        [
            format!("OTEL_EXPORTER_OTLP_{}_{rest}", signal.name()),
            format!("OTEL_EXPORTER_OTLP_{rest}"),
        ]
        .into_iter()
        .find_map(|name| {
            self.get(&name)
                .map(str::to_owned)
                .map(|value| (name, value))
        })
    }

    pub(super) fn warn(&mut self, name: &str, problem: &str) {
        let warning = format!("{name}: {problem}");
        // What is for several signals is read for each.
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn number(&mut self, name: &str, default: u64, least: u64) -> u64 {
        let Some(text) = self.get(name) else {
            return default;
        };
        match text.parse() {
            Ok(number) if number >= least => number,
            Ok(_) | Err(_) => {
                let problem =
                    format!("`{text}` is not a number from {least}; {default} stands in for it");
                self.warn(name, &problem);
                default
            }
        }
    }

    pub(super) fn size(&mut self, name: &str, default: usize) -> usize {
        let number = self.number(name, default as u64, 1);
        usize::try_from(number).unwrap_or(default)
    }

    /// The standard knows `true` alone; all else is false.
    pub(super) fn is_true(value: &str) -> bool {
        value.eq_ignore_ascii_case("true")
    }
}

/// What is told to a collector.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    Traces,
    Metrics,
}

impl Signal {
    /// As the names of variables have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
        }
    }

    /// Where a collector takes it by HTTP.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Traces => "v1/traces",
            Self::Metrics => "v1/metrics",
        }
    }

    /// What happens where it cannot be sent.
    pub(super) fn off(self) -> &'static str {
        match self {
            Self::Traces => "traces are off",
            Self::Metrics => "metrics are not pushed",
        }
    }

    /// Whether a variable is about every signal's collector.
    fn is_for_all(name: &str) -> bool {
        let own =
            |signal: &Self| name.starts_with(&format!("OTEL_EXPORTER_OTLP_{}_", signal.name()));
        name.starts_with("OTEL_EXPORTER_OTLP_") && ![Self::Traces, Self::Metrics].iter().any(own)
    }
}
