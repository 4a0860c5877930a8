//! An event while it is being read: attributes arrive in any order, once each, within limits.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use cloudevents::event::ExtensionValue;
use cloudevents::{AttributesReader, AttributesWriter, Event, EventBuilder, EventBuilderV10};
use url::Url;

use crate::attribute::{self, Context, Name};
use crate::error::{Error, Problem, Shown, value};
use crate::limits::Limits;

/// A value as a content mode brings it.
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    Boolean(bool),
    Integer(i32),
}

pub(crate) struct Draft<'a, 'l> {
    limits: &'l Limits,
    count: usize,
    specversion: bool,
    id: Option<String>,
    source: Option<String>,
    ty: Option<String>,
    subject: Option<String>,
    time: Option<DateTime<Utc>>,
    datacontenttype: Option<String>,
    dataschema: Option<Url>,
    extensions: Vec<(Cow<'a, str>, ExtensionValue)>,
    unset: Vec<Cow<'a, str>>,
    json_implied: bool,
}

impl<'a, 'l> Draft<'a, 'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            count: 0,
            specversion: false,
            id: None,
            source: None,
            ty: None,
            subject: None,
            time: None,
            datacontenttype: None,
            dataschema: None,
            extensions: Vec::new(),
            unset: Vec::new(),
            json_implied: false,
        }
    }

    /// Takes an attribute that is there without a value.
    pub(crate) fn unset(&mut self, name: Cow<'a, str>) -> Result<(), Error> {
        self.count()?;
        self.limits.attribute(&name, name.len())?;
        Name::of(&name)?;
        self.unset.push(name);
        Ok(())
    }

    fn count(&mut self) -> Result<(), Error> {
        self.count += 1;
        if self.count > self.limits.max_attributes {
            return Err(Problem::TooManyAttributes {
                limit: self.limits.max_attributes,
            }
            .into());
        }
        Ok(())
    }

    /// Takes one attribute.
    pub(crate) fn set(&mut self, name: Cow<'a, str>, value: Value<'_>) -> Result<(), Error> {
        self.count()?;
        self.limits.attribute(&name, name.len())?;
        let kind = Name::of(&name)?;
        if let Value::Text(text) = &value {
            self.limits.attribute(&name, text.len())?;
        }
        match kind {
            Name::SpecVersion => {
                if std::mem::replace(&mut self.specversion, true) {
                    return Err(duplicate(&name));
                }
                attribute::specversion(&string(&name, value)?)
            }
            Name::Context(context) => self.set_context(context, &name, string(&name, value)?),
            Name::Extension => {
                let value = match value {
                    Value::Text(text) => {
                        attribute::text(&name, &text)?;
                        ExtensionValue::String(text.into_owned())
                    }
                    Value::Boolean(boolean) => ExtensionValue::Boolean(boolean),
                    Value::Integer(integer) => ExtensionValue::Integer(integer.into()),
                };
                self.extensions.push((name, value));
                Ok(())
            }
        }
    }

    fn set_context(
        &mut self,
        context: Context,
        name: &str,
        text: Cow<'_, str>,
    ) -> Result<(), Error> {
        match context {
            Context::Id => {
                attribute::non_empty_text(name, &text)?;
                once(&mut self.id, name, text.into_owned())
            }
            Context::Type => {
                attribute::non_empty_text(name, &text)?;
                once(&mut self.ty, name, text.into_owned())
            }
            Context::Subject => {
                attribute::non_empty_text(name, &text)?;
                once(&mut self.subject, name, text.into_owned())
            }
            Context::Source => {
                let source = attribute::source(text)?.into_owned();
                once(&mut self.source, name, source)
            }
            Context::Time => once(&mut self.time, name, attribute::time(&text)?),
            Context::DataContentType => {
                attribute::datacontenttype(&text)?;
                once(&mut self.datacontenttype, name, text.into_owned())
            }
            Context::DataSchema => once(&mut self.dataschema, name, attribute::dataschema(text)?),
        }
    }

    pub(crate) fn datacontenttype(&self) -> Option<&str> {
        self.datacontenttype.as_deref()
    }

    /// Says that the data is JSON, where nothing else was said.
    pub(crate) fn imply_json(&mut self) {
        self.json_implied = true;
    }

    /// The event, if everything required has come and nothing twice. Empty data is no data: the
    /// body of a binary-mode message cannot tell the two apart.
    pub(crate) fn finish(mut self, data: Option<Vec<u8>>) -> Result<Event, Error> {
        if !self.specversion {
            return Err(missing("specversion"));
        }
        let id = self.id.ok_or_else(|| missing("id"))?;
        let source = self.source.ok_or_else(|| missing("source"))?;
        let ty = self.ty.ok_or_else(|| missing("type"))?;
        if let Some(name) = twice(&self.extensions) {
            return Err(duplicate(name));
        }
        let mut event = build(id, source, ty)?;
        if self.subject.is_some() {
            event.set_subject(self.subject);
        }
        if self.time.is_some() {
            event.set_time(self.time);
        }
        if self.datacontenttype.is_some() {
            event.set_datacontenttype(self.datacontenttype);
        }
        if self.dataschema.is_some() {
            event.set_dataschema(self.dataschema);
        }
        for (name, value) in self.extensions {
            event.set_extension(&name, value);
        }
        self.unset.sort_unstable();
        let mut unset = self.unset.iter().peekable();
        while let Some(name) = unset.next() {
            if unset.peek() == Some(&name) || crate::event::attribute(&event, name).is_some() {
                return Err(duplicate(name));
            }
        }
        if self.json_implied && event.datacontenttype().is_none() {
            event.set_datacontenttype(Some("application/json"));
        }
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            event.set_data_unchecked(data);
        }
        Ok(event)
    }
}

/// A name that is there twice. A few names are compared as they are: that is cheaper than the
/// model's hashing, and many are sorted.
fn twice<'n, T>(extensions: &'n [(Cow<'_, str>, T)]) -> Option<&'n str> {
    const FEW: usize = 8;
    if extensions.len() <= FEW {
        return extensions.iter().enumerate().find_map(|(at, (name, _))| {
            let mut before = extensions.iter().take(at);
            before
                .any(|(other, _)| other == name)
                .then_some(name.as_ref())
        });
    }
    let mut names: Vec<&str> = extensions.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    let mut pairs = names.iter().zip(names.iter().skip(1));
    pairs.find_map(|(one, next)| (one == next).then_some(*one))
}

/// An event of the model from its required attributes, which the caller has checked. The model's
/// own `Default` would look up the host's name and the time for nothing.
pub(crate) fn build(id: String, source: String, ty: String) -> Result<Event, Error> {
    EventBuilderV10::new()
        .id(id)
        .source(source)
        .ty(ty)
        .build()
        .map_err(|_| value("source", "must be a non-empty URI-reference (RFC 3986)"))
}

fn string<'v>(name: &str, value: Value<'v>) -> Result<Cow<'v, str>, Error> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Boolean(_) | Value::Integer(_) => Err(self::value(name, "must be a string")),
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(duplicate(name)),
    }
}

pub(crate) fn duplicate(name: &str) -> Error {
    Problem::Duplicate {
        attribute: Shown::new(name),
    }
    .into()
}

fn missing(attribute: &'static str) -> Error {
    Problem::Missing { attribute }.into()
}
