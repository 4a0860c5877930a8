//! The rules file as it is written: a tree of YAML nodes, each knowing its line.
//!
//! The tree knows nothing of rules. It hands out fields by name and refuses, with the line and the
//! legal names or types, what is not asked for.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A place in the file, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) line: u64,
    pub(super) message: String,
}

impl Mistake {
    pub(super) fn new(line: u64, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

/// A node of the document.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    /// The digits of an integer, however many.
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// The name of a map's entry.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) line: u64,
    pub(super) name: String,
}

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Node, Mistake> {
    // As YAML 1.2 has it: `no` and `y` are texts. What only looks like a
    // number, `007` or `1_000`, is text too: it may be somebody's key.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Tree>>(text, options) {
        Ok(tree) => node(tree),
        Err(error) => {
            let plain = error.without_snippet();
            let line = plain
                .location()
                .map_or(1, |location| location.line().max(1));
            let message = plain.to_string();
            Err(Mistake::new(
                line,
                format!("is not YAML that rules can be read from: {message}"),
            ))
        }
    }
}

impl Node {
    /// What the node is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Boolean(_) => "a boolean",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    fn expected<T>(&self, field: &str, what: &str) -> Result<T, Mistake> {
        Err(Mistake::new(
            self.line,
            format!("`{field}` is {}: expected {what}", self.kind()),
        ))
    }

    pub(super) fn text(&self, field: &str) -> Result<&str, Mistake> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Boolean(_) | Value::Integer(_) | Value::Float(_) => {
                self.expected(field, "text (put it in quotes)")
            }
            Value::Null | Value::List(_) | Value::Map(_) => self.expected(field, "text"),
        }
    }

    pub(super) fn filled_text(&self, field: &str) -> Result<&str, Mistake> {
        let text = self.text(field)?;
        if text.is_empty() {
            return Err(Mistake::new(self.line, format!("`{field}` is empty")));
        }
        Ok(text)
    }

    pub(super) fn boolean(&self, field: &str) -> Result<bool, Mistake> {
        match &self.value {
            Value::Boolean(value) => Ok(*value),
            Value::Null
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => self.expected(field, "`true` or `false`"),
        }
    }

    pub(super) fn list(&self, field: &str) -> Result<&[Node], Mistake> {
        match &self.value {
            Value::List(nodes) => Ok(nodes),
            Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Map(_) => self.expected(field, "a list"),
        }
    }

    pub(super) fn map(&self, field: &str) -> Result<&[(Key, Node)], Mistake> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::List(_) => self.expected(field, "a map"),
        }
    }

    /// The node as a map that has no fields but the legal ones.
    pub(super) fn fields<'a>(
        &'a self,
        what: &'a str,
        legal: &'static [&'static str],
    ) -> Result<Fields<'a>, Mistake> {
        let entries = self.map(what)?;
        if let Some((key, _)) = entries
            .iter()
            .find(|(key, _)| !legal.contains(&key.name.as_str()))
        {
            return Err(Mistake::new(
                key.line,
                format!(
                    "{what} has no field `{}`{}; it has {}",
                    key.name,
                    nearest(&key.name, legal),
                    listed(legal)
                ),
            ));
        }
        Ok(Fields {
            what,
            line: self.line,
            entries,
        })
    }
}

/// The fields of one map, by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) what: &'a str,
    pub(super) line: u64,
    entries: &'a [(Key, Node)],
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        self.entry(name).map(|(_, node)| node)
    }

    pub(super) fn entry(&self, name: &str) -> Option<(&'a Key, &'a Node)> {
        self.entries
            .iter()
            .find(|(key, _)| key.name == name)
            .map(|(key, node)| (key, node))
    }

    pub(super) fn need(&self, name: &str) -> Result<&'a Node, Mistake> {
        self.get(name)
            .ok_or_else(|| Mistake::new(self.line, format!("{} needs a field `{name}`", self.what)))
    }
}

/// `; did you mean ...` where one of the legal names is near.
pub(super) fn nearest(name: &str, legal: &[&str]) -> String {
    legal
        .iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&name.to_lowercase(), candidate),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map_or_else(String::new, |(_, candidate)| {
            format!("; did you mean `{candidate}`?")
        })
}

pub(super) fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

// === impl Tree ===

/// What YAML holds, before keys have been checked to be text.
enum Tree {
    Leaf(Value),
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<Tree>, Spanned<Tree>)>),
}

fn node(tree: Spanned<Tree>) -> Result<Node, Mistake> {
    let line = tree.referenced.line();
    let value = match tree.value {
        Tree::Leaf(value) => value,
        Tree::List(trees) => Value::List(trees.into_iter().map(node).collect::<Result<_, _>>()?),
        Tree::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let line = key.referenced.line();
                    match key.value {
                        Tree::Leaf(Value::Text(name)) => Ok((Key { line, name }, node(value)?)),
                        Tree::Leaf(_) | Tree::List(_) | Tree::Map(_) => Err(Mistake::new(
                            line,
                            "a field's name must be text; put it in quotes",
                        )),
                    }
                })
                .collect::<Result<_, _>>()?,
        ),
    };
    Ok(Node { line, value })
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Integer(value.into())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Integer(value.into())))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Integer(value)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = access.next_element()? {
            nodes.push(node);
        }
        Ok(Tree::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}
