//! Configuration: what the environment says, as written and as validated.
