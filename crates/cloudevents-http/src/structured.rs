//! Structured mode and the JSON event format (JSON format 1.0.2).

mod read;
mod write;

pub(crate) use read::{EventSeed, decode, parse};
pub use write::encode_structured;
pub(crate) use write::write;
