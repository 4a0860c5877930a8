//! How many threads the CPUs given to the program are worth.
//!
//! A limit of the container counts before the machine's cores, read as a fraction: half a CPU is
//! not one, and one and a half are not one. At one CPU or less the runtime is single-threaded: two
//! threads that take turns on one CPU only add the turns (12 to 26 % of the CPU time of an event,
//! measured on two cores).

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// The most threads that [`Threads::Auto`] takes. Without a limit a pod sees all cores of its node,
/// which would be a stack and a queue for each of sixty-four, mostly idle.
const MOST_AUTO: usize = 4;

/// How many threads run the program's tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// As many as the CPUs given to the program, rounded up, at most four.
    #[default]
    Auto,
    /// So many; one means a single-threaded runtime.
    Fixed(NonZeroUsize),
}

/// A number of threads that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a number of threads; use `auto` or a number from 1")]
pub struct InvalidThreads(String);

impl FromStr for Threads {
    type Err = InvalidThreads;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        text.parse()
            .map(Self::Fixed)
            .map_err(|_| InvalidThreads(text.to_owned()))
    }
}

impl Threads {
    /// The number of threads where `cpus` are given.
    #[must_use]
    pub fn count(self, cpus: f64) -> usize {
        match self {
            Self::Fixed(threads) => threads.get(),
            Self::Auto if cpus <= 1.0 => 1,
            Self::Auto if cpus >= MOST_AUTO as f64 => MOST_AUTO,
            Self::Auto => cpus.ceil() as usize,
        }
    }
}

/// The runtime the program runs in: single-threaded for one thread, else multi-threaded.
///
/// # Errors
/// When the operating system refuses threads or its event queue.
pub fn build(threads: Threads) -> io::Result<Runtime> {
    let mut builder = match threads.count(available()) {
        1 => Builder::new_current_thread(),
        threads => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    builder.enable_all().build()
}

/// The CPUs given to this program: the cores it may run on, or the container's limit if less.
#[must_use]
pub fn available() -> f64 {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get) as f64;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    match limit(&groups, Path::new("/sys/fs/cgroup")) {
        // Where a limit is set, the standard library has rounded `cores` down to it.
        Some(limit) if limit < cores + 1.0 => limit,
        Some(_) | None => cores,
    }
}

/// The least CPU limit of the control groups that `groups` lists (as `/proc/self/cgroup` does),
/// looked up below `root`, versions 1 and 2; `None` where nothing is limited.
#[must_use]
pub fn limit(groups: &str, root: &Path) -> Option<f64> {
    let limits = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next().unwrap_or_default();
        let group = parts.next().unwrap_or_default();
        if controllers.is_empty() {
            return least(root.to_owned(), group, version_2);
        }
        if controllers.split(',').any(|name| name == "cpu") {
            return least(root.join("cpu"), group, version_1)
                .or_else(|| least(root.join(controllers), group, version_1));
        }
        None
    });
    limits.min_by(f64::total_cmp)
}

/// The least limit of a group and all that hold it. The group may not be there: inside a container
/// it can be named as the host sees it, while the container's own stands at the root.
fn least(root: PathBuf, group: &str, read: fn(&Path) -> Option<f64>) -> Option<f64> {
    let group = Path::new(group.trim_start_matches('/'));
    group
        .ancestors()
        .filter_map(|ancestor| read(&root.join(ancestor)))
        .min_by(f64::total_cmp)
}

fn version_2(group: &Path) -> Option<f64> {
    let text = fs::read_to_string(group.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    share(quota, period)
}

fn version_1(group: &Path) -> Option<f64> {
    let quota = fs::read_to_string(group.join("cpu.cfs_quota_us")).ok()?;
    let period = fs::read_to_string(group.join("cpu.cfs_period_us")).ok()?;
    share(quota.trim(), period.trim())
}

/// "max" and -1 stand for no limit.
fn share(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}
