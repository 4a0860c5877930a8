//! A real Zeebe, started by `scripts/zeebe`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::request;
use crate::scenario::workspace;

/// What has not come by then does not come. A job that was handed back often is offered again after up to a minute, and
/// a busy machine takes its time besides.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running engine with its observer.
pub struct Zeebe {
    kind: &'static str,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    run: PathBuf,
    addresses: BTreeMap<String, String>,
}

/// The origin whose pages may read an observer's answers.
pub const PAGE: &str = "http://page.example";

static SHARED: OnceCell<Zeebe> = OnceCell::const_new();

impl Zeebe {
    /// The broker that all scenarios share; it ends with the test program.
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(|| Self::start("broker", "shared")).await
    }

    /// An engine of a scenario's own: `broker`, the real distribution, or `engine`, the one in memory.
    ///
    /// # Panics
    /// When it cannot be had or started; the message has what `scripts/zeebe` printed.
    pub async fn start(kind: &'static str, name: &str) -> Self {
        Self::start_with(kind, name, &[], &[]).await
    }

    /// As [`Zeebe::start`], with further options of `scripts/zeebe start` and further environment.
    ///
    /// # Panics
    /// As [`Zeebe::start`].
    pub async fn start_with(
        kind: &'static str,
        name: &str,
        options: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let owned = |text: &str| text.to_owned();
        let run =
            std::env::temp_dir().join(format!("eventing-zeebe-{}-{name}", std::process::id()));
        let mut zeebe = Self {
            kind,
            options: options.iter().copied().map(owned).collect(),
            environment: environment
                .iter()
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
            run,
            addresses: BTreeMap::new(),
        };
        zeebe.start_again().await;
        zeebe
    }

    /// Starts it on the data and the ports that it had before.
    pub async fn start_again(&mut self) {
        let env_file = self.run.with_extension("env");
        let owner = std::process::id().to_string();
        let mut arguments = vec![
            "start",
            self.kind,
            "--run",
            text(&self.run),
            "--env-file",
            text(&env_file),
            "--owner",
            &owner,
            "--allow-origin",
            PAGE,
        ];
        arguments.extend(self.options.iter().map(String::as_str));
        self.script(&arguments).await;
        let written = std::fs::read_to_string(&env_file).expect("the addresses are written");
        self.addresses = written
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
    }

    /// Ends it as a crash would; its data stays.
    pub async fn kill(&self) {
        let pid = &self.addresses["ZEEBE_PID"];
        let status = Command::new("kill")
            .args(["-KILL", pid])
            .status()
            .await
            .expect("kill can be run");
        assert!(status.success(), "kill -KILL {pid}: {status}");
        while Path::new("/proc").join(pid).join("cwd").exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it in order and forgets its data.
    pub async fn stop(self) {
        self.script(&["stop", self.kind, "--run", text(&self.run)])
            .await;
        let _ = std::fs::remove_dir_all(&self.run);
    }

    async fn script(&self, arguments: &[&str]) {
        let script = workspace().join("scripts/zeebe");
        let output = Command::new(&script)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .await
            .expect("scripts/zeebe can be run");
        assert!(
            output.status.success(),
            "{} {}: {}\n{}{}",
            script.display(),
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }

    /// The gateway's address.
    pub fn gateway(&self) -> &str {
        &self.addresses["ZEEBE_GRPC_ADDRESS"]
    }

    /// The address of its REST API; only the broker has one.
    pub fn rest(&self) -> &str {
        &self.addresses["ZEEBE_REST_ADDRESS"]
    }

    /// The address of its management pages; only the broker has them.
    pub fn management(&self) -> &str {
        &self.addresses["ZEEBE_MANAGEMENT_URL"]
    }

    /// The file that its log goes to.
    pub fn log(&self) -> &Path {
        Path::new(&self.addresses["ZEEBE_LOG"])
    }

    /// The observer's address.
    pub fn observer(&self) -> &str {
        &self.addresses["OBSERVER_URL"]
    }

    /// The instances of a process, as the observer has them.
    pub async fn instances(&self, process: &str) -> Vec<Value> {
        self.asked(&format!("instances?process={process}")).await
    }

    /// The instances that the observer has with this text in a variable; neither is escaped.
    pub async fn instances_with(&self, variable: &str, value: &str) -> Vec<Value> {
        self.asked(&format!("instances?variable={variable}&value={value}"))
            .await
    }

    /// How many instances of a process there are and were, as the observer has counted.
    pub async fn counts(&self, process: &str) -> Value {
        self.asked(&format!("counts?process={process}")).await
    }

    async fn asked<T: DeserializeOwned>(&self, question: &str) -> T {
        let url = format!("{}/{question}", self.observer());
        let answered = request::get(&url).await;
        serde_json::from_slice(&answered.body)
            .unwrap_or_else(|error| panic!("{url}: {error}: {}", answered.text()))
    }

    /// Waits until the instances of a process are as wanted, and returns them.
    pub async fn instances_when(
        &self,
        process: &str,
        what: &str,
        wanted: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let mut last = Vec::new();
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            last = self.instances(process).await;
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not within {PATIENCE:?}: {what}; the instances of {process} are {last:#?}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is UTF-8")
}

/// The incidents of an instance.
pub fn incidents(instance: &Value) -> &[Value] {
    instance["incidents"].as_array().map_or(&[], Vec::as_slice)
}

/// Whether an instance has come to its end.
pub fn is_completed(instance: &Value) -> bool {
    instance["state"] == "COMPLETED"
}
