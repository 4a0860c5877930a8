//! A job goes to a worker that asked for it: by a poll, or by a stream.

use std::collections::{BTreeMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use zeebe_client::protocol::{ActivateJobsRequest, ActivatedJob};

use super::{JobState, Jobs};

impl Jobs {
    /// Activates what waits, as far as the request goes.
    pub(in crate::gateway) fn activate(
        &mut self,
        request: &ActivateJobsRequest,
    ) -> Vec<ActivatedJob> {
        let most = usize::try_from(request.max_jobs_to_activate).unwrap_or_default();
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(key) = self
                .waiting
                .get_mut(&request.r#type)
                .and_then(VecDeque::pop_front)
            else {
                break;
            };
            if self.state(key) != Some(JobState::Activatable) {
                // Pushed or ended since it was queued.
                continue;
            }
            taken.extend(self.hand_over(
                key,
                &request.worker,
                request.timeout,
                &request.fetch_variable,
            ));
        }
        taken
    }

    pub(super) fn hand_over(
        &mut self,
        key: i64,
        worker: &str,
        timeout: i64,
        fetch: &[String],
    ) -> Option<ActivatedJob> {
        self.moved(key, JobState::Activated);
        self.due_in(key, timeout);
        let job = self.jobs.get_mut(&key)?;
        job.activations += 1;
        Some(ActivatedJob {
            key,
            r#type: job.added.job_type.clone(),
            process_instance_key: job.process_instance_key,
            bpmn_process_id: job.added.bpmn_process_id.clone(),
            process_definition_version: 1,
            process_definition_key: 1,
            element_id: job.added.element_id.clone(),
            element_instance_key: key + 2,
            custom_headers: job.added.custom_headers.clone(),
            worker: worker.to_owned(),
            retries: job.retries,
            deadline: in_millis(timeout),
            variables: only(&job.added.variables, fetch),
            tenant_id: String::from("<default>"),
        })
    }
}

/// A moment by the engine's clock, in milliseconds since 1970.
pub(in crate::gateway) fn in_millis(millis: i64) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    now + millis
}

/// The variables that were asked for; all where none was named.
fn only(variables: &str, fetch: &[String]) -> String {
    if fetch.is_empty() {
        return variables.to_owned();
    }
    let mut all: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(variables).expect("a job's variables are a JSON object");
    all.retain(|name, _| fetch.contains(name));
    serde_json::to_string(&all).expect("what was read can be written")
}
