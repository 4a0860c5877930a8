//! Development tools around the bridge: a local Broker with its Triggers, and a watcher of events.
//!
//! They run on loopback and are for trying out and for tests, not for production.
//!
//! - [`broker`]: Broker and Triggers, from the YAML that a cluster is given.
//! - [`watch`]: takes every event and prints it as a line.
//! - [`stage`]: starts all that belongs together, and ends it.
//! - [`client`]: asks others on loopback.
//! - [`reach`]: says whether a TCP connection comes about.
//!
//! And the services of the ticket sale, which know events only:
//!
//! - [`sale`]: the words of the sale, its event types and their data.
//! - [`queue`], [`tickets`], [`payments`]: the line, the ticket office, the cashier.
//! - [`website`]: the shop's page, and its back end; [`customer`]: buys there without a browser.
//! - [`crowd`]: very many customers at once, and what must be true when they have gone.
//! - [`service`]: what all services have in common; [`store`]: what none of them must forget; [`traces`]: their spans.

pub mod broker;
pub mod client;
pub mod crowd;
pub mod customer;
pub mod payments;
pub mod queue;
pub mod reach;
pub mod sale;
pub mod service;
pub mod stage;
pub mod store;
pub mod tickets;
pub mod traces;
pub mod watch;
pub mod website;
