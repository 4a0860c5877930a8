//! The variables that a rule picks: literals that the engine can hold, and expressions.

use super::reader::not_forgotten;
use crate::rules::action::Picked;
use crate::rules::document::{Mistake, Node, Value};
use crate::rules::expression::{Expression, Names};
use crate::rules::json;

/// A value of a variable: literal, but for texts that begin with `=`.
pub(super) fn picked(node: &Node, field: &str) -> Result<Picked, Mistake> {
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
