//! Knative's data-plane contract: tables as tables, deliveries through real sockets on 127.0.0.1.
//!
//! Time is not paused where sockets are: a clock that stands still runs ahead whenever everybody waits
//! for one. There, deadlines are small settings and each test awaits what they lead to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names what it wants; whatever else there will be fails it"
)]

mod harness;

/// The bodies of answers: too long, too slow, without end; and what is said of them.
mod answers;
/// Pauses between attempts, and what `Retry-After` adds.
mod backoff;
/// What a dead letter sink is told.
mod dead_letter;
/// Deliveries with retries.
mod delivery;
/// Proxies of the environment.
mod proxy;
/// What counts as a reply.
mod reply;
/// The table from an attempt to what follows.
mod retry;
/// One attempt as the recipient sees it.
mod sender;
/// Attempts without an answer, by their kinds.
mod silence;
/// What a SinkBinding injects.
mod sink_binding;
/// Whom a sender trusts.
mod tls;
/// The token of a delivery.
mod token;
