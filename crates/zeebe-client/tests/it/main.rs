//! The client against a gateway that does what a test tells it, over real connections.
//!
//! - `classification`: what each failure means, one table.
//! - `connection`: made when needed, and again when lost.
//! - `gathered`: commands that leave together arrive whole.
//! - `size`: what is too large to send, and what is not too large to read.
//! - `credentials`: tokens, basic authentication, and that secrets stay secret.
//! - `tls`: private authorities, mutual TLS, and mistakes.
//! - `worker`: capacity, streams, renewal, ends, stopping.

mod classification;
mod connection;
mod credentials;
mod gathered;
mod harness;
mod size;
mod tls;
mod worker;
