//! The rules for one attribute: its name, its type, its canonical string.
//!
//! Readers and writers of all content modes go through these functions, so a rule stands once.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use url::Url;

use crate::error::{Error, Problem, Shown, value};
use crate::{media_type, uri};

/// An attribute that the specification itself defines, `specversion` left out: it is always 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    Id,
    Source,
    Type,
    Subject,
    Time,
    DataContentType,
    DataSchema,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    SpecVersion,
    Context(Context),
    Extension,
}

impl Name {
    /// Sorts a name, or refuses it (CloudEvents 1.0.2, "Naming Conventions").
    pub(crate) fn of(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "specversion" => Self::SpecVersion,
            "id" => Self::Context(Context::Id),
            "source" => Self::Context(Context::Source),
            "type" => Self::Context(Context::Type),
            "subject" => Self::Context(Context::Subject),
            "time" => Self::Context(Context::Time),
            "datacontenttype" => Self::Context(Context::DataContentType),
            "dataschema" => Self::Context(Context::DataSchema),
            "data" => {
                return Err(Problem::Reserved {
                    attribute: Shown::new(name),
                }
                .into());
            }
            _ if !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) =>
            {
                Self::Extension
            }
            _ => {
                return Err(Problem::Name {
                    attribute: Shown::new(name),
                }
                .into());
            }
        })
    }
}

pub(crate) const VERSION: &str = "1.0";

pub(crate) fn specversion(found: &str) -> Result<(), Error> {
    if found == VERSION {
        return Ok(());
    }
    if found.is_empty() {
        return Err(empty("specversion"));
    }
    Err(Problem::Version {
        found: Shown::new(found),
    }
    .into())
}

/// The type `String`: no control characters, no noncharacters ("Type System").
pub(crate) fn text(name: &str, text: &str) -> Result<(), Error> {
    // Nearly every value is plain ASCII, for which bytes are enough.
    if text.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
        return Ok(());
    }
    for c in text.chars() {
        if c.is_control() {
            return Err(value(name, "must not contain control characters"));
        }
        let code = u32::from(c);
        if code & 0xfffe == 0xfffe || matches!(code, 0xfdd0..=0xfdef) {
            return Err(value(name, "must not contain Unicode noncharacters"));
        }
    }
    Ok(())
}

pub(crate) fn non_empty_text(name: &str, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(empty(name));
    }
    text(name, value)
}

/// `source` as the one spelling under which it is known in every content mode: an RFC 3986
/// URI-reference; characters beyond ASCII, as in an IRI, become percent-encoded (RFC 3987, 3.1).
pub(crate) fn source(value: Cow<'_, str>) -> Result<Cow<'_, str>, Error> {
    non_empty_text("source", &value)?;
    uri::reference(value).ok_or_else(|| {
        self::value(
            "source",
            "must be a URI-reference (RFC 3986): a character in it must be percent-encoded, \
             or its scheme is malformed",
        )
    })
}

/// `dataschema`: an absolute URI.
pub(crate) fn dataschema(value: Cow<'_, str>) -> Result<Url, Error> {
    const REASON: &str = "must be an absolute URI (RFC 3986)";
    non_empty_text("dataschema", &value)?;
    let uri = uri::reference(value).ok_or_else(|| self::value("dataschema", REASON))?;
    Url::parse(&uri).map_err(|_| self::value("dataschema", REASON))
}

/// `time`: RFC 3339, of the years 0000 to 9999 as UTC, since others have no RFC 3339 form.
pub(crate) fn time(value: &str) -> Result<DateTime<Utc>, Error> {
    let time = DateTime::parse_from_rfc3339(value)
        .map_err(|_| self::value("time", "must be a timestamp (RFC 3339)"))?
        .to_utc();
    in_years(&time)?;
    Ok(time)
}

fn in_years(time: &DateTime<Utc>) -> Result<(), Error> {
    if !(0..=9999).contains(&time.year()) {
        return Err(value(
            "time",
            "must lie in the years 0000 to 9999 (RFC 3339)",
        ));
    }
    Ok(())
}

/// The canonical string of `time`: UTC with `Z`, and as many digits of the second as it has.
pub(crate) fn time_string(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

pub(crate) fn writable_time(time: &DateTime<Utc>) -> Result<String, Error> {
    in_years(time)?;
    Ok(time_string(time))
}

/// `datacontenttype`: a media type (RFC 2046).
pub(crate) fn datacontenttype(value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(empty("datacontenttype"));
    }
    if !media_type::is_media_type(value) {
        return Err(self::value(
            "datacontenttype",
            "must be a media type such as application/json (RFC 2046)",
        ));
    }
    Ok(())
}

/// The type `Integer`: 32 bits ("Type System").
pub(crate) fn integer(name: &str, value: i64) -> Result<i32, Error> {
    i32::try_from(value).map_err(|_| {
        self::value(
            name,
            "must be an integer of 32 bits; send a larger number as a string",
        )
    })
}

fn empty(name: &str) -> Error {
    Problem::Empty {
        attribute: Shown::new(name),
    }
    .into()
}
