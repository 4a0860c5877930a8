//! A job as tests add it and as they see it.

use tokio::time::Instant;

/// A job to be worked, as a model would make it.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The type that workers ask for.
    pub job_type: String,
    /// The text of one JSON object.
    pub variables: String,
    /// The task's custom headers: the text of one JSON object of strings.
    pub custom_headers: String,
    /// How often it may fail.
    pub retries: i32,
    /// The process it belongs to.
    pub bpmn_process_id: String,
    /// The service task.
    pub element_id: String,
    /// The instance it belongs to; 0 for one of its own.
    pub process_instance_key: i64,
}

impl NewJob {
    /// A job of this type with three retries and no variables.
    #[must_use]
    pub fn new(job_type: &str) -> Self {
        Self {
            job_type: job_type.to_owned(),
            variables: String::from("{}"),
            custom_headers: String::from("{}"),
            retries: 3,
            bpmn_process_id: String::from("ticket-sale"),
            element_id: String::from("task"),
            process_instance_key: 0,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waits for a worker.
    Activatable,
    /// A worker holds it.
    Activated,
    /// Failed, and waits for the end of its retry backoff.
    BackingOff,
    /// Done.
    Completed,
    /// Failed without retries left: a human is needed.
    Incident,
    /// Ended by a BPMN error that the model caught.
    Thrown,
}

/// A job, as the engine sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// What was added.
    pub added: NewJob,
    /// Where it stands.
    pub state: JobState,
    /// How often it may still fail.
    pub retries: i32,
    /// How often it was activated.
    pub activations: usize,
    /// How often its activation was prolonged.
    pub renewals: usize,
    /// How often it failed, hand-backs included.
    pub failures: usize,
    /// What the last failure or error said.
    pub error_message: String,
    /// The code of the error thrown.
    pub error_code: String,
    /// What it was completed with.
    pub result: String,
    /// The incident's key, while there is one.
    pub incident_key: Option<i64>,
    pub(super) process_instance_key: i64,
    pub(super) due: Option<Instant>,
}
