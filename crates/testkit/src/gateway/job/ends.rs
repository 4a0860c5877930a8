//! What workers make of a job they hold, or another's, and people of an incident.

use tonic::Status;
use zeebe_client::protocol::{
    CompleteJobRequest, FailJobRequest, ThrowErrorRequest, UpdateJobTimeoutRequest,
};

use super::{Job, JobState, Jobs};

impl Jobs {
    pub(in crate::gateway) fn complete(
        &mut self,
        request: &CompleteJobRequest,
    ) -> Result<(), Status> {
        self.find(request.job_key, "complete")?
            .result
            .clone_from(&request.variables);
        self.moved(request.job_key, JobState::Completed);
        Ok(())
    }

    pub(in crate::gateway) fn throw_error(
        &mut self,
        request: &ThrowErrorRequest,
    ) -> Result<(), Status> {
        let job = self.find(request.job_key, "throw an error for")?;
        job.error_code.clone_from(&request.error_code);
        job.error_message.clone_from(&request.error_message);
        self.moved(request.job_key, JobState::Thrown);
        Ok(())
    }

    /// Fails a job, whoever holds it: the command carries no more than the key.
    pub(in crate::gateway) fn fail(
        &mut self,
        request: &FailJobRequest,
        incident_key: i64,
    ) -> Result<(), Status> {
        let job = self.find(request.job_key, "fail")?;
        job.failures += 1;
        job.retries = request.retries;
        job.error_message.clone_from(&request.error_message);
        if request.retries <= 0 {
            job.incident_key = Some(incident_key);
            self.moved(request.job_key, JobState::Incident);
        } else if request.retry_back_off > 0 {
            self.moved(request.job_key, JobState::BackingOff);
            self.due_in(request.job_key, request.retry_back_off);
        } else {
            self.moved(request.job_key, JobState::Activatable);
            self.offer(request.job_key);
        }
        Ok(())
    }

    pub(in crate::gateway) fn prolong(
        &mut self,
        request: &UpdateJobTimeoutRequest,
    ) -> Result<(), Status> {
        let job = self.find(request.job_key, "prolong")?;
        if job.state != JobState::Activated {
            return Err(in_state(request.job_key, "prolong", job.state));
        }
        job.renewals += 1;
        self.due_in(request.job_key, request.timeout);
        Ok(())
    }

    pub(in crate::gateway) fn set_retries(&mut self, key: i64, retries: i32) -> Result<(), Status> {
        let job = self.jobs.get_mut(&key).ok_or_else(|| missing(key))?;
        job.retries = retries;
        Ok(())
    }

    /// Resolves an incident; the job is offered again if it has retries.
    pub(in crate::gateway) fn resolve(&mut self, incident_key: i64) -> Result<(), Status> {
        let key = self
            .jobs
            .iter()
            .find(|(_, job)| job.incident_key == Some(incident_key) && job.retries > 0)
            .map(|(key, _)| *key)
            .ok_or_else(|| {
                Status::not_found(format!(
                    "no incident {incident_key} whose job has retries left"
                ))
            })?;
        if let Some(job) = self.jobs.get_mut(&key) {
            job.incident_key = None;
        }
        self.moved(key, JobState::Activatable);
        self.offer(key);
        Ok(())
    }

    /// A job that may be ended now. The engine accepts that from anybody, activated or not.
    fn find(&mut self, key: i64, what: &str) -> Result<&mut Job, Status> {
        let job = self.jobs.get_mut(&key).ok_or_else(|| missing(key))?;
        match job.state {
            JobState::Activatable | JobState::Activated => Ok(job),
            JobState::BackingOff | JobState::Incident => Err(in_state(key, what, job.state)),
            JobState::Completed | JobState::Thrown => Err(missing(key)),
        }
    }
}

fn missing(key: i64) -> Status {
    Status::not_found(format!("there is no job with the key {key}"))
}

fn in_state(key: i64, what: &str, state: JobState) -> Status {
    Status::failed_precondition(format!("cannot {what} the job {key}: it is {state:?}"))
}
