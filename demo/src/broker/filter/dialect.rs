//! One entry of `spec.filters`: the dialects of the CloudEvents Subscriptions API.

use std::collections::BTreeMap;

use cloudevents_http::Event;

use super::cesql::{Expression, Value};
use super::{Verdict, attribute_name, value};
use crate::broker::manifest::document::FilterEntry;
use crate::broker::manifest::{Field, Refusal, Spanned};

#[derive(Debug, Clone)]
pub(super) enum Dialect {
    Text(Comparison, Vec<(String, String)>),
    All(Vec<Dialect>),
    Any(Vec<Dialect>),
    /// Of nothing, where what it negates is empty.
    Not(Option<Box<Dialect>>),
    Cesql(Expression),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    Exact,
    Prefix,
    Suffix,
}

impl Dialect {
    /// The conjunction that a list is; entries that say nothing fall away.
    pub(super) fn all(entries: &[Spanned<FilterEntry>], at: &Field<'_>) -> Result<Self, Refusal> {
        Self::list(entries, at).map(Self::All)
    }

    fn list(entries: &[Spanned<FilterEntry>], at: &Field<'_>) -> Result<Vec<Self>, Refusal> {
        let mut list = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            list.extend(Self::of(entry, &at.index(index))?);
        }
        Ok(list)
    }

    fn of(entry: &Spanned<FilterEntry>, at: &Field<'_>) -> Result<Option<Self>, Refusal> {
        let at = &at.line(entry);
        let FilterEntry {
            exact,
            prefix,
            suffix,
            all,
            any,
            not,
            cesql,
        } = &entry.value;
        let mut found = Vec::new();
        for (comparison, name, wanted) in [
            (Comparison::Exact, "exact", exact),
            (Comparison::Prefix, "prefix", prefix),
            (Comparison::Suffix, "suffix", suffix),
        ] {
            found.extend(text(comparison, wanted.as_ref(), &at.field(name))?);
        }
        if let Some(all) = all.as_deref().filter(|entries| !entries.is_empty()) {
            found.push(Self::all(all, &at.field("all"))?);
        }
        if let Some(any) = any.as_deref().filter(|entries| !entries.is_empty()) {
            found.push(Self::Any(Self::list(any, &at.field("any"))?));
        }
        if let Some(not) = not {
            let not = Self::of(not, &at.field("not"))?;
            found.push(Self::Not(not.map(Box::new)));
        }
        if let Some(text) = cesql.as_ref().filter(|text| !text.value.is_empty()) {
            let at = at.field("cesql").line(text);
            let expression = Expression::parse(&text.value)
                .map_err(|error| at.refuse(format!("`{}`: {error}", text.value)))?;
            found.push(Self::Cesql(expression));
        }
        let dialect = found.pop();
        if !found.is_empty() {
            return Err(at.refuse(
                "more than one dialect in one filter: write them as entries of `all`".to_owned(),
            ));
        }
        Ok(dialect)
    }

    pub(super) fn judge(&self, event: &Event) -> Verdict {
        match self {
            Self::Text(comparison, wanted) => wanted
                .iter()
                .all(|(name, wanted)| {
                    value(event, name).is_some_and(|value| comparison.holds(&value, wanted))
                })
                .into(),
            Self::All(list) => judge_until(list, Verdict::Fail, event),
            Self::Any(list) => judge_until(list, Verdict::Pass, event),
            Self::Not(inner) => match inner.as_ref().map(|inner| inner.judge(event)) {
                Some(Verdict::Pass) => Verdict::Fail,
                Some(Verdict::Fail) => Verdict::Pass,
                Some(Verdict::Open) | None => Verdict::Open,
            },
            Self::Cesql(expression) => {
                // All attributes are strings: an event comes to Knative's filter in binary mode.
                let result = expression.evaluate(&|name| {
                    value(event, name).map(|value| Value::String(value.into_owned()))
                });
                match result {
                    Ok(Value::Boolean(matches)) => matches.into(),
                    // An error is no match. What is neither true nor false is none either, where
                    // Knative's filter panics.
                    Ok(Value::String(_) | Value::Integer(_)) | Err(_) => Verdict::Fail,
                }
            }
        }
    }
}

/// The first verdict that decides, else the last one.
fn judge_until(list: &[Dialect], decisive: Verdict, event: &Event) -> Verdict {
    let mut verdict = Verdict::Open;
    for dialect in list {
        verdict = dialect.judge(event);
        if verdict == decisive {
            break;
        }
    }
    verdict
}

impl Comparison {
    fn holds(self, value: &str, wanted: &str) -> bool {
        match self {
            Self::Exact => value == wanted,
            Self::Prefix => value.starts_with(wanted),
            Self::Suffix => value.ends_with(wanted),
        }
    }
}

fn text(
    comparison: Comparison,
    wanted: Option<&BTreeMap<String, String>>,
    at: &Field<'_>,
) -> Result<Option<Dialect>, Refusal> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Ok(None);
    };
    for (name, value) in wanted {
        attribute_name(name, at)?;
        if value.is_empty() {
            return Err(at.refuse(format!("the value for `{name}` is empty")));
        }
    }
    let wanted = wanted.clone().into_iter().collect();
    Ok(Some(Dialect::Text(comparison, wanted)))
}
