//! The bridge as a program of its own, started with the settings of a scenario.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::program::Program;
use crate::request::{self, Answered};

/// How long it may take to become ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between looks at its readiness.
const LOOK: Duration = Duration::from_millis(20);

/// The bridge, running. Killed when dropped.
pub struct Bridge {
    executable: PathBuf,
    settings: BTreeMap<String, String>,
    program: Program,
    url: String,
}

impl Bridge {
    /// Starts it on a port of its own and waits until it listens.
    ///
    /// `executable` is `env!("CARGO_BIN_EXE_eventing-zeebe")`, which only tests of the root package know.
    ///
    /// # Panics
    /// When it ends instead; the message has its output.
    pub async fn start(executable: impl AsRef<Path>, settings: &[(&str, &str)]) -> Self {
        let mut all: BTreeMap<String, String> = [
            ("PORT", "0"),
            ("BRIDGE_LOG_FORMAT", "json"),
            ("BRIDGE_THREADS", "1"),
        ]
        .iter()
        .chain(settings)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        let (program, address) = launch(executable.as_ref(), &all).await;
        // Started again it is found where it was.
        let port = address.rsplit(':').next().expect("a port").to_owned();
        all.insert("PORT".to_owned(), port);
        Self {
            executable: executable.as_ref().to_owned(),
            settings: all,
            program,
            url: format!("http://{address}/"),
        }
    }

    /// Starts it anew, on the same port and with the same settings, after it has ended.
    ///
    /// # Panics
    /// As [`Bridge::start`].
    pub async fn start_again(&mut self) {
        self.program = launch(&self.executable, &self.settings).await.0;
    }

    /// Where its sink is, as `http://HOST:PORT/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The program, to signal it or read what it printed.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// Sends an event in binary mode with JSON data.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, ty: &str, id: &str, data: &Value) -> Answered {
        self.send_with(ty, id, &[], data).await
    }

    /// As [`Bridge::send`], with further headers.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send_with(
        &self,
        ty: &str,
        id: &str,
        headers: &[(&str, &str)],
        data: &Value,
    ) -> Answered {
        request::post_event(&self.url, ty, id, headers, data).await
    }

    /// GET of one of its pages, such as `readyz`.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn get(&self, page: &str) -> Answered {
        request::get(&format!("{}{page}", self.url)).await
    }

    /// As [`Bridge::get`], of whoever says what he accepts.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn get_as(&self, page: &str, accept: &str) -> Answered {
        let url = format!("{}{page}", self.url);
        let headers = [("accept", accept)];
        request::try_send(Method::GET, &url, &headers, Bytes::new())
            .await
            .unwrap_or_else(|error| panic!("GET {url}: {error}"))
    }

    /// The value of a metric's sample whose line begins with `name`, the sum where labels make several;
    /// 0 where there is none yet.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn metric(&self, name: &str) -> f64 {
        self.metric_of(name, &[]).await
    }

    /// As [`Bridge::metric`], of the samples that have these labels, and whichever others.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn metric_of(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        let page = self.get("metrics").await;
        page.text()
            .lines()
            .filter(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with([' ', '{']))
            })
            .filter(|line| labels.iter().all(|label| line.contains(label)))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Waits until a metric, as [`Bridge::metric`] reads it, is as wanted.
    ///
    /// # Panics
    /// When it is not within a minute; the message has its value.
    pub async fn metric_when(&self, name: &str, wanted: impl Fn(f64) -> bool) {
        self.metric_of_when(name, &[], wanted).await;
    }

    /// As [`Bridge::metric_when`], of the samples that have these labels.
    ///
    /// # Panics
    /// As [`Bridge::metric_when`].
    pub async fn metric_of_when(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        wanted: impl Fn(f64) -> bool,
    ) {
        let began = std::time::Instant::now();
        loop {
            let value = self.metric_of(name, labels).await;
            if wanted(value) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {name} is {value}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Panics
    /// When it does not within a minute; the message has the reasons and its output.
    pub async fn ready(&self) {
        let began = std::time::Instant::now();
        loop {
            let answered = self.get("readyz").await;
            if answered.status.is_success() {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "not ready within {PATIENCE:?}: {}; it printed:\n{}",
                answered.text(),
                self.program.output().join("\n")
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn launch(executable: &Path, settings: &BTreeMap<String, String>) -> (Program, String) {
    let mut program = Program::start(executable, &[], settings)
        .unwrap_or_else(|error| panic!("{}: {error}", executable.display()));
    let address = program
        .wait_for_log("listening", |line| {
            let fields = line.get("fields").unwrap_or(line);
            (fields["message"] == "listening")
                .then(|| fields["address"].as_str().map(str::to_owned))?
        })
        .await;
    (program, address)
}
