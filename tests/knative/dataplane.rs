//! Knative's own data plane as a program: Broker ingress, in-memory channel and Trigger filter.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testkit::request::{self, Answered};
use testkit::scenario::workspace;
use testkit::script::prepared_by;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

/// How long it may take to say where its Broker is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The data plane, running. Ends when dropped, and with the test program however that ends.
pub(crate) struct Dataplane {
    broker: String,
    child: Child,
    /// Its end is the program's end.
    _stdin: ChildStdin,
    printed: Arc<Mutex<Vec<String>>>,
    printing: JoinHandle<()>,
}

impl Dataplane {
    /// Serves the Brokers and Triggers of a file or folder; `refs` says where references lead, as
    /// `("Service/NAME", URL)`. Waits until the Broker `default` takes events.
    pub(crate) async fn start(manifests: &Path, refs: &[(&str, &str)]) -> Self {
        Self::start_with(&[], manifests, refs).await
    }

    /// As [`Dataplane::start`], with entries of Knative's `config-features`.
    pub(crate) async fn start_with(
        features: &[&str],
        manifests: &Path,
        refs: &[(&str, &str)],
    ) -> Self {
        let mut command = command("run").await;
        command.args(["--addr", "127.0.0.1:0", "--while-stdin"]);
        for feature in features {
            command.args(["--feature", feature]);
        }
        for (name, url) in refs {
            command.arg("--ref").arg(format!("{name}={url}"));
        }
        let mut child = command
            .arg(manifests)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the data plane can be started");
        let stdin = child.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let printed = Arc::new(Mutex::new(Vec::new()));

        let begun = async {
            let mut said = Vec::new();
            loop {
                match lines.next_line().await {
                    Ok(Some(line)) => match line.strip_prefix("Broker default/default at ") {
                        Some(url) => return url.to_owned(),
                        None => said.push(line),
                    },
                    Ok(None) | Err(_) => {
                        panic!("the data plane ended; it printed:\n{}", said.join("\n"))
                    }
                }
            }
        };
        let broker = tokio::time::timeout(PATIENCE, begun)
            .await
            .expect("the data plane says within a minute where its Broker is");
        let kept = Arc::clone(&printed);
        let printing = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        Self {
            broker,
            child,
            _stdin: stdin,
            printed,
            printing,
        }
    }

    /// The URL of the Broker `default`, as a SinkBinding would name it.
    pub(crate) fn broker(&self) -> &str {
        &self.broker
    }

    /// What Knative's code logged: errors of deliveries, each a line.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.printed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until it has ended by itself, and returns what it printed.
    pub(crate) async fn ended(mut self) -> Vec<String> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait());
        ended
            .await
            .expect("the data plane ends within a minute")
            .expect("its end can be waited for");
        self.printing.await.expect("its lines are text");
        self.printed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sends an event to the Broker, in binary mode with JSON data.
    pub(crate) async fn send(&self, ty: &str, id: &str, data: &Value) -> Answered {
        self.send_with(ty, id, &[], data).await
    }

    /// As [`Dataplane::send`], with further headers.
    pub(crate) async fn send_with(
        &self,
        ty: &str,
        id: &str,
        headers: &[(&str, &str)],
        data: &Value,
    ) -> Answered {
        request::post_event(&self.broker, ty, id, headers, data).await
    }
}

/// What the API server and Knative's webhooks say of manifests.
pub(crate) async fn validate(manifests: &Path) -> Output {
    let mut command = command("validate").await;
    command
        .arg(manifests)
        .output()
        .await
        .expect("the data plane can be run")
}

async fn command(name: &str) -> Command {
    static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    let program = PROGRAM
        .get_or_init(|| async {
            tokio::task::spawn_blocking(|| prepared_by("knative-dataplane"))
                .await
                .expect("what it panics with was printed")
        })
        .await;
    let mut command = Command::new(program);
    command.arg(name).env_clear();
    command
}

/// Manifests of a scenario's own, in a folder that goes away with this.
pub(crate) struct Manifests(TempDir);

impl Manifests {
    /// Writes a Broker `default` and these Triggers.
    pub(crate) fn of(triggers: &[Trigger<'_>]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let documents: Vec<String> = std::iter::once(BROKER.to_owned())
            .chain(triggers.iter().map(Trigger::yaml))
            .collect();
        std::fs::write(folder.path().join("all.yaml"), documents.join("---\n"))
            .expect("a file can be written");
        Self(folder)
    }

    /// The Broker that is shipped, and the Triggers of these folders of `knative`.
    pub(crate) fn shipped(folders: &[&str]) -> Self {
        let shipped = workspace().join("knative");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut files = vec![shipped.join("broker.yaml")];
        for name in folders {
            let inside = std::fs::read_dir(shipped.join(name)).expect("Triggers are shipped");
            files.extend(inside.map(|entry| entry.expect("a readable folder").path()));
        }
        for (number, file) in files.iter().enumerate() {
            std::fs::copy(file, folder.path().join(format!("{number}.yaml")))
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        Self(folder)
    }

    /// With these documents beside them.
    pub(crate) fn and(self, documents: &[String]) -> Self {
        std::fs::write(self.path().join("more.yaml"), documents.join("---\n"))
            .expect("a file can be written");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

const BROKER: &str = "\
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
";

/// A Trigger of the Broker `default`.
pub(crate) struct Trigger<'a> {
    pub(crate) name: &'a str,
    /// The types of event that it takes; all where there are none.
    pub(crate) types: &'a [&'a str],
    /// The Service that it delivers to.
    pub(crate) subscriber: &'a str,
    /// Its block `delivery`, as lines of YAML.
    pub(crate) delivery: &'a str,
}

/// Two retries within a moment, then the dead letter sink: for scenarios that want to see the end of them.
pub(crate) const QUICK: &str = "\
retry: 2
backoffPolicy: exponential
backoffDelay: PT0.05S
timeout: PT30S
deadLetterSink:
  ref:
    apiVersion: v1
    kind: Service
    name: dead-letters
";

/// One attempt and no dead letter sink: the sender is told what became of it.
pub(crate) const NONE: &str = "retry: 0\n";

impl Trigger<'_> {
    fn yaml(&self) -> String {
        let Self {
            name, subscriber, ..
        } = self;
        let filters: String = self
            .types
            .iter()
            .map(|ty| format!("        - exact:\n            type: {ty}\n"))
            .collect();
        let filters = if filters.is_empty() {
            String::new()
        } else {
            format!("  filters:\n    - any:\n{filters}")
        };
        let delivery: String = self
            .delivery
            .lines()
            .map(|line| format!("    {line}\n"))
            .collect();
        format!(
            "\
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: {name}
spec:
  broker: default
{filters}  subscriber:
    ref:
      apiVersion: v1
      kind: Service
      name: {subscriber}
  delivery:
{delivery}"
        )
    }
}
