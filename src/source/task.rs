//! A service task's custom headers, compiled once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use zeebe_client::ActivatedJob;

use super::custom_headers::{EXTENSION, check_name};
use super::error_map::ErrorMap;
use crate::rules::expression::Template;

/// So many tasks are remembered; beyond it the memory begins anew.
const MOST_TASKS: usize = 2048;

/// What a task says about the event of its jobs.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) ty: Template,
    pub(super) source: Option<Template>,
    pub(super) subject: Option<Template>,
    pub(super) dataschema: Option<Template>,
    pub(super) datacontenttype: Option<Template>,
    pub(super) extensions: Vec<(String, Template)>,
    /// `None`: all the job's variables.
    pub(super) data: Option<Template>,
    /// A destination of the task's own, not yet allowed.
    pub(super) host: Option<Uri>,
    pub(super) error_map: ErrorMap,
    /// Whether it is modelled with the headers of the Java router of 2020, whose events carry more.
    pub(super) legacy: bool,
}

/// What cannot be made of a task: the header at fault and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaskError {
    pub(super) field: String,
    pub(super) reason: String,
}

impl TaskError {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

type Compiled = Result<Arc<Task>, TaskError>;

/// The tasks seen so far, by the text of their custom headers. Not by the engine's keys: those begin anew
/// where its data does, under other models.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<HashMap<String, Compiled>>);

impl Tasks {
    pub(super) fn of(&self, job: &ActivatedJob) -> Compiled {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = tasks.get(&job.custom_headers) {
            return task.clone();
        }
        if tasks.len() == MOST_TASKS {
            tasks.clear();
        }
        let task = compile(&job.custom_headers).map(Arc::new);
        tasks.insert(job.custom_headers.clone(), task.clone());
        task
    }
}

fn compile(custom_headers: &str) -> Result<Task, TaskError> {
    let headers: BTreeMap<String, String> = if custom_headers.is_empty() {
        BTreeMap::new()
    } else {
        serde_json::from_str(custom_headers)
            .map_err(|error| TaskError::new("custom headers", error.to_string()))?
    };
    let template = |name: &str| {
        headers
            .get(name)
            .filter(|text| !text.is_empty())
            .map(|text| {
                Template::parse(text).map_err(|error| TaskError::new(name, error.to_string()))
            })
            .transpose()
    };
    if let Some(mode) = headers
        .get("Mode")
        .filter(|mode| mode.as_str() != "EMIT_ONLY")
    {
        return Err(TaskError::new(
            "Mode",
            format!(
                "`{mode}` is not supported; use EMIT_ONLY, and a receive task or message event to wait"
            ),
        ));
    }
    let modern = template("ce-type")?;
    let legacy = modern.is_none();
    let ty = match modern {
        Some(ty) => ty,
        None => template("Type")?.ok_or_else(|| {
            TaskError::new(
                "ce-type",
                "the task does not name the type of its event; add the custom header `ce-type`",
            )
        })?,
    };
    let mut extensions = Vec::new();
    for name in headers.keys() {
        check_name(name).map_err(|reason| TaskError::new(name, reason))?;
        if let Some(extension) = name.strip_prefix(EXTENSION)
            && let Some(value) = template(name)?
        {
            extensions.push((extension.to_owned(), value));
        }
    }
    let data = match headers
        .get("ce-data")
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        None => None,
        Some(expression) if expression.starts_with('=') => template("ce-data")?,
        Some(variable) => {
            let path = format!("={variable}");
            Some(
                Template::parse(&path)
                    .map_err(|error| TaskError::new("ce-data", error.to_string()))?,
            )
        }
    };
    let host = match headers.get("Host").filter(|host| !host.is_empty()) {
        None => None,
        Some(host) => {
            let url = if host.contains("://") {
                host.clone()
            } else {
                format!("http://{host}")
            };
            let url: Uri = url
                .parse()
                .map_err(|_| TaskError::new("Host", format!("`{host}` is not a URL")))?;
            Some(url)
        }
    };
    Ok(Task {
        ty,
        source: template("ce-source")?,
        subject: template("ce-subject")?,
        dataschema: template("ce-dataschema")?,
        datacontenttype: template("ce-datacontenttype")?,
        extensions,
        data,
        host,
        error_map: match headers.get("error-map") {
            Some(text) => {
                ErrorMap::parse(text).map_err(|reason| TaskError::new("error-map", reason))?
            }
            None => ErrorMap::default(),
        },
        legacy,
    })
}
