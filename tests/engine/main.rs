//! The scenarios against a real engine.
