//! The operating system process as metrics, under the names that Prometheus' own clients give them.
//!
//! Read from `/proc` when asked; where there is none, or it says something else, the metric is
//! absent.

use std::fs;

use opentelemetry::metrics::Meter;

/// Ticks a second in `/proc`: `USER_HZ`, which Linux keeps at 100 for every program.
const TICKS_PER_SECOND: f64 = 100.0;

/// Registers what is known of this process on `meter`.
pub(super) fn observe(meter: &Meter) {
    meter
        .u64_observable_gauge("process.resident_memory")
        .with_unit("By")
        .with_description("Resident memory size in bytes.")
        .with_callback(|observer| {
            if let Some(bytes) = status_bytes("VmRSS:") {
                observer.observe(bytes, &[]);
            }
        })
        .build();
    meter
        .u64_observable_gauge("process.open_fds")
        .with_description("Number of open file descriptors.")
        .with_callback(|observer| {
            if let Ok(entries) = fs::read_dir("/proc/self/fd") {
                // Without the one that this reading holds.
                observer.observe((entries.count() as u64).saturating_sub(1), &[]);
            }
        })
        .build();
    meter
        .f64_observable_counter("process.cpu")
        .with_unit("s")
        .with_description("User and system CPU time spent in seconds.")
        .with_callback(|observer| {
            if let Some((user, system)) = stat_field(UTIME).zip(stat_field(STIME)) {
                observer.observe((user + system) / TICKS_PER_SECOND, &[]);
            }
        })
        .build();
    let started = start_time();
    meter
        .f64_observable_gauge("process.start_time")
        .with_unit("s")
        .with_description("Start time of the process since the Unix epoch in seconds.")
        .with_callback(move |observer| {
            if let Some(started) = started {
                observer.observe(started, &[]);
            }
        })
        .build();
}

fn status_bytes(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

// Fields of /proc/self/stat, counted from the first after the name in parentheses.
const UTIME: usize = 11;
const STIME: usize = 12;
const START: usize = 19;

fn stat_field(index: usize) -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name may hold anything, parentheses too; it ends at the last one.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split_whitespace().nth(index)?.parse().ok()
}

fn start_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(boot + stat_field(START)? / TICKS_PER_SECOND)
}
