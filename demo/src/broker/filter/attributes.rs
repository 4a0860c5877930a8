//! `spec.filter.attributes`: every attribute named has the value given, or is there at all where
//! the value is empty.

use cloudevents_http::Event;

use super::{attribute_name, value};
use crate::broker::manifest::document::FilterAttributes;
use crate::broker::manifest::{Field, Refusal};

#[derive(Debug, Clone, Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    pub(super) fn of(filter: &FilterAttributes, at: &Field<'_>) -> Result<Self, Refusal> {
        let wanted = filter.attributes.clone().unwrap_or_default();
        for name in wanted.keys() {
            attribute_name(name, &at.field("attributes"))?;
        }
        Ok(Self(wanted.into_iter().collect()))
    }

    pub(super) fn pass(&self, event: &Event) -> bool {
        self.0.iter().all(|(name, wanted)| {
            value(event, name).is_some_and(|value| {
                if wanted.is_empty() {
                    !value.is_empty()
                } else {
                    value == wanted.as_str()
                }
            })
        })
    }
}
