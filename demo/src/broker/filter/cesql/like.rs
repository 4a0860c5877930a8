//! `LIKE`: `%` is any text, `_` any one character, a backslash before either takes it literally
//! (CESQL, section 3.4.3).

/// Whether the whole of `text` matches, in time of at most text times pattern.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern = compile(pattern);
    let (mut at, mut part) = (0, 0);
    // Where to go on when a guess at the length of a `%` was too short.
    let mut resume: Option<(usize, usize)> = None;
    while let Some(c) = text.get(at) {
        match pattern.get(part) {
            Some(Part::Any) => {
                resume = Some((at, part + 1));
                part += 1;
            }
            Some(Part::One) => (at, part) = (at + 1, part + 1),
            Some(Part::Exactly(wanted)) if wanted == c => (at, part) = (at + 1, part + 1),
            Some(Part::Exactly(_)) | None => match &mut resume {
                Some((from, after)) => {
                    *from += 1;
                    (at, part) = (*from, *after);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(part..)
        .is_none_or(|rest| rest.iter().all(|part| matches!(part, Part::Any)))
}

enum Part {
    Any,
    One,
    Exactly(char),
}

fn compile(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        parts.push(match (c, chars.peek()) {
            ('\\', Some(escaped @ ('%' | '_'))) => {
                let escaped = *escaped;
                chars.next();
                Part::Exactly(escaped)
            }
            ('%', _) => Part::Any,
            ('_', _) => Part::One,
            (c, _) => Part::Exactly(c),
        });
    }
    parts
}
