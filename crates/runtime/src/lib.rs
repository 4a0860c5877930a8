//! A program's life: listener, limits, readiness, shutdown, logs, metrics and traces.
//!
//! Knows no domain: whoever starts, serves and stops a program can do it with this.
//!
//! - [`listener`]: binds a port and serves HTTP/1.1 and HTTP/2 on it, within limits, until told to
//!   stop.
//! - [`body`] and [`budget`]: reading bodies at a least rate, to a greatest size, within one budget
//!   of bytes.
//! - [`readiness`]: named checks, each ready or not for a reason.
//! - [`service_link`]: variables that Kubernetes sets of its own accord.
//! - [`shutdown`]: the grace between a first signal and the end, and the tasks to wait for.
//! - [`telemetry`]: logs, metrics and traces.
//! - [`tls`]: TLS as a client speaks it.
//! - [`cpu`]: how many threads the CPUs given to the program are worth.

pub mod body;
pub mod budget;
pub mod cpu;
pub mod listener;
pub mod readiness;
pub mod service_link;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
