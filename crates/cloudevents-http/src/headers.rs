//! Header values: percent-coding in both directions (HTTP binding 1.0.2, section 3.1.3.2).

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::{Error, value};

/// What a writer encodes: space, double quote, percent, and all outside U+0021 to U+007E.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// The value of an attribute as a header carries it.
pub(crate) fn encode(name: &str, text: &str) -> Result<HeaderValue, Error> {
    let encoded: Cow<'_, str> = utf8_percent_encode(text, ENCODED).into();
    match encoded {
        Cow::Borrowed(text) => HeaderValue::from_str(text),
        Cow::Owned(text) => HeaderValue::try_from(text),
    }
    .map_err(|_| value(name, "cannot be written as a header value"))
}

/// The header that carries the attribute `name`.
pub(crate) fn name(name: &str) -> Result<HeaderName, Error> {
    // Names are short: no allocation for those that the specification recommends.
    let mut buffer = [0; 32];
    let length = name.len() + 3;
    let spelled = match buffer.get_mut(..length) {
        Some(buffer) => {
            let (prefix, rest) = buffer.split_at_mut(3);
            prefix.copy_from_slice(b"ce-");
            rest.copy_from_slice(name.as_bytes());
            HeaderName::from_bytes(buffer)
        }
        None => HeaderName::try_from(format!("ce-{name}")),
    };
    spelled.map_err(|_| value(name, "is too long a name for a header"))
}

/// A header's value as text: optional whitespace and quotes off, then percent-decoded once.
pub(crate) struct Decoded<'a> {
    /// Before percent-decoding.
    pub(crate) literal: Cow<'a, str>,
    /// After it; `None` where it changes nothing.
    pub(crate) decoded: Option<String>,
}

impl<'a> Decoded<'a> {
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self.decoded {
            Some(decoded) => Cow::Owned(decoded),
            None => self.literal,
        }
    }
}

/// Reads a header's value. Raw UTF-8 is taken as it is, since widely used senders write it.
///
/// # Errors
/// What is not UTF-8, before or after percent-decoding.
pub(crate) fn decode<'a>(name: &str, raw: &'a HeaderValue) -> Result<Decoded<'a>, Error> {
    let literal = std::str::from_utf8(raw.as_bytes())
        .map_err(|_| value(name, "is not UTF-8"))?
        .trim_matches([' ', '\t']);
    let literal = unquote(literal);
    let decoded = match literal.contains('%') {
        true => percent_decode(name, &literal)?,
        false => None,
    };
    Ok(Decoded { literal, decoded })
}

/// Takes a double-quoted value out of its quotes (RFC 7230, section 3.2.6). What only begins or
/// only ends with a quote is no quoted string, and stays.
fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return Cow::Borrowed(text);
    };
    if !inner.contains(['\\', '"']) {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped) => plain.push(escaped),
                None => return Cow::Borrowed(text),
            },
            '"' => return Cow::Borrowed(text),
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// One round of percent-decoding; `%` without two hexadecimal digits stays as it is, since senders
/// that do not encode mean a percent sign by it.
fn percent_decode(name: &str, text: &str) -> Result<Option<String>, Error> {
    let decoded: Cow<'_, [u8]> = percent_encoding::percent_decode_str(text).into();
    match decoded {
        Cow::Borrowed(_) => Ok(None),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| value(name, "is not UTF-8 after percent-decoding")),
    }
}
