//! The bridge between Knative Eventing and the Zeebe workflow engine.
//!
//! One program, two roles that mirror each other: something arrives, `rules` turns it, something is
//! sent, and one exhaustive table says what the result means to whoever is waiting.
//!
//! - [`config`]: what the environment says, validated before a port is bound.
//! - [`rules`]: which engine command an event leads to. Pure: no clock, no socket, no async.
//! - [`recipient`]: what every request with events passes, whichever role it is for.
//! - [`sink`]: the role that takes events and gives the engine commands.
//! - [`source`]: the role that works the engine's jobs and sends each as an event.
//! - `rpc`: what the spans of both roles' commands say of the engine.
//! - [`decisions`]: what became of the last events and jobs, for whoever asks.
//! - [`admin`]: health, readiness, metrics, decisions, the log's level.
//! - [`command`]: what the program does: `run`, which joins the roles, and deploy, emit beside them.
//!
//! `sink` and `source` never import each other. `tests/it/layout.rs` holds the directions.

pub mod admin;
pub mod command;
pub mod config;
pub mod decisions;
pub mod recipient;
mod rpc;
pub mod rules;
pub mod sink;
pub mod source;
