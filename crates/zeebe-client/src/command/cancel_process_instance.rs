//! `CancelProcessInstance`.

use super::Command;
use crate::protocol::{CancelProcessInstanceRequest, CancelProcessInstanceResponse};

/// Cancels a process instance. RPC `CancelProcessInstance`.
#[derive(Debug, Clone)]
pub struct CancelProcessInstance {
    /// The instance.
    pub process_instance_key: i64,
}

impl Command for CancelProcessInstance {
    const NAME: &'static str = "CancelProcessInstance";
    type Request = CancelProcessInstanceRequest;

    fn into_request(self) -> Self::Request {
        CancelProcessInstanceRequest {
            process_instance_key: self.process_instance_key,
        }
    }
}

impl From<CancelProcessInstanceResponse> for () {
    fn from(_: CancelProcessInstanceResponse) {}
}
