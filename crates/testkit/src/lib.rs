//! Fakes and builders for tests: a gateway with faults, a destination that records, a spawned program.

pub mod certificates;
pub mod clock;
pub mod gateway;
pub mod program;
