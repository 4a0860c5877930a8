//! The one engine command that an event leads to, every field resolved.

use std::time::Duration;

/// An engine command, named and shaped as in Zeebe's gateway protocol.
///
/// `variables` is always the text of one JSON object. Keys are those that the engine gave.
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
        variables: String,
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
        variables: String,
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
        variables: String,
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
        variables: String,
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
        variables: String,
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
        variables: String,
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
        variables: String,
    },
}
