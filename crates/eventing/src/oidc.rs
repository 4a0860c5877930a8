//! The OIDC token of a delivery. The sender re-reads it; whoever receives checks it.

pub(crate) mod token;
