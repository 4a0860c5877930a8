//! The JSON object that a command carries, put together from raw slices of the event's data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloudevents::{AttributesReader, Event};

use super::error::MappingError;
use super::event::{self, DataKind};
use super::json::{self, Member, Shape};
use super::travel::TRAVEL_VARIABLE;

/// The names at the top of the variables that are the bridge's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reserved<'a> {
    /// The variable that holds the context attributes, where it was asked for.
    pub(super) event_variable: Option<&'a str>,
}

impl Reserved<'_> {
    fn has(&self, member: &Member<'_>) -> bool {
        member.is(TRAVEL_VARIABLE) || self.event_variable.is_some_and(|name| member.is(name))
    }
}

/// A JSON object while it is being written.
pub(super) struct Object {
    text: String,
}

impl Object {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self { text }
    }

    /// Where to append the next member, name and all; a member must follow.
    pub(super) fn member(&mut self) -> &mut String {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        &mut self.text
    }

    /// Where to append the value of a member of this name.
    pub(super) fn named(&mut self, name: &str) -> &mut String {
        let out = self.member();
        json::string(out, name);
        out.push(':');
        out
    }

    /// All members of `data`, or `data` as one member of the name given.
    pub(super) fn data(&mut self, content: &Content<'_>, name: &str, names: &Reserved<'_>) {
        match content {
            Content::None => {}
            Content::Object {
                text,
                reserved: false,
            } => {
                let text = text.trim_ascii();
                let inside = text
                    .get(1..text.len().saturating_sub(1))
                    .unwrap_or_default();
                if !inside.trim_ascii().is_empty() {
                    self.member().push_str(inside);
                }
            }
            Content::Object {
                text,
                reserved: true,
            } => {
                // Checked before: what is looked for here are the members only.
                let _ = json::check(text, |member| {
                    if !names.has(&member) {
                        let whole = text.get(member.whole.clone()).unwrap_or_default();
                        self.member().push_str(whole);
                    }
                });
            }
            Content::Value { .. } | Content::Text(_) | Content::Bytes(_) => {
                content.write_value(self.named(name));
            }
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// The data of one event, checked once for all the commands that it leads to.
#[derive(Debug, Clone)]
pub(super) enum Content<'a> {
    None,
    /// The text of a JSON object.
    Object {
        text: &'a str,
        /// It has members under names that are not the sender's to use.
        reserved: bool,
    },
    /// The text of any other JSON value.
    Value {
        text: &'a str,
    },
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Content<'a> {
    /// # Errors
    ///
    /// The data is declared to be JSON and is not, or is JSON that the engine cannot hold.
    pub(super) fn of(event: &'a Event, reserved: &Reserved<'_>) -> Result<Self, MappingError> {
        let declared = event.datacontenttype();
        match event::data(event) {
            DataKind::None => Ok(Self::None),
            DataKind::Bytes(bytes) => Ok(Self::opaque(bytes, declared)),
            DataKind::Json(bytes) => Self::json(bytes, reserved, |reason| {
                Err(MappingError::new(
                    "data",
                    format!(
                        "is declared to be JSON ({}), but {reason}",
                        declared.unwrap_or_default()
                    ),
                ))
            }),
            DataKind::Undeclared(bytes) => {
                Self::json(bytes, reserved, |_| Ok(Self::opaque(bytes, declared)))
            }
        }
    }

    fn json(
        bytes: &'a [u8],
        names: &Reserved<'_>,
        otherwise: impl Fn(String) -> Result<Self, MappingError>,
    ) -> Result<Self, MappingError> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                return otherwise(format!("is not UTF-8 from byte {}", error.valid_up_to()));
            }
        };
        // A byte order mark is not JSON (RFC 8259, 8.1), and the engine would refuse it.
        let mut reserved = false;
        match json::check(text, |member| reserved |= names.has(&member)) {
            Ok(Shape::Object) => Ok(Self::Object { text, reserved }),
            Ok(Shape::Other) => Ok(Self::Value { text }),
            Err(fault) if fault.reason.is_json() => Err(MappingError::new(
                json::place("data", text, fault.at),
                fault.reason.to_string(),
            )),
            Err(fault) => otherwise(format!(
                "{} at byte {}, in `{}`",
                fault.reason,
                fault.at,
                json::place("data", text, fault.at)
            )),
        }
    }

    fn opaque(bytes: &'a [u8], declared: Option<&str>) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if event::is_text(declared) => Self::Text(text),
            Ok(_) | Err(_) => Self::Bytes(bytes),
        }
    }

    /// The bytes that the data will take, roughly.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Object { text, .. } | Self::Value { text } | Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len() / 3 * 4,
        }
    }

    /// Appends the data as one JSON value.
    pub(super) fn write_value(&self, out: &mut String) {
        match self {
            Self::None => out.push_str("null"),
            Self::Object { text, .. } | Self::Value { text } => out.push_str(text.trim_ascii()),
            Self::Text(text) => json::string(out, text),
            Self::Bytes(bytes) => {
                out.push('"');
                STANDARD.encode_string(bytes, out);
                out.push('"');
            }
        }
    }
}
