//! A program's life through real sockets on 127.0.0.1, and in paused time where no socket is.
//!
//! Deadlines in the tests are small settings, never waited for blindly: each test awaits what the
//! deadline leads to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

/// Bodies: the least rate, the greatest size, one budget.
mod body;
/// Threads and the CPUs given to the program.
mod cpu;
/// The listener while it serves: who is cut, who waits, who makes room.
mod listener;
/// Named checks and their reasons.
mod readiness;
/// From the first signal to the end.
mod shutdown;
/// Log lines and the text of metrics.
mod telemetry;
