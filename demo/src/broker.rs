//! A Broker and its Triggers on loopback.
pub mod destination;
pub mod filter;
pub mod manifest;
