//! A client for the Zeebe gateway: the commands that the bridge uses, and a job worker.
//!
//! - [`Settings`], [`Credentials`]: how the gateway is reached. Nothing is read from the environment.
//! - [`Gateway`]: one method a command; cheap to clone; connects when first used.
//! - `command`: the commands, one file each, named and shaped as in Zeebe's gateway protocol.
//! - [`EngineError`], [`ErrorKind`]: what went wrong, classified in one table.
//! - [`JobWorker`]: holds jobs up to a capacity, from streams and polls alike.
//! - `credentials`: OAuth client credentials and basic authentication.
//!
//! It has never heard of CloudEvents or of HTTP delivery.

mod channel;
mod command;
mod credentials;
mod error;
mod gateway;
mod settings;
mod worker;

#[doc(hidden)]
#[allow(
    clippy::all,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    unreachable_pub,
    rust_2018_idioms
)]
#[rustfmt::skip] // compared byte by byte with what the proto file gives
#[path = "generated/gateway_protocol.rs"]
pub mod protocol;

pub use channel::Windows;
pub use command::{
    ActivateJobs, ActivatedJob, BroadcastSignal, BroadcastSignalAnswer, CancelProcessInstance,
    Command, CompleteJob, CreateProcessInstance, CreateProcessInstanceAnswer,
    CreateProcessInstanceWithResult, CreateProcessInstanceWithResultAnswer, DeployResource,
    DeployResourceAnswer, DeployedResource, EvaluateDecision, EvaluateDecisionAnswer, FailJob,
    JobKey, PublishMessage, PublishMessageAnswer, ResolveIncident, Resource, SetVariables,
    StreamActivatedJobs, ThrowError, Topology, TopologyAnswer, UpdateJobRetries, UpdateJobTimeout,
};
pub use error::{EngineError, ErrorKind};
pub use gateway::{Gateway, JobBatches, JobStream};
pub use settings::{
    Address, AddressError, ClientIdentity, Credentials, OAuth, Secret, Settings, SettingsError,
};
pub use worker::{Ended, Found, HeldJob, JobWorker, WorkerHealth, WorkerSettings, WorkerStats};

/// The gateway's gRPC service; a method of it is `SERVICE/Command`.
pub const SERVICE: &str = "gateway_protocol.Gateway";
