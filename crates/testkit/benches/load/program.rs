//! A program under load: started with one runtime thread, its CPU time and memory read from `/proc`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use testkit::program::Program;

/// Ticks a second in `/proc/PID/stat`: the same on every Linux.
const TICKS: f64 = 100.0;
/// The name of the thread that sends spans.
const SENDS_SPANS: &str = "traces";

/// A program that said where it listens. Killed when dropped.
pub(crate) struct Measured {
    program: Program,
    pub(crate) address: String,
}

/// What `/proc/PID/status` says, in MB of 2^20 bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    pub(crate) resident: f64,
    pub(crate) peak: f64,
}

impl Measured {
    /// Starts the bridge.
    pub(crate) async fn bridge(executable: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start(executable, &[], &environment(0, settings)).await
    }

    /// Starts this program again in another role.
    pub(crate) async fn role(arguments: &[&str]) -> Self {
        let ours = std::env::current_exe().expect("the path of this program");
        Self::start(&ours, arguments, &BTreeMap::new()).await
    }

    async fn start(
        executable: &Path,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let mut program =
            Program::start(executable, arguments, environment).expect("a program that starts");
        let address = program
            .wait_for_log("listening", |line| {
                let fields = line.get("fields").unwrap_or(line);
                (fields["message"] == "listening")
                    .then(|| fields["address"].as_str().map(str::to_owned))?
            })
            .await;
        Self { program, address }
    }

    fn id(&self) -> u32 {
        self.program.id().expect("the program still runs")
    }

    /// The CPU time of all its threads so far, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        seconds(&format!("/proc/{}/stat", self.id()))
    }

    /// That of the thread which sends spans; 0 where there is none.
    pub(crate) fn sending(&self) -> f64 {
        std::fs::read_dir(format!("/proc/{}/task", self.id()))
            .expect("its threads")
            .map(|thread| thread.expect("a thread").path())
            .filter(|thread| {
                let name = std::fs::read_to_string(thread.join("comm"));
                name.is_ok_and(|name| name.trim_end() == SENDS_SPANS)
            })
            .map(|thread| seconds(&thread.join("stat").display().to_string()))
            .sum()
    }

    /// Its memory now, and the most it had.
    pub(crate) fn memory(&self) -> Memory {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("its status");
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes: f64 = line
                .and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok())
                .expect("a number of kB");
            kilobytes / 1024.0
        };
        Memory {
            resident: value("VmRSS:"),
            peak: value("VmHWM:"),
        }
    }
}

/// User and system time in a `stat` of `/proc`.
fn seconds(path: &str) -> f64 {
    let stat = std::fs::read_to_string(path).expect("its stat");
    // The name, in brackets, may hold anything; user and system time are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks: f64 = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<f64>().expect("a number of ticks"))
        .sum();
    ticks / TICKS
}

/// What the bridge is told in every run: one runtime thread, as the bare limit has.
pub(crate) fn environment(port: u16, settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    let port = port.to_string();
    [
        ("PORT", port.as_str()),
        ("BRIDGE_LOG_FORMAT", "json"),
        ("BRIDGE_THREADS", "1"),
    ]
    .iter()
    .chain(settings)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect()
}

/// Waits for a while; a word for what is not worth watching for.
pub(crate) async fn settle(span: Duration) {
    tokio::time::sleep(span).await;
}
