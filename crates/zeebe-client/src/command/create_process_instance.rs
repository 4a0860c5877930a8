//! `CreateProcessInstance`.

use super::Command;
use crate::protocol::{CreateProcessInstanceRequest, CreateProcessInstanceResponse};

/// Starts a process by its id. RPC `CreateProcessInstance`.
#[derive(Debug, Clone)]
pub struct CreateProcessInstance {
    /// The id of the process in its model.
    pub bpmn_process_id: String,
    /// The version to start; `None` is the latest.
    pub version: Option<i32>,
    /// The text of one JSON object; empty for none.
    pub variables: String,
    /// The tenant; `None` is the engine's default tenant.
    pub tenant_id: Option<String>,
}

impl Command for CreateProcessInstance {
    const NAME: &'static str = "CreateProcessInstance";
    type Request = CreateProcessInstanceRequest;

    fn into_request(self) -> Self::Request {
        CreateProcessInstanceRequest {
            bpmn_process_id: self.bpmn_process_id,
            version: self.version.unwrap_or(-1),
            variables: self.variables,
            tenant_id: self.tenant_id.unwrap_or_default(),
            process_definition_key: 0,
        }
    }
}

/// The instance that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateProcessInstanceAnswer {
    /// The deployed process.
    pub process_definition_key: i64,
    /// Its id in the model.
    pub bpmn_process_id: String,
    /// Its version.
    pub version: i32,
    /// The instance.
    pub process_instance_key: i64,
}

impl From<CreateProcessInstanceResponse> for CreateProcessInstanceAnswer {
    fn from(answer: CreateProcessInstanceResponse) -> Self {
        Self {
            process_definition_key: answer.process_definition_key,
            bpmn_process_id: answer.bpmn_process_id,
            version: answer.version,
            process_instance_key: answer.process_instance_key,
        }
    }
}
