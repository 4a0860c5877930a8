//! What `event` and `data` mean in a rule's expressions.

use std::borrow::Cow;

use cloudevents::Event;
use cloudevents_http::attribute;

use super::event;
use super::expression::{Path, Scope, missing};
use super::json::{self, Step};
use super::variables::Content;

/// An event under evaluation.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventScope<'a> {
    pub(super) event: &'a Event,
    pub(super) content: &'a Content<'a>,
}

impl<'a> EventScope<'a> {
    fn data(&self) -> Option<Cow<'a, str>> {
        match self.content {
            Content::None => None,
            Content::Object { text, .. } | Content::Value { text } => {
                Some(Cow::Borrowed(text.trim_ascii()))
            }
            Content::Text(_) | Content::Bytes(_) => {
                let mut out = String::with_capacity(self.content.len() + 2);
                self.content.write_value(&mut out);
                Some(Cow::Owned(out))
            }
        }
    }

    fn attributes(&self) -> Cow<'a, str> {
        let mut out = String::new();
        event::write_attributes(&mut out, self.event);
        Cow::Owned(out)
    }

    fn in_data(&self, path: &Path, steps: &[Step]) -> Result<Cow<'a, str>, String> {
        match self.content {
            Content::None => Err("is missing: the event has no data".to_owned()),
            Content::Object { text, .. } | Content::Value { text } => json::find(text, steps)
                .ok()
                .flatten()
                .map(Cow::Borrowed)
                .ok_or_else(|| missing(path)),
            Content::Text(_) | Content::Bytes(_) => {
                Err("is missing: the event's data is not JSON".to_owned())
            }
        }
    }
}

impl<'a> Scope<'a> for EventScope<'a> {
    fn find(&self, path: &Path) -> Result<Cow<'a, str>, String> {
        match path.steps() {
            [Step::Name(root)] => self.named(root).ok_or_else(|| missing(path)),
            [Step::Name(root), Step::Name(name)] if root == "event" => {
                let value = attribute(self.event, name).ok_or_else(|| missing(path))?;
                let mut out = String::with_capacity(value.len() + 2);
                json::string(&mut out, &value);
                Ok(Cow::Owned(out))
            }
            [Step::Name(root), steps @ ..] if root == "data" => self.in_data(path, steps),
            _ => Err("leads nowhere: an attribute has no parts".to_owned()),
        }
    }

    fn named(&self, name: &str) -> Option<Cow<'a, str>> {
        match name {
            "event" => Some(self.attributes()),
            "data" => self.data(),
            _ => None,
        }
    }
}
