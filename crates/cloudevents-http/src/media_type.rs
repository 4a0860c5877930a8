//! Media types: what of them decides about an event.

/// True if `content_type` declares JSON: subtype `json` or a suffix `+json`, in any case and with
/// any parameters (JSON event format 1.0.2, section 3.1.1).
#[must_use]
pub fn is_json(content_type: &str) -> bool {
    let Some((_, subtype)) = essence(content_type).split_once('/') else {
        return false;
    };
    subtype.eq_ignore_ascii_case("json") || strip_suffix(subtype, "+json").is_some()
}

/// The media type without its parameters.
pub(crate) fn essence(content_type: &str) -> &str {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim_matches([' ', '\t'])
}

/// The value of the parameter `charset`, unquoted.
pub(crate) fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    })
}

/// True for `type/subtype` of tokens, followed by nothing or by parameters in printable ASCII
/// (RFC 2045, section 5.1). Parameters are not taken apart: nothing here depends on them, and
/// senders differ in their spelling.
pub(crate) fn is_media_type(content_type: &str) -> bool {
    let Some((top, sub)) = essence(content_type).split_once('/') else {
        return false;
    };
    is_token(top)
        && is_token(sub)
        && content_type.bytes().all(|b| matches!(b, 0x20..=0x7e))
        && content_type.trim_matches(' ').len() == content_type.len()
}

fn is_token(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                )
        })
}

/// `strip_prefix` for ASCII in any case.
pub(crate) fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.get(..prefix.len())
        .filter(|head| head.eq_ignore_ascii_case(prefix))
        .and_then(|_| text.get(prefix.len()..))
}

fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    text.get(at..)
        .filter(|tail| tail.eq_ignore_ascii_case(suffix))
        .and_then(|_| text.get(..at))
}
