//! Between JSON text and the values of the interpreter.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cel::Value;
use cel::objects::Key;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::OUTPUT_LIMIT;
use crate::rules::json::{self, DEPTH_LIMIT};

pub(super) fn read(text: &str) -> Result<Value, String> {
    serde_json::from_str::<Read>(text)
        .map(|read| read.0)
        .map_err(|error| format!("cannot be evaluated over data that is not JSON: {error}"))
}

/// An object of these members.
pub(super) fn object(members: Vec<(&str, Value)>) -> Value {
    let map: HashMap<_, _> = members
        .into_iter()
        .map(|(name, value)| (Key::String(Arc::new(name.to_owned())), value))
        .collect();
    Value::Map(cel::objects::Map { map: Arc::new(map) })
}

struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Read, E> {
        Ok(Read(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Read, E> {
        Ok(Read(Value::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Read, E> {
        Ok(Read(Value::Int(value)))
    }

    /// Whole numbers are `int` where they fit, since CEL does not add `int` and `uint`.
    fn visit_u64<E: Error>(self, value: u64) -> Result<Read, E> {
        Ok(Read(
            i64::try_from(value).map_or(Value::UInt(value), Value::Int),
        ))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Read, E> {
        Ok(Read(Value::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Read, E> {
        Ok(Read(Value::String(Arc::new(value.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Read, A::Error> {
        let mut values = Vec::new();
        while let Some(Read(value)) = access.next_element()? {
            values.push(value);
        }
        Ok(Read(Value::List(Arc::new(values))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Read, A::Error> {
        let mut values = HashMap::new();
        while let Some((name, Read(value))) = access.next_entry::<String, Read>()? {
            values.insert(Key::String(Arc::new(name)), value);
        }
        Ok(Read(Value::Map(cel::objects::Map {
            map: Arc::new(values),
        })))
    }
}

/// The JSON text of a value; members in alphabetical order, so that it is the same each time.
pub(super) fn write(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    append(&mut out, value, 0)?;
    Ok(out)
}

fn append(out: &mut String, value: &Value, depth: usize) -> Result<(), String> {
    if out.len() > OUTPUT_LIMIT {
        return Err(format!("yields more than {OUTPUT_LIMIT} bytes"));
    }
    if depth > DEPTH_LIMIT {
        return Err(format!("yields more than {DEPTH_LIMIT} levels"));
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::UInt(value) => out.push_str(&value.to_string()),
        Value::Float(value) => match serde_json::Number::from_f64(*value) {
            Some(number) => out.push_str(&number.to_string()),
            None => return Err(format!("yields {value}, which is no JSON number")),
        },
        Value::String(text) => json::string(out, text),
        Value::Bytes(bytes) => json::string(out, &STANDARD.encode(bytes.as_slice())),
        Value::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                append(out, value, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            let mut members: Vec<_> = map
                .map
                .iter()
                .map(|(key, value)| (key.to_string(), value))
                .collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json::string(out, &name);
                out.push(':');
                append(out, value, depth + 1)?;
            }
            out.push('}');
        }
        Value::Function(..) | Value::Opaque(_) | Value::Struct(_) => {
            return Err(
                "yields a value that is not JSON: expected null, a boolean, a number, a string, a \
                 list or a map"
                    .to_owned(),
            );
        }
    }
    Ok(())
}
