//! The supervisor with small programs, through signals, files and requests.

mod support;

/// Requests that show and kill programs, and who may send them.
mod controls;
/// How all comes to its end.
mod endings;
/// What is refused before anything is started, with its line.
mod files;
/// The shipped file without an engine: a whole sale.
mod sale;
/// Order, readiness, ports, variables, the command.
mod starts;
