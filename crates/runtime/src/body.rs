//! Reading request bodies: no slower than a least rate, no larger than a limit, within a budget.

mod paced;
mod read;

pub use paced::{BodyRate, Paced, PacedError, TooSlow};
pub use read::{ReadError, read_body};
