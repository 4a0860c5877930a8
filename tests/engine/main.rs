//! The scenarios against a real engine: `make engine`.
//!
//! One broker serves all of them; each deploys models under names of its own.

mod bridge;
mod model;
mod recorder;
mod zeebe;

/// An event in, a process, a job, an event out; and what a redelivery does.
mod round_trip;
/// What the destination's answers do to jobs.
mod outcomes;
/// The bridge or the engine ends in the middle.
mod endings;
