//! `CreateProcessInstanceWithResult`.

use std::time::Duration;

use super::{Command, CreateProcessInstance, millis};
use crate::protocol::{
    CreateProcessInstanceWithResultRequest, CreateProcessInstanceWithResultResponse,
};

/// Starts a process by its id and waits for its end. RPC `CreateProcessInstanceWithResult`.
#[derive(Debug, Clone)]
pub struct CreateProcessInstanceWithResult {
    /// What to start.
    pub start: CreateProcessInstance,
    /// How long to wait for the end.
    pub request_timeout: Duration,
    /// The variables wanted of the result; empty for all.
    pub fetch_variables: Vec<String>,
}

impl Command for CreateProcessInstanceWithResult {
    const NAME: &'static str = "CreateProcessInstanceWithResult";
    type Request = CreateProcessInstanceWithResultRequest;

    fn deadline(&self) -> Option<Duration> {
        Some(self.request_timeout)
    }

    fn into_request(self) -> Self::Request {
        CreateProcessInstanceWithResultRequest {
            request: Some(self.start.into_request()),
            request_timeout: millis(self.request_timeout),
            fetch_variables: self.fetch_variables,
        }
    }
}

/// The instance, and what it ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateProcessInstanceWithResultAnswer {
    /// The instance.
    pub process_instance_key: i64,
    /// The id of its process.
    pub bpmn_process_id: String,
    /// Its version.
    pub version: i32,
    /// The result, one JSON object.
    pub variables: String,
}

impl From<CreateProcessInstanceWithResultResponse> for CreateProcessInstanceWithResultAnswer {
    fn from(answer: CreateProcessInstanceWithResultResponse) -> Self {
        Self {
            process_instance_key: answer.process_instance_key,
            bpmn_process_id: answer.bpmn_process_id,
            version: answer.version,
            variables: answer.variables,
        }
    }
}
