//! `ThrowError`.

use super::{Command, JobKey};
use crate::protocol::{ThrowErrorRequest, ThrowErrorResponse};

/// Throws a BPMN error on a job. RPC `ThrowError`.
#[derive(Debug, Clone)]
pub struct ThrowError {
    /// The job.
    pub job_key: JobKey,
    /// The code that the model catches.
    pub error_code: String,
    /// Text for people.
    pub error_message: String,
    /// The text of one JSON object; empty for none.
    pub variables: String,
}

impl Command for ThrowError {
    const NAME: &'static str = "ThrowError";
    type Request = ThrowErrorRequest;

    fn into_request(self) -> Self::Request {
        ThrowErrorRequest {
            job_key: self.job_key.0,
            error_code: self.error_code,
            error_message: self.error_message,
            variables: self.variables,
        }
    }
}

impl From<ThrowErrorResponse> for () {
    fn from(_: ThrowErrorResponse) {}
}
