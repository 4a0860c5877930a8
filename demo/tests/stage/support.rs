//! A stage as a program of its own, in a temporary folder.

use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use testkit::program::Program;

/// How long a condition is awaited before the scenario fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A stage that runs.
pub(crate) struct Stage {
    pub(crate) program: Program,
    folder: TempDir,
}

impl Stage {
    /// Starts `demo stage FILE ARGUMENTS...` with this text in the file.
    pub(crate) fn start(yaml: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("stage.yaml"), yaml).expect("a file");
        std::fs::create_dir(folder.path().join("tmp")).expect("a folder");
        let program = run(&folder, arguments);
        Self { program, folder }
    }

    /// Starts it once more, beside the first.
    pub(crate) fn another(&self, arguments: &[&str]) -> Program {
        run(&self.folder, arguments)
    }

    /// A file that the programs write, `${RUN}/../../NAME` to them.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lines of such a file; none while it is not there.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.file(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until such a file has so many lines.
    pub(crate) async fn wait_for_lines(&self, name: &str, count: usize) -> Vec<String> {
        until(&format!("{count} lines in {name}"), || {
            let lines = self.lines(name);
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// Folders of runs that are there.
    pub(crate) fn left(&self) -> usize {
        let left = std::fs::read_dir(self.folder.path().join("tmp")).expect("a folder");
        // The folder of the locks has no run's name.
        let name = |entry: std::io::Result<DirEntry>| entry.expect("an entry").file_name();
        left.map(name).filter(|name| name != "stage-ports").count()
    }

    /// Waits for a line of the stage's own.
    pub(crate) async fn says(&mut self, words: &str) -> String {
        let says = |line: &str| line.contains(words).then(|| line.to_owned());
        self.program.wait_for_line(words, says).await
    }

    /// Waits until it has ended; returns its exit code and all that it printed.
    pub(crate) async fn ended(&mut self) -> (i32, String) {
        let status = self.program.ended().await;
        (
            status.code().expect("no signal"),
            self.program.output().join("\n"),
        )
    }
}

fn run(folder: &TempDir, arguments: &[&str]) -> Program {
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let file = path("stage.yaml");
    let mut all = vec!["stage", &file];
    all.extend_from_slice(arguments);
    let environment = BTreeMap::from([
        ("PATH".to_owned(), std::env::var("PATH").expect("a PATH")),
        ("TMPDIR".to_owned(), path("tmp")),
    ]);
    Program::start(env!("CARGO_BIN_EXE_demo"), &all, &environment).expect("the stage")
}

/// Waits until something is there.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("no {what} within {PATIENCE:?}"))
}

/// Whether a process with this id runs; one that has ended and was not waited for does not.
pub(crate) fn runs(id: &str) -> bool {
    let shown = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", id])
        .output();
    let state = String::from_utf8(shown.expect("ps").stdout).expect("text");
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}
