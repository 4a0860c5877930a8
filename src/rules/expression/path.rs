//! Plain paths: the expressions that need no interpreter.

use std::fmt;

use super::Names;
use crate::rules::json::{self, Step};

/// Words that begin no path, because CEL gives or may give them a meaning.
const RESERVED: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// A name, and steps down from it: `data.items[0].price`, `data["x-y"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// Reads a plain path; `None` where the text is anything else, an expression perhaps.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (root, mut rest) = name(text)?;
        if RESERVED.contains(&root) {
            return None;
        }
        let mut steps = vec![Step::Name(root.to_owned())];
        while !rest.is_empty() {
            let (step, after) = if let Some(after) = rest.strip_prefix('.') {
                let (field, after) = name(after)?;
                (Step::Name(field.to_owned()), after)
            } else {
                let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
                let index = index.trim();
                let step = if index.bytes().all(|b| b.is_ascii_digit()) {
                    Step::Index(index.parse().ok()?)
                } else {
                    Step::Name(quoted(index)?.to_owned())
                };
                (step, after)
            };
            steps.push(step);
            rest = after;
        }
        Some(Self { steps })
    }

    pub(in crate::rules) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether its first names are names that exist.
    pub(super) fn check(&self, names: &Names) -> Result<(), String> {
        let mut steps = self.steps.iter();
        let Some(Step::Name(root)) = steps.next() else {
            return Ok(());
        };
        root_name(root, names)?;
        match (names, root.as_str(), steps.next()) {
            (Names::Event, "event", Some(Step::Name(attribute))) => attribute_name(attribute),
            (Names::Event | Names::Variables, _, _) => Ok(()),
        }
    }
}

/// Whether an expression may begin with this name.
pub(super) fn root_name(name: &str, names: &Names) -> Result<(), String> {
    match names {
        Names::Variables => Ok(()),
        Names::Event if matches!(name, "event" | "data") => Ok(()),
        Names::Event => Err(format!(
            "names `{name}`, which does not exist: an expression begins with `event` or `data`; \
             text is written in quotes"
        )),
    }
}

/// Whether an event can have an attribute of this name (CloudEvents 1.0.2, "Naming Conventions").
pub(in crate::rules) fn attribute_name(name: &str) -> Result<(), String> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if !name.is_empty() && name != "data" && name.bytes().all(legal) {
        return Ok(());
    }
    let spelled: String = name
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        .collect();
    let hint = match spelled.as_str() {
        "" => String::new(),
        "data" => "; the data is `data`, beside `event`".to_owned(),
        spelled => format!("; did you mean `{spelled}`?"),
    };
    Err(format!(
        "names the attribute `{name}`, which no event can have: names are lower-case letters and \
         digits{hint}"
    ))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = self.steps.iter();
        if let Some(Step::Name(root)) = steps.next() {
            f.write_str(root)?;
        }
        for step in steps {
            match step {
                Step::Name(name) => {
                    let mut text = String::new();
                    json::step(&mut text, name);
                    f.write_str(&text)?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn name(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|b| !(b.is_ascii_alphanumeric() || b == b'_'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let first = name.bytes().next()?;
    (!first.is_ascii_digit()).then_some((name, rest))
}

fn quoted(text: &str) -> Option<&str> {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"')
        .or_else(|| inside('\''))
        .filter(|inside| !inside.contains(['"', '\'', '\\', '\n']))
}
