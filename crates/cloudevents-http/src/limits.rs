//! How much of a message is taken before it is refused.

use crate::error::{Error, Problem, Shown};

/// The greatest event that a receiver takes; what exceeds it is
/// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
///
/// The body as a whole is in memory before it gets here: bounding that is the caller's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Attributes of one event, context and extension attributes together, those that are `null`
    /// in JSON included. Default 64.
    pub max_attributes: usize,
    /// Bytes of one attribute's name, and of its value as decoded. Default 8 KiB.
    pub max_attribute_bytes: usize,
    /// Bytes of one event's data as decoded. Default 4 MiB.
    pub max_data_bytes: usize,
    /// Events in one batch. Default 100.
    pub max_batch_events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_attributes: 64,
            max_attribute_bytes: 8 * 1024,
            max_data_bytes: 4 * 1024 * 1024,
            max_batch_events: 100,
        }
    }
}

impl Limits {
    pub(crate) fn attribute(&self, name: &str, bytes: usize) -> Result<(), Error> {
        if bytes > self.max_attribute_bytes {
            return Err(Problem::AttributeTooLong {
                attribute: Shown::new(name),
                limit: self.max_attribute_bytes,
            }
            .into());
        }
        Ok(())
    }

    pub(crate) fn data(&self, bytes: usize) -> Result<(), Error> {
        if bytes > self.max_data_bytes {
            return Err(Problem::DataTooLarge {
                limit: self.max_data_bytes,
            }
            .into());
        }
        Ok(())
    }
}
