//! The scenarios across Knative's own data plane: `make knative`.
//!
//! Each starts a data plane of its own, as Triggers name the addresses of the bridge and of destinations
//! that only it has. Those that need an engine share one real broker, under names of their own.

mod bridge;
mod dataplane;
#[path = "../sale/rules.rs"]
mod rules;
#[path = "../sale/services.rs"]
mod services;
#[path = "../sale/whole.rs"]
mod whole;

/// The demo's local Broker does what Knative's does.
mod agreement;
/// What the filter does with each answer that the sink can give.
mod answers;
/// A source whose Broker answers late, or not at first.
mod blocking;
/// A ticket sale from its first event to its last, all through the Broker.
mod circle;
/// Thousands of events at once.
mod crowd;
/// A process that its own events start again.
mod loops;
/// The manifests that are shipped.
mod manifests;
/// An event that is refused, repaired and replayed.
mod poison;
/// A customer's click, and the trace that it begins across the Broker.
mod sale;
/// What the engine tells of itself, through the Broker.
mod told;
/// What a PingSource makes of answers, and that the shipped one wakes the bridge.
mod wake_up;
