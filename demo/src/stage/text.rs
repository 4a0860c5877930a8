//! A text with variables in it: `${NAME}`.

use super::refusal::{Place, Refusal};

/// A text as written, and where.
#[derive(Debug, Clone)]
pub(super) struct Text {
    place: Place,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Words(String),
    Variable(String),
}

impl Text {
    /// Finds the variables of a text. A `$` that no `{` follows is itself.
    pub(super) fn parse(place: Place, text: &str) -> Result<Self, Refusal> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(place.refuse(format!("`${{{after}` has no closing `}}`")));
            };
            if !is_name(name) {
                return Err(place.refuse(format!(
                    "`${{{name}}}` is no variable: a name has capital letters, digits and `_`"
                )));
            }
            pieces.push(Piece::Words(words.to_owned()));
            pieces.push(Piece::Variable(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Words(rest.to_owned()));
        Ok(Self { place, pieces })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The names that it uses.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Words(_) => None,
            Piece::Variable(name) => Some(name.as_str()),
        })
    }

    /// The text with each variable replaced by what `value` has for it.
    pub(super) fn resolve<E>(
        &self,
        mut value: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<String, E> {
        let mut resolved = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Words(words) => resolved.push_str(words),
                Piece::Variable(name) => resolved.push_str(&value(name)?),
            }
        }
        Ok(resolved)
    }
}

/// Whether something can be the name of a variable.
pub(super) fn is_name(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
