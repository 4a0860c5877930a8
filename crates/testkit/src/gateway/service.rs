//! The gateway protocol, answered from the model.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::stream;
use tonic::{Request, Response, Status};
use zeebe_client::protocol::gateway_server::Gateway;
use zeebe_client::protocol::{
    ActivateJobsRequest, ActivateJobsResponse, ActivatedJob, BroadcastSignalRequest,
    BroadcastSignalResponse, BrokerInfo, CancelProcessInstanceRequest,
    CancelProcessInstanceResponse, CompleteJobRequest, CompleteJobResponse,
    CreateProcessInstanceRequest, CreateProcessInstanceResponse,
    CreateProcessInstanceWithResultRequest, CreateProcessInstanceWithResultResponse,
    DeployResourceRequest, DeployResourceResponse, Deployment, EvaluateDecisionRequest,
    EvaluateDecisionResponse, FailJobRequest, FailJobResponse, Partition, ProcessMetadata,
    PublishMessageRequest, PublishMessageResponse, ResolveIncidentRequest, ResolveIncidentResponse,
    SetVariablesRequest, SetVariablesResponse, StreamActivatedJobsRequest, ThrowErrorRequest,
    ThrowErrorResponse, TopologyRequest, TopologyResponse, UpdateJobRetriesRequest,
    UpdateJobRetriesResponse, UpdateJobTimeoutRequest, UpdateJobTimeoutResponse, deployment,
};

use super::Shared;
use super::fast::Fast;
use super::giving::{OpenStream, batches};

/// What a call is answered.
pub(super) type Answer<T> = Result<Response<T>, Status>;
type Streamed<T> = Pin<Box<dyn stream::Stream<Item = Result<T, Status>> + Send>>;

/// Answers calls; as many of it as there are starts of the gateway.
pub(super) struct Service(pub(super) Arc<Shared>);

impl Service {
    fn fast(&self) -> Option<&Fast> {
        self.0.fast.as_ref()
    }
}

#[tonic::async_trait]
impl Gateway for Service {
    type ActivateJobsStream = Streamed<ActivateJobsResponse>;
    type StreamActivatedJobsStream = Streamed<ActivatedJob>;

    async fn topology(&self, request: Request<TopologyRequest>) -> Answer<TopologyResponse> {
        self.take("Topology", request, |_, _| {
            Ok(TopologyResponse {
                brokers: vec![BrokerInfo {
                    node_id: 0,
                    host: String::from("127.0.0.1"),
                    port: 0,
                    // The first role and the first health: a leader, and healthy.
                    partitions: vec![Partition {
                        partition_id: 1,
                        role: 0,
                        health: 0,
                    }],
                    version: String::from("fake"),
                }],
                cluster_size: 1,
                partitions_count: 1,
                replication_factor: 1,
                gateway_version: String::from("fake"),
            })
        })
        .await
    }

    async fn deploy_resource(
        &self,
        request: Request<DeployResourceRequest>,
    ) -> Answer<DeployResourceResponse> {
        self.take("DeployResource", request, |state, request| {
            let deployments = request
                .resources
                .iter()
                .map(|resource| Deployment {
                    metadata: Some(deployment::Metadata::Process(ProcessMetadata {
                        bpmn_process_id: Path::new(&resource.name)
                            .file_stem()
                            .map(|stem| stem.to_string_lossy().into_owned())
                            .unwrap_or_default(),
                        version: 1,
                        process_definition_key: state.key(),
                        resource_name: resource.name.clone(),
                        tenant_id: request.tenant_id.clone(),
                    })),
                })
                .collect();
            Ok(DeployResourceResponse {
                key: state.key(),
                deployments,
                tenant_id: request.tenant_id.clone(),
            })
        })
        .await
    }

