//! Tokens to expression, by precedence (CESQL, sections 2.3, 2.4 and 3.4).

use super::Error;
use super::function::Function;
use super::lexer::{self, Placed, Token, error};

/// How deep brackets, signs and arguments may nest: parsing and evaluating recurse.
const MAX_DEPTH: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    String(String),
    Integer(i32),
    Boolean(bool),
    /// An attribute's name in lower case.
    Attribute(String),
    Exists(String),
    Not(Box<Node>),
    Negate(Box<Node>),
    Like(Box<Node>, String),
    In(Box<Node>, Vec<Node>),
    Binary(Box<Node>, Operator, Box<Node>),
    Call(Function, Vec<Node>),
    /// A function that does not exist: an error when evaluated, not when parsed.
    Unknown {
        name: String,
        arguments: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Xor,
}

/// How tightly operators bind; `LIKE` and `IN` bind tighter than all, unary ones tighter still.
const LOGIC: u8 = 1;
const COMPARISON: u8 = 2;
const ADDITIVE: u8 = 3;
const MULTIPLICATIVE: u8 = 4;
const MATCHING: u8 = 5;
const UNARY: u8 = 6;

pub(super) fn parse(text: &str) -> Result<Node, Error> {
    let mut parser = Parser {
        tokens: lexer::tokens(text)?.into_iter().peekable(),
        end: text.chars().count() + 1,
        depth: 0,
    };
    let node = parser.expression(LOGIC)?;
    match parser.tokens.next() {
        None => Ok(node),
        Some((Token::Integer(_), at)) => Err(error(
            at,
            "expected an operator (a sign directly before digits is part of the number: \
             write `a - 1`)"
                .to_owned(),
        )),
        Some((_, at)) => Err(error(at, "expected an operator or the end".to_owned())),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    end: usize,
    depth: usize,
}

impl Parser {
    fn expression(&mut self, least: u8) -> Result<Node, Error> {
        if self.depth == MAX_DEPTH {
            let at = self.at();
            return Err(error(
                at,
                format!("an expression nests at most {MAX_DEPTH} levels deep"),
            ));
        }
        self.depth += 1;
        let node = self.climb(least);
        self.depth -= 1;
        node
    }

    fn climb(&mut self, least: u8) -> Result<Node, Error> {
        let mut left = self.prefix()?;
        loop {
            let Some(infix) = self.tokens.peek().and_then(|(token, _)| infix(token)) else {
                return Ok(left);
            };
            if infix.binding() < least {
                return Ok(left);
            }
            self.tokens.next();
            left = match infix {
                Infix::Like => self.like(left)?,
                Infix::In => self.set(left)?,
                Infix::Not => {
                    let at = self.at();
                    let inner = match self.tokens.next() {
                        Some((Token::Like, _)) => self.like(left)?,
                        Some((Token::In, _)) => self.set(left)?,
                        Some(_) | None => {
                            return Err(error(at, "expected `LIKE` or `IN`".to_owned()));
                        }
                    };
                    Node::Not(Box::new(inner))
                }
                Infix::Operator(operator, binding) => {
                    // The logic operators group to the right, all others to the left.
                    let right = if binding == LOGIC { LOGIC } else { binding + 1 };
                    let right = self.expression(right)?;
                    Node::Binary(Box::new(left), operator, Box::new(right))
                }
            };
        }
    }

    fn prefix(&mut self) -> Result<Node, Error> {
        let at = self.at();
        let Some((token, _)) = self.tokens.next() else {
            return Err(error(at, "expected a value, found the end".to_owned()));
        };
        match token {
            Token::Not => Ok(Node::Not(Box::new(self.expression(UNARY)?))),
            Token::Minus => Ok(Node::Negate(Box::new(self.expression(UNARY)?))),
            Token::Exists => {
                let at = self.at();
                match self.tokens.next() {
                    Some((Token::Word(name), _)) => Ok(Node::Exists(attribute(name, at)?)),
                    Some(_) | None => Err(error(at, "expected an attribute's name".to_owned())),
                }
            }
            Token::Open => {
                let node = self.expression(LOGIC)?;
                self.close()?;
                Ok(node)
            }
            Token::String(text) => Ok(Node::String(text)),
            Token::Integer(integer) => Ok(Node::Integer(integer)),
            Token::True => Ok(Node::Boolean(true)),
            Token::False => Ok(Node::Boolean(false)),
            Token::Word(name) => match self.tokens.peek() {
                Some((Token::Open, _)) => self.call(&name, at),
                Some(_) | None => attribute(name, at).map(Node::Attribute),
            },
            Token::Close
            | Token::Comma
            | Token::Star
            | Token::Slash
            | Token::Percent
            | Token::Plus
            | Token::Equal
            | Token::NotEqual
            | Token::Less
            | Token::LessOrEqual
            | Token::Greater
            | Token::GreaterOrEqual
            | Token::And
            | Token::Or
            | Token::Xor
            | Token::Like
            | Token::In => Err(error(at, "expected a value".to_owned())),
        }
    }

    fn like(&mut self, left: Node) -> Result<Node, Error> {
        let at = self.at();
        match self.tokens.next() {
            Some((Token::String(pattern), _)) => Ok(Node::Like(Box::new(left), pattern)),
            Some(_) | None => Err(error(at, "expected a pattern in quotes".to_owned())),
        }
    }

    fn set(&mut self, left: Node) -> Result<Node, Error> {
        let at = self.at();
        match self.tokens.next() {
            Some((Token::Open, _)) => {
                let elements = self.list()?;
                Ok(Node::In(Box::new(left), elements))
            }
            Some(_) | None => Err(error(at, "expected `(`".to_owned())),
        }
    }

    fn call(&mut self, name: &str, at: usize) -> Result<Node, Error> {
        if name.bytes().any(|b| b.is_ascii_digit()) {
            return Err(error(at, format!("`{name}` cannot be a function's name")));
        }
        self.tokens.next();
        let arguments = match self.tokens.peek() {
            Some((Token::Close, _)) => {
                self.tokens.next();
                Vec::new()
            }
            Some(_) | None => self.list()?,
        };
        Ok(match Function::find(name, arguments.len()) {
            Some(function) => Node::Call(function, arguments),
            None => Node::Unknown {
                name: name.to_ascii_uppercase(),
                arguments: arguments.len(),
            },
        })
    }

    /// One or more expressions up to the closing bracket.
    fn list(&mut self) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        loop {
            nodes.push(self.expression(LOGIC)?);
            match self.tokens.peek() {
                Some((Token::Comma, _)) => {
                    self.tokens.next();
                }
                Some(_) | None => {
                    self.close()?;
                    return Ok(nodes);
                }
            }
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        let at = self.at();
        match self.tokens.next() {
            Some((Token::Close, _)) => Ok(()),
            Some(_) | None => Err(error(at, "expected `)`".to_owned())),
        }
    }

    fn at(&mut self) -> usize {
        self.tokens.peek().map_or(self.end, |(_, at)| *at)
    }
}

enum Infix {
    Operator(Operator, u8),
    Like,
    In,
    Not,
}

impl Infix {
    fn binding(&self) -> u8 {
        match self {
            Self::Operator(_, binding) => *binding,
            Self::Like | Self::In | Self::Not => MATCHING,
        }
    }
}

fn infix(token: &Token) -> Option<Infix> {
    Some(match token {
        Token::Star => Infix::Operator(Operator::Multiply, MULTIPLICATIVE),
        Token::Slash => Infix::Operator(Operator::Divide, MULTIPLICATIVE),
        Token::Percent => Infix::Operator(Operator::Remainder, MULTIPLICATIVE),
        Token::Plus => Infix::Operator(Operator::Add, ADDITIVE),
        Token::Minus => Infix::Operator(Operator::Subtract, ADDITIVE),
        Token::Equal => Infix::Operator(Operator::Equal, COMPARISON),
        Token::NotEqual => Infix::Operator(Operator::NotEqual, COMPARISON),
        Token::Less => Infix::Operator(Operator::Less, COMPARISON),
        Token::LessOrEqual => Infix::Operator(Operator::LessOrEqual, COMPARISON),
        Token::Greater => Infix::Operator(Operator::Greater, COMPARISON),
        Token::GreaterOrEqual => Infix::Operator(Operator::GreaterOrEqual, COMPARISON),
        Token::And => Infix::Operator(Operator::And, LOGIC),
        Token::Or => Infix::Operator(Operator::Or, LOGIC),
        Token::Xor => Infix::Operator(Operator::Xor, LOGIC),
        Token::Like => Infix::Like,
        Token::In => Infix::In,
        Token::Not => Infix::Not,
        Token::Open
        | Token::Close
        | Token::Comma
        | Token::Exists
        | Token::True
        | Token::False
        | Token::Integer(_)
        | Token::String(_)
        | Token::Word(_) => return None,
    })
}

fn attribute(name: String, at: usize) -> Result<String, Error> {
    if name.contains('_') {
        return Err(error(
            at,
            format!("`{name}` cannot be an attribute's name: letters and digits only"),
        ));
    }
    Ok(name)
}
