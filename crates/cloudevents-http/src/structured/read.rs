//! Reading one event from a JSON object, without building a tree of it.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloudevents::Event;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::attribute;
use crate::draft::{Draft, Value, duplicate};
use crate::error::{Error, Problem, value};
use crate::limits::Limits;
use crate::media_type::is_json;

pub(crate) fn decode(body: &[u8], limits: &Limits) -> Result<Event, Error> {
    parse(body, "an event in JSON", |json, fault| {
        EventSeed { limits, fault }.deserialize(json)
    })
}

/// Runs one pass of the JSON parser over `body`. What `read` puts into its second argument is the
/// error; otherwise the parser's own.
pub(crate) fn parse<'b, T>(
    body: &'b [u8],
    expected: &'static str,
    read: impl FnOnce(
        &mut serde_json::Deserializer<serde_json::de::StrRead<'b>>,
        &mut Option<Error>,
    ) -> Result<T, serde_json::Error>,
) -> Result<T, Error> {
    let failed = |detail: String| Error::from(Problem::Json { expected, detail });
    let text = std::str::from_utf8(body)
        .map_err(|error| failed(format!("not UTF-8 from byte {}", error.valid_up_to())))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let mut fault = None;
    let result = read(&mut json, &mut fault).and_then(|value| json.end().map(|()| value));
    match (result, fault) {
        (_, Some(fault)) => Err(fault),
        (Ok(value), None) => Ok(value),
        (Err(error), None) => Err(failed(error.to_string())),
    }
}

/// Reads one event; a broken rule goes into `fault`, since the parser's errors are but strings.
pub(crate) struct EventSeed<'l, 'f> {
    pub(crate) limits: &'l Limits,
    pub(crate) fault: &'f mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for EventSeed<'_, '_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EventSeed<'_, '_> {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with the attributes of an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let mut object = Object {
            draft: Draft::new(self.limits),
            limits: self.limits,
            data: None,
            data_base64: None,
        };
        let fault = self.fault;
        let mut note = |error: Error| {
            let text = serde::de::Error::custom(&error);
            *fault = Some(error);
            text
        };
        while let Some(Text(name)) = map.next_key()? {
            let raw: &'de RawValue = map.next_value()?;
            object.member(name, raw).map_err(&mut note)?;
        }
        object.finish().map_err(note)
    }
}

struct Object<'de, 'l> {
    draft: Draft<'de, 'l>,
    limits: &'l Limits,
    data: Option<&'de RawValue>,
    data_base64: Option<&'de RawValue>,
}

impl<'de> Object<'de, '_> {
    fn member(&mut self, name: Cow<'de, str>, raw: &'de RawValue) -> Result<(), Error> {
        match name.as_ref() {
            "data" => match self.data.replace(raw) {
                None => Ok(()),
                Some(_) => Err(duplicate("data")),
            },
            "data_base64" => match self.data_base64.replace(raw) {
                None => Ok(()),
                Some(_) => Err(duplicate("data_base64")),
            },
            _ => self.attribute(name, raw.get()),
        }
    }

    fn attribute(&mut self, name: Cow<'de, str>, raw: &'de str) -> Result<(), Error> {
        let value = match raw.as_bytes() {
            [b'"', ..] => {
                // Escapes only make text longer: what is short enough raw is so in any case.
                let text = string(raw)
                    .ok_or_else(|| value(&name, "must be a string of Unicode characters"))?;
                Value::Text(text)
            }
            b"true" => Value::Boolean(true),
            b"false" => Value::Boolean(false),
            b"null" => return self.draft.unset(name),
            [b'-' | b'0'..=b'9', ..] => Value::Integer(integer(&name, raw)?),
            _ => return Err(value(&name, "must be a string, a boolean or an integer")),
        };
        self.draft.set(name, value)
    }

    fn finish(mut self) -> Result<Event, Error> {
        // `null` there is nothing set, as for an attribute (section 2.2).
        let base64 = self.data_base64.filter(|raw| raw.get() != "null");
        let data = match (self.data, base64) {
            (Some(_), Some(_)) => {
                return Err(value("data_base64", "must not stand beside `data`"));
            }
            (Some(raw), None) => self.data(raw.get())?,
            (None, Some(raw)) => Some(self.base64(raw.get())?),
            (None, None) => None,
        };
        self.draft.finish(data)
    }

    /// The member `data` (section 3.1.2), as the bytes of a binary-mode body.
    fn data(&mut self, raw: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.draft.datacontenttype() {
            Some(content_type) if !is_json(content_type) => {
                if raw == "null" {
                    // Nothing but JSON has a null to carry.
                    return Ok(None);
                }
                if raw.starts_with('"') {
                    let text = string(raw)
                        .ok_or_else(|| value("data", "must be a string of Unicode characters"))?;
                    self.limits.data(text.len())?;
                    return Ok(Some(text.into_owned().into_bytes()));
                }
            }
            Some(_) => {}
            None => self.draft.imply_json(),
        }
        self.limits.data(raw.len())?;
        Ok(Some(raw.as_bytes().to_vec()))
    }

    fn base64(&self, raw: &str) -> Result<Vec<u8>, Error> {
        let fault = || {
            value(
                "data_base64",
                "must be a string of padded base64 (RFC 4648)",
            )
        };
        let text = string(raw).ok_or_else(fault)?;
        // Refused before the room for it is made: an estimate is at most two bytes too high.
        let least = (text.len() / 4 * 3).saturating_sub(2);
        self.limits.data(least)?;
        let data = STANDARD.decode(text.as_bytes()).map_err(|_| fault())?;
        self.limits.data(data.len())?;
        Ok(data)
    }
}

/// An integer as the format allows it: digits and a sign, no fraction, no exponent (section 2.2).
fn integer(name: &str, raw: &str) -> Result<i32, Error> {
    if raw.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')) {
        return Err(value(name, "must be a whole number or a string"));
    }
    // What exceeds 64 bits exceeds 32.
    attribute::integer(name, raw.parse().unwrap_or(i64::MAX))
}

/// The text of a JSON string; `None` if it is no string or holds an unpaired surrogate.
fn string(raw: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str(raw).ok().map(|Text(text)| text)
}

/// A string, borrowed from the input where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }

        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}
