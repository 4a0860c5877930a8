//! One pass over JSON text: is it JSON, and can the engine hold it?
//!
//! The text is never turned into a tree and printed again, so its numbers stay what they were.

mod place;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

pub(super) use place::{place, step};

/// How many arrays and objects may lie within each other. At 1,100 the engine's gateway (8.6.0) drops
/// the connection; serde_json, which reads data for the interpreter, ends at 127.
pub(super) const DEPTH_LIMIT: usize = 100;

/// Why text cannot go to the engine, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Syntax(&'static str),
    Integer,
    Number,
    Depth,
    Surrogate,
}

impl Reason {
    /// Whether the text is JSON nevertheless, only not the engine's.
    pub(super) fn is_json(self) -> bool {
        match self {
            Self::Syntax(_) => false,
            Self::Integer | Self::Number | Self::Depth | Self::Surrogate => true,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(expected) => write!(f, "is not JSON: expected {expected}"),
            Self::Integer => f.write_str(
                "is an integer beyond 64 bits with a sign, which the engine cannot hold; send it as a string",
            ),
            Self::Number => f.write_str(
                "is a number beyond the range of a double, which the engine cannot hold; \
                 send it as a string",
            ),
            Self::Depth => write!(f, "is nested deeper than {DEPTH_LIMIT} levels"),
            Self::Surrogate => {
                f.write_str("holds one half of a surrogate pair, which is no character")
            }
        }
    }
}

/// What a JSON text is at its top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Other,
}

/// One member of the object at the top of a text.
#[derive(Debug, Clone)]
pub(super) struct Member<'a> {
    /// The name between its quotes, escapes as they came.
    name: &'a str,
    /// Where its value lies.
    pub(super) value: Range<usize>,
    /// Where the member lies, from the quote before its name to the end of its value.
    pub(super) whole: Range<usize>,
}

impl Member<'_> {
    /// Compares the name as it reads once its escapes are resolved.
    pub(super) fn is(&self, name: &str) -> bool {
        unescape(self.name) == name
    }
}

/// Checks a text, and shows each member of an object at its top.
pub(super) fn check<'a>(text: &'a str, each: impl FnMut(Member<'a>)) -> Result<Shape, Fault> {
    let mut scanner = Scanner::new(text);
    scanner.space();
    let shape = if scanner.peek() == Some(b'{') {
        scanner.members(1, each)?;
        Shape::Object
    } else {
        scanner.value(0)?;
        Shape::Other
    };
    scanner.space();
    match scanner.peek() {
        None => Ok(shape),
        Some(_) => scanner.fail("the end of the text"),
    }
}

/// One step down into a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

