//! The local Broker through the wire, and its filters and files as tables.

mod support;

/// CloudEvents SQL: expressions, their values and their errors.
mod cesql;
/// What a Trigger's delivery block does: retries, dead letters, replies.
mod delivery;
/// Which events a Trigger takes.
mod filters;
/// What senders are answered.
mod ingress;
/// What is read from YAML, what is refused, and the files that are shipped.
mod manifests;
/// How much is held, and for how long.
mod memory;
/// The programs: arguments, signals, exit codes, with the shipped files.
mod program;
/// Events as lines.
mod watch;
