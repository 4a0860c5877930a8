//! Development tools around the bridge: a local Broker with its Triggers, and a watcher of events.
//!
//! They run on loopback and are for trying out and for tests, not for production.
//!
//! - [`broker`]: Broker and Triggers, from the YAML that a cluster is given.
//! - [`watch`]: takes every event and prints it as a line.

pub mod broker;
pub mod watch;