/// The text of the value that the steps lead to, if all of them exist.
///
/// Of members with the same name the last counts, as it does for the engine.
pub(super) fn find<'a>(text: &'a str, steps: &[Step]) -> Result<Option<&'a str>, Fault> {
    let mut here = text.trim_ascii();
    for step in steps {
        let mut scanner = Scanner::new(here);
        let mut found = None;
        match (step, scanner.peek()) {
            (Step::Name(name), Some(b'{')) => scanner.members(1, |member| {
                if member.is(name) {
                    found = Some(member.value);
                }
            })?,
            (Step::Index(index), Some(b'[')) => {
                let mut next = 0;
                scanner.elements(1, |value| {
                    if next == *index {
                        found = Some(value);
                    }
                    next += 1;
                })?;
            }
            (Step::Name(_) | Step::Index(_), _) => {}
        }
        match found.and_then(|range| here.get(range)) {
            Some(value) => here = value,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

/// Appends a JSON string.
pub(super) fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        if escape.is_empty() {
            out.push_str("\\u00");
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The text of a string whose escapes the scanner has accepted, given without its quotes.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    serde_json::from_str::<String>(&format!("\"{raw}\""))
        .map_or_else(|_| Cow::Borrowed(raw), Cow::Owned)
}

/// How many bytes at the beginning stand for themselves in a string; found a block at a time, as most
/// of what comes is text.
fn plain(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    // All of a block are looked at, without a way out in between: so the compiler takes them at once.
    let holds_special = |block: &&[u8]| block.iter().fold(false, |any, byte| any | special(byte));
    let blocks = bytes.chunks_exact(BLOCK);
    let skipped = blocks.take_while(|block| !holds_special(block)).count() * BLOCK;
    let rest = bytes.get(skipped..).unwrap_or_default();
    skipped + rest.iter().take_while(|byte| !special(byte)).count()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, Fault> {
        Err(Fault {
            at: self.at,
            reason: Reason::Syntax(expected),
        })
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// One value; `depth` is the number of arrays and objects around it.
    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.members(depth + 1, |_| ()),
            Some(b'[') => self.elements(depth + 1, |_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(_) | None => self.fail("a value"),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), Fault> {
        if self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            self.at += word.len();
            return Ok(());
        }
        self.fail("a value")
    }

    fn deep(&self, depth: usize) -> Result<(), Fault> {
        if depth > DEPTH_LIMIT {
            return Err(Fault {
                at: self.at,
                reason: Reason::Depth,
            });
        }
        Ok(())
    }

    fn members(&mut self, depth: usize, mut each: impl FnMut(Member<'a>)) -> Result<(), Fault> {
        self.deep(depth)?;
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("the name of a member");
            }
            let start = self.at;
            let name = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.fail("`:`");
            }
            self.at += 1;
            self.space();
            let value = self.at;
            self.value(depth)?;
            each(Member {
                name,
                value: value..self.at,
                whole: start..self.at,
            });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) | None => return self.fail("`,` or `}`"),
            }
            self.space();
        }
    }

    fn elements(&mut self, depth: usize, mut each: impl FnMut(Range<usize>)) -> Result<(), Fault> {
        self.deep(depth)?;
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let start = self.at;
            self.value(depth)?;
            each(start..self.at);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) | None => return self.fail("`,` or `]`"),
            }
            self.space();
        }
    }

    /// A string, standing at its first quote; what lies between the quotes is returned.
    fn string(&mut self) -> Result<&'a str, Fault> {
        self.at += 1;
        let start = self.at;
        loop {
            self.at += self.bytes.get(self.at..).map_or(0, plain);
            match self.peek() {
                Some(b'"') => {
                    let inside = self.text.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(inside);
                }
                Some(b'\\') => self.escape()?,
                Some(0..=0x1f) => return self.fail("no control character in a string"),
                Some(_) => self.at += 1,
                None => return self.fail("`\"`"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                return Ok(());
            }
            Some(b'u') => self.at += 1,
            Some(_) | None => return self.fail("an escape"),
        }
        let lone = Err(Fault {
            at: start,
            reason: Reason::Surrogate,
        });
        match self.hex4()? {
            0xdc00..=0xdfff => lone,
            0xd800..=0xdbff => {
                if self.peek() != Some(b'\\') || self.bytes.get(self.at + 1) != Some(&b'u') {
                    return lone;
                }
                self.at += 2;
                match self.hex4()? {
                    0xdc00..=0xdfff => Ok(()),
                    _ => lone,
                }
            }
            _ => Ok(()),
        }
    }

    fn hex4(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit else {
                return self.fail("four hexadecimal digits");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<usize, Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return self.fail("a digit");
        }
        Ok(self.at - start)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = if self.peek() == Some(b'0') {
            self.at += 1;
            1
        } else {
            self.digits()?
        };
        let mut integer = true;
        let mut exponent = false;
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            integer = false;
            exponent = true;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let reason = if integer {
            // 18 digits always fit, so most numbers need no parsing. The engine (8.6.0) stores what
            // fits 64 bits without a sign, but its expressions fail over it.
            (whole > 18 && text.parse::<i64>().is_err()).then_some(Reason::Integer)
        } else {
            ((exponent || whole > 300) && !text.parse::<f64>().is_ok_and(f64::is_finite))
                .then_some(Reason::Number)
        };
        match reason {
            None => Ok(()),
            Some(reason) => Err(Fault { at: start, reason }),
        }
    }
}
