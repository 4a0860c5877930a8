//! From the document to rules: whatever can be wrong with a rules file is found here.

mod action;

use std::collections::HashMap;
use std::sync::Arc;

use super::default::DefaultRule;
use super::document::{self, Fields, Mistake, Node, listed};
use super::expression::{Expression, Names, attribute_name};
use super::rule::{Match, Rule, RuleSet};
use super::select::{Condition, How, Index, Select};
use super::{RulesError, Settings};

const FILE: &[&str] = &["match", "rules"];
const SELECT: &[&str] = &["type", "exact", "prefix", "suffix", "when"];

/// A rule, and the line that it begins on.
struct Placed {
    line: u64,
    rule: Rule,
}

pub(super) fn compile(
    text: &str,
    file_name: &str,
    settings: &Settings,
) -> Result<RuleSet, RulesError> {
    let mut warnings = Vec::new();
    let mut build = || {
        let document = document::parse(text)?;
        file(&document, settings, &mut warnings)
    };
    let (rules, which) = build().map_err(|mistake| RulesError::at(file_name, &mistake))?;
    let index = Index::new(rules.iter().map(|placed| &placed.rule.select));
    if which == Match::All {
        alone(&rules, &index).map_err(|mistake| RulesError::at(file_name, &mistake))?;
    }
    Ok(RuleSet {
        rules: rules.into_iter().map(|placed| placed.rule).collect(),
        index,
        which,
        warnings: warnings
            .into_iter()
            .map(|warning| RulesError::at(file_name, &warning).to_string())
            .collect(),
    })
}

fn file(
    document: &Node,
    settings: &Settings,
    warnings: &mut Vec<Mistake>,
) -> Result<(Vec<Placed>, Match), Mistake> {
    let fields = document.fields("the file", FILE)?;
    let which = match fields.get("match") {
        None => Match::All,
        Some(node) => match node.text("match")? {
            "all" => Match::All,
            "first" => Match::First,
            other => {
                return Err(Mistake::new(
                    node.line,
                    format!("`match` is `{other}`: expected `all` or `first`"),
                ));
            }
        },
    };
    let nodes = fields.need("rules")?;
    let list = nodes.list("rules")?;
    if list.is_empty() {
        return Err(Mistake::new(
            nodes.line,
            "`rules` is empty: expected at least one rule",
        ));
    }
    let mut lines: HashMap<Arc<str>, u64> = HashMap::new();
    let mut rules = Vec::with_capacity(list.len());
    for node in list {
        let (name_line, placed) = rule(node, settings, warnings)?;
        if let Some(first) = lines.insert(Arc::clone(&placed.rule.name), name_line) {
            return Err(Mistake::new(
                name_line,
                format!(
                    "`name` is `{}`, which the rule on line {first} has too: names are part of the \
                     message id and must differ",
                    placed.rule.name
                ),
            ));
        }
        rules.push(placed);
    }
    Ok((rules, which))
}

fn rule(
    node: &Node,
    settings: &Settings,
    warnings: &mut Vec<Mistake>,
) -> Result<(u64, Placed), Mistake> {
    let fields = node.fields("a rule", action::RULE)?;
    let name = fields.need("name")?;
    let text = name.filled_text("name")?;
    let (select, when) = select(fields.need("select")?)?;
    let action = action::action(&fields, text, settings, warnings)?;
    let repeats_accepted = match fields.get("repeats") {
        None => false,
        Some(node) => match node.text("repeats")? {
            "accepted" => true,
            other => {
                return Err(Mistake::new(
                    node.line,
                    format!("`repeats` is `{other}`: expected `accepted`, or no such field"),
                ));
            }
        },
    };
    let rule = Rule {
        name: Arc::from(text),
        select,
        when,
        repeatable: repeats_accepted || action.is_idempotent(),
        action,
    };
    Ok((
        name.line,
        Placed {
            line: node.line,
            rule,
        },
    ))
}

fn select(node: &Node) -> Result<(Select, Option<Expression>), Mistake> {
    let fields = node.fields("`select`", SELECT)?;
    let mut select = Select::default();
    if let Some(node) = fields.get("type") {
        select.conditions.push(Condition {
            attribute: "type".to_owned(),
            how: How::Exact,
            text: node.filled_text("type")?.to_owned(),
        });
    }
    for (name, how) in [
        ("exact", How::Exact),
        ("prefix", How::Prefix),
        ("suffix", How::Suffix),
    ] {
        conditions(&fields, name, how, &mut select)?;
    }
    let when = match fields.get("when") {
        None => None,
        Some(node) => Some(expression(node, "when")?),
    };
    Ok((select, when))
}

