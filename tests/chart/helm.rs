use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use testkit::manifests::parsed;
use testkit::scenario::workspace;
use testkit::script::prepared_by;

use crate::said;

/// One of the tools, with nothing of the user's settings.
pub(crate) fn tool(name: &str) -> Command {
    let mut command = Command::new(tools().join(name));
    // Helm writes caches below it, which this needs none of.
    command.env_clear().env("HOME", std::env::temp_dir());
    command
}

/// The folder of all of them.
pub(crate) fn tools() -> &'static PathBuf {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| prepared_by("chart-tools"))
}

fn chart() -> PathBuf {
    workspace().join("charts/eventing-zeebe")
}

/// The names of the example values files.
pub(crate) fn examples() -> Vec<String> {
    let folder = chart().join("examples");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name that is UTF-8"))
        .collect();
    names.sort();
    assert!(names.len() > 5, "{names:?}");
    names
}

/// Runs Helm with these arguments, an example, and the chart.
pub(crate) fn run(arguments: &[&str], example: &str) -> Output {
    tool("helm")
        .args(arguments)
        .arg(chart().join("examples").join(example))
        .arg(chart())
        .output()
        .expect("helm can be run")
}

/// The objects that an example renders for a release `eventing-zeebe`, as YAML; the pods of `helm test` among them.
pub(crate) fn rendered(example: &str) -> String {
    let release = [
        "template",
        "eventing-zeebe",
        "--namespace",
        "default",
        // Helm would otherwise suppose the version that it was built for.
        "--kube-version",
        "1.35.0",
        "--values",
    ];
    let output = run(&release, example);
    assert!(output.status.success(), "{example}: {}", said(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The same as data.
pub(crate) fn objects(example: &str) -> Vec<Value> {
    parsed(&rendered(example), example)
}

/// Runs the suites of the chart.
pub(crate) fn unit_tests() -> Output {
    tool("helm-unittest")
        .arg("--strict")
        .arg(chart())
        .output()
        .expect("helm-unittest can be run")
}
