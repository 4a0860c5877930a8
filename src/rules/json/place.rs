//! Where in a JSON text a byte lies, in words: only worked out once something is wrong.

use std::fmt::Write;

use super::unescape;

/// Places longer than this are cut: they go into error texts, whose room is small.
const LIMIT: usize = 200;

enum Level<'a> {
    Object { name: Option<&'a str> },
    Array { index: usize },
}

/// The path from `root` to the value, or member, at `at`; what comes before `at` must be JSON.
pub(in crate::rules) fn place(root: &str, text: &str, at: usize) -> String {
    let bytes = text.as_bytes();
    let mut levels = Vec::new();
    let mut here = 0;
    while here < at {
        match bytes.get(here) {
            None => break,
            Some(b'{') => levels.push(Level::Object { name: None }),
            Some(b'[') => levels.push(Level::Array { index: 0 }),
            Some(b'}' | b']') => drop(levels.pop()),
            Some(b',') => match levels.last_mut() {
                Some(Level::Object { name }) => *name = None,
                Some(Level::Array { index }) => *index += 1,
                None => {}
            },
            Some(b'"') => {
                let end = string_end(bytes, here);
                if end > at {
                    break;
                }
                if let Some(Level::Object { name: name @ None }) = levels.last_mut() {
                    *name = text.get(here + 1..end.saturating_sub(1));
                }
                here = end;
                continue;
            }
            Some(_) => {}
        }
        here += 1;
    }
    let mut path = root.to_owned();
    for level in levels {
        if path.len() > LIMIT {
            path.push_str("...");
            break;
        }
        match level {
            Level::Object { name: Some(name) } => step(&mut path, &unescape(name)),
            Level::Object { name: None } => {}
            Level::Array { index } => {
                let _ = write!(path, "[{index}]");
            }
        }
    }
    path
}

/// Appends one member's name the way that an expression would write it.
pub(in crate::rules) fn step(path: &mut String, name: &str) {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.bytes().next().is_none_or(|b| b.is_ascii_digit());
    if plain {
        let _ = write!(path, ".{}", cut(name));
    } else {
        path.push('[');
        super::string(path, cut(name));
        path.push(']');
    }
}

fn cut(name: &str) -> &str {
    let mut end = name.len().min(LIMIT);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}

/// The place after the closing quote of the string that opens at `open`.
fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut here = open + 1;
    loop {
        match bytes.get(here) {
            None => return here,
            Some(b'"') => return here + 1,
            Some(b'\\') => here += 2,
            Some(_) => here += 1,
        }
    }
}
