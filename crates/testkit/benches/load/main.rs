//! The load run of `make bench`: the release bridge beside the bare limit of the same stack.
//!
//! It stands in this package, not in the bridge's own: there cargo would build the bridge anew with
//! the features that the tests need, and that would be measured.
//!
//! - `roles`: what runs as a program of its own, by starting this one again: gateway, bare limits, collector.
//! - `program`: such a program or the bridge, with its CPU time and memory.
//! - `sender`, `receiver`: events into the sink, events out of the source, as cheap as can be.
//! - `runs`: the measurements, each of the bridge and of the bare limit in turn.
//! - `traces`: the bridge that traces everything beside the same that traces nothing.
//! - `report`: the tables, with the aims beside the ratios.

mod program;
mod receiver;
mod report;
mod roles;
mod runs;
mod sender;
mod traces;

use std::path::PathBuf;
use std::time::Duration;

/// How long and how often is measured; `ROUNDS` and `SECONDS` say otherwise.
#[derive(Debug, Clone, Copy)]
struct Effort {
    rounds: usize,
    span: Duration,
}

/// The runs and whether they are wanted; `ONLY=sink,source,start,traces` chooses.
fn wanted(run: &str) -> bool {
    std::env::var("ONLY").map_or(true, |only| only.split(',').any(|name| name == run))
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// The bridge as it is shipped: `BRIDGE_EXECUTABLE`, or the one in the folder of release builds.
fn bridge() -> PathBuf {
    let executable = std::env::var_os("BRIDGE_EXECUTABLE").map_or_else(
        || {
            let ours = std::env::current_exe().expect("the path of this program");
            let release = ours.ancestors().nth(2).expect("a folder of builds");
            release.join("eventing-zeebe")
        },
        PathBuf::from,
    );
    assert!(
        executable.is_file(),
        "{} is missing; build it with `cargo build --release -p eventing-zeebe`, or run `make bench`",
        executable.display()
    );
    executable
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    runtime.block_on(async {
        match arguments.first().map(String::as_str) {
            Some("gateway") => roles::gateway(&arguments[1]).await,
            Some("bare-sink") => roles::bare_sink(&arguments[1]).await,
            Some("bare-source") => roles::bare_source(&arguments[1], &arguments[2]).await,
            Some("collector") => roles::collector().await,
            // Cargo itself passes `--bench`.
            Some(_) | None => measure().await,
        }
    });
}

async fn measure() {
    let bridge = bridge();
    let effort = Effort {
        rounds: number("ROUNDS", 7),
        span: Duration::from_secs(number("SECONDS", 2) as u64),
    };
    let mut report = report::Report::of_limit();
    report.size(&bridge);
    if wanted("start") {
        report.start(&runs::start(&bridge).await);
    }
    if wanted("sink") {
        for bytes in [200, 8 * 1024] {
            report.sink(bytes, &runs::sink(&bridge, bytes, effort).await);
        }
    }
    if wanted("source") {
        report.source(&runs::source(&bridge, effort).await);
    }
    println!("{report}");
    if wanted("traces") {
        let mut report = report::Report::of_traces();
        for bytes in [200, 8 * 1024] {
            let traced = traces::sink(&bridge, bytes, effort).await;
            report.traces(&format!("sink, {bytes} bytes"), "events", &traced);
        }
        let traced = traces::source(&bridge, effort).await;
        report.traces("source, 200 bytes", "jobs", &traced);
        println!("{report}");
    }
}
