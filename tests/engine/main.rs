//! The scenarios against a real engine: `make engine`.
//!
//! One broker serves most of them; each deploys models under names of its own. Those that end the engine
//! in the middle have one of their own.

mod bridge;
#[path = "../sale/rules.rs"]
mod rules;
#[path = "../sale/services.rs"]
mod services;
#[path = "../sale/whole.rs"]
mod whole;

/// What is activated and not yet held.
mod buffers;
/// The bridge or the engine ends in the middle.
mod endings;
/// The in-memory engine, of a newer version than the broker.
mod in_memory;
/// The commands of docs/OPERATING.md for whoever is on call, run as they are written there.
mod on_call;
/// What the destination's answers do to jobs.
mod outcomes;
/// An event in, a process, a job, an event out; and what a redelivery does.
mod round_trip;
/// The ticket sale with all that belongs to it, and the traces that it makes.
mod sale;
/// The models of the ticket sale.
mod tickets;
/// What the engine tells a Broker of itself: incidents, and messages that nobody waited for.
mod told;
/// Which job goes on from which event, in the spans that a collector gets.
mod trace;
/// Jobs that waited for a pod to be woken, and the end of one in the middle.
mod wake_up;
