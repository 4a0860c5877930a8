//! Which rules take an event.
//!
//! Rules are found by the event's type: 10,000 rules of as many types cost what 10 cost. Rules that
//! say nothing of the type are tried one by one.

use std::collections::HashMap;

use cloudevents::{AttributesReader, Event};
use cloudevents_http::attribute;

/// What one rule asks of the attributes; all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Select {
    pub(super) conditions: Vec<Condition>,
}

/// What is asked of one attribute; an attribute that is not set meets no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) attribute: String,
    pub(super) how: How,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Exact,
    Prefix,
    Suffix,
}

impl Select {
    pub(super) fn takes(&self, event: &Event) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.holds(event))
    }

    /// Whether no event can be taken by both. `false` where that cannot be told.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        self.conditions
            .iter()
            .any(|ours| other.conditions.iter().any(|theirs| ours.excludes(theirs)))
    }

    fn of_type(&self, how: How) -> Option<&str> {
        self.conditions
            .iter()
            .find(|condition| condition.attribute == "type" && condition.how == how)
            .map(|condition| condition.text.as_str())
    }
}

impl Condition {
    fn holds(&self, event: &Event) -> bool {
        attribute(event, &self.attribute).is_some_and(|value| self.met_by(&value))
    }

    fn met_by(&self, value: &str) -> bool {
        match self.how {
            How::Exact => value == self.text,
            How::Prefix => value.starts_with(&self.text),
            How::Suffix => value.ends_with(&self.text),
        }
    }

    fn excludes(&self, other: &Self) -> bool {
        if self.attribute != other.attribute {
            return false;
        }
        match (self.how, other.how) {
            (How::Exact, _) => !other.met_by(&self.text),
            (_, How::Exact) => !self.met_by(&other.text),
            (How::Prefix, How::Prefix) => {
                !self.text.starts_with(&other.text) && !other.text.starts_with(&self.text)
            }
            (How::Suffix, How::Suffix) => {
                !self.text.ends_with(&other.text) && !other.text.ends_with(&self.text)
            }
            (How::Prefix, How::Suffix) | (How::Suffix, How::Prefix) => false,
        }
    }
}

/// Rules, by their numbers, under what they ask of the type.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: HashMap<String, Vec<usize>>,
    prefix: ByLength,
    suffix: ByLength,
    /// Rules that ask nothing of the type.
    any: Vec<usize>,
}

/// Texts under their lengths, of which there are few.
#[derive(Debug, Default)]
struct ByLength {
    lengths: Vec<usize>,
    rules: HashMap<String, Vec<usize>>,
}

impl ByLength {
    fn add(&mut self, text: &str, rule: usize) {
        if !self.lengths.contains(&text.len()) {
            self.lengths.push(text.len());
        }
        self.rules.entry(text.to_owned()).or_default().push(rule);
    }
}

impl Index {
    pub(super) fn new<'a>(selects: impl Iterator<Item = &'a Select>) -> Self {
        let mut index = Self::default();
        for (rule, select) in selects.enumerate() {
            if let Some(ty) = select.of_type(How::Exact) {
                index.exact.entry(ty.to_owned()).or_default().push(rule);
            } else if let Some(prefix) = select.of_type(How::Prefix) {
                index.prefix.add(prefix, rule);
            } else if let Some(suffix) = select.of_type(How::Suffix) {
                index.suffix.add(suffix, rule);
            } else {
                index.any.push(rule);
            }
        }
        index
    }

    /// The rules that may take an event, in the order of the file.
    pub(super) fn candidates(&self, event: &Event) -> Vec<usize> {
        let ty = event.ty();
        let mut found = self.any.clone();
        let mut add = |rules: Option<&Vec<usize>>| found.extend(rules.into_iter().flatten());
        add(self.exact.get(ty));
        for &length in &self.prefix.lengths {
            add(ty
                .get(..length)
                .and_then(|start| self.prefix.rules.get(start)));
        }
        for &length in &self.suffix.lengths {
            let end = ty.len().checked_sub(length).and_then(|from| ty.get(from..));
            add(end.and_then(|end| self.suffix.rules.get(end)));
        }
        found.sort_unstable();
        found
    }

    /// The rules that an event might lead to beside this one, as far as the index tells.
    pub(super) fn beside(&self, select: &Select, rules: usize) -> Vec<usize> {
        let Some(ty) = select.of_type(How::Exact) else {
            return (0..rules).collect();
        };
        let mut found = self.any.clone();
        let indexed = self.exact.get(ty).into_iter().flatten();
        let others = self
            .prefix
            .rules
            .values()
            .chain(self.suffix.rules.values())
            .flatten();
        found.extend(indexed.chain(others));
        found
    }
}
