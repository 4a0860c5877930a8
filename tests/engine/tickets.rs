//! The ticket sale: each of its models with the rules that are shipped, the services played by the test.

mod customer;
/// Level 4: what fails is undone, and an operator can have the sale go on.
mod repair;
mod shop;
