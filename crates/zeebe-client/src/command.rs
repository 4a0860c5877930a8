//! The commands, named and shaped as in Zeebe's gateway protocol; durations are [`Duration`]s.

mod activate_jobs;
mod broadcast_signal;
mod cancel_process_instance;
mod complete_job;
mod create_process_instance;
mod create_process_instance_with_result;
mod deploy_resource;
mod evaluate_decision;
mod fail_job;
mod job;
mod publish_message;
mod resolve_incident;
mod set_variables;
mod stream_activated_jobs;
mod throw_error;
mod topology;
mod update_job_retries;
mod update_job_timeout;

use std::time::Duration;

pub use activate_jobs::ActivateJobs;
pub use broadcast_signal::{BroadcastSignal, BroadcastSignalAnswer};
pub use cancel_process_instance::CancelProcessInstance;
pub use complete_job::CompleteJob;
pub use create_process_instance::{CreateProcessInstance, CreateProcessInstanceAnswer};
pub use create_process_instance_with_result::{
    CreateProcessInstanceWithResult, CreateProcessInstanceWithResultAnswer,
};
pub use deploy_resource::{DeployResource, DeployResourceAnswer, DeployedResource, Resource};
pub use evaluate_decision::{EvaluateDecision, EvaluateDecisionAnswer};
pub use fail_job::FailJob;
pub use job::{ActivatedJob, JobKey};
pub use publish_message::{PublishMessage, PublishMessageAnswer};
pub use resolve_incident::ResolveIncident;
pub use set_variables::SetVariables;
pub use stream_activated_jobs::StreamActivatedJobs;
pub use throw_error::ThrowError;
pub use topology::{Topology, TopologyAnswer};
pub use update_job_retries::UpdateJobRetries;
pub use update_job_timeout::UpdateJobTimeout;

/// A command of the gateway protocol.
pub trait Command: Clone {
    /// Its name in the protocol.
    const NAME: &'static str;
    /// The message that is sent.
    #[doc(hidden)]
    type Request: prost::Message;

    /// How long the answer may take by the command's own nature; `None` leaves it to the settings.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// The message that is sent.
    #[doc(hidden)]
    fn into_request(self) -> Self::Request;
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
