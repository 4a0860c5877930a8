//! What a rule does: a command whose fields are still templates.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use super::default::{self, DefaultRule};
use super::error::MappingError;
use super::expression::{Expression, ExpressionError, Template};
use super::identity;
use super::json;
use super::plan::Plan;
use super::scope::EventScope;
use super::travel::Travel;
use super::variables::{Content, Object};

/// A command before it has met its event.
#[derive(Debug)]
pub(super) enum Action {
    Publish {
        message: Template,
        correlation_key: CorrelationKey,
        time_to_live: Duration,
        variables: Variables,
        tenant_id: Option<String>,
    },
    StartProcess {
        process: Template,
        version: Option<Number>,
        at_most_once: bool,
        variables: Variables,
        tenant_id: Option<String>,
    },
    Signal {
        signal: Template,
        at_most_once: bool,
        variables: Variables,
        tenant_id: Option<String>,
    },
    SetVariables {
        element_instance_key: Template,
        local: bool,
        variables: Variables,
    },
    Cancel {
        process_instance_key: Template,
    },
    CompleteJob {
        job_key: Template,
        variables: Variables,
    },
    FailJob {
        job_key: Template,
        retries: Number,
        error_message: Template,
        retry_back_off: Duration,
        variables: Variables,
    },
    ThrowError {
        job_key: Template,
        error_code: Template,
        error_message: Template,
        variables: Variables,
    },
}

/// How a message finds its instance.
#[derive(Debug)]
pub(super) enum CorrelationKey {
    /// As without rules: extension attribute `correlationkey`, else `subject`, else empty.
    OfEvent,
    /// The message id: no two events share it, and they spread over the engine's partitions.
    Identity,
    /// One active instance for each value.
    OncePer(Expression),
    Template(Template),
}

/// A small whole number.
#[derive(Debug)]
pub(super) enum Number {
    Constant(i32),
    Expression(Expression),
}

/// What a command brings.
#[derive(Debug)]
pub(super) enum Variables {
    /// The data, as without rules.
    Data,
    /// The fields that were picked.
    Picked(Vec<(String, Picked)>),
    /// The object that an expression yields.
    Whole(Expression),
}

/// A value of one variable.
#[derive(Debug)]
pub(super) enum Picked {
    /// JSON text.
    Literal(String),
    Expression(Expression),
    List(Vec<Picked>),
    Map(Vec<(String, Picked)>),
}

/// What a command is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) default: &'a DefaultRule,
    pub(super) rule: &'a str,
    pub(super) scope: EventScope<'a>,
    pub(super) travel: &'a Travel<'a>,
    /// All of the data as variables, once a rule has wanted it: those of all rules are the same.
    pub(super) whole: &'a OnceCell<Arc<String>>,
}

impl Action {
    /// Whether giving the command twice does what giving it once does.
    pub(super) fn is_idempotent(&self) -> bool {
        match self {
            Self::StartProcess { .. } | Self::Signal { .. } => false,
            Self::Publish { .. }
            | Self::SetVariables { .. }
            | Self::Cancel { .. }
            | Self::CompleteJob { .. }
            | Self::FailJob { .. }
            | Self::ThrowError { .. } => true,
        }
    }

    pub(super) fn plan(&self, given: &Given<'_>) -> Result<Plan, MappingError> {
        Ok(match self {
            Self::Publish {
                message,
                correlation_key,
                time_to_live,
                variables,
                tenant_id,
            } => {
                let message_id = identity::of(given.scope.event, Some(given.rule));
                Plan::PublishMessage {
                    name: given.filled("message", message)?,
                    correlation_key: correlation_key.resolve(given, &message_id)?,
                    message_id,
                    time_to_live: *time_to_live,
                    variables: variables.resolve(given)?,
                    tenant_id: tenant_id.clone(),
                }
            }
            Self::StartProcess {
                process,
                version,
                at_most_once,
                variables,
                tenant_id,
            } => Plan::CreateProcessInstance {
                bpmn_process_id: given.filled("process", process)?,
                version: match version {
                    Some(version) => Some(version.resolve(given, "version", 1)?),
                    None => None,
                },
                variables: variables.resolve(given)?,
                tenant_id: tenant_id.clone(),
                at_most_once: *at_most_once,
            },
            Self::Signal {
                signal,
                at_most_once,
                variables,
                tenant_id,
            } => Plan::BroadcastSignal {
                signal_name: given.filled("signal", signal)?,
                variables: variables.resolve(given)?,
                tenant_id: tenant_id.clone(),
                at_most_once: *at_most_once,
            },
            Self::SetVariables {
                element_instance_key,
                local,
                variables,
            } => Plan::SetVariables {
                element_instance_key: given.key("element_instance_key", element_instance_key)?,
                variables: variables.resolve(given)?,
                local: *local,
            },
            Self::Cancel {
                process_instance_key,
            } => Plan::CancelProcessInstance {
                process_instance_key: given.key("process_instance_key", process_instance_key)?,
            },
            Self::CompleteJob { job_key, variables } => Plan::CompleteJob {
                job_key: given.key("job_key", job_key)?,
                variables: variables.resolve(given)?,
            },
            Self::FailJob {
                job_key,
                retries,
                error_message,
                retry_back_off,
                variables,
            } => Plan::FailJob {
                job_key: given.key("job_key", job_key)?,
                retries: retries.resolve(given, "retries", 0)?,
                error_message: given.text("error_message", error_message)?,
                retry_back_off: *retry_back_off,
                variables: variables.resolve(given)?,
            },
            Self::ThrowError {
                job_key,
                error_code,
                error_message,
                variables,
            } => Plan::ThrowError {
                job_key: given.key("job_key", job_key)?,
                error_code: given.filled("error_code", error_code)?,
                error_message: given.text("error_message", error_message)?,
                variables: variables.resolve(given)?,
            },
        })
    }
}

