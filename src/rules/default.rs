//! What happens to events without a rules file, and to the fields that a rule leaves open.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use cloudevents::{AttributesReader, Event};
use cloudevents_http::attribute;

use super::error::MappingError;
use super::event;
use super::identity;
use super::plan::Plan;
use super::travel::{self, Travel};
use super::variables::{Content, Object, Reserved};

/// How events become messages where no rules file says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRule {
    /// How long the engine keeps a message and knows its duplicates; an hour by default.
    pub time_to_live: Duration,
    /// The variable for data that is not a JSON object; `data` by default.
    pub data_variable: String,
    /// The variable for the event's context attributes; none by default.
    pub event_variable: Option<String>,
    /// The tenant of every command; by default the engine's own default.
    pub tenant_id: Option<String>,
}

impl Default for DefaultRule {
    fn default() -> Self {
        Self {
            time_to_live: Duration::from_secs(3600),
            data_variable: "data".to_owned(),
            event_variable: None,
            tenant_id: None,
        }
    }
}

impl DefaultRule {
    pub(super) fn reserved(&self) -> Reserved<'_> {
        Reserved {
            event_variable: self.event_variable.as_deref(),
        }
    }

    pub(super) fn plan(&self, event: &Event, travel: &Travel<'_>) -> Result<Plan, MappingError> {
        let content = Content::of(event, &self.reserved())?;
        Ok(Plan::PublishMessage {
            name: event.ty().to_owned(),
            correlation_key: correlation_key(event).into_owned(),
            message_id: identity::of(event, None),
            time_to_live: self.time_to_live,
            variables: Arc::new(self.variables(event, &content, travel)),
            tenant_id: self.tenant_id.clone(),
        })
    }

    /// The data, the context attributes if asked for, and what travels.
    pub(super) fn variables(
        &self,
        event: &Event,
        content: &Content<'_>,
        travel: &Travel<'_>,
    ) -> String {
        let mut object = Object::with_capacity(content.len() + 192);
        object.data(content, &self.data_variable, &self.reserved());
        self.attributes_and_travel(&mut object, event, travel);
        object.finish()
    }

    /// What every command with variables brings, whatever its rule picks.
    pub(super) fn attributes_and_travel(
        &self,
        object: &mut Object,
        event: &Event,
        travel: &Travel<'_>,
    ) {
        if let Some(name) = &self.event_variable {
            event::write_attributes(object.named(name), event);
        }
        travel::write(object.member(), event, travel);
    }
}

/// Extension attribute `correlationkey`, else `subject`, else empty.
pub(super) fn correlation_key(event: &Event) -> Cow<'_, str> {
    attribute(event, "correlationkey")
        .or_else(|| event.subject().map(Cow::Borrowed))
        .unwrap_or_default()
}
