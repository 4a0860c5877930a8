//! `DeployResource`.

use super::Command;
use crate::protocol::{DeployResourceRequest, DeployResourceResponse, deployment};

/// Deploys models; each file's ending tells its kind. RPC `DeployResource`.
#[derive(Debug, Clone)]
pub struct DeployResource {
    /// The models.
    pub resources: Vec<Resource>,
    /// The tenant; `None` is the engine's default tenant.
    pub tenant_id: Option<String>,
}

impl Command for DeployResource {
    const NAME: &'static str = "DeployResource";
    type Request = DeployResourceRequest;

    fn into_request(self) -> Self::Request {
        DeployResourceRequest {
            resources: self
                .resources
                .into_iter()
                .map(Resource::into_proto)
                .collect(),
            tenant_id: self.tenant_id.unwrap_or_default(),
        }
    }
}

/// One model.
#[derive(Debug, Clone)]
pub struct Resource {
    /// A file name; its ending (`.bpmn`, `.dmn`, `.form`) tells the engine the kind.
    pub name: String,
    /// The file's content.
    pub content: Vec<u8>,
}

impl Resource {
    fn into_proto(self) -> crate::protocol::Resource {
        crate::protocol::Resource {
            name: self.name,
            content: self.content,
        }
    }
}

/// What was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployResourceAnswer {
    /// The deployment.
    pub key: i64,
    /// Each process, decision and form in it.
    pub resources: Vec<DeployedResource>,
}

/// A process, decision or form as deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedResource {
    /// Its id in the model.
    pub id: String,
    /// Its version in the engine; the same as before where the model has not changed.
    pub version: i32,
    /// The file it came from; empty for a decision.
    pub resource_name: String,
}

impl From<DeployResourceResponse> for DeployResourceAnswer {
    fn from(answer: DeployResourceResponse) -> Self {
        let resources = answer
            .deployments
            .into_iter()
            .filter_map(|deployment| deployment.metadata)
            .map(|metadata| match metadata {
                deployment::Metadata::Process(process) => DeployedResource {
                    id: process.bpmn_process_id,
                    version: process.version,
                    resource_name: process.resource_name,
                },
                deployment::Metadata::Decision(decision) => DeployedResource {
                    id: decision.dmn_decision_id,
                    version: decision.version,
                    resource_name: String::new(),
                },
                deployment::Metadata::DecisionRequirements(requirements) => DeployedResource {
                    id: requirements.dmn_decision_requirements_id,
                    version: requirements.version,
                    resource_name: requirements.resource_name,
                },
                deployment::Metadata::Form(form) => DeployedResource {
                    id: form.form_id,
                    version: form.version,
                    resource_name: form.resource_name,
                },
            })
            .collect();
        Self {
            key: answer.key,
            resources,
        }
    }
}
