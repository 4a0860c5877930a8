//! Lists of `key=value`, as the standard writes them.

use std::str::Utf8Error;

/// Reads `k1=v1,k2=v2`; values are percent-encoded. What has no `=` or no key is an error that shows
/// the key alone: values may be secrets.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .enumerate()
        .map(|(index, pair)| {
            let place = index + 1;
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("pair {place} has no `=`; write `key=value,key=value`"))?;
            let key = key.trim();
            if key.is_empty() {
                return Err(format!("pair {place} has no key"));
            }
            let value = decoded(value.trim())
                .map_err(|_| format!("the value of `{key}` is not UTF-8 when percent-decoded"))?;
            Ok((key.to_owned(), value))
        })
        .collect()
}

/// Percent-decoded; a `%` that begins no escape stands for itself.
fn decoded(text: &str) -> Result<String, Utf8Error> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        rest = match escaped {
            Some((high, low)) => {
                out.push(high * 16 + low);
                &tail[2..]
            }
            None => {
                out.push(*first);
                tail
            }
        };
    }
    std::str::from_utf8(&out).map(str::to_owned)
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
