//! `FailJob`.

use std::time::Duration;

use super::{Command, JobKey, millis};
use crate::protocol::{FailJobRequest, FailJobResponse};

/// Fails a job. RPC `FailJob`.
#[derive(Debug, Clone)]
pub struct FailJob {
    /// The job.
    pub job_key: JobKey,
    /// How often it may still fail; 0 raises an incident.
    pub retries: i32,
    /// What an incident will say.
    pub error_message: String,
    /// The pause before it is offered again.
    pub retry_back_off: Duration,
    /// The text of one JSON object; empty for none.
    pub variables: String,
}

impl Command for FailJob {
    const NAME: &'static str = "FailJob";
    type Request = FailJobRequest;

    fn into_request(self) -> Self::Request {
        FailJobRequest {
            job_key: self.job_key.0,
            retries: self.retries,
            error_message: self.error_message,
            retry_back_off: millis(self.retry_back_off),
            variables: self.variables,
        }
    }
}

impl From<FailJobResponse> for () {
    fn from(_: FailJobResponse) {}
}
