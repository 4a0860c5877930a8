//! `deploy`: deploys models, by hand or at start.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use zeebe_client::{DeployResource, DeployResourceAnswer, Gateway, Resource};

use super::mappings;
use crate::config::DeployConfig;

/// Models to deploy.
#[derive(Debug, Args)]
pub struct Deploy {
    /// BPMN, DMN and form files, or directories of them
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// The endings that the engine knows.
const ENDINGS: [&str; 3] = ["bpmn", "dmn", "form"];

/// Deploys the files in one deployment and prints what the engine made of them.
///
/// # Errors
/// A file that cannot be read, or what the engine found wrong with it.
pub async fn deploy(arguments: Deploy, config: DeployConfig) -> Result<(), Box<dyn Error>> {
    for warning in config.warnings {
        eprintln!("warning: {warning}");
    }
    let gateway = Gateway::new(config.engine)?;
    let Deployed { answer, overlooked } =
        deploy_files(&gateway, &arguments.files, config.tenant_id).await?;
    for line in overlooked {
        eprintln!("warning: {line}");
    }
    for resource in answer.resources {
        println!(
            "{} version {} {}",
            resource.id, resource.version, resource.resource_name
        );
    }
    Ok(())
}

/// What became of models.
#[derive(Debug)]
pub(super) struct Deployed {
    /// What the engine made of them.
    pub(super) answer: DeployResourceAnswer,
    /// What it takes, and whoever follows a trace may miss: a line each.
    pub(super) overlooked: Vec<String>,
}

/// Deploys files in one deployment: all of them or none.
///
/// # Errors
/// As [`deploy`].
pub(super) async fn deploy_files(
    gateway: &Gateway,
    files: &[PathBuf],
    tenant_id: Option<String>,
) -> Result<Deployed, Box<dyn Error>> {
    let resources = read(files)?;
    let overlooked = resources.iter().flat_map(mappings::overlooked).collect();
    let deployment = DeployResource {
        resources,
        tenant_id,
    };
    match gateway.deploy_resource(deployment).await {
        Ok(answer) => Ok(Deployed { answer, overlooked }),
        Err(error) => Err(format!("{}: {error}", gateway.settings().address).into()),
    }
}

fn read(files: &[PathBuf]) -> Result<Vec<Resource>, String> {
    let Models { found, empty } = models(files)?;
    if let Some(folder) = empty.first() {
        return Err(nothing_in(folder));
    }
    found
        .into_iter()
        .map(|path| {
            let content = std::fs::read(&path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Ok(Resource { name, content })
        })
        .collect()
}

/// The models among files and in directories.
#[derive(Debug, Default)]
pub struct Models {
    /// As they were named; those of a directory in the order of their names.
    pub found: Vec<PathBuf>,
    /// Directories that hold none.
    pub empty: Vec<PathBuf>,
}

/// What there is to say of a directory without a model.
pub(super) fn nothing_in(folder: &Path) -> String {
    format!("{} holds no .bpmn, .dmn or .form file", folder.display())
}

/// Finds the models among files and in directories.
///
/// # Errors
/// What is not there or is no model.
pub fn models(files: &[PathBuf]) -> Result<Models, String> {
    let Models {
        mut found,
        mut empty,
    } = Models::default();
    for file in files {
        if file.is_dir() {
            let mut inside: Vec<PathBuf> = std::fs::read_dir(file)
                .and_then(|entries| {
                    entries
                        .map(|entry| entry.map(|entry| entry.path()))
                        .collect()
                })
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            inside.retain(|path| is_model(path));
            inside.sort();
            if inside.is_empty() {
                empty.push(file.clone());
            }
            found.extend(inside);
        } else if let Err(error) = std::fs::metadata(file) {
            return Err(format!("cannot read {}: {error}", file.display()));
        } else if is_model(file) {
            found.push(file.clone());
        } else {
            return Err(format!(
                "{} is not a model: its name must end in .bpmn, .dmn or .form",
                file.display()
            ));
        }
    }
    Ok(Models { found, empty })
}

fn is_model(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ENDINGS.contains(&ending))
}