    async fn create_process_instance(
        &self,
        request: Request<CreateProcessInstanceRequest>,
    ) -> Answer<CreateProcessInstanceResponse> {
        self.take("CreateProcessInstance", request, |state, request| {
            Ok(CreateProcessInstanceResponse {
                process_definition_key: 1,
                bpmn_process_id: request.bpmn_process_id.clone(),
                version: 1,
                process_instance_key: state.key(),
                tenant_id: request.tenant_id.clone(),
            })
        })
        .await
    }

    async fn create_process_instance_with_result(
        &self,
        request: Request<CreateProcessInstanceWithResultRequest>,
    ) -> Answer<CreateProcessInstanceWithResultResponse> {
        self.take(
            "CreateProcessInstanceWithResult",
            request,
            |state, request| {
                let start = request.request.clone().unwrap_or_default();
                Ok(CreateProcessInstanceWithResultResponse {
                    process_definition_key: 1,
                    bpmn_process_id: start.bpmn_process_id,
                    version: 1,
                    process_instance_key: state.key(),
                    variables: start.variables,
                    tenant_id: start.tenant_id,
                })
            },
        )
        .await
    }

    async fn cancel_process_instance(
        &self,
        request: Request<CancelProcessInstanceRequest>,
    ) -> Answer<CancelProcessInstanceResponse> {
        self.take("CancelProcessInstance", request, |_, _| {
            Ok(CancelProcessInstanceResponse {})
        })
        .await
    }

    async fn publish_message(
        &self,
        request: Request<PublishMessageRequest>,
    ) -> Answer<PublishMessageResponse> {
        if let Some(fast) = self.fast() {
            fast.published.fetch_add(1, Ordering::Relaxed);
            return Ok(Response::new(PublishMessageResponse {
                key: fast.key(),
                tenant_id: String::new(),
            }));
        }
        self.take("PublishMessage", request, |state, request| {
            state.messages.publish(request)?;
            Ok(PublishMessageResponse {
                key: state.key(),
                tenant_id: request.tenant_id.clone(),
            })
        })
        .await
    }

    async fn broadcast_signal(
        &self,
        request: Request<BroadcastSignalRequest>,
    ) -> Answer<BroadcastSignalResponse> {
        self.take("BroadcastSignal", request, |state, request| {
            Ok(BroadcastSignalResponse {
                key: state.key(),
                tenant_id: request.tenant_id.clone(),
            })
        })
        .await
    }

