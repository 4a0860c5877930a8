//! The fields of each action.

use std::time::Duration;

use super::{expression, only};
use crate::rules::TRAVEL_VARIABLE;
use crate::rules::action::{Action, CorrelationKey, Number, Picked, Variables};
use crate::rules::default::DefaultRule;
use crate::rules::document::{Fields, Mistake, Node, Value};
use crate::rules::duration;
use crate::rules::expression::{Expression, Names, Template};
use crate::rules::json;

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

const ACTIONS: &[&str] = &[
    "start",
    "publish",
    "signal",
    "set_variables",
    "cancel",
    "complete_job",
    "fail_job",
    "throw_error",
];

/// What the fields of an action are read against.
struct Reader<'a> {
    fields: Fields<'a>,
    defaults: &'a DefaultRule,
}

pub(super) fn action(
    rule: &Fields<'_>,
    defaults: &DefaultRule,
    retry_horizon: Duration,
    warnings: &mut Vec<Mistake>,
) -> Result<Action, Mistake> {
    let (name, node) = only(rule, ACTIONS)?;
    let read = |what, legal| {
        Ok::<_, Mistake>(Reader {
            fields: node.fields(what, legal)?,
            defaults,
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
            retry_horizon,
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
            let (line, time_to_live) = reader.time_to_live()?;
            if time_to_live < retry_horizon {
                warnings.push(Mistake::new(line, short_lived(time_to_live, retry_horizon)));
            }
            Ok(Action::Publish {
                message: reader.template("message")?,
                correlation_key: match reader.fields.get("correlation_key") {
                    None => CorrelationKey::OfEvent,
                    Some(_) => CorrelationKey::Template(reader.template("correlation_key")?),
                },
                time_to_live,
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

fn start(reader: &Reader<'_>, retry_horizon: Duration) -> Result<Action, Mistake> {
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
    let (line, time_to_live) = reader.time_to_live()?;
    if time_to_live < retry_horizon {
        return Err(Mistake::new(line, short_lived(time_to_live, retry_horizon)));
    }
    Ok(Action::Publish {
        message: reader.template("message")?,
        correlation_key: match reader.fields.get("once_per") {
            None => CorrelationKey::Identity,
            Some(node) => CorrelationKey::OncePer(expression(node, "once_per")?),
        },
        time_to_live,
        variables: reader.variables()?,
        tenant_id: reader.tenant_id()?,
    })
}

fn short_lived(time_to_live: Duration, retry_horizon: Duration) -> String {
    format!(
        "the time to live is {time_to_live:?}, but a delivery may be retried for {retry_horizon:?}: \
         a retry after the message is forgotten acts a second time"
    )
}

impl Reader<'_> {
    fn template(&self, field: &'static str) -> Result<Template, Mistake> {
        let node = self.fields.need(field)?;
        let text = if field == "correlation_key" {
            node.text(field)?
        } else {
            node.filled_text(field)?
        };
        template(text, node, field)
    }

    fn text_or_empty(&self, field: &'static str) -> Result<Template, Mistake> {
        match self.fields.get(field) {
            Some(node) => template(node.text(field)?, node, field),
            None => template(
                "",
                &Node {
                    line: self.fields.line,
                    value: Value::Null,
                },
                field,
            ),
        }
    }

    /// A key: nearly always an expression, but a constant integer is legal.
    fn key(&self, field: &'static str) -> Result<Template, Mistake> {
        let node = self.fields.need(field)?;
        if let Value::Integer(key) = &node.value {
            return template(&key.to_string(), node, field);
        }
        self.template(field)
    }

    fn boolean(&self, field: &'static str) -> Result<bool, Mistake> {
        self.fields
            .get(field)
            .map_or(Ok(false), |node| node.boolean(field))
    }

    fn time_to_live(&self) -> Result<(u64, Duration), Mistake> {
        match self.fields.get("time_to_live") {
            None => Ok((self.fields.line, self.defaults.time_to_live)),
            Some(node) => Ok((node.line, length(node, "time_to_live")?)),
        }
    }

    /// A constant, so that no event chooses whose processes it reaches.
    fn tenant_id(&self) -> Result<Option<String>, Mistake> {
        let Some(node) = self.fields.get("tenant_id") else {
            return Ok(self.defaults.tenant_id.clone());
        };
        let text = node.filled_text("tenant_id")?;
        if text.starts_with('=') {
            return Err(Mistake::new(
                node.line,
                "`tenant_id` is an expression: expected a constant, since an event must not choose \
                 its tenant",
            ));
        }
        Ok(Some(text.to_owned()))
    }

    fn variables(&self) -> Result<Variables, Mistake> {
        let Some(node) = self.fields.get("variables") else {
            return Ok(Variables::Data);
        };
        let entries = match &node.value {
            Value::Map(entries) => entries,
            Value::Text(text) if text.starts_with('=') => {
                return expression(node, "variables").map(Variables::Whole);
            }
            Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_) => {
                return Err(Mistake::new(
                    node.line,
                    format!(
                        "`variables` is {}: expected a map, or an expression beginning with `=` \
                         that yields an object",
                        node.kind()
                    ),
                ));
            }
        };
        let mut members = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let taken = key.name == TRAVEL_VARIABLE
                || self.defaults.event_variable.as_ref() == Some(&key.name);
            if taken || key.name.is_empty() {
                return Err(Mistake::new(
                    key.line,
                    format!(
                        "`variables` sets `{}`, which is not a rule's to set",
                        key.name
                    ),
                ));
            }
            let mut field = "variables".to_owned();
            json::step(&mut field, &key.name);
            members.push((key.name.clone(), picked(node, &field)?));
        }
        Ok(Variables::Picked(members))
    }
}

/// A forgotten `=` would be accepted, and mean something else each time.
fn not_forgotten(text: &str, node: &Node, field: &str) -> Result<(), Mistake> {
    if text.starts_with("data.") || text.starts_with("event.") {
        return Err(Mistake::new(
            node.line,
            format!(
                "`{field}` is the literal text `{text}`: for the field of the event write `={text}`, \
                 for the text itself `=\"{text}\"`"
            ),
        ));
    }
    Ok(())
}

fn template(text: &str, node: &Node, field: &str) -> Result<Template, Mistake> {
    not_forgotten(text, node, field)?;
    Template::of(text, &Names::Event)
        .map_err(|error| Mistake::new(node.line, format!("`{field}`: {error}")))
}

fn length(node: &Node, field: &str) -> Result<Duration, Mistake> {
    duration::parse(node.text(field)?)
        .map_err(|reason| Mistake::new(node.line, format!("`{field}`: {reason}")))
}

fn number(node: &Node, field: &str, least: i32) -> Result<Number, Mistake> {
    let wrong = || {
        Mistake::new(
            node.line,
            format!(
                "`{field}` is {}: expected an integer of {least} or more, or an expression \
                 beginning with `=`",
                match &node.value {
                    Value::Integer(number) => number.to_string(),
                    Value::Null
                    | Value::Boolean(_)
                    | Value::Float(_)
                    | Value::Text(_)
                    | Value::List(_)
                    | Value::Map(_) => node.kind().to_owned(),
                }
            ),
        )
    };
    match &node.value {
        Value::Integer(number) => i32::try_from(*number)
            .ok()
            .filter(|number| *number >= least)
            .map(Number::Constant)
            .ok_or_else(wrong),
        Value::Text(text) if text.starts_with('=') => {
            expression(node, field).map(Number::Expression)
        }
        Value::Null
        | Value::Boolean(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_) => Err(wrong()),
    }
}

/// A value of a variable: literal, but for texts that begin with `=`.
fn picked(node: &Node, field: &str) -> Result<Picked, Mistake> {
    let mut literal = String::new();
    match &node.value {
        Value::Null => literal.push_str("null"),
        Value::Boolean(value) => literal.push_str(if *value { "true" } else { "false" }),
        Value::Integer(number) => literal.push_str(&number.to_string()),
        // An integer that no 64 bits hold has become this on its way here.
        Value::Float(number) if number.fract() == 0.0 && number.abs() >= 9.2e18 => {
            return Err(Mistake::new(
                node.line,
                format!("`{field}` {}", json::Reason::Integer),
            ));
        }
        Value::Float(number) => match serde_json::Number::from_f64(*number) {
            Some(number) => literal.push_str(&number.to_string()),
            None => {
                return Err(Mistake::new(
                    node.line,
                    format!("`{field}` is {number}, which is no JSON number"),
                ));
            }
        },
        Value::Text(text) => {
            if let Some(source) = text.strip_prefix('=') {
                return Expression::parse(source, &Names::Event)
                    .map(Picked::Expression)
                    .map_err(|error| Mistake::new(node.line, format!("`{field}`: {error}")));
            }
            not_forgotten(text, node, field)?;
            json::string(&mut literal, text);
        }
        Value::List(nodes) => {
            return nodes
                .iter()
                .enumerate()
                .map(|(index, node)| picked(node, &format!("{field}[{index}]")))
                .collect::<Result<_, _>>()
                .map(Picked::List);
        }
        Value::Map(entries) => {
            return entries
                .iter()
                .map(|(key, node)| {
                    let mut field = field.to_owned();
                    json::step(&mut field, &key.name);
                    Ok((key.name.clone(), picked(node, &field)?))
                })
                .collect::<Result<_, _>>()
                .map(Picked::Map);
        }
    }
    // Literals go the way of data: what the engine cannot hold is refused here, not per event.
    json::check(&literal, |_| ())
        .map_err(|fault| Mistake::new(node.line, format!("`{field}` {}", fault.reason)))?;
    Ok(Picked::Literal(literal))
}
