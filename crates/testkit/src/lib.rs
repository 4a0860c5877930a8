//! Fakes and builders for tests: a gateway with faults, a destination that records, a spawned program.

pub mod program;
