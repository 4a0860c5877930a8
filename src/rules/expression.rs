//! Expressions over events and over job variables.
//!
//! The language is CEL, the Common Expression Language. A path such as `data.order.id` is not given
//! to the interpreter: it is looked up in the JSON text, so that what it yields stays the bytes that
//! came, numbers included.
//!
//! In a rule the names are `event` and `data`. For a job they are its variables themselves:
//!
//! ```
//! use eventing_zeebe::rules::expression::Template;
//!
//! let variables = r#"{"order":{"id":"o-7","total":10.50},"seats":2}"#;
//! assert_eq!(Template::parse("=order.total")?.json(variables)?, "10.50");
//! assert_eq!(Template::parse("=\"order/\" + order.id")?.text(variables)?, "order/o-7");
//! assert_eq!(Template::parse("=seats > 1")?.json(variables)?, "true");
//! assert_eq!(Template::parse("Tickets.Requested")?.text(variables)?, "Tickets.Requested");
//! # Ok::<(), eventing_zeebe::rules::expression::ExpressionError>(())
//! ```

mod path;
mod program;
mod value;
mod walk;

use std::borrow::Cow;
use std::fmt;

pub(super) use path::{Path, attribute_name};
use program::Program;

use super::json::{self, Step};

/// How long the source of an expression may be, in bytes.
pub const SOURCE_LIMIT: usize = 2_000;

/// How many brackets of an expression may lie within each other. The parser recurses, and takes some
/// 100 KB of stack for each in a build without optimisation.
pub const NESTING_LIMIT: usize = 8;

/// How long the JSON text that an expression yields may be, in bytes: more than the engine takes.
pub const OUTPUT_LIMIT: usize = 4 * 1024 * 1024;

/// Why an expression cannot be compiled, or yields nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    expression: String,
    reason: String,
}

impl ExpressionError {
    fn new(expression: &str, reason: impl Into<String>) -> Self {
        Self {
            expression: cut(expression, 200),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.expression, self.reason)
    }
}

impl std::error::Error for ExpressionError {}

/// A value as it is written in a model or a rule: literal text, or `=` and an expression.
#[derive(Debug)]
pub struct Template {
    form: Form,
}

#[derive(Debug)]
enum Form {
    Literal(String),
    Expression(Expression),
}

impl Template {
    /// Reads a template whose names are the variables of a job.
    ///
    /// `variables` is all of them, unless there is a variable of that name: it lets an expression ask
    /// `has(variables.discount)`.
    ///
    /// # Errors
    ///
    /// The text begins with `=` and the rest is no expression, or a longer or deeper one than is
    /// allowed.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        Self::of(text, &Names::Variables)
    }

    pub(super) fn of(text: &str, names: &Names) -> Result<Self, ExpressionError> {
        Ok(Self {
            form: match text.strip_prefix('=') {
                Some(source) => Form::Expression(Expression::parse(source, names)?),
                None => Form::Literal(text.to_owned()),
            },
        })
    }

    /// The value as JSON text; literal text is a JSON string.
    ///
    /// `variables` is the text of a JSON object.
    ///
    /// # Errors
    ///
    /// The expression names a variable that is missing, or cannot be evaluated over these.
    pub fn json<'a>(&self, variables: &'a str) -> Result<Cow<'a, str>, ExpressionError> {
        self.json_over(&Variables { text: variables })
    }

    /// The value as plain text: a string itself, a number or a boolean as JSON writes it.
    ///
    /// # Errors
    ///
    /// As [`Template::json`]; and for null, arrays and objects, which are no text.
    pub fn text<'a>(&'a self, variables: &'a str) -> Result<Cow<'a, str>, ExpressionError> {
        self.text_over(&Variables { text: variables })
    }

    pub(super) fn json_over<'a>(
        &self,
        scope: &dyn Scope<'a>,
    ) -> Result<Cow<'a, str>, ExpressionError> {
        match &self.form {
            Form::Literal(text) => {
                let mut out = String::with_capacity(text.len() + 2);
                json::string(&mut out, text);
                Ok(Cow::Owned(out))
            }
            Form::Expression(expression) => expression.json(scope),
        }
    }

    pub(super) fn text_over<'a>(
        &'a self,
        scope: &dyn Scope<'a>,
    ) -> Result<Cow<'a, str>, ExpressionError> {
        match &self.form {
            Form::Literal(text) => Ok(Cow::Borrowed(text)),
            Form::Expression(expression) => expression.text(scope),
        }
    }
}

/// Which names an expression may begin with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names {
    /// `event` and `data`.
    Event,
    /// Any: they are the variables of a job.
    Variables,
}

/// What names mean while an expression is evaluated.
pub(super) trait Scope<'a> {
    /// The JSON text of what a path leads to, or why it leads nowhere.
    fn find(&self, path: &Path) -> Result<Cow<'a, str>, String>;

    /// The JSON text that a name stands for; `None` where there is no such name.
    fn named(&self, name: &str) -> Option<Cow<'a, str>>;
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    source: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Path(Path),
    Program(Box<Program>),
}

