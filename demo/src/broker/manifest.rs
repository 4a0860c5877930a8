//! Brokers and Triggers, read from the same files that a cluster is given.
//!
//! - `document`: the YAML as written; unknown fields are refused.
//! - `split`: a file into its YAML documents, keeping line numbers.
//! - `compile`: document to [`Broker`] and [`Trigger`]; all that can be wrong is found here.
//! - `duration`: the form that times have in it.
//! - `refusal`: why a file is refused, with its line.

mod compile;
pub(super) mod document;
mod duration;
mod refusal;
mod split;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eventing::BackoffPolicy;

use super::destination::Destination;
use super::filter::Filter;
pub use refusal::Refusal;
pub(super) use refusal::{Field, Spanned};

/// What the files hold.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// The Brokers, in the order of the files.
    pub brokers: Vec<Broker>,
    /// The Triggers, in the order of the files.
    pub triggers: Vec<Trigger>,
    /// What is of another kind, and was left alone.
    pub skipped: Vec<Skipped>,
}

/// A Broker as it is configured.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How its Triggers deliver, unless they say otherwise.
    pub delivery: Option<Delivery>,
}

/// A Trigger as it is configured.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its namespace, which is the Broker's too.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The Broker it takes events from.
    pub broker: String,
    /// Which events it takes.
    pub filter: Filter,
    /// Where they go.
    pub subscriber: Destination,
    /// How, as a whole: nothing of the Broker's block is added to it.
    pub delivery: Option<Delivery>,
}

/// A `delivery` block; what it leaves out is not there, whatever the Broker says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// How often a delivery is repeated; 0 where the block does not say.
    pub retry: u32,
    /// How the pause grows, from which length on; no pauses where either is missing.
    pub backoff: Option<(BackoffPolicy, Duration)>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Up to which length a `Retry-After` is waited for; never where it is missing.
    pub retry_after_max: Option<Duration>,
    /// The content mode that the subscriber gets.
    pub format: Format,
    /// Where an event goes that could not be delivered.
    pub dead_letter_sink: Option<Destination>,
}

/// The content mode of a delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Attributes in headers: the default.
    #[default]
    Binary,
    /// One JSON object.
    Json,
}

/// A document of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file it stands in.
    pub file: PathBuf,
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its `kind`.
    pub kind: String,
    /// Its name, where it has one.
    pub name: String,
}

/// Reads files, and of directories every file that ends in `.yaml` or `.yml`, in order of names.
///
/// Objects that name no namespace are put into `namespace`.
///
/// # Errors
/// A path that cannot be read; YAML that is none; a Broker or Trigger that a cluster would refuse.
pub fn read(paths: &[PathBuf], namespace: &str) -> Result<Manifests, Refusal> {
    let mut manifests = Manifests::default();
    for path in paths {
        for file in files(path)? {
            let text = fs::read_to_string(&file).map_err(|error| Refusal::io(&file, &error))?;
            parse(&file, &text, namespace, &mut manifests)?;
        }
    }
    Ok(manifests)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let io = |error: std::io::Error| Refusal::io(path, &error);
    if !fs::metadata(path).map_err(io)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        let yaml = file
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Adds what the text of one file holds.
///
/// # Errors
/// As [`read`].
pub fn parse(
    file: &Path,
    text: &str,
    namespace: &str,
    manifests: &mut Manifests,
) -> Result<(), Refusal> {
    for document in split::documents(text) {
        let Some(header) = yaml::<Option<document::Header>>(file, &document)? else {
            continue;
        };
        let kind = header.kind.as_deref().unwrap_or_default();
        let api_version = header.api_version.as_deref().unwrap_or_default();
        match (api_version, kind) {
            (document::EVENTING_V1, "Broker") => {
                let broker = yaml::<document::Object<document::BrokerSpec>>(file, &document)?;
                manifests
                    .brokers
                    .push(compile::broker(file, broker, namespace)?);
            }
            (document::EVENTING_V1, "Trigger") => {
                let trigger = yaml::<document::Object<document::TriggerSpec>>(file, &document)?;
                manifests
                    .triggers
                    .push(compile::trigger(file, trigger, namespace)?);
            }
            _ => manifests.skipped.push(Skipped {
                file: file.to_owned(),
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                name: header.metadata.and_then(|it| it.name).unwrap_or_default(),
            }),
        }
    }
    Ok(())
}

fn yaml<'a, T: serde::Deserialize<'a>>(file: &Path, document: &'a str) -> Result<T, Refusal> {
    serde_saphyr::from_str_with_options(document, serde_saphyr::options! { with_snippet: false })
        .map_err(|error| Refusal::yaml(file, &error))
}
