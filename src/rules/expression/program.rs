//! Expressions that need the interpreter.

use std::sync::{Arc, OnceLock};

use cel::{Context, Env, ExecutionError};

use super::walk::{self, Shape};
use super::{Names, Scope, cut, value};
use crate::rules::json::{self, Step};

/// How many steps the loops of one evaluation may take, at worst.
const STEPS_LIMIT: usize = 1_000_000;

/// How many bytes one evaluation may put together with `+`, at worst.
const BYTES_LIMIT: usize = 64 * 1024 * 1024;

/// The functions of the language. Making the table costs more than most evaluations.
fn environment() -> Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    Arc::clone(ENVIRONMENT.get_or_init(|| Arc::new(Env::stdlib())))
}

pub(super) struct Program {
    program: cel::Program,
    shape: Shape,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Program {
    pub(super) fn compile(source: &str, names: &Names) -> Result<Self, String> {
        let program = environment().compile(source).map_err(|errors| {
            let first = errors.errors.first();
            first.map_or_else(
                || "is no expression".to_owned(),
                |error| {
                    format!(
                        "is no expression: {}, at character {}",
                        cut(&error.msg, 200),
                        error.pos.1
                    )
                },
            )
        })?;
        let shape = walk::shape(program.expression(), names)?;
        Ok(Self { program, shape })
    }

    /// Evaluates it to JSON text.
    pub(super) fn json(&self, scope: &dyn Scope<'_>) -> Result<String, String> {
        let mut context = Context::with_env(environment());
        let mut elements = self.shape.literals;
        let mut bytes = 0;
        for taken in &self.shape.names {
            let Some(text) = scope.named(&taken.name) else {
                continue;
            };
            let mut count = |text: &str| {
                bytes += text.len();
                // Every element but the first has a comma before it.
                elements += 1 + text
                    .bytes()
                    .filter(|b| matches!(b, b',' | b'[' | b'{'))
                    .count();
            };
            // Of an object only the fields that are looked at are worth reading.
            let value = match &taken.fields {
                Some(fields) if text.starts_with('{') => {
                    let mut found = Vec::with_capacity(fields.len());
                    for field in fields {
                        let step = [Step::Name(field.clone())];
                        if let Some(text) = json::find(&text, &step).ok().flatten() {
                            count(text);
                            found.push((field.as_str(), value::read(text)?));
                        }
                    }
                    value::object(found)
                }
                Some(_) | None => {
                    count(&text);
                    value::read(&text)?
                }
            };
            context.add_variable_from_value(taken.name.as_str(), value);
        }
        self.bounded(elements, bytes)?;
        let value = self
            .program
            .execute(&context)
            .map_err(|error| explain(&error, &self.shape.keys))?;
        value::write(&value)
    }

    /// Refuses what could take too long, by what is known beforehand.
    fn bounded(&self, elements: usize, bytes: usize) -> Result<(), String> {
        let Shape {
            loops, additions, ..
        } = self.shape;
        let longest = elements.saturating_mul(additions + 1);
        let steps = longest.saturating_pow(loops);
        if loops > 0 && steps > STEPS_LIMIT {
            return Err(format!(
                "could take {steps} steps over data of this size; {STEPS_LIMIT} are allowed"
            ));
        }
        let made = steps.saturating_mul(additions).saturating_mul(bytes);
        if made > BYTES_LIMIT {
            return Err(format!(
                "could put together {made} bytes over data of this size; {BYTES_LIMIT} are allowed"
            ));
        }
        Ok(())
    }
}

/// What went wrong, without the values at fault: it goes into logs, spans and dead letters, and data must not.
/// A key is named only where it is one of `keys`, those that the expression itself spells out.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is new, or deprecated, may hold values"
)]
fn explain(error: &ExecutionError, keys: &[String]) -> String {
    match error {
        ExecutionError::NoSuchKey(key) if keys.contains(key) => format!(
            "needs `{}`, which is missing; `has(...)` tells whether a field is there",
            cut(key, 100)
        ),
        ExecutionError::NoSuchKey(_) => {
            String::from("needs a key that is missing; `key in object` tells whether it is there")
        }
        ExecutionError::UndeclaredReference(name) => {
            format!("needs `{}`, which is missing", cut(name, 100))
        }
        // It names types.
        ExecutionError::NoSuchOverload(error) => {
            format!("cannot be evaluated: {}", cut(&error.to_string(), 200))
        }
        ExecutionError::FunctionError { function, .. } => format!(
            "cannot be evaluated: `{}` fails for what it is given",
            cut(function, 100)
        ),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            String::from("cannot be evaluated: it divides by zero")
        }
        ExecutionError::Overflow(operator, ..) => {
            format!("cannot be evaluated: `{operator}` leads to a number that is too large")
        }
        ExecutionError::IndexOutOfBounds(_) => {
            String::from("cannot be evaluated: a list is not that long")
        }
        ExecutionError::ValuesNotComparable(..) => {
            String::from("cannot be evaluated: it compares what cannot be compared")
        }
        ExecutionError::DuplicateKey(_) => {
            String::from("cannot be evaluated: an object would have a key twice")
        }
        _ => String::from("cannot be evaluated with the values that it is given"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn sharable<T: Send + Sync>() {}

    #[test]
    fn a_program_can_be_shared_between_threads() {
        sharable::<Program>();
    }
}
