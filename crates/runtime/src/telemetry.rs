//! Logs and metrics.
//!
//! Both are handed on, not global: rooms get a [`Meter`](opentelemetry::metrics::Meter), and
//! [`logs::layer`] is one layer among those a program installs.

pub mod logs;
pub mod metrics;
mod process;
