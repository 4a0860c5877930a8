//! Text to tokens (CESQL, section 2).

use super::Error;

/// More than any Trigger needs; together with the parser's depth it bounds the stack.
const MAX_TOKENS: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    Comma,
    Star,
    Slash,
    Percent,
    Plus,
    Minus,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Xor,
    Not,
    Like,
    Exists,
    In,
    True,
    False,
    Integer(i32),
    String(String),
    /// Letters, digits and underscores, in lower case: an attribute or a function.
    Word(String),
}

/// A token and where it begins, in characters from 1.
pub(super) type Placed = (Token, usize);

pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Error> {
    let mut lexer = Lexer { rest: text, at: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        let at = lexer.at;
        let Some(first) = lexer.rest.chars().next() else {
            return Ok(tokens);
        };
        if tokens.len() == MAX_TOKENS {
            return Err(error(
                at,
                format!("an expression has at most {MAX_TOKENS} words and signs"),
            ));
        }
        tokens.push((lexer.token(first)?, at));
    }
}

struct Lexer<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn token(&mut self, first: char) -> Result<Token, Error> {
        match first {
            '\'' | '"' => self.string(first),
            '+' | '-' if self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let at = self.at;
                let sign = self.take(1);
                let digits = self.skip(|c| c.is_ascii_digit());
                integer(&format!("{sign}{digits}"), at)
            }
            c if c.is_ascii_alphanumeric() => {
                let at = self.at;
                let word = self.skip(|c| c.is_ascii_alphanumeric() || c == '_');
                if word.bytes().all(|b| b.is_ascii_digit()) {
                    return integer(word, at);
                }
                Ok(keyword(word.to_ascii_lowercase()))
            }
            _ => self.sign(first),
        }
    }

    fn sign(&mut self, first: char) -> Result<Token, Error> {
        const SIGNS: [(&str, Token); 15] = [
            ("!=", Token::NotEqual),
            ("<>", Token::NotEqual),
            ("<=", Token::LessOrEqual),
            (">=", Token::GreaterOrEqual),
            ("<", Token::Less),
            (">", Token::Greater),
            ("=", Token::Equal),
            ("(", Token::Open),
            (")", Token::Close),
            (",", Token::Comma),
            ("*", Token::Star),
            ("/", Token::Slash),
            ("%", Token::Percent),
            ("+", Token::Plus),
            ("-", Token::Minus),
        ];
        for (sign, token) in SIGNS {
            if self.rest.starts_with(sign) {
                self.take(sign.len());
                return Ok(token);
            }
        }
        Err(error(self.at, format!("`{first}` means nothing here")))
    }

    /// A quoted string. Only the escaped quote loses its backslash: all others are for `LIKE`.
    fn string(&mut self, quote: char) -> Result<Token, Error> {
        let start = self.at;
        self.take(1);
        let mut value = String::new();
        loop {
            let mut chars = self.rest.chars();
            match (chars.next(), chars.next()) {
                (None, _) => return Err(error(start, "this string has no end".to_owned())),
                (Some('\\'), None) => {
                    return Err(error(start, "this string has no end".to_owned()));
                }
                (Some('\\'), Some(escaped)) => {
                    if escaped != quote {
                        value.push('\\');
                    }
                    value.push(escaped);
                    self.take('\\'.len_utf8() + escaped.len_utf8());
                }
                (Some(c), Some(next)) if c == quote && next == quote => {
                    value.extend([c, c]);
                    self.take(2);
                }
                (Some(c), _) if c == quote => {
                    self.take(1);
                    return Ok(Token::String(value));
                }
                (Some(c), _) => {
                    value.push(c);
                    self.take(c.len_utf8());
                }
            }
        }
    }

    /// Takes what matches from the front.
    fn skip(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !matches(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.at += taken.chars().count();
        self.rest = rest;
        taken
    }
}

fn keyword(word: String) -> Token {
    match word.as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "xor" => Token::Xor,
        "not" => Token::Not,
        "like" => Token::Like,
        "exists" => Token::Exists,
        "in" => Token::In,
        "true" => Token::True,
        "false" => Token::False,
        _ => Token::Word(word),
    }
}

fn integer(digits: &str, at: usize) -> Result<Token, Error> {
    digits.parse().map(Token::Integer).map_err(|_| {
        error(
            at,
            format!("`{digits}` is beyond the 32 bits of an integer"),
        )
    })
}

pub(super) fn error(at: usize, reason: String) -> Error {
    Error::Parse { at, reason }
}