impl Expression {
    /// Compiles the source, without a `=` before it.
    pub(super) fn parse(source: &str, names: &Names) -> Result<Self, ExpressionError> {
        let source = source.trim();
        if source.is_empty() {
            return Err(ExpressionError::new(
                source,
                "is empty: expected an expression",
            ));
        }
        if source.len() > SOURCE_LIMIT {
            return Err(ExpressionError::new(
                source,
                format!("is longer than {SOURCE_LIMIT} bytes"),
            ));
        }
        if nesting(source) > NESTING_LIMIT {
            return Err(ExpressionError::new(
                source,
                format!("has more than {NESTING_LIMIT} brackets within each other"),
            ));
        }
        let kind = match Path::parse(source) {
            Some(path) => {
                path.check(names)
                    .map_err(|reason| ExpressionError::new(source, reason))?;
                Kind::Path(path)
            }
            None => Kind::Program(Box::new(
                Program::compile(source, names)
                    .map_err(|reason| ExpressionError::new(source, reason))?,
            )),
        };
        Ok(Self {
            source: source.to_owned(),
            kind,
        })
    }

    fn failed(&self, reason: impl Into<String>) -> ExpressionError {
        ExpressionError::new(&self.source, reason)
    }

    pub(super) fn json<'a>(&self, scope: &dyn Scope<'a>) -> Result<Cow<'a, str>, ExpressionError> {
        match &self.kind {
            Kind::Path(path) => scope.find(path),
            Kind::Program(program) => program.json(scope).map(Cow::Owned),
        }
        .map_err(|reason| self.failed(reason))
    }

    pub(super) fn text<'a>(&self, scope: &dyn Scope<'a>) -> Result<Cow<'a, str>, ExpressionError> {
        let json = self.json(scope)?;
        match json.bytes().next() {
            Some(b'"') => Ok(match json {
                Cow::Borrowed(json) => json::unescape(inside(json)),
                Cow::Owned(json) => Cow::Owned(json::unescape(inside(&json)).into_owned()),
            }),
            Some(b'{') => Err(self.failed("is an object: expected text")),
            Some(b'[') => Err(self.failed("is an array: expected text")),
            Some(b'n') | None => Err(self.failed("is null: expected text")),
            Some(_) => Ok(json),
        }
    }

    pub(super) fn boolean(&self, scope: &dyn Scope<'_>) -> Result<bool, ExpressionError> {
        match self.json(scope)?.as_ref() {
            "true" => Ok(true),
            "false" => Ok(false),
            // Not what it is: data must not get into logs and spans.
            _ => Err(self.failed("is neither true nor false")),
        }
    }
}

fn nesting(source: &str) -> usize {
    let (_, deepest) = source.bytes().fold((0_usize, 0), |(open, deepest), byte| {
        let open = match byte {
            b'(' | b'[' | b'{' => open + 1,
            b')' | b']' | b'}' => open.saturating_sub(1),
            _ => open,
        };
        (open, deepest.max(open))
    });
    deepest
}

fn inside(quoted: &str) -> &str {
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(quoted)
}

/// The first `limit` bytes of a text that goes into an error.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", text.get(..end).unwrap_or_default())
}

/// The name under which an expression finds all variables of a job.
const ALL_VARIABLES: &str = "variables";

/// The variables of a job, as the text of a JSON object.
struct Variables<'a> {
    text: &'a str,
}

impl<'a> Variables<'a> {
    fn lookup(&self, steps: &[Step]) -> Result<Option<&'a str>, String> {
        let found = json::find(self.text, steps).map_err(|fault| {
            format!(
                "cannot be looked up: `{}` {}",
                json::place("variables", self.text, fault.at),
                fault.reason
            )
        })?;
        Ok(match (found, steps) {
            (None, [Step::Name(name), rest @ ..]) if name == ALL_VARIABLES => {
                json::find(self.text, rest).ok().flatten()
            }
            (found, _) => found,
        })
    }
}

impl<'a> Scope<'a> for Variables<'a> {
    fn find(&self, path: &Path) -> Result<Cow<'a, str>, String> {
        self.lookup(path.steps())?
            .map(Cow::Borrowed)
            .ok_or_else(|| missing(path))
    }

    fn named(&self, name: &str) -> Option<Cow<'a, str>> {
        self.lookup(&[Step::Name(name.to_owned())])
            .ok()
            .flatten()
            .map(Cow::Borrowed)
    }
}

/// What to say of a path that leads nowhere.
pub(super) fn missing(path: &Path) -> String {
    if path.steps().len() > 1 {
        format!("is missing; if it may be, write `has({path}) ? {path} : null`")
    } else {
        "is missing".to_owned()
    }
}

#[cfg(test)]
mod tests;
