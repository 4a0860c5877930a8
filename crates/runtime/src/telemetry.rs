//! Logs, metrics and traces.
//!
//! All are handed on, not global: rooms get a [`Meter`](opentelemetry::metrics::Meter) and
//! [`Traces`](traces::Traces), and [`logs::layer`] is one layer among those a program installs.

pub mod collector;
pub mod logs;
pub mod metrics;
pub mod otel;
mod process;
mod push;
pub mod traces;
