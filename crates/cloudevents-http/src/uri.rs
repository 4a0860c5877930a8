//! The syntax of URI-references (RFC 3986), as far as an attribute needs it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, utf8_percent_encode};

/// Nothing of ASCII: `utf8_percent_encode` encodes what is beyond it in any case.
const BEYOND_ASCII: &AsciiSet = &AsciiSet::EMPTY;

/// The URI-reference that `value` is or, with characters beyond ASCII, stands for (RFC 3987,
/// section 3.1); `None` if it is neither.
pub(crate) fn reference(value: Cow<'_, str>) -> Option<Cow<'_, str>> {
    if !has_syntax(&value) {
        return None;
    }
    if value.is_ascii() {
        return Some(value);
    }
    Some(Cow::Owned(
        utf8_percent_encode(&value, BEYOND_ASCII).to_string(),
    ))
}

/// True if `value` is a URI-reference without any character beyond ASCII.
pub(crate) fn is_reference(value: &str) -> bool {
    value.is_ascii() && has_syntax(value)
}

/// The syntax, with any character beyond ASCII let through: characters, percent-encodings, one
/// fragment, and a first segment that cannot be taken for a scheme. Brackets pass everywhere,
/// though the grammar has them in hosts alone: they are common in queries and harm nobody.
pub(crate) fn has_syntax(value: &str) -> bool {
    let bytes = value.as_bytes();
    let mut rest = bytes;
    let mut fragment = false;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => match rest {
                [a, b, tail @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => rest = tail,
                _ => return false,
            },
            b'#' if fragment => return false,
            b'#' => fragment = true,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {}
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'[' | b']' | b'@' | b'!' | b'$'
            | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => {}
            0x80.. => {}
            _ => return false,
        }
    }
    let first = bytes
        .split(|b| matches!(b, b'/' | b'?' | b'#'))
        .next()
        .unwrap_or_default();
    let mut parts = first.splitn(2, |b| *b == b':');
    match (parts.next(), parts.next()) {
        (Some([first, rest @ ..]), Some(_)) => {
            first.is_ascii_alphabetic()
                && rest
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        }
        (Some([]), Some(_)) => false,
        (_, None) | (None, _) => true,
    }
}
