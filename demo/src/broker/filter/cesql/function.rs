//! The functions that every evaluator has (CESQL, section 3.5).

use super::Error;
use super::value::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Concat,
    ConcatWs,
    Lower,
    Upper,
    Trim,
    Left,
    Right,
    Substring,
    Abs,
    Int,
    Bool,
    String,
    IsInt,
    IsBool,
}

impl Function {
    /// The function of this name, in lower case, that takes so many arguments.
    pub(super) fn find(name: &str, arguments: usize) -> Option<Self> {
        Some(match (name, arguments) {
            ("length", 1) => Self::Length,
            ("concat", _) => Self::Concat,
            ("concat_ws", 1..) => Self::ConcatWs,
            ("lower", 1) => Self::Lower,
            ("upper", 1) => Self::Upper,
            ("trim", 1) => Self::Trim,
            ("left", 2) => Self::Left,
            ("right", 2) => Self::Right,
            ("substring", 2 | 3) => Self::Substring,
            ("abs", 1) => Self::Abs,
            ("int", 1) => Self::Int,
            ("bool", 1) => Self::Bool,
            ("string", 1) => Self::String,
            ("is_int", 1) => Self::IsInt,
            ("is_bool", 1) => Self::IsBool,
            _ => return None,
        })
    }

    pub(super) fn call(self, arguments: Vec<Value>) -> Result<Value, Error> {
        let mut arguments = arguments.into_iter();
        // `find` has seen to the number of arguments; what it did not would be an error here.
        let mut next = || {
            arguments
                .next()
                .ok_or(Error::FunctionEvaluation("an argument is missing"))
        };
        Ok(match self {
            Self::Length => {
                let length = next()?.into_string().chars().count();
                Value::Integer(i32::try_from(length).unwrap_or(i32::MAX))
            }
            Self::Concat => Value::String(arguments.map(Value::into_string).collect()),
            Self::ConcatWs => {
                let delimiter = next()?.into_string();
                let texts: Vec<_> = arguments.map(Value::into_string).collect();
                Value::String(texts.join(&delimiter))
            }
            Self::Lower => Value::String(next()?.into_string().to_lowercase()),
            Self::Upper => Value::String(next()?.into_string().to_uppercase()),
            Self::Trim => Value::String(next()?.into_string().trim().to_owned()),
            Self::Left => {
                let (text, count) = (next()?.into_string(), next()?.into_integer()?);
                Value::String(text.chars().take(counted(count)?).collect())
            }
            Self::Right => {
                let (text, count) = (next()?.into_string(), next()?.into_integer()?);
                let skip = text.chars().count().saturating_sub(counted(count)?);
                Value::String(text.chars().skip(skip).collect())
            }
            Self::Substring => {
                let (text, position) = (next()?.into_string(), next()?.into_integer()?);
                let length = match arguments.next() {
                    Some(length) => counted(length.into_integer()?)?,
                    None => usize::MAX,
                };
                Value::String(substring(&text, position, length)?)
            }
            Self::Abs => match next()?.into_integer()?.checked_abs() {
                Some(absolute) => Value::Integer(absolute),
                None => return Err(Error::Math("`ABS` of the least integer has no value")),
            },
            Self::Int => Value::Integer(next()?.into_integer()?),
            Self::Bool => Value::Boolean(next()?.into_boolean()?),
            Self::String => Value::String(next()?.into_string()),
            Self::IsInt => Value::Boolean(next()?.into_integer().is_ok()),
            Self::IsBool => Value::Boolean(next()?.into_boolean().is_ok()),
        })
    }
}

fn counted(count: i32) -> Result<usize, Error> {
    usize::try_from(count)
        .map_err(|_| Error::FunctionEvaluation("a number of characters is negative"))
}

/// Characters count from 1, or from -1 backwards; 0 is before all and yields nothing.
fn substring(text: &str, position: i32, length: usize) -> Result<String, Error> {
    let all = text.chars().count();
    let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    if distance > all {
        return Err(Error::FunctionEvaluation(
            "`SUBSTRING` begins outside of the text",
        ));
    }
    let begin = match position {
        0 => return Ok(String::new()),
        1.. => distance - 1,
        _ => all - distance,
    };
    Ok(text.chars().skip(begin).take(length).collect())
}
