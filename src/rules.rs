//! Which engine command an event leads to.
