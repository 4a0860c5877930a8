//! Knative's data-plane contract, for both directions; it has never heard of an engine.
//!
//! - [`SinkBinding`]: what a SinkBinding injects, as one validated value.
//! - [`Sender`], [`Attempt`]: one delivery of one event, and how it went.
//! - [`Token`]: the OIDC token that goes with it, and to whom alone.
//! - [`Verifier`]: whether the sender of a request may send, by its OIDC token.
//! - [`retry`](mod@retry): the table from an attempt to what follows from it.
//! - [`DeliverySpec`], [`deliver`]: a delivery with retries, as a Broker makes it.
//! - [`backoff`]: pauses between attempts.
//! - [`reply`]: when an answer carries an event, and why ours are empty.
//! - [`spans`]: events on their way in and out, in traces.
//! - [`extension`]: names of the extension attributes that Knative adds.

pub mod backoff;
pub mod delivery;
pub mod extension;
mod oidc;
pub mod reply;
pub mod retry;
mod sink_binding;
pub mod spans;

pub use backoff::BackoffPolicy;
pub use delivery::{
    Attempt, Delivered, DeliverySpec, NotReached, Sender, SenderError, SenderSettings, deliver,
    mark_dead_letter,
};
pub use oidc::token::Token;
pub use oidc::verify::{
    Denied, KeysHealth, Outcome, Pace, Subjects, Verifier, VerifierError, VerifierSettings,
    issuer_url,
};
pub use retry::{Reason, Retry, retry};
pub use sink_binding::{SinkBinding, SinkBindingError};
