//! `StreamActivatedJobs`.

use std::time::Duration;

use super::{Command, millis};
use crate::protocol::StreamActivatedJobsRequest;

/// Has jobs pushed as they become activatable. RPC `StreamActivatedJobs`.
#[derive(Debug, Clone)]
pub struct StreamActivatedJobs {
    /// The type of the jobs.
    pub job_type: String,
    /// The worker's name, for people.
    pub worker: String,
    /// For how long each activation shall hold.
    pub timeout: Duration,
    /// The variables to bring along; empty for all.
    pub fetch_variables: Vec<String>,
    /// Whose jobs; empty for the default tenant.
    pub tenant_ids: Vec<String>,
}

impl Command for StreamActivatedJobs {
    const NAME: &'static str = "StreamActivatedJobs";
    type Request = StreamActivatedJobsRequest;

    fn into_request(self) -> Self::Request {
        StreamActivatedJobsRequest {
            r#type: self.job_type,
            worker: self.worker,
            timeout: millis(self.timeout),
            fetch_variable: self.fetch_variables,
            tenant_ids: self.tenant_ids,
        }
    }
}
