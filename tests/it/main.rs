//! Scenarios through the wire that need no other toolchain.

/// What the chart's alerts and its dashboard ask for.
mod alerts;
/// What the Helm chart has to know of the program.
mod chart;
/// Bad configuration: fatal before a port is bound, and every problem names its variable.
mod config;
/// More events than the engine can take.
mod crowded;
/// What became of an event, asked of the program itself.
mod dark;
/// The dependency tree.
mod dependencies;
/// The pictures of the models.
mod diagrams;
/// What the pages say is what the program does.
mod docs;
/// A request that waits until all jobs that waited are worked.
mod drain;
/// The trace that a slow bucket leads to.
mod exemplars;
/// What nobody in his right mind sends.
mod hostile;
/// What the Dockerfile says of the workspace.
mod image;
/// Which room may import which, and how long a file may be.
mod layout;
/// What is applied to clusters.
mod manifests;
/// Models, by hand and at start.
mod models;
/// A long time without a destination.
mod outage;
/// Metrics that are pushed to a collector, and the last of them at the end.
mod pushed;
/// Which roles run, and what readiness says of them.
mod roles;
/// Secrets, proxies, and other small things that matter.
mod security;
/// Who may send, where tokens are asked for.
mod senders;
/// What is answered to a sender, and what the engine has got of it.
mod sink;
/// What a job becomes, and what its end is.
mod source;
mod support;
/// The token that goes with each event.
mod token;
/// Spans: which there are, whose children, what they say; and that a collector can do no harm.
mod trace;
