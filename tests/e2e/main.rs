//! The bridge on a whole Kubernetes with Knative Eventing and Serving: `make e2e`, which says what it takes.
//!
//! - [`cluster`]: kubectl and helm as child processes, and waiting for what they show.
//! - [`room`]: a namespace for each scenario, which is told in full where the scenario fails, and removed.
//! - [`forward`]: a way in from the test to a port of the cluster.
//! - [`engine`]: the gateway, by the name that the manifests have for it.
//! - [`broker`], [`watcher`]: events in, events out.
//! - [`pods`]: when pods came, became ready and went.
//! - [`metrics`]: what a pod counts.
//! - [`passer_by`], [`doors`]: whom one reaches from where.
//!
//! The rest are scenarios. They run one after the other, whatever the harness is told: they share an engine, where the
//! bridge of one would work the jobs of another.

mod broker;
mod cluster;
mod doors;
mod engine;
mod forward;
mod metrics;
mod passer_by;
mod pods;
mod room;
mod watcher;

/// The SinkBinding goes and comes back.
mod binding;
/// The chart, both topologies.
mod chart;
/// What an event costs that comes while nothing is up, and what an idle hour costs.
mod cold;
/// What could not be delivered, and what nobody wants.
mod dead_letters;
/// The manifests, in any order.
mod install;
/// Who may send, where Knative's OIDC is on.
mod oidc;
/// Whom NetworkPolicies let in and out, where they are enforced.
mod policies;
/// Pods are replaced and killed while events come.
mod rollouts;
/// The ticket sale, from the website to the tickets.
mod sale;
/// Jobs of timers while nothing is up.
mod timers;
