//! One pass over JSON text: is it JSON, and can the engine hold it?
//!
//! The text is never turned into a tree and printed again, so its numbers stay what they were.

mod place;
mod scanner;
mod string;

use std::fmt;
use std::ops::Range;

pub(super) use place::{place, step};
pub(super) use string::{string, unescape};

use scanner::Scanner;

/// How many arrays and objects may lie within each other. At 1,100 the engine's gateway (8.6.0) drops
/// the connection; serde_json, which reads data for the interpreter, ends at 127.
pub(super) const DEPTH_LIMIT: usize = 100;

/// Why text cannot go to the engine, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Syntax(&'static str),
    Integer,
    Number,
    Depth,
    Surrogate,
}

impl Reason {
    /// Whether the text is JSON nevertheless, only not the engine's.
    pub(super) fn is_json(self) -> bool {
        match self {
            Self::Syntax(_) => false,
            Self::Integer | Self::Number | Self::Depth | Self::Surrogate => true,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(expected) => write!(f, "is not JSON: expected {expected}"),
            Self::Integer => f.write_str(
                "is an integer beyond 64 bits with a sign, which the engine cannot hold; send it as a string",
            ),
            Self::Number => f.write_str(
                "is a number beyond the range of a double, which the engine cannot hold; \
                 send it as a string",
            ),
            Self::Depth => write!(f, "is nested deeper than {DEPTH_LIMIT} levels"),
            Self::Surrogate => {
                f.write_str("holds one half of a surrogate pair, which is no character")
            }
        }
    }
}

/// What a JSON text is at its top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Other,
}

/// One member of the object at the top of a text.
#[derive(Debug, Clone)]
pub(super) struct Member<'a> {
    /// The name between its quotes, escapes as they came.
    name: &'a str,
    /// Where its value lies.
    pub(super) value: Range<usize>,
    /// Where the member lies, from the quote before its name to the end of its value.
    pub(super) whole: Range<usize>,
}

impl Member<'_> {
    /// Compares the name as it reads once its escapes are resolved.
    pub(super) fn is(&self, name: &str) -> bool {
        unescape(self.name) == name
    }
}

/// Checks a text, and shows each member of an object at its top.
pub(super) fn check<'a>(text: &'a str, each: impl FnMut(Member<'a>)) -> Result<Shape, Fault> {
    let mut scanner = Scanner::new(text);
    scanner.space();
    let shape = if scanner.peek() == Some(b'{') {
        scanner.members(1, each)?;
        Shape::Object
    } else {
        scanner.value(0)?;
        Shape::Other
    };
    scanner.space();
    match scanner.peek() {
        None => Ok(shape),
        Some(_) => scanner.fail("the end of the text"),
    }
}

/// One step down into a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

/// The text of the value that the steps lead to, if all of them exist.
///
/// Of members with the same name the last counts, as it does for the engine.
pub(super) fn find<'a>(text: &'a str, steps: &[Step]) -> Result<Option<&'a str>, Fault> {
    let mut here = text.trim_ascii();
    for step in steps {
        let mut scanner = Scanner::new(here);
        let mut found = None;
        match (step, scanner.peek()) {
            (Step::Name(name), Some(b'{')) => scanner.members(1, |member| {
                if member.is(name) {
                    found = Some(member.value);
                }
            })?,
            (Step::Index(index), Some(b'[')) => {
                let mut next = 0;
                scanner.elements(1, |value| {
                    if next == *index {
                        found = Some(value);
                    }
                    next += 1;
                })?;
            }
            (Step::Name(_) | Step::Index(_), _) => {}
        }
        match found.and_then(|range| here.get(range)) {
            Some(value) => here = value,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}
