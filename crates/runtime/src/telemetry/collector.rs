//! The collector of telemetry: how requests get to it, whatever they tell.
//!
//! Each kind of telemetry is sent by a thread with a runtime of its own: an exporter that waited on the runtime whose
//! work it reports would wait for itself, where that has one thread.
//!
//! - `exporter`, `http`: requests that are written already, by gRPC or by HTTP.
//! - `thread`: the thread that sends them. `flush`: has it send what waits, at a program's end.
//! - `trouble`: what the log is told of a collector that takes nothing.

mod exporter;
mod flush;
mod http;
mod thread;
mod trouble;

pub(super) use exporter::{Exporter, Rejected};
pub use flush::Flush;
pub(super) use flush::{Asked, flush};
pub use thread::StartError;
pub(super) use thread::start;
pub(super) use trouble::Trouble;
