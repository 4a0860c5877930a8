//! The manifests that are shipped, as data.

use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::differences::{Difference, differences};
use crate::scenario::workspace;

mod differences;

/// All documents of a file or folder of `knative/`, folders below it left out; in the order of the files' names.
///
/// # Panics
/// Where one cannot be read, which names its file.
#[must_use]
pub fn shipped(path: &str) -> Vec<Value> {
    let path = workspace().join("knative").join(path);
    let mut files = vec![path.clone()];
    if path.is_dir() {
        let entries = std::fs::read_dir(&path).unwrap_or_else(|error| refuse(&path, &error));
        files = entries
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|file| file.extension().is_some_and(|ending| ending == "yaml"))
            .collect();
        files.sort();
    }
    files.iter().flat_map(documents).collect()
}

fn documents(file: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| refuse(file, &error));
    parsed(&text, &file.display().to_string())
}

/// All documents of a YAML text; those that hold comments alone are none.
///
/// # Panics
/// Where one cannot be read, which says `called`.
#[must_use]
pub fn parsed(text: &str, called: &str) -> Vec<Value> {
    text.split("\n---\n")
        .map(|document| document.strip_prefix("---\n").unwrap_or(document))
        .map(|document| {
            serde_saphyr::from_str(document)
                .unwrap_or_else(|error| panic!("{called}: {error}\n{document}"))
        })
        .filter(|value: &Value| !value.is_null())
        .collect()
}

fn refuse<T>(path: &Path, error: &dyn std::fmt::Display) -> T {
    panic!("{}: {error}", path.display())
}

/// The kind of an object; empty where it has none.
#[must_use]
pub fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

/// The name of an object; empty where it has none.
#[must_use]
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
