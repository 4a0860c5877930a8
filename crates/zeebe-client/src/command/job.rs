//! A job, as the engine hands it over.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::protocol;

/// The key that the engine gave a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobKey(pub i64);

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A job that the engine keeps for us until its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivatedJob {
    /// The job.
    pub key: JobKey,
    /// Its type, as modelled.
    pub job_type: String,
    /// The instance it belongs to.
    pub process_instance_key: i64,
    /// The id of the process.
    pub bpmn_process_id: String,
    /// The version of the process.
    pub process_definition_version: i32,
    /// The deployed process.
    pub process_definition_key: i64,
    /// The service task.
    pub element_id: String,
    /// The instance passing through it.
    pub element_instance_key: i64,
    /// The task's custom headers: one JSON object of strings.
    pub custom_headers: String,
    /// Who activated it.
    pub worker: String,
    /// How often it may still fail.
    pub retries: i32,
    /// Until when the activation holds, by the engine's clock.
    pub deadline: SystemTime,
    /// The variables fetched: one JSON object.
    pub variables: String,
    /// Whose it is.
    pub tenant_id: String,
}

impl ActivatedJob {
    /// About how many bytes it holds in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.custom_headers.len() + self.variables.len()
    }

    /// How many bytes it had on the way, at the least.
    pub(crate) fn transferred(&self) -> u64 {
        let texts = [
            &self.job_type,
            &self.bpmn_process_id,
            &self.element_id,
            &self.custom_headers,
            &self.worker,
            &self.variables,
            &self.tenant_id,
        ];
        texts.map(|text| text.len() as u64).iter().sum()
    }
}

impl From<protocol::ActivatedJob> for ActivatedJob {
    fn from(job: protocol::ActivatedJob) -> Self {
        Self {
            key: JobKey(job.key),
            job_type: job.r#type,
            process_instance_key: job.process_instance_key,
            bpmn_process_id: job.bpmn_process_id,
            process_definition_version: job.process_definition_version,
            process_definition_key: job.process_definition_key,
            element_id: job.element_id,
            element_instance_key: job.element_instance_key,
            custom_headers: job.custom_headers,
            worker: job.worker,
            retries: job.retries,
            deadline: SystemTime::UNIX_EPOCH
                + Duration::from_millis(job.deadline.try_into().unwrap_or_default()),
            variables: job.variables,
            tenant_id: job.tenant_id,
        }
    }
}
