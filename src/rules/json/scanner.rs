//! The pass itself: what JSON looks like (RFC 8259), and what the engine holds of it.

use std::ops::Range;

use super::{DEPTH_LIMIT, Fault, Member, Reason};

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

/// Where a pass stands in its text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn fail<T>(&self, expected: &'static str) -> Result<T, Fault> {
        Err(Fault {
            at: self.at,
            reason: Reason::Syntax(expected),
        })
    }

    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// One value; `depth` is the number of arrays and objects around it.
    pub(super) fn value(&mut self, depth: usize) -> Result<(), Fault> {
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

    pub(super) fn members(
        &mut self,
        depth: usize,
        mut each: impl FnMut(Member<'a>),
    ) -> Result<(), Fault> {
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

    pub(super) fn elements(
        &mut self,
        depth: usize,
        mut each: impl FnMut(Range<usize>),
    ) -> Result<(), Fault> {
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
