//! The manifests that are shipped, as data.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scenario::workspace;

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

/// All documents of a YAML file; those that hold comments alone are none.
fn documents(file: &PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| refuse(file, &error));
    text.split("\n---\n")
        .map(|document| {
            serde_saphyr::from_str(document).unwrap_or_else(|error| refuse(file, &error))
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
