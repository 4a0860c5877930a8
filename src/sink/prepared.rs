//! A plan as the command that the engine's client sends.

use zeebe_client::{
    BroadcastSignal, CancelProcessInstance, CompleteJob, CreateProcessInstance, EngineError,
    ErrorKind, FailJob, Gateway, JobKey, PublishMessage, SetVariables, ThrowError,
};

use super::acknowledge::Command;
use crate::rules::Plan;

/// A command that is ready to be sent, as often as it takes.
#[derive(Debug)]
pub(super) enum Prepared {
    PublishMessage(PublishMessage),
    CreateProcessInstance {
        command: CreateProcessInstance,
        at_most_once: bool,
    },
    BroadcastSignal {
        command: BroadcastSignal,
        at_most_once: bool,
    },
    SetVariables(SetVariables),
    CancelProcessInstance(CancelProcessInstance),
    CompleteJob(CompleteJob),
    FailJob(FailJob),
    ThrowError(ThrowError),
}

impl Prepared {
    pub(super) fn command(&self) -> Command {
        match self {
            Self::PublishMessage(_) => Command::PublishMessage,
            Self::CreateProcessInstance { .. } => Command::CreateProcessInstance,
            Self::BroadcastSignal { .. } => Command::BroadcastSignal,
            Self::SetVariables(_) => Command::SetVariables,
            Self::CancelProcessInstance(_) => Command::CancelProcessInstance,
            Self::CompleteJob(_) => Command::CompleteJob,
            Self::FailJob(_) => Command::FailJob,
            Self::ThrowError(_) => Command::ThrowError,
        }
    }

    /// Whether an unknown outcome is rather taken as done than repeated.
    pub(super) fn at_most_once(&self) -> bool {
        match self {
            Self::CreateProcessInstance { at_most_once, .. }
            | Self::BroadcastSignal { at_most_once, .. } => *at_most_once,
            Self::PublishMessage(_)
            | Self::SetVariables(_)
            | Self::CancelProcessInstance(_)
            | Self::CompleteJob(_)
            | Self::FailJob(_)
            | Self::ThrowError(_) => false,
        }
    }

    pub(super) fn check_size(&self, gateway: &Gateway) -> Result<(), EngineError> {
        match self {
            Self::PublishMessage(command) => gateway.check_size(command),
            Self::CreateProcessInstance { command, .. } => gateway.check_size(command),
            Self::BroadcastSignal { command, .. } => gateway.check_size(command),
            Self::SetVariables(command) => gateway.check_size(command),
            Self::CancelProcessInstance(command) => gateway.check_size(command),
            Self::CompleteJob(command) => gateway.check_size(command),
            Self::FailJob(command) => gateway.check_size(command),
            Self::ThrowError(command) => gateway.check_size(command),
        }
    }

    pub(super) async fn send(&self, gateway: &Gateway) -> Result<(), EngineError> {
        match self {
            Self::PublishMessage(command) => {
                gateway.publish_message(command.clone()).await.map(drop)
            }
            Self::CreateProcessInstance { command, .. } => gateway
                .create_process_instance(command.clone())
                .await
                .map(drop),
            Self::BroadcastSignal { command, .. } => {
                gateway.broadcast_signal(command.clone()).await.map(drop)
            }
            Self::SetVariables(command) => gateway.set_variables(command.clone()).await,
            Self::CancelProcessInstance(command) => {
                gateway.cancel_process_instance(command.clone()).await
            }
            Self::CompleteJob(command) => gateway.complete_job(command.clone()).await,
            Self::FailJob(command) => gateway.fail_job(command.clone()).await,
            Self::ThrowError(command) => gateway.throw_error(command.clone()).await,
        }
    }

    /// The failure of a command that found no place among those in flight.
    pub(super) fn crowded_out(&self) -> EngineError {
        EngineError::new(
            self.command().name(),
            ErrorKind::Backpressure,
            "too many commands are in flight; the engine is busy",
        )
    }
}

impl From<Plan> for Prepared {
    fn from(plan: Plan) -> Self {
        match plan {
            Plan::PublishMessage {
                name,
                correlation_key,
                message_id,
                time_to_live,
                variables,
                tenant_id,
            } => Self::PublishMessage(PublishMessage {
                name,
                correlation_key,
                message_id,
                time_to_live,
                variables,
                tenant_id,
            }),
            Plan::CreateProcessInstance {
                bpmn_process_id,
                version,
                variables,
                tenant_id,
                at_most_once,
            } => Self::CreateProcessInstance {
                command: CreateProcessInstance {
                    bpmn_process_id,
                    version,
                    variables,
                    tenant_id,
                },
                at_most_once,
            },
            Plan::BroadcastSignal {
                signal_name,
                variables,
                tenant_id,
                at_most_once,
            } => Self::BroadcastSignal {
                command: BroadcastSignal {
                    signal_name,
                    variables,
                    tenant_id,
                },
                at_most_once,
            },
            Plan::SetVariables {
                element_instance_key,
                variables,
                local,
            } => Self::SetVariables(SetVariables {
                element_instance_key,
                variables,
                local,
            }),
            Plan::CancelProcessInstance {
                process_instance_key,
            } => Self::CancelProcessInstance(CancelProcessInstance {
                process_instance_key,
            }),
            Plan::CompleteJob { job_key, variables } => Self::CompleteJob(CompleteJob {
                job_key: JobKey(job_key),
                variables,
            }),
            Plan::FailJob {
                job_key,
                retries,
                error_message,
                retry_back_off,
                variables,
            } => Self::FailJob(FailJob {
                job_key: JobKey(job_key),
                retries,
                error_message,
                retry_back_off,
                variables,
            }),
            Plan::ThrowError {
                job_key,
                error_code,
                error_message,
                variables,
            } => Self::ThrowError(ThrowError {
                job_key: JobKey(job_key),
                error_code,
                error_message,
                variables,
            }),
        }
    }
}