fn failed(field: &str) -> impl Fn(ExpressionError) -> MappingError {
    move |error| MappingError::new(field, error.to_string())
}

impl Given<'_> {
    fn text(&self, field: &str, template: &Template) -> Result<String, MappingError> {
        template
            .text_over(&self.scope)
            .map(Cow::into_owned)
            .map_err(failed(field))
    }

    fn filled(&self, field: &str, template: &Template) -> Result<String, MappingError> {
        let text = self.text(field, template)?;
        if text.is_empty() {
            return Err(MappingError::new(field, "is empty"));
        }
        Ok(text)
    }

    /// A key that the engine gave: events carry it as a number or, in an attribute, as its digits. What it is instead
    /// is not told: it is the event's data.
    fn key(&self, field: &str, template: &Template) -> Result<i64, MappingError> {
        let text = self.text(field, template)?;
        match text.parse() {
            Ok(key) if key > 0 && !text.starts_with('+') => Ok(key),
            Ok(_) | Err(_) => Err(MappingError::new(
                field,
                "is no key that the engine gave: expected a positive integer",
            )),
        }
    }
}

impl CorrelationKey {
    fn resolve(&self, given: &Given<'_>, message_id: &str) -> Result<String, MappingError> {
        match self {
            Self::OfEvent => Ok(default::correlation_key(given.scope.event).into_owned()),
            Self::Identity => Ok(message_id.to_owned()),
            Self::OncePer(expression) => {
                let key = expression.text(&given.scope).map_err(failed("once_per"))?;
                if key.is_empty() {
                    return Err(MappingError::new(
                        "once_per",
                        "yields empty text, with which the engine would start an instance each time",
                    ));
                }
                Ok(key.into_owned())
            }
            Self::Template(template) => given.text("correlation_key", template),
        }
    }
}

impl Number {
    fn resolve(&self, given: &Given<'_>, field: &str, least: i32) -> Result<i32, MappingError> {
        match self {
            Self::Constant(number) => Ok(*number),
            Self::Expression(expression) => {
                let text = expression.text(&given.scope).map_err(failed(field))?;
                match text.parse() {
                    Ok(number) if number >= least => Ok(number),
                    Ok(_) | Err(_) => Err(MappingError::new(
                        field,
                        format!("is not what was expected: an integer of {least} or more"),
                    )),
                }
            }
        }
    }
}

impl Variables {
    fn resolve(&self, given: &Given<'_>) -> Result<Arc<String>, MappingError> {
        let Given {
            default,
            scope,
            travel,
            whole,
            ..
        } = given;
        let mut object = Object::with_capacity(192);
        match self {
            Self::Data => {
                let variables = whole.get_or_init(|| {
                    Arc::new(default.variables(scope.event, scope.content, travel))
                });
                return Ok(Arc::clone(variables));
            }
            Self::Picked(members) => {
                for (name, picked) in members {
                    let mut field = "variables".to_owned();
                    json::step(&mut field, name);
                    picked.write(object.named(name), given, &field)?;
                }
            }
            Self::Whole(expression) => {
                let text = expression.json(scope).map_err(failed("variables"))?;
                if !text.starts_with('{') {
                    return Err(MappingError::new(
                        "variables",
                        "yields no object: expected one, whose members are the variables",
                    ));
                }
                let whole = Content::Object {
                    text: &text,
                    reserved: true,
                };
                object.data(&whole, &default.data_variable, &default.reserved());
            }
        }
        default.attributes_and_travel(&mut object, scope.event, travel);
        Ok(Arc::new(object.finish()))
    }
}

impl Picked {
    fn write(&self, out: &mut String, given: &Given<'_>, field: &str) -> Result<(), MappingError> {
        match self {
            Self::Literal(json) => out.push_str(json),
            Self::Expression(expression) => {
                out.push_str(&expression.json(&given.scope).map_err(failed(field))?);
            }
            Self::List(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write(out, given, &format!("{field}[{index}]"))?;
                }
                out.push(']');
            }
            Self::Map(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    json::string(out, name);
                    out.push(':');
                    let mut field = field.to_owned();
                    json::step(&mut field, name);
                    value.write(out, given, &field)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}
