//! Expression and attributes to value (CESQL, sections 3.2 to 3.4).

use super::parser::{Node, Operator};
use super::value::Value;
use super::{Error, like};

pub(super) fn evaluate(
    node: &Node,
    attribute: &dyn Fn(&str) -> Option<Value>,
) -> Result<Value, Error> {
    let value = |node: &Node| evaluate(node, attribute);
    match node {
        Node::String(text) => Ok(Value::String(text.clone())),
        Node::Integer(integer) => Ok(Value::Integer(*integer)),
        Node::Boolean(boolean) => Ok(Value::Boolean(*boolean)),
        Node::Attribute(name) => {
            attribute(name).ok_or_else(|| Error::MissingAttribute(name.clone()))
        }
        Node::Exists(name) => Ok(Value::Boolean(attribute(name).is_some())),
        Node::Not(inner) => Ok(Value::Boolean(!value(inner)?.into_boolean()?)),
        Node::Negate(inner) => Ok(Value::Integer(value(inner)?.into_integer()?.wrapping_neg())),
        Node::Like(inner, pattern) => Ok(Value::Boolean(like::matches(
            &value(inner)?.into_string(),
            pattern,
        ))),
        Node::In(inner, set) => {
            let wanted = value(inner)?;
            for element in set {
                if value(element)?.cast_like(&wanted)? == wanted {
                    return Ok(Value::Boolean(true));
                }
            }
            Ok(Value::Boolean(false))
        }
        Node::Call(function, arguments) => {
            let arguments = arguments.iter().map(value).collect::<Result<Vec<_>, _>>()?;
            function.call(arguments)
        }
        Node::Unknown { name, arguments } => Err(Error::MissingFunction {
            name: name.clone(),
            arguments: *arguments,
        }),
        Node::Binary(left, operator, right) => {
            let left = value(left)?;
            binary(left, *operator, || value(right))
        }
    }
}

fn binary(
    left: Value,
    operator: Operator,
    right: impl FnOnce() -> Result<Value, Error>,
) -> Result<Value, Error> {
    let boolean = |boolean| Ok(Value::Boolean(boolean));
    match operator {
        Operator::And => boolean(left.into_boolean()? && right()?.into_boolean()?),
        Operator::Or => boolean(left.into_boolean()? || right()?.into_boolean()?),
        Operator::Xor => boolean(left.into_boolean()? != right()?.into_boolean()?),
        Operator::Equal => equal(left, right()?).and_then(boolean),
        Operator::NotEqual => equal(left, right()?).and_then(|equal| boolean(!equal)),
        Operator::Less
        | Operator::LessOrEqual
        | Operator::Greater
        | Operator::GreaterOrEqual
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder
        | Operator::Add
        | Operator::Subtract => {
            // Both are evaluated before either is cast: a missing attribute is told before a bad
            // cast.
            let right = right()?;
            integers(left.into_integer()?, operator, right.into_integer()?)
        }
    }
}

/// The left value becomes the type of the right one, not the other way round.
fn equal(left: Value, right: Value) -> Result<bool, Error> {
    Ok(left.cast_like(&right)? == right)
}

fn integers(left: i32, operator: Operator, right: i32) -> Result<Value, Error> {
    const BY_ZERO: Error = Error::Math("division by zero");
    Ok(match operator {
        Operator::Less => Value::Boolean(left < right),
        Operator::LessOrEqual => Value::Boolean(left <= right),
        Operator::Greater => Value::Boolean(left > right),
        Operator::GreaterOrEqual => Value::Boolean(left >= right),
        Operator::Equal => Value::Boolean(left == right),
        Operator::NotEqual => Value::Boolean(left != right),
        Operator::Multiply => Value::Integer(left.wrapping_mul(right)),
        Operator::Divide if right == 0 => return Err(BY_ZERO),
        Operator::Divide => Value::Integer(left.wrapping_div(right)),
        Operator::Remainder if right == 0 => return Err(BY_ZERO),
        Operator::Remainder => Value::Integer(left.wrapping_rem(right)),
        Operator::Add => Value::Integer(left.wrapping_add(right)),
        Operator::Subtract => Value::Integer(left.wrapping_sub(right)),
        Operator::And => Value::Boolean(left != 0 && right != 0),
        Operator::Or => Value::Boolean(left != 0 || right != 0),
        Operator::Xor => Value::Boolean((left != 0) != (right != 0)),
    })
}
