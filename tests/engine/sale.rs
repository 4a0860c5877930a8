//! The ticket sale as a customer meets it: the page, all services, the Broker with its shipped Triggers, the bridge, and
//! the engine with the shipped model. Each program sends its spans to one collector.

/// All of it, around one customer.
mod market;
/// From the click on "pay" to the tickets, or to what comes in their place.
mod pays;
