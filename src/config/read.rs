//! Reading values out of the environment, gathering every problem instead of stopping at the first.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use super::check::{ConfigErrors, Problem};
use super::env::Environment;

/// Reads typed values; a bad one is noted and its documented default stands in until the end.
pub(super) struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        environment: &'a Environment,
        problems: Vec<Problem>,
        warnings: Vec<String>,
    ) -> Self {
        Self {
            environment,
            problems,
            warnings,
        }
    }

    /// The warnings, if nothing was wrong.
    pub(super) fn finish(self) -> Result<Vec<String>, ConfigErrors> {
        if self.problems.is_empty() {
            Ok(self.warnings)
        } else {
            Err(ConfigErrors::new(self.problems))
        }
    }

    pub(super) fn problem(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.problems.push(Problem::new(variable, problem));
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    pub(super) fn text(&self, variable: &'static str) -> String {
        self.environment.value(variable).to_owned()
    }

    pub(super) fn optional(&self, variable: &'static str) -> Option<String> {
        self.environment.given(variable).map(str::to_owned)
    }

    pub(super) fn is_given(&self, variable: &'static str) -> bool {
        self.environment.given(variable).is_some()
    }

    pub(super) fn list(&self, variable: &'static str) -> Vec<String> {
        self.environment
            .value(variable)
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn parsed<T: FromStr>(
        &mut self,
        variable: &'static str,
        wanted: &str,
        instead: T,
    ) -> T {
        let text = self.text(variable);
        text.parse().unwrap_or_else(|_| {
            self.problem(variable, format!("`{}` is not {wanted}", shown(&text)));
            instead
        })
    }

    pub(super) fn number(&mut self, variable: &'static str, least: u64, most: u64) -> u64 {
        let text = self.text(variable);
        match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => number,
            Ok(_) | Err(_) => {
                self.problem(
                    variable,
                    format!("`{text}` is not a whole number from {least} to {most}"),
                );
                least
            }
        }
    }

    pub(super) fn seconds(&mut self, variable: &'static str, least: u64, most: u64) -> Duration {
        Duration::from_secs(self.number(variable, least, most))
    }

    pub(super) fn millis(&mut self, variable: &'static str, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.number(variable, least, most))
    }

    pub(super) fn flag_on(&mut self, variable: &'static str) -> bool {
        self.one_of(variable, &[("true", true), ("false", false)])
    }

    pub(super) fn flag(&mut self, variable: &'static str) -> bool {
        self.one_of(variable, &[("false", false), ("true", true)])
    }

    /// One of the named choices, given with the default first; it stands in for a value that is none of them.
    pub(super) fn one_of<T: Copy, const N: usize>(
        &mut self,
        variable: &'static str,
        choices: &[(&str, T); N],
    ) -> T {
        const { assert!(N > 0) }
        let text = self.text(variable);
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return *choice;
        }
        let names: Vec<String> = choices
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        self.problem(
            variable,
            format!("`{text}` is not one of {}", names.join(", ")),
        );
        choices[0].1
    }

    pub(super) fn file(&mut self, variable: &'static str) -> Option<Vec<u8>> {
        let path = self.optional(variable)?;
        match std::fs::read(Path::new(&path)) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problem(variable, format!("cannot read `{path}`: {error}"));
                None
            }
        }
    }
}

/// A value as an error may show it: what stands before an `@` may be a password.
pub(super) fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("...@{rest}"),
        None => text.to_owned(),
    }
}
