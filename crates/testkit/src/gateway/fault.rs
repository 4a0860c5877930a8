//! What may go wrong with a call, on demand.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};

use super::RPCS;

/// What happens to a call in place of an answer, or before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Refused with this code and message, without an effect.
    Status(Code, String),
    /// Takes effect, and answers as if it had not.
    StatusAfterTaking(Code, String),
    /// Never answered and without an effect; the connection stays.
    Hang,
    /// The connection is lost before the call takes effect.
    Cut,
    /// Takes effect, then the connection is lost: the caller cannot know.
    CutAfterTaking,
    /// Takes effect and is answered, so much later.
    Delay(Duration),
}

impl Fault {
    /// A refusal with this code.
    #[must_use]
    pub fn status(code: Code, message: &str) -> Self {
        Self::Status(code, message.to_owned())
    }

    /// What an engine under load says.
    #[must_use]
    pub fn backpressure() -> Self {
        Self::status(Code::ResourceExhausted, "the partition is busy")
    }
}

/// The faults that wait for calls.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: HashMap<&'static str, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    fault: Fault,
    /// So many calls more; without end where there is none.
    calls: Option<usize>,
}

impl Faults {
    pub(super) fn set(&mut self, rpc: &str, fault: Fault, calls: Option<usize>) {
        self.waiting.insert(known(rpc), Waiting { fault, calls });
    }

    pub(super) fn clear(&mut self, rpc: &str) {
        self.waiting.remove(known(rpc));
    }

    /// The fault for the call that has just arrived.
    pub(super) fn strike(&mut self, rpc: &'static str) -> Option<Fault> {
        let waiting = self.waiting.get_mut(rpc)?;
        let Some(calls) = &mut waiting.calls else {
            return Some(waiting.fault.clone());
        };
        *calls = calls.checked_sub(1)?;
        Some(waiting.fault.clone())
    }
}

/// The name of an RPC; a misspelt one would never strike.
pub(super) fn known(rpc: &str) -> &'static str {
    RPCS.iter()
        .find(|known| **known == rpc)
        .unwrap_or_else(|| panic!("`{rpc}` is no RPC of the gateway; there are {RPCS:?}"))
}

pub(super) fn too_large(bytes: usize) -> Status {
    Status::resource_exhausted(format!(
        "the gRPC message exceeds maximum size {}: {bytes}",
        super::MAX_MESSAGE_BYTES
    ))
}
