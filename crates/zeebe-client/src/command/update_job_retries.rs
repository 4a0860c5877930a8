//! `UpdateJobRetries`.

use super::{Command, JobKey};
use crate::protocol::{UpdateJobRetriesRequest, UpdateJobRetriesResponse};

/// Gives a job new retries. RPC `UpdateJobRetries`.
#[derive(Debug, Clone)]
pub struct UpdateJobRetries {
    /// The job.
    pub job_key: JobKey,
    /// How often it may still fail.
    pub retries: i32,
}

impl Command for UpdateJobRetries {
    const NAME: &'static str = "UpdateJobRetries";
    type Request = UpdateJobRetriesRequest;

    fn into_request(self) -> Self::Request {
        UpdateJobRetriesRequest {
            job_key: self.job_key.0,
            retries: self.retries,
        }
    }
}

impl From<UpdateJobRetriesResponse> for () {
    fn from(_: UpdateJobRetriesResponse) {}
}