    async fn activate_jobs(
        &self,
        request: Request<ActivateJobsRequest>,
    ) -> Answer<Self::ActivateJobsStream> {
        if let Some(fast) = self.fast() {
            let request = request.into_inner();
            let jobs = (0..request.max_jobs_to_activate)
                .map(|_| fast.job(&request.r#type, &request.worker, request.timeout))
                .collect();
            let batch = ActivateJobsResponse { jobs };
            return Ok(Response::new(Box::pin(stream::iter([Ok(batch)]))));
        }
        let (request, place, after) = self.arrive("ActivateJobs", request).await?;
        let jobs = self.poll(&request).await;
        self.0.change(|state| state.records.took(place));
        let batches: Self::ActivateJobsStream = Box::pin(stream::iter(
            batches(jobs)
                .into_iter()
                .map(|jobs| Ok(ActivateJobsResponse { jobs })),
        ));
        after.answer(Ok(batches)).await
    }

    async fn stream_activated_jobs(
        &self,
        request: Request<StreamActivatedJobsRequest>,
    ) -> Answer<Self::StreamActivatedJobsStream> {
        if self.fast().is_some() {
            let request = request.into_inner();
            let shared = Arc::clone(&self.0);
            let jobs = std::iter::from_fn(move || {
                let fast = shared.fast.as_ref()?;
                Some(Ok(fast.job(
                    &request.r#type,
                    &request.worker,
                    request.timeout,
                )))
            });
            return Ok(Response::new(Box::pin(stream::iter(jobs))));
        }
        let (request, place, after) = self.arrive("StreamActivatedJobs", request).await?;
        let (id, pushed) = self.0.change(|state| {
            state.records.took(place);
            state.jobs.open_stream(request)
        });
        let mut open = OpenStream {
            id,
            pushed,
            first: None,
            shared: Arc::clone(&self.0),
        };
        // Like the real one it sends headers only with the first job.
        open.first = open.pushed.recv().await;
        if let Some(Err(status)) = &open.first {
            return Err(status.clone());
        }
        let open: Self::StreamActivatedJobsStream = Box::pin(open);
        after.answer(Ok(open)).await
    }

    async fn complete_job(
        &self,
        request: Request<CompleteJobRequest>,
    ) -> Answer<CompleteJobResponse> {
        if let Some(fast) = self.fast() {
            fast.completed.fetch_add(1, Ordering::Relaxed);
            return Ok(Response::new(CompleteJobResponse {}));
        }
        self.take("CompleteJob", request, |state, request| {
            state.jobs.complete(request)?;
            Ok(CompleteJobResponse {})
        })
        .await
    }

    async fn fail_job(&self, request: Request<FailJobRequest>) -> Answer<FailJobResponse> {
        if let Some(fast) = self.fast() {
            fast.failed.fetch_add(1, Ordering::Relaxed);
            return Ok(Response::new(FailJobResponse {}));
        }
        self.take("FailJob", request, |state, request| {
            let incident_key = state.key();
            state.jobs.fail(request, incident_key)?;
            Ok(FailJobResponse {})
        })
        .await
    }

    async fn throw_error(&self, request: Request<ThrowErrorRequest>) -> Answer<ThrowErrorResponse> {
        self.take("ThrowError", request, |state, request| {
            state.jobs.throw_error(request)?;
            Ok(ThrowErrorResponse {})
        })
        .await
    }

    async fn update_job_retries(
        &self,
        request: Request<UpdateJobRetriesRequest>,
    ) -> Answer<UpdateJobRetriesResponse> {
        self.take("UpdateJobRetries", request, |state, request| {
            state.jobs.set_retries(request.job_key, request.retries)?;
            Ok(UpdateJobRetriesResponse {})
        })
        .await
    }

    async fn update_job_timeout(
        &self,
        request: Request<UpdateJobTimeoutRequest>,
    ) -> Answer<UpdateJobTimeoutResponse> {
        if self.fast().is_some() {
            return Ok(Response::new(UpdateJobTimeoutResponse {}));
        }
        self.take("UpdateJobTimeout", request, |state, request| {
            state.jobs.prolong(request)?;
            Ok(UpdateJobTimeoutResponse {})
        })
        .await
    }

    async fn set_variables(
        &self,
        request: Request<SetVariablesRequest>,
    ) -> Answer<SetVariablesResponse> {
        self.take("SetVariables", request, |state, _| {
            Ok(SetVariablesResponse { key: state.key() })
        })
        .await
    }

    async fn resolve_incident(
        &self,
        request: Request<ResolveIncidentRequest>,
    ) -> Answer<ResolveIncidentResponse> {
        self.take("ResolveIncident", request, |state, request| {
            state.jobs.resolve(request.incident_key)?;
            Ok(ResolveIncidentResponse {})
        })
        .await
    }

    async fn evaluate_decision(
        &self,
        request: Request<EvaluateDecisionRequest>,
    ) -> Answer<EvaluateDecisionResponse> {
        self.take("EvaluateDecision", request, |state, request| {
            Ok(EvaluateDecisionResponse {
                decision_key: request.decision_key,
                decision_id: request.decision_id.clone(),
                decision_name: request.decision_id.clone(),
                decision_version: 1,
                decision_output: String::from("null"),
                tenant_id: request.tenant_id.clone(),
                decision_instance_key: state.key(),
                ..EvaluateDecisionResponse::default()
            })
        })
        .await
    }
}
