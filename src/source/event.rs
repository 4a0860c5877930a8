//! A job -> the event that leaves.
//!
//! The id is the job's key: the same for every attempt, so that a consumer which remembers `source`
//! and `id` sees a repeat as one.

use std::borrow::Cow;
use std::fmt;

use cloudevents_http::{Event, is_json, new_event, set_attribute, set_data};
use eventing::extension::{TRACEPARENT, TRACESTATE};
use runtime::telemetry::traces::{read_traceparent, traceparent, tracestate};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use zeebe_client::ActivatedJob;

use super::task::{Task, TaskError};
use crate::rules::expression::Template;
use crate::rules::{HOPS_ATTRIBUTE, TRAVEL_VARIABLE};

/// What came with the event that moved the process on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Travelled {
    #[serde(default)]
    pub(super) traceparent: Option<String>,
    #[serde(default)]
    pub(super) tracestate: Option<String>,
    #[serde(default)]
    pub(super) baggage: Option<String>,
    #[serde(default)]
    hops: u32,
}

impl Travelled {
    /// How often the event that leaves went through a process, this time included.
    pub(super) fn hops(&self) -> u32 {
        self.hops.saturating_add(1)
    }

    /// A model, or another client of the engine, may have written anything there. It stops no job.
    fn forget_what_is_no_context(&mut self) {
        let context = self
            .traceparent
            .take()
            .and_then(|parent| read_traceparent(&parent, self.tracestate.as_deref()));
        self.tracestate = context.as_ref().and_then(tracestate);
        self.traceparent = context.as_ref().map(traceparent);
    }
}

/// Builds the event of a job, of its variables without what travels.
///
/// # Errors
/// The header at fault, and why no event can be made of it.
pub(super) fn build(
    job: &ActivatedJob,
    task: &Task,
    engine: &str,
    variables: &str,
    travelled: &Travelled,
) -> Result<Event, TaskError> {
    let text = |name: &str, template: &Template| -> Result<String, TaskError> {
        template
            .text(variables)
            .map(Cow::into_owned)
            .map_err(|error| TaskError::new(name, error.to_string()))
    };
    let ty_name = if task.legacy { "Type" } else { "ce-type" };
    let ty = text(ty_name, &task.ty)?;
    let source = match &task.source {
        Some(source) => text("ce-source", source)?,
        None => engine.to_owned(),
    };
    let mut event = new_event(&job.key.to_string(), &source, &ty)
        .map_err(|error| TaskError::new(ty_name, error.to_string()))?;
    let mut set = |header: &str, attribute: &str, value: &str| {
        set_attribute(&mut event, attribute, value)
            .map_err(|error| TaskError::new(header, error.to_string()))
    };
    if let Some(subject) = &task.subject {
        set("ce-subject", "subject", &text("ce-subject", subject)?)?;
    } else if task.legacy {
        set("ce-subject", "subject", "Zeebe Job")?;
    }
    if let Some(dataschema) = &task.dataschema {
        set(
            "ce-dataschema",
            "dataschema",
            &text("ce-dataschema", dataschema)?,
        )?;
    }
    // Ours first, so that a task may say otherwise.
    set(
        "extension",
        "processinstancekey",
        &job.process_instance_key.to_string(),
    )?;
    set("extension", "bpmnprocessid", &job.bpmn_process_id)?;
    set("extension", "elementid", &job.element_id)?;
    if task.legacy {
        set(
            "extension",
            "bpmnactivityid",
            &job.element_instance_key.to_string(),
        )?;
        set("extension", "bpmnactivityname", &job.element_id)?;
        set(
            "extension",
            "workflowkey",
            &job.process_definition_key.to_string(),
        )?;
        set(
            "extension",
            "workflowinstancekey",
            &job.process_instance_key.to_string(),
        )?;
        set("extension", "jobkey", &job.key.to_string())?;
    }
    for (name, value) in &task.extensions {
        let header = format!("ce-ext-{name}");
        set(&header, name, &text(&header, value)?)?;
    }
    set("extension", HOPS_ATTRIBUTE, &travelled.hops().to_string())?;
    if let Some(traceparent) = &travelled.traceparent {
        set("extension", TRACEPARENT, traceparent)?;
        if let Some(tracestate) = &travelled.tracestate {
            set("extension", TRACESTATE, tracestate)?;
        }
    }
    let content_type = match &task.datacontenttype {
        Some(template) => text("ce-datacontenttype", template)?,
        None => String::from("application/json"),
    };
    let data = match &task.data {
        None => Cow::Borrowed(variables),
        Some(template) => template
            .json(variables)
            .map_err(|error| TaskError::new("ce-data", error.to_string()))?,
    };
    let data = if is_json(&content_type) {
        data.into_owned()
    } else {
        plain(&data)
    };
    set_data(&mut event, Some(&content_type), data)
        .map_err(|error| TaskError::new("ce-data", error.to_string()))?;
    Ok(event)
}

/// Data of a type that is not JSON: a string stands for itself, all else for its JSON text.
fn plain(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}

/// Takes what travels with the process out of the variables: it is never part of what leaves.
///
/// # Errors
/// Variables that are no JSON object.
pub(super) fn split(variables: &str) -> Result<(Cow<'_, str>, Travelled), TaskError> {
    if variables.is_empty() {
        return Ok((Cow::Borrowed("{}"), Travelled::default()));
    }
    if !variables.contains(TRAVEL_VARIABLE) {
        return Ok((Cow::Borrowed(variables), Travelled::default()));
    }
    let members: Members<'_> = serde_json::from_str(variables)
        .map_err(|error| TaskError::new("variables", error.to_string()))?;
    let mut rest = String::with_capacity(variables.len());
    let mut travelled = Travelled::default();
    for (name, value) in members.0 {
        if name == TRAVEL_VARIABLE {
            // A model may have overwritten it; then nothing travelled.
            travelled = serde_json::from_str::<Travelled>(value.get()).unwrap_or_default();
            travelled.forget_what_is_no_context();
            continue;
        }
        rest.push(if rest.is_empty() { '{' } else { ',' });
        rest.push_str(&serde_json::Value::String(name.into_owned()).to_string());
        rest.push(':');
        rest.push_str(value.get());
    }
    if rest.is_empty() {
        rest.push('{');
    }
    rest.push('}');
    Ok((Cow::Owned(rest), travelled))
}

/// The members of a JSON object, values as they were written: numbers stay exact.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
