//! `CompleteJob`.

use super::{Command, JobKey};
use crate::protocol::{CompleteJobRequest, CompleteJobResponse};

/// Completes a job. RPC `CompleteJob`.
#[derive(Debug, Clone)]
pub struct CompleteJob {
    /// The job.
    pub job_key: JobKey,
    /// The text of one JSON object; empty for none.
    pub variables: String,
}

impl Command for CompleteJob {
    const NAME: &'static str = "CompleteJob";
    type Request = CompleteJobRequest;

    fn into_request(self) -> Self::Request {
        CompleteJobRequest {
            job_key: self.job_key.0,
            variables: self.variables,
        }
    }
}

impl From<CompleteJobResponse> for () {
    fn from(_: CompleteJobResponse) {}
}
