//! CloudEvents SQL, version 1.0: expressions over the attributes of one event.
//!
//! Where the specification and the evaluator that Knative runs differ, Knative decides, since a
//! Trigger must mean here what it means in a cluster: a sign directly before digits belongs to the
//! literal (`4 - 1`, not `4-1`), `NOT` binds tighter than any comparison, and `AND`, `OR` and `XOR`
//! have one precedence and group to the right. Integers wrap around.
//!
//! Where Knative's evaluator plainly errs, the specification decides: string functions count
//! characters, not bytes; a negative length is an error, not a panic; a `%` in the text that `LIKE`
//! looks at does not use up the pattern's; a character that means nothing is refused, not skipped.
//!
//! - `lexer`, `parser`: text to expression, with bounds on length and depth.
//! - `evaluate`: expression and attributes to value.
//! - `function`, `like`, `value`: the parts of that.

mod evaluate;
mod function;
mod lexer;
mod like;
mod parser;
mod value;

use std::fmt;

pub use value::Value;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    root: parser::Node,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// [`Error::Parse`], with the position in the text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parser::parse(text).map(|root| Self { root })
    }

    /// The value of the expression, where `attribute` yields what an event has under a name in
    /// lower case.
    ///
    /// # Errors
    /// The first error met; the specification's further result, a value beside the error, matters
    /// to no filter and is not kept.
    pub fn evaluate(&self, attribute: &dyn Fn(&str) -> Option<Value>) -> Result<Value, Error> {
        evaluate::evaluate(&self.root, attribute)
    }
}

/// Why an expression has no value; the kinds are the specification's (section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The text is no expression.
    Parse {
        /// Where, in characters from 1.
        at: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A division by zero, an overflow of `ABS`.
    Math(&'static str),
    /// A value cannot become the type that an operator or function takes.
    Cast {
        /// The type of the value.
        from: &'static str,
        /// The type wanted.
        to: &'static str,
    },
    /// The event has no such attribute.
    MissingAttribute(String),
    /// There is no function of that name with that many arguments.
    MissingFunction {
        /// The name, in upper case.
        name: String,
        /// How many arguments were given.
        arguments: usize,
    },
    /// A function refuses an argument's value.
    FunctionEvaluation(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse { at, reason } => write!(f, "{reason}, at character {at}"),
            Self::Math(reason) | Self::FunctionEvaluation(reason) => f.write_str(reason),
            Self::Cast { from, to } => write!(f, "a {from} of this value is no {to}"),
            Self::MissingAttribute(name) => write!(f, "the event has no attribute `{name}`"),
            Self::MissingFunction { name, arguments } => {
                write!(f, "there is no function `{name}` of {arguments} arguments")
            }
        }
    }
}

impl std::error::Error for Error {}
