//! The services of the ticket sale, through the wire: events in, events out, books.

mod market;
mod support;

/// A whole sale by the services alone, over the local Broker, with no process that coordinates it.
mod choreography;
/// What all services have in common: once, refused, away, and back.
mod common;
/// Services that are killed, and stopped, at the worst moment.
mod endings;
/// The cashier.
mod payments;
/// The line.
mod queue;
/// The ticket office.
mod tickets;
/// The spans of a sale, across all services.
mod traces;
/// The website.
mod website;
