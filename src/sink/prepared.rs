//! A plan as the command that the engine's client sends.

use zeebe_client::{
    BroadcastSignal, CancelProcessInstance, CompleteJob, CreateProcessInstance, EngineError,
    FailJob, Gateway, JobKey, PublishMessage, SetVariables, ThrowError,
};

use super::acknowledge::Command;
use crate::rules::Plan;

/// A command with texts of its own: made right before it is sent, gone when it is.
#[derive(Debug)]
pub(super) enum Prepared {
    PublishMessage(PublishMessage),
    CreateProcessInstance(CreateProcessInstance),
    BroadcastSignal(BroadcastSignal),
    SetVariables(SetVariables),
    CancelProcessInstance(CancelProcessInstance),
    CompleteJob(CompleteJob),
    FailJob(FailJob),
    ThrowError(ThrowError),
}

impl Prepared {
    pub(super) fn check_size(&self, gateway: &Gateway) -> Result<(), EngineError> {
        match self {
            Self::PublishMessage(command) => gateway.check_size(command),
            Self::CreateProcessInstance(command) => gateway.check_size(command),
            Self::BroadcastSignal(command) => gateway.check_size(command),
            Self::SetVariables(command) => gateway.check_size(command),
            Self::CancelProcessInstance(command) => gateway.check_size(command),
            Self::CompleteJob(command) => gateway.check_size(command),
            Self::FailJob(command) => gateway.check_size(command),
            Self::ThrowError(command) => gateway.check_size(command),
        }
    }

    pub(super) async fn send(self, gateway: &Gateway) -> Result<(), EngineError> {
        match self {
            Self::PublishMessage(command) => gateway.publish_message(command).await.map(drop),
            Self::CreateProcessInstance(command) => {
                gateway.create_process_instance(command).await.map(drop)
            }
            Self::BroadcastSignal(command) => gateway.broadcast_signal(command).await.map(drop),
            Self::SetVariables(command) => gateway.set_variables(command).await,
            Self::CancelProcessInstance(command) => gateway.cancel_process_instance(command).await,
            Self::CompleteJob(command) => gateway.complete_job(command).await,
            Self::FailJob(command) => gateway.fail_job(command).await,
            Self::ThrowError(command) => gateway.throw_error(command).await,
        }
    }
}

/// Which command a plan is.
pub(super) fn command(plan: &Plan) -> Command {
    match plan {
        Plan::PublishMessage { .. } => Command::PublishMessage,
        Plan::CreateProcessInstance { .. } => Command::CreateProcessInstance,
        Plan::BroadcastSignal { .. } => Command::BroadcastSignal,
        Plan::SetVariables { .. } => Command::SetVariables,
        Plan::CancelProcessInstance { .. } => Command::CancelProcessInstance,
        Plan::CompleteJob { .. } => Command::CompleteJob,
        Plan::FailJob { .. } => Command::FailJob,
        Plan::ThrowError { .. } => Command::ThrowError,
    }
}

/// Which event a command is for, where the command says it.
pub(super) fn message_id(plan: &Plan) -> Option<&str> {
    match plan {
        Plan::PublishMessage { message_id, .. } => Some(message_id),
        Plan::CreateProcessInstance { .. }
        | Plan::BroadcastSignal { .. }
        | Plan::SetVariables { .. }
        | Plan::CancelProcessInstance { .. }
        | Plan::CompleteJob { .. }
        | Plan::FailJob { .. }
        | Plan::ThrowError { .. } => None,
    }
}

/// Whether an unknown outcome is rather taken as done than repeated.
pub(super) fn at_most_once(plan: &Plan) -> bool {
    match plan {
        Plan::CreateProcessInstance { at_most_once, .. }
        | Plan::BroadcastSignal { at_most_once, .. } => *at_most_once,
        Plan::PublishMessage { .. }
        | Plan::SetVariables { .. }
        | Plan::CancelProcessInstance { .. }
        | Plan::CompleteJob { .. }
        | Plan::FailJob { .. }
        | Plan::ThrowError { .. } => false,
    }
}

impl From<&Plan> for Prepared {
    fn from(plan: &Plan) -> Self {
        match plan {
            Plan::PublishMessage {
                name,
                correlation_key,
                message_id,
                time_to_live,
                variables,
                tenant_id,
            } => Self::PublishMessage(PublishMessage {
                name: name.clone(),
                correlation_key: correlation_key.clone(),
                message_id: message_id.clone(),
                time_to_live: *time_to_live,
                variables: String::clone(variables),
                tenant_id: tenant_id.clone(),
            }),
            Plan::CreateProcessInstance {
                bpmn_process_id,
                version,
                variables,
                tenant_id,
                at_most_once: _,
            } => Self::CreateProcessInstance(CreateProcessInstance {
                bpmn_process_id: bpmn_process_id.clone(),
                version: *version,
                variables: String::clone(variables),
                tenant_id: tenant_id.clone(),
            }),
            Plan::BroadcastSignal {
                signal_name,
                variables,
                tenant_id,
                at_most_once: _,
            } => Self::BroadcastSignal(BroadcastSignal {
                signal_name: signal_name.clone(),
                variables: String::clone(variables),
                tenant_id: tenant_id.clone(),
            }),
            Plan::SetVariables {
                element_instance_key,
                variables,
                local,
            } => Self::SetVariables(SetVariables {
                element_instance_key: *element_instance_key,
                variables: String::clone(variables),
                local: *local,
            }),
            Plan::CancelProcessInstance {
                process_instance_key,
            } => Self::CancelProcessInstance(CancelProcessInstance {
                process_instance_key: *process_instance_key,
            }),
            Plan::CompleteJob { job_key, variables } => Self::CompleteJob(CompleteJob {
                job_key: JobKey(*job_key),
                variables: String::clone(variables),
            }),
            Plan::FailJob {
                job_key,
                retries,
                error_message,
                retry_back_off,
                variables,
            } => Self::FailJob(FailJob {
                job_key: JobKey(*job_key),
                retries: *retries,
                error_message: error_message.clone(),
                retry_back_off: *retry_back_off,
                variables: String::clone(variables),
            }),
            Plan::ThrowError {
                job_key,
                error_code,
                error_message,
                variables,
            } => Self::ThrowError(ThrowError {
                job_key: JobKey(*job_key),
                error_code: error_code.clone(),
                error_message: error_message.clone(),
                variables: String::clone(variables),
            }),
        }
    }
}
