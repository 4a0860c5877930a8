//! The scripts that prepare a tool.

use std::path::PathBuf;
use std::process::Command;

use crate::scenario::workspace;

/// Runs `scripts/NAME`, which builds or fetches something once and prints where it is.
///
/// # Panics
/// Where it fails, with what it said: it names what is missing.
#[must_use]
pub fn prepared_by(name: &str) -> PathBuf {
    let script = workspace().join("scripts").join(name);
    let output = Command::new(&script)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    assert!(
        output.status.success(),
        "{}: {}\n{}",
        script.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end())
}
