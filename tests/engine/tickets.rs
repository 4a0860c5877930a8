//! The ticket sale: each of its models with the rules that are shipped, the services played by the test.

/// Senders that know no context but Zipkin's.
mod b3;
/// Level 2: the process asks for what has to be done.
mod coordinate;
mod customer;
/// Customers who leave, wherever they are in the sale.
mod leaving;
/// What the observer makes of a sale, and who may read it.
mod observed;
/// No order of events is needed.
mod order;
/// Level 4: what fails is undone, and an operator can have the sale go on.
mod repair;
mod shop;
/// Another level is deployed while sales run.
mod switching;
/// What happens when time is up, from level 3 on.
mod time;
/// Level 1: the process follows.
mod watch;
