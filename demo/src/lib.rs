//! Development tools around the bridge.
pub mod broker;
