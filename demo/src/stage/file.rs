//! A stage's file as written; unknown fields are refused.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::refusal::{Place, Refusal};

/// All that stands in one file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Names that texts may use as `${NAME}`; `--set NAME=VALUE` says otherwise.
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Spanned<String>>,
    /// Requests that show and kill the programs.
    pub(super) controls: Option<Controls>,
    /// In the order in which they are started, as far as `after` leaves that open.
    #[serde(default)]
    pub(super) programs: Vec<Program>,
    /// What is printed once all programs are ready.
    pub(super) says: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Controls {
    /// The port that is wished for.
    pub(super) port: u16,
    /// Origins of the pages that may use them.
    #[serde(default)]
    pub(super) origins: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) name: Spanned<String>,
    /// Without it nothing is started: its ports are for somebody who takes its place.
    pub(super) command: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) args: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, Spanned<String>>,
    /// Names of ports, and which number is wished for each.
    #[serde(default)]
    pub(super) ports: BTreeMap<String, Spanned<u16>>,
    pub(super) ready: Option<Ready>,
    /// How long it may take until it is ready.
    pub(super) within_seconds: Option<u64>,
    #[serde(default)]
    pub(super) after: Vec<Spanned<String>>,
    /// How long it may take to end after SIGTERM.
    pub(super) grace_seconds: Option<u64>,
    pub(super) exports: Option<Exports>,
}

/// How it is known that a program is ready: one of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ready {
    /// Answers 200.
    pub(super) url: Option<Spanned<String>>,
    /// Stands in a line of its output.
    pub(super) line: Option<Spanned<String>>,
}

/// A file with lines `NAME=VALUE` that the program writes once it is ready.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exports {
    pub(super) file: Spanned<String>,
    /// Which of the names are variables from then on.
    pub(super) names: Vec<Spanned<String>>,
}

/// Reads one file.
pub(super) fn read(path: &Path) -> Result<(Place, File), Refusal> {
    let place = Place::file(path);
    let text = std::fs::read_to_string(path)
        .map_err(|error| place.refuse(format!("cannot be read: {error}")))?;
    let options = serde_saphyr::options! { with_snippet: false };
    let file = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| place.refuse_yaml(&error))?;
    Ok((place, file))
}
