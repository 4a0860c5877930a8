//! Fakes and builders for tests.
//!
//! - [`program`]: a program under test, spawned and watched through its log lines.
//! - [`bridge`]: the bridge as such a program, with a client of its sink.
//! - [`destination`]: an HTTP server that answers as told and remembers what it got.
//! - [`certificates`]: an authority of one's own, and what it vouches for.
//! - [`request`]: one HTTP request, made plainly.

pub mod bridge;
pub mod certificates;
pub mod destination;
pub mod program;
pub mod request;
