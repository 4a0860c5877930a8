//! Models under names of a scenario's own, so that many scenarios can share one engine.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use zeebe_client::{CreateProcessInstance, DeployResource, ErrorKind, Gateway, Resource, Settings};

use crate::rules_file::RulesFile;
use crate::zeebe::{Zeebe, is_completed};

/// How long an engine that has just started is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// A scenario on an engine: what it deploys has its name as a suffix.
///
/// Process ids, job types, messages and signals of a model get the suffix; event types, which only this
/// scenario's destination sees, and elements stay as they are.
#[derive(Clone, Copy)]
pub struct Scenario<'a> {
    zeebe: &'a Zeebe,
    name: &'static str,
}

impl<'a> Scenario<'a> {
    /// A scenario of this name; no two on one engine may share it.
    #[must_use]
    pub fn new(zeebe: &'a Zeebe, name: &'static str) -> Self {
        Self { zeebe, name }
    }

    /// The engine that it is on.
    #[must_use]
    pub fn zeebe(&self) -> &'a Zeebe {
        self.zeebe
    }

    /// A name of the model, as deployed for this scenario.
    #[must_use]
    pub fn of(&self, name: &str) -> String {
        format!("{name}-{}", self.name)
    }

    /// The job type `cloudevents`, as deployed for this scenario.
    #[must_use]
    pub fn job_type(&self) -> String {
        self.of("cloudevents")
    }

    /// A client of the scenario's own, beside the bridge.
    ///
    /// # Panics
    /// When the engine's address is none.
    #[must_use]
    pub fn client(&self) -> Gateway {
        let address = self.zeebe.gateway().parse().expect("an address");
        Gateway::new(Settings::new(address)).expect("a client")
    }

    /// Deploys a model of `tests/engine/models`, or one named by its path in the project.
    ///
    /// # Panics
    /// When there is none of this name or the engine refuses it.
    pub async fn deploy(&self, file: &str) {
        self.deploy_with(file, &[]).await;
    }

    /// As [`Scenario::deploy`], with further replacements in the model.
    ///
    /// # Panics
    /// As [`Scenario::deploy`], and when the model has not what is to be replaced.
    pub async fn deploy_with(&self, file: &str, replacements: &[(&str, &str)]) {
        let content = self.model(file, replacements);
        let command = DeployResource {
            resources: vec![Resource {
                name: file.to_owned(),
                content: content.into_bytes(),
            }],
            tenant_id: None,
        };
        let client = self.client();
        let began = Instant::now();
        // A gateway that has just started may not know its partition yet, or answer too late; deploying again is
        // harmless.
        while let Err(error) = client.deploy_resource(command.clone()).await {
            let passes = matches!(
                error.kind(),
                ErrorKind::Unavailable | ErrorKind::OutcomeUnknown
            );
            let again = passes && began.elapsed() < PATIENCE;
            assert!(again, "{file}: {error}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The text of a model as [`Scenario::deploy_with`] deploys it.
    ///
    /// # Panics
    /// When there is none of this name, or it has not what is to be replaced.
    #[must_use]
    pub fn model(&self, file: &str, replacements: &[(&str, &str)]) -> String {
        let path = if file.contains('/') {
            workspace().join(file)
        } else {
            workspace().join("tests/engine/models").join(file)
        };
        let mut content = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (from, to) in replacements {
            assert!(content.contains(from), "{file} has no `{from}`");
            content = content.replace(from, to);
        }
        self.renamed(&content)
    }

    /// Starts an instance of a deployed process by its id, beside the bridge; returns its key.
    ///
    /// # Panics
    /// When the engine refuses.
    pub async fn start(&self, process: &str, variables: &Value) -> i64 {
        self.client()
            .create_process_instance(CreateProcessInstance {
                bpmn_process_id: self.of(process),
                version: None,
                variables: variables.to_string(),
                tenant_id: None,
            })
            .await
            .unwrap_or_else(|error| panic!("{process}: {error}"))
            .process_instance_key
    }

    /// A rules file with these rules, each `NAME@` in it replaced by the name as deployed.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn rules(&self, rules: &str) -> RulesFile {
        RulesFile::new(&rules.replace('@', &format!("-{}", self.name)))
    }

    /// The instances of a deployed process, as the engine exported them.
    pub async fn instances(&self, process: &str) -> Vec<Value> {
        self.zeebe.instances(&self.of(process)).await
    }

    /// Waits until the instances of a deployed process are as wanted, and returns them.
    pub async fn instances_when(
        &self,
        process: &str,
        what: &str,
        wanted: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        self.zeebe
            .instances_when(&self.of(process), what, wanted)
            .await
    }

    /// Waits until so many instances of a deployed process came to an end, and none is left.
    pub async fn all_completed(&self, process: &str, count: usize) -> Vec<Value> {
        self.instances_when(process, &format!("{count} completed"), |all| {
            all.len() == count && all.iter().all(is_completed)
        })
        .await
    }

    fn renamed(&self, model: &str) -> String {
        let mut renamed = String::with_capacity(model.len() + 256);
        for line in model.lines() {
            let attributes: &[&str] = if line.contains("<bpmn:process ") {
                &["id"]
            } else if line.contains("<bpmn:message ") || line.contains("<bpmn:signal ") {
                &["name"]
            } else if line.contains("<zeebe:taskDefinition ") {
                &["type"]
            } else if line.contains("<bpmndi:BPMNPlane ") {
                &["bpmnElement"]
            } else {
                &[]
            };
            let mut line = line.to_owned();
            for attribute in attributes {
                line = self.suffixed(&line, attribute);
            }
            renamed.push_str(&line);
            renamed.push('\n');
        }
        renamed
    }

    /// The line with the scenario's name behind the value of an attribute.
    fn suffixed(&self, line: &str, attribute: &str) -> String {
        let begin = format!(" {attribute}=\"");
        let Some(at) = line.find(&begin).map(|at| at + begin.len()) else {
            return line.to_owned();
        };
        let end = at + line[at..].find('"').expect("a quoted value");
        format!("{}{}{}", &line[..at], self.of(&line[at..end]), &line[end..])
    }
}

/// The folder of the whole project.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the folder that this was built in")
}
