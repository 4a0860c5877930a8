//! One field of an action: as it is written -> what it means.

use std::time::Duration;

use super::time_to_live::TimeToLive;
use super::variables::picked;
use crate::rules::TRAVEL_VARIABLE;
use crate::rules::action::{Number, Variables};
use crate::rules::compile::expression;
use crate::rules::default::DefaultRule;
use crate::rules::document::{Fields, Mistake, Node, Value};
use crate::rules::duration;
use crate::rules::expression::{Names, Template};
use crate::rules::json;

/// What the fields of an action are read against.
pub(super) struct Reader<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) defaults: &'a DefaultRule,
}

impl Reader<'_> {
    pub(super) fn template(&self, field: &'static str) -> Result<Template, Mistake> {
        let node = self.fields.need(field)?;
        let text = if field == "correlation_key" {
            node.text(field)?
        } else {
            node.filled_text(field)?
        };
        template(text, node, field)
    }

    pub(super) fn text_or_empty(&self, field: &'static str) -> Result<Template, Mistake> {
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
    pub(super) fn key(&self, field: &'static str) -> Result<Template, Mistake> {
        let node = self.fields.need(field)?;
        if let Value::Integer(key) = &node.value {
            return template(&key.to_string(), node, field);
        }
        self.template(field)
    }

    pub(super) fn boolean(&self, field: &'static str) -> Result<bool, Mistake> {
        self.fields
            .get(field)
            .map_or(Ok(false), |node| node.boolean(field))
    }

    pub(super) fn time_to_live(&self) -> Result<TimeToLive, Mistake> {
        Ok(match self.fields.get("time_to_live") {
            None => TimeToLive {
                line: self.fields.line,
                length: self.defaults.time_to_live,
                of_the_rule: false,
            },
            Some(node) => TimeToLive {
                line: node.line,
                length: length(node, "time_to_live")?,
                of_the_rule: true,
            },
        })
    }

    /// A constant, so that no event chooses whose processes it reaches.
    pub(super) fn tenant_id(&self) -> Result<Option<String>, Mistake> {
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

    pub(super) fn variables(&self) -> Result<Variables, Mistake> {
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
pub(super) fn not_forgotten(text: &str, node: &Node, field: &str) -> Result<(), Mistake> {
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

pub(super) fn length(node: &Node, field: &str) -> Result<Duration, Mistake> {
    duration::parse(node.text(field)?)
        .map_err(|reason| Mistake::new(node.line, format!("`{field}`: {reason}")))
}

pub(super) fn number(node: &Node, field: &str, least: i32) -> Result<Number, Mistake> {
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
