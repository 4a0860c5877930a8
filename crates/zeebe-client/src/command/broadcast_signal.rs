//! `BroadcastSignal`.

use super::Command;
use crate::protocol::{BroadcastSignalRequest, BroadcastSignalResponse};

/// Broadcasts a signal to all who wait for it. RPC `BroadcastSignal`.
#[derive(Debug, Clone)]
pub struct BroadcastSignal {
    /// The signal name of the model.
    pub signal_name: String,
    /// The text of one JSON object; empty for none.
    pub variables: String,
    /// The tenant; `None` is the engine's default tenant.
    pub tenant_id: Option<String>,
}

impl Command for BroadcastSignal {
    const NAME: &'static str = "BroadcastSignal";
    type Request = BroadcastSignalRequest;

    fn into_request(self) -> Self::Request {
        BroadcastSignalRequest {
            signal_name: self.signal_name,
            variables: self.variables,
            tenant_id: self.tenant_id.unwrap_or_default(),
        }
    }
}

/// The signal, broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroadcastSignalAnswer {
    /// The signal's key.
    pub key: i64,
}

impl From<BroadcastSignalResponse> for BroadcastSignalAnswer {
    fn from(answer: BroadcastSignalResponse) -> Self {
        Self { key: answer.key }
    }
}
