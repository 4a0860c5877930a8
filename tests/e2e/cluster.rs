//! kubectl and helm as child processes, and waiting for what they show.

use std::future::Future;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a condition is awaited that a working cluster brings about by itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// What `program ARGUMENTS` prints, with `input` on its standard input.
///
/// # Errors
/// What it says, where it does not end well.
pub(crate) fn run(program: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}; `make e2e` says what is needed"))?;
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that does not read says why it has ended.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child
        .wait_with_output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "{program} {}: {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// What kubectl prints.
///
/// # Errors
/// What it says, where it does not end well.
pub(crate) fn kubectl(arguments: &[&str]) -> Result<String, String> {
    run("kubectl", arguments, "")
}

/// Looks until `look` finds something.
///
/// # Panics
/// After [`PATIENCE`], with `what` was awaited.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "awaited for {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}
