//! The CloudEvents HTTP protocol binding over bytes, without I/O.
