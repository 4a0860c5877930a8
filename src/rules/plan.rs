//! The one engine command that an event leads to, every field resolved.

use std::sync::Arc;
use std::time::Duration;

/// An engine command, named and shaped as in Zeebe's gateway protocol.
///
/// `variables` is always the text of one JSON object, shared by the commands of one event that bring the
/// same. Keys are those that the engine gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Publishes a message: to a waiting instance, or to a message start event.
    PublishMessage {
        /// The message name of the model.
        name: String,
        /// Joins the message and an instance; empty only reaches message start events.
        correlation_key: String,
        /// Within the time to live a second message with this id, name and key is refused as a
        /// duplicate.
        message_id: String,
        /// How long the engine keeps the message, and so how long it knows duplicates.
        time_to_live: Duration,
        /// What the message brings.
        variables: Arc<String>,
        /// The tenant; `None` is the engine's default tenant.
        tenant_id: Option<String>,
    },
    /// Starts a process by its id. Not idempotent.
    CreateProcessInstance {
        /// The id of the process in its model.
        bpmn_process_id: String,
        /// The version to start; `None` is the latest.
        version: Option<i32>,
        /// What the instance starts with.
        variables: Arc<String>,
        /// The tenant; `None` is the engine's default tenant.
        tenant_id: Option<String>,
        /// After an unknown outcome, do not repeat it.
        at_most_once: bool,
    },
    /// Broadcasts a signal to all who wait for it. Not idempotent.
    BroadcastSignal {
        /// The signal name of the model.
        signal_name: String,
        /// What the signal brings.
        variables: Arc<String>,
        /// The tenant; `None` is the engine's default tenant.
        tenant_id: Option<String>,
        /// After an unknown outcome, do not repeat it.
        at_most_once: bool,
    },
    /// Sets variables of a process instance or of one of its elements.
    SetVariables {
        /// The scope: a process instance key or an element instance key.
        element_instance_key: i64,
        /// What to set.
        variables: Arc<String>,
        /// Set them in exactly this scope, instead of in the enclosing scope that knows them.
        local: bool,
    },
    /// Cancels a process instance.
    CancelProcessInstance {
        /// The instance.
        process_instance_key: i64,
    },
    /// Completes a job.
    CompleteJob {
        /// The job.
        job_key: i64,
        /// The job's result.
        variables: Arc<String>,
    },
    /// Fails a job.
    FailJob {
        /// The job.
        job_key: i64,
        /// How often the job may still fail; 0 raises an incident.
        retries: i32,
        /// What an incident will say.
        error_message: String,
        /// The pause before the job is offered again.
        retry_back_off: Duration,
        /// What to set in the job's scope.
        variables: Arc<String>,
    },
    /// Throws a BPMN error on a job.
    ThrowError {
        /// The job.
        job_key: i64,
        /// The code that the model catches.
        error_code: String,
        /// Text for people.
        error_message: String,
        /// What the error brings to the catching scope.
        variables: Arc<String>,
    },
}

impl Plan {
    /// What the command brings; `None` where its kind brings nothing.
    #[must_use]
    pub fn variables(&self) -> Option<&Arc<String>> {
        match self {
            Self::PublishMessage { variables, .. }
            | Self::CreateProcessInstance { variables, .. }
            | Self::BroadcastSignal { variables, .. }
            | Self::SetVariables { variables, .. }
            | Self::CompleteJob { variables, .. }
            | Self::FailJob { variables, .. }
            | Self::ThrowError { variables, .. } => Some(variables),
            Self::CancelProcessInstance { .. } => None,
        }
    }

    /// Bytes of memory that it takes: all its texts, and what stands around them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let tenant = |tenant: &Option<String>| tenant.as_ref().map_or(0, String::len);
        let texts = match self {
            Self::PublishMessage {
                name,
                correlation_key,
                message_id,
                tenant_id,
                ..
            } => name.len() + correlation_key.len() + message_id.len() + tenant(tenant_id),
            Self::CreateProcessInstance {
                bpmn_process_id,
                tenant_id,
                ..
            } => bpmn_process_id.len() + tenant(tenant_id),
            Self::BroadcastSignal {
                signal_name,
                tenant_id,
                ..
            } => signal_name.len() + tenant(tenant_id),
            Self::SetVariables { .. }
            | Self::CancelProcessInstance { .. }
            | Self::CompleteJob { .. } => 0,
            Self::FailJob { error_message, .. } => error_message.len(),
            Self::ThrowError {
                error_code,
                error_message,
                ..
            } => error_code.len() + error_message.len(),
        };
        AROUND + texts + self.variables().map_or(0, |variables| variables.len())
    }
}

/// Bytes of a command beside its texts, in the structures that it goes through on its way to the engine.
const AROUND: usize = 512;
