//! OIDC tokens. The sender of a delivery re-reads its own; whoever receives one checks it.

pub(crate) mod token;
pub(crate) mod verify;
