//! `UpdateJobTimeout`.

use std::time::Duration;

use super::{Command, JobKey, millis};
use crate::protocol::{UpdateJobTimeoutRequest, UpdateJobTimeoutResponse};

/// Prolongs a job's activation, counted from now. RPC `UpdateJobTimeout`.
#[derive(Debug, Clone)]
pub struct UpdateJobTimeout {
    /// The job.
    pub job_key: JobKey,
    /// For how long the activation shall hold.
    pub timeout: Duration,
}

impl Command for UpdateJobTimeout {
    const NAME: &'static str = "UpdateJobTimeout";
    type Request = UpdateJobTimeoutRequest;

    fn into_request(self) -> Self::Request {
        UpdateJobTimeoutRequest {
            job_key: self.job_key.0,
            timeout: millis(self.timeout),
        }
    }
}

impl From<UpdateJobTimeoutResponse> for () {
    fn from(_: UpdateJobTimeoutResponse) {}
}
