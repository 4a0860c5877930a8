//! `ActivateJobs`.

use std::time::Duration;

use super::{Command, millis};
use crate::protocol::ActivateJobsRequest;

/// Activates jobs that wait. RPC `ActivateJobs`.
#[derive(Debug, Clone)]
pub struct ActivateJobs {
    /// The type of the jobs.
    pub job_type: String,
    /// The worker's name, for people.
    pub worker: String,
    /// For how long the activation shall hold.
    pub timeout: Duration,
    /// How many at most.
    pub max_jobs_to_activate: i32,
    /// The variables to bring along; empty for all.
    pub fetch_variables: Vec<String>,
    /// How long to wait for jobs where there are none; `None` answers at once.
    pub request_timeout: Option<Duration>,
    /// Whose jobs; empty for the default tenant.
    pub tenant_ids: Vec<String>,
}

impl Command for ActivateJobs {
    const NAME: &'static str = "ActivateJobs";
    type Request = ActivateJobsRequest;

    fn into_request(self) -> Self::Request {
        ActivateJobsRequest {
            r#type: self.job_type,
            worker: self.worker,
            timeout: millis(self.timeout),
            max_jobs_to_activate: self.max_jobs_to_activate,
            fetch_variable: self.fetch_variables,
            // To the gateway 0 means its own default, below 0 no waiting.
            request_timeout: self.request_timeout.map_or(-1, millis),
            tenant_ids: self.tenant_ids,
        }
    }
}
