//! Which events a Trigger takes, judged as Knative's filter judges them.
//!
//! `spec.filters` decides where it holds anything; else `spec.filter.attributes` does; with
//! neither, every event passes.
//!
//! - `attributes`: the older form, one map.
//! - `dialect`: the newer form, an expression of `exact`, `prefix`, `suffix`, `all`, `any`, `not`
//!   and `cesql`.
//! - [`cesql`]: the expression language.

mod attributes;
pub mod cesql;
mod dialect;

use std::borrow::Cow;

use cloudevents_http::{Event, attribute};

use self::attributes::Attributes;
use self::dialect::Dialect;
use super::manifest::document;
use super::manifest::{Field, Refusal};

/// A Trigger's filter, validated.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    form: Form,
}

#[derive(Debug, Clone, Default)]
enum Form {
    #[default]
    None,
    Attributes(Attributes),
    Filters(Dialect),
}

impl Filter {
    pub(super) fn of(spec: &document::TriggerSpec, at: &Field<'_>) -> Result<Self, Refusal> {
        let filters = spec.filters.as_deref().unwrap_or_default();
        let filters = Dialect::all(filters, &at.field("filters"))?;
        // The older form is checked even where it is overridden: a cluster does so too.
        let attributes = match &spec.filter {
            Some(filter) => Attributes::of(&filter.value, &at.field("filter").line(filter))?,
            None => Attributes::default(),
        };
        let form = if spec
            .filters
            .as_ref()
            .is_some_and(|filters| !filters.is_empty())
        {
            Form::Filters(filters)
        } else if spec.filter.is_some() {
            Form::Attributes(attributes)
        } else {
            Form::None
        };
        Ok(Self { form })
    }

    /// Whether the event is for this Trigger.
    #[must_use]
    pub fn passes(&self, event: &Event) -> bool {
        match &self.form {
            Form::None => true,
            Form::Attributes(attributes) => attributes.pass(event),
            Form::Filters(filters) => match filters.judge(event) {
                Verdict::Pass | Verdict::Open => true,
                Verdict::Fail => false,
            },
        }
    }
}

/// What one expression says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    /// There was nothing to judge by; the negation of that says nothing either.
    Open,
}

impl From<bool> for Verdict {
    fn from(matches: bool) -> Self {
        if matches { Self::Pass } else { Self::Fail }
    }
}

/// An attribute as filters see it: `time` without zeros at the end of its fraction, as Go writes it.
fn value<'a>(event: &'a Event, name: &str) -> Option<Cow<'a, str>> {
    let value = attribute(event, name)?;
    if name != "time" {
        return Some(value);
    }
    match value.strip_suffix('Z') {
        Some(time) if time.contains('.') => {
            let time = time.trim_end_matches('0').trim_end_matches('.');
            Some(Cow::Owned(format!("{time}Z")))
        }
        Some(_) | None => Some(value),
    }
}

/// Knative accepts only these as keys of a filter.
fn attribute_name(name: &str, at: &Field<'_>) -> Result<(), Refusal> {
    let mut bytes = name.bytes();
    let letter_first = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    if letter_first && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Ok(());
    }
    Err(at.refuse(format!(
        "`{name}` is no attribute name: a lower-case letter, then lower-case letters and digits"
    )))
}