fn conditions(
    fields: &Fields<'_>,
    field: &'static str,
    how: How,
    select: &mut Select,
) -> Result<(), Mistake> {
    let Some(node) = fields.get(field) else {
        return Ok(());
    };
    for (key, node) in node.map(field)? {
        attribute_name(&key.name)
            .map_err(|reason| Mistake::new(key.line, format!("`{field}` {reason}")))?;
        let text = node.filled_text(&format!("{field}.{}", key.name))?;
        select.conditions.push(Condition {
            attribute: key.name.clone(),
            how,
            text: text.to_owned(),
        });
    }
    let types: Vec<_> = select
        .conditions
        .iter()
        .filter(|condition| condition.attribute == "type" && condition.how == How::Exact)
        .collect();
    if let [first, second, ..] = types.as_slice()
        && first.text != second.text
    {
        return Err(Mistake::new(
            node.line,
            format!(
                "no event can be of type `{}` and of type `{}`",
                first.text, second.text
            ),
        ));
    }
    Ok(())
}

/// A field that is always an expression; the `=` before it may be left out.
fn expression(node: &Node, field: &str) -> Result<Expression, Mistake> {
    let text = node.text(field)?;
    Expression::parse(text.strip_prefix('=').unwrap_or(text), &Names::Event)
        .map_err(|error| Mistake::new(node.line, format!("`{field}`: {error}")))
}

/// Refuses what must not be repeated where another rule's failure would repeat it.
///
/// Conditions in `when` are not looked at: whether two of them exclude each other cannot be told.
fn alone(rules: &[Placed], index: &Index) -> Result<(), Mistake> {
    for (number, placed) in rules.iter().enumerate() {
        if placed.rule.repeatable {
            continue;
        }
        let beside = index
            .beside(&placed.rule.select, rules.len())
            .into_iter()
            .filter(|&other| other != number)
            .filter_map(|other| rules.get(other))
            .find(|other| !placed.rule.select.excludes(&other.rule.select));
        if let Some(other) = beside {
            return Err(Mistake::new(
                placed.line,
                format!(
                    "rule `{}` starts a process by its id or broadcasts a signal, and an event that \
                     it selects may also be selected by rule `{}` on line {}: if that one fails, \
                     the event comes again and this one happens twice. Make their `select` exclude \
                     each other, say `match: first`, start by message, or accept it with \
                     `repeats: accepted`",
                    placed.rule.name, other.rule.name, other.line
                ),
            ));
        }
    }
    Ok(())
}

/// The only one of some fields that is there.
fn only<'a>(
    fields: &Fields<'a>,
    names: &'static [&'static str],
) -> Result<(&'static str, &'a Node), Mistake> {
    let mut found = names
        .iter()
        .filter_map(|name| fields.entry(name).map(|(key, node)| (*name, key, node)));
    match (found.next(), found.next()) {
        (Some((name, _, node)), None) => Ok((name, node)),
        (Some((first, _, _)), Some((second, key, _))) => Err(Mistake::new(
            key.line,
            format!(
                "{} has both `{first}` and `{second}`: expected one of them",
                fields.what
            ),
        )),
        (None, _) => Err(Mistake::new(
            fields.line,
            format!("{} needs one of {}", fields.what, listed(names)),
        )),
    }
}

impl DefaultRule {
    /// Why these settings cannot work together, if they cannot.
    pub(super) fn mistake(&self) -> Option<String> {
        let taken = super::TRAVEL_VARIABLE;
        if self.data_variable.is_empty() || self.event_variable.as_deref() == Some("") {
            return Some("a variable's name must not be empty".to_owned());
        }
        if self.data_variable == taken || self.event_variable.as_deref() == Some(taken) {
            return Some(format!("the variable `{taken}` is the bridge's own"));
        }
        if self.event_variable.as_ref() == Some(&self.data_variable) {
            return Some(format!(
                "the variable `{}` cannot hold both the data and the context attributes",
                self.data_variable
            ));
        }
        None
    }
}
