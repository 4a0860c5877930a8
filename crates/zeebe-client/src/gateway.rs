//! The gateway: one method a command.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use prost::Message;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use crate::channel::{Windows, connect_lazily};
use crate::command::{
    ActivateJobs, ActivatedJob, BroadcastSignal, BroadcastSignalAnswer, CancelProcessInstance,
    Command, CompleteJob, CreateProcessInstance, CreateProcessInstanceAnswer,
    CreateProcessInstanceWithResult, CreateProcessInstanceWithResultAnswer, DeployResource,
    DeployResourceAnswer, EvaluateDecision, EvaluateDecisionAnswer, FailJob, PublishMessage,
    PublishMessageAnswer, ResolveIncident, SetVariables, StreamActivatedJobs, ThrowError, Topology,
    TopologyAnswer, UpdateJobRetries, UpdateJobTimeout,
};
use crate::credentials::Authorization;
use crate::error::{EngineError, ErrorKind};
use crate::protocol::gateway_client::GatewayClient;
use crate::settings::{Settings, SettingsError};

/// What may be read at once: above the gateway's own limit, else activated jobs would be stranded.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
/// What a long poll or an awaited result may take beyond the time it asked for.
const ANSWER_MARGIN: Duration = Duration::from_secs(10);

/// A handle on the engine's gateway.
///
/// Cheap to clone: clones share one connection. It connects when first used, and again whenever the
/// connection was lost, so it can be made while the gateway is down. Dropping the future of a command
/// cancels the call; the command may have had its effect all the same.
#[derive(Clone)]
pub struct Gateway {
    client: GatewayClient<Channel>,
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    authorization: Authorization,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

macro_rules! unary {
    ($($(#[$doc:meta])* $method:ident($command:ty) -> $answer:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// See [`EngineError`] for the classification.
            pub async fn $method(&self, command: $command) -> Result<$answer, EngineError> {
                let deadline = command.deadline().map_or(self.shared.settings.call_timeout, |own| own + ANSWER_MARGIN);
                let request = self.request::<$command>(command, Some(deadline)).await?;
                let answer = self.client.clone().$method(request).await;
                self.read::<$command, _>(answer).map(Into::into)
            }
        )*
    };
}

impl Gateway {
    /// Prepares a connection; nothing is sent before the first command.
    ///
    /// # Errors
    /// Certificates, keys or names that cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let channel = connect_lazily(&settings, None)?;
        let authorization = Authorization::new(&settings)?;
        Ok(Self::over(
            channel,
            Arc::new(Shared {
                settings,
                authorization,
            }),
        ))
    }

    /// The same gateway over a connection of its own with these flow-control windows.
    ///
    /// # Errors
    /// As [`Gateway::new`].
    pub fn with_windows(&self, windows: Windows) -> Result<Self, SettingsError> {
        let channel = connect_lazily(&self.shared.settings, Some(windows))?;
        Ok(Self::over(channel, Arc::clone(&self.shared)))
    }

    fn over(channel: Channel, shared: Arc<Shared>) -> Self {
        let client = GatewayClient::new(channel)
            .max_decoding_message_size(MAX_READ_BYTES)
            .max_encoding_message_size(usize::MAX);
        Self { client, shared }
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Checks that a command is not larger than the gateway takes, without sending it.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`], with both sizes.
    pub fn check_size<C: Command>(&self, command: &C) -> Result<(), EngineError> {
        self.check_encoded::<C>(command.clone().into_request().encoded_len())
    }

    fn check_encoded<C: Command>(&self, size: usize) -> Result<(), EngineError> {
        let most = self.shared.settings.max_message_bytes;
        if size > most {
            return Err(EngineError::new(
                C::NAME,
                ErrorKind::TooLarge,
                format!(
                    "the command has {size} bytes, the gateway takes at most {most}; send less data"
                ),
            ));
        }
        Ok(())
    }

    async fn request<C: Command>(
        &self,
        command: C,
        deadline: Option<Duration>,
    ) -> Result<Request<C::Request>, EngineError> {
        let message = command.into_request();
        self.check_encoded::<C>(message.encoded_len())?;
        let mut request = Request::new(message);
        if let Some(deadline) = deadline {
            request.set_timeout(deadline);
        }
        if let Some(value) = self.shared.authorization.header(C::NAME).await? {
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }

    fn read<C: Command, T>(&self, answer: Result<Response<T>, Status>) -> Result<T, EngineError> {
        match answer {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(self.error(C::NAME, &status)),
        }
    }

    fn error(&self, command: &'static str, status: &Status) -> EngineError {
        let error = EngineError::from_status(command, status);
        if error.kind() == ErrorKind::CredentialsRefused {
            self.shared.authorization.forget();
        }
        error
    }

    unary! {
        /// Asks for brokers and partitions (RPC `Topology`).
        topology(Topology) -> TopologyAnswer;
        /// Deploys models (RPC `DeployResource`); an unchanged model makes no new version.
        deploy_resource(DeployResource) -> DeployResourceAnswer;
        /// Starts a process by its id (RPC `CreateProcessInstance`). Not idempotent.
        create_process_instance(CreateProcessInstance) -> CreateProcessInstanceAnswer;
        /// Starts a process and waits for its end (RPC `CreateProcessInstanceWithResult`). Not idempotent.
        create_process_instance_with_result(CreateProcessInstanceWithResult) -> CreateProcessInstanceWithResultAnswer;
        /// Cancels a process instance (RPC `CancelProcessInstance`).
        cancel_process_instance(CancelProcessInstance) -> ();
        /// Publishes a message (RPC `PublishMessage`). Idempotent for its id within the time to live.
        publish_message(PublishMessage) -> PublishMessageAnswer;
        /// Broadcasts a signal (RPC `BroadcastSignal`). Not idempotent.
        broadcast_signal(BroadcastSignal) -> BroadcastSignalAnswer;
        /// Completes a job (RPC `CompleteJob`).
        complete_job(CompleteJob) -> ();
        /// Fails a job (RPC `FailJob`).
        fail_job(FailJob) -> ();
        /// Throws a BPMN error on a job (RPC `ThrowError`).
        throw_error(ThrowError) -> ();
        /// Gives a job new retries (RPC `UpdateJobRetries`).
        update_job_retries(UpdateJobRetries) -> ();
        /// Prolongs a job's activation (RPC `UpdateJobTimeout`).
        update_job_timeout(UpdateJobTimeout) -> ();
        /// Sets variables (RPC `SetVariables`).
        set_variables(SetVariables) -> ();
        /// Marks an incident as resolved (RPC `ResolveIncident`).
        resolve_incident(ResolveIncident) -> ();
        /// Evaluates a decision (RPC `EvaluateDecision`).
        evaluate_decision(EvaluateDecision) -> EvaluateDecisionAnswer;
    }

    /// Activates jobs that wait (RPC `ActivateJobs`); with a request timeout, a long poll.
    ///
    /// # Errors
    /// See [`EngineError`]; each batch read may fail too.
    pub async fn activate_jobs(&self, command: ActivateJobs) -> Result<JobBatches, EngineError> {
        let deadline = command.request_timeout.unwrap_or_default() + ANSWER_MARGIN;
        let request = self
            .request::<ActivateJobs>(command, Some(deadline))
            .await?;
        let answer = self.client.clone().activate_jobs(request).await;
        let stream = self.read::<ActivateJobs, _>(answer)?;
        Ok(JobBatches {
            stream,
            gateway: self.clone(),
        })
    }

    /// Has jobs pushed as they become activatable (RPC `StreamActivatedJobs`). It has no deadline;
    /// dropping it ends it.
    ///
    /// # Errors
    /// See [`EngineError`]; each job read may fail too.
    pub async fn stream_activated_jobs(
        &self,
        command: StreamActivatedJobs,
    ) -> Result<JobStream, EngineError> {
        let request = self.request::<StreamActivatedJobs>(command, None).await?;
        let answer = self.client.clone().stream_activated_jobs(request).await;
        let stream = self.read::<StreamActivatedJobs, _>(answer)?;
        Ok(JobStream {
            stream,
            gateway: self.clone(),
        })
    }
}

/// The answer to [`Gateway::activate_jobs`]: batches of jobs until the poll is over.
#[derive(Debug)]
pub struct JobBatches {
    stream: Streaming<crate::protocol::ActivateJobsResponse>,
    gateway: Gateway,
}

impl Stream for JobBatches {
    type Item = Result<Vec<ActivatedJob>, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.stream).poll_next(context).map(|item| {
            item.map(|batch| match batch {
                Ok(batch) => Ok(batch.jobs.into_iter().map(Into::into).collect()),
                Err(status) => Err(self.gateway.error(ActivateJobs::NAME, &status)),
            })
        })
    }
}

/// The answer to [`Gateway::stream_activated_jobs`]: jobs until either side ends it.
#[derive(Debug)]
pub struct JobStream {
    stream: Streaming<crate::protocol::ActivatedJob>,
    gateway: Gateway,
}

impl Stream for JobStream {
    type Item = Result<ActivatedJob, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.stream).poll_next(context).map(|item| {
            item.map(|job| match job {
                Ok(job) => Ok(job.into()),
                Err(status) => Err(self.gateway.error(StreamActivatedJobs::NAME, &status)),
            })
        })
    }
}
