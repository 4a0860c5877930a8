//! The fields of each action.
//!
//! - `reader`: one field.
//! - `time_to_live`: for how long the engine knows a message, and whether that is long enough.
//! - `variables`: the values that a rule picks.

mod reader;
mod time_to_live;
mod variables;

use std::time::Duration;

use super::{expression, only};
use crate::rules::Settings;
use crate::rules::action::{Action, CorrelationKey};
use crate::rules::document::{Fields, Mistake};
use reader::{Reader, length, number};

/// The fields of a rule; those in the middle are the actions, of which it has one.
pub(super) const RULE: &[&str] = &[
    "name",
    "select",
    "start",
    "publish",
    "signal",
    "set_variables",
    "cancel",
    "complete_job",
    "fail_job",
    "throw_error",
    "repeats",
];

const ACTIONS: &[&str] = match RULE {
    [_name, _select, actions @ .., _repeats] => actions,
    _ => &[],
};

pub(super) fn action(
    rule: &Fields<'_>,
    called: &str,
    settings: &Settings,
    warnings: &mut Vec<Mistake>,
) -> Result<Action, Mistake> {
    let (name, node) = only(rule, ACTIONS)?;
    let read = |what, legal| {
        Ok::<_, Mistake>(Reader {
            fields: node.fields(what, legal)?,
            defaults: &settings.defaults,
        })
    };
    match name {
        "start" => start(
            &read(
                "`start`",
                &[
                    "message",
                    "process",
                    "once_per",
                    "version",
                    "at_most_once",
                    "variables",
                    "time_to_live",
                    "tenant_id",
                ],
            )?,
            called,
            settings.retry_horizon,
        ),
        "publish" => {
            let reader = read(
                "`publish`",
                &[
                    "message",
                    "correlation_key",
                    "variables",
                    "time_to_live",
                    "tenant_id",
                ],
            )?;
            let time_to_live = reader.time_to_live()?;
            warnings.extend(time_to_live.too_short(called, settings.retry_horizon));
            Ok(Action::Publish {
                message: reader.template("message")?,
                correlation_key: match reader.fields.get("correlation_key") {
                    None => CorrelationKey::OfEvent,
                    Some(_) => CorrelationKey::Template(reader.template("correlation_key")?),
                },
                time_to_live: time_to_live.length,
                variables: reader.variables()?,
                tenant_id: reader.tenant_id()?,
            })
        }
        "signal" => {
            let reader = read(
                "`signal`",
                &["signal", "at_most_once", "variables", "tenant_id"],
            )?;
            Ok(Action::Signal {
                signal: reader.template("signal")?,
                at_most_once: reader.boolean("at_most_once")?,
                variables: reader.variables()?,
                tenant_id: reader.tenant_id()?,
            })
        }
        "set_variables" => {
            let reader = read(
                "`set_variables`",
                &["element_instance_key", "local", "variables"],
            )?;
            Ok(Action::SetVariables {
                element_instance_key: reader.key("element_instance_key")?,
                local: reader.boolean("local")?,
                variables: reader.variables()?,
            })
        }
        "cancel" => {
            let reader = read("`cancel`", &["process_instance_key"])?;
            Ok(Action::Cancel {
                process_instance_key: reader.key("process_instance_key")?,
            })
        }
        "complete_job" => {
            let reader = read("`complete_job`", &["job_key", "variables"])?;
            Ok(Action::CompleteJob {
                job_key: reader.key("job_key")?,
                variables: reader.variables()?,
            })
        }
        "fail_job" => {
            let reader = read(
                "`fail_job`",
                &[
                    "job_key",
                    "retries",
                    "error_message",
                    "retry_back_off",
                    "variables",
                ],
            )?;
            Ok(Action::FailJob {
                job_key: reader.key("job_key")?,
                retries: number(reader.fields.need("retries")?, "retries", 0)?,
                error_message: reader.text_or_empty("error_message")?,
                retry_back_off: match reader.fields.get("retry_back_off") {
                    None => Duration::ZERO,
                    Some(node) => length(node, "retry_back_off")?,
                },
                variables: reader.variables()?,
            })
        }
        _ => {
            let reader = read(
                "`throw_error`",
                &["job_key", "error_code", "error_message", "variables"],
            )?;
            Ok(Action::ThrowError {
                job_key: reader.key("job_key")?,
                error_code: reader.template("error_code")?,
                error_message: reader.text_or_empty("error_message")?,
                variables: reader.variables()?,
            })
        }
    }
}

fn start(reader: &Reader<'_>, called: &str, retry_horizon: Duration) -> Result<Action, Mistake> {
    let (how, _) = only(&reader.fields, &["message", "process"])?;
    let foreign: &[(&str, &str)] = if how == "message" {
        &[
            (
                "version",
                "the engine starts the latest version that waits for the message",
            ),
            (
                "at_most_once",
                "a start by message is deduplicated by the engine",
            ),
        ]
    } else {
        &[
            (
                "once_per",
                "only a start by message can be held to one active instance",
            ),
            ("time_to_live", "only messages have one"),
        ]
    };
    for (name, reason) in foreign {
        if let Some((key, _)) = reader.fields.entry(name) {
            return Err(Mistake::new(
                key.line,
                format!("`start` by `{how}` takes no `{name}`: {reason}"),
            ));
        }
    }
    if how == "process" {
        return Ok(Action::StartProcess {
            process: reader.template("process")?,
            version: match reader.fields.get("version") {
                None => None,
                Some(node) => Some(number(node, "version", 1)?),
            },
            at_most_once: reader.boolean("at_most_once")?,
            variables: reader.variables()?,
            tenant_id: reader.tenant_id()?,
        });
    }
    let time_to_live = reader.time_to_live()?;
    if let Some(mistake) = time_to_live.too_short(called, retry_horizon) {
        return Err(mistake);
    }
    Ok(Action::Publish {
        message: reader.template("message")?,
        correlation_key: match reader.fields.get("once_per") {
            None => CorrelationKey::Identity,
            Some(node) => CorrelationKey::OncePer(expression(node, "once_per")?),
        },
        time_to_live: time_to_live.length,
        variables: reader.variables()?,
        tenant_id: reader.tenant_id()?,
    })
}
