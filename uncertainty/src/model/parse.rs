//! Tokens to statements `name = expression`.
//!
//! Precedence, loosest first: `+ -`, `* /`, unary `-`, `^` (right-associative), so that
//! −x² is −(x²) as on paper.

use super::Diagnostic;
use super::lex::{Token, TokenKind, lex};
use super::tape::Binary;

#[derive(Debug, Clone)]
pub struct Statement {
    pub name: String,
    pub line: usize,
    pub column: usize,
    pub value: Node,
}

#[derive(Debug, Clone)]
pub struct Node {
    pub kind: NodeKind,
    pub line: usize,
    pub column: usize,
    depth: usize,
}

#[derive(Debug, Clone)]
pub enum NodeKind {
    Number(f64),
    Symbol(String),
    Negative(Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Call(String, Vec<Node>),
}

/// Deepest nesting; keeps the recursion over a hostile text off the end of the stack.
const MAX_DEPTH: usize = 400;

/// All statements, or everything that is wrong with them (one finding a line).
pub fn parse(source: &str) -> Result<Vec<Statement>, Vec<Diagnostic>> {
    let tokens = lex(source)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        nesting: 0,
    };
    let mut statements = Vec::new();
    let mut diagnostics = Vec::new();
    while parser.at < tokens.len() {
        if parser.tokens[parser.at].kind == TokenKind::EndOfStatement {
            parser.at += 1;
            continue;
        }
        parser.nesting = 0;
        match parser.statement() {
            Ok(statement) => statements.push(statement),
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                while parser.peek().kind != TokenKind::EndOfStatement {
                    parser.at += 1;
                }
            }
        }
    }
    if statements.is_empty() && diagnostics.is_empty() {
        let message = "the model is empty: it needs a line `name = expression`".to_owned();
        diagnostics.push(Diagnostic {
            line: 1,
            column: 1,
            message,
            help: None,
        });
    }
    if diagnostics.is_empty() {
        Ok(statements)
    } else {
        Err(diagnostics)
    }
}

struct Parser<'a> {
    /// Never empty; the last token ends a statement.
    tokens: &'a [Token],
    at: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn take(&mut self, sign: char) -> bool {
        let found = self.peek().kind == TokenKind::Sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char, why: &str) -> Result<(), Diagnostic> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}` {why}")))
        }
    }

    fn unexpected(&self, wanted: &str) -> Diagnostic {
        let token = self.peek();
        let found = match &token.kind {
            TokenKind::Number(value) => format!("the number {value}"),
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Sign(sign) => format!("`{sign}`"),
            TokenKind::EndOfStatement => "the end of the line".to_owned(),
        };
        let help = (token.kind == TokenKind::EndOfStatement)
            .then(|| "an expression over several lines stands in parentheses".to_owned());
        let message = format!("expected {wanted}, found {found}");
        Diagnostic {
            line: token.line,
            column: token.column,
            message,
            help,
        }
    }

    fn statement(&mut self) -> Result<Statement, Diagnostic> {
        let token = self.peek();
        let TokenKind::Name(name) = &token.kind else {
            return Err(self.unexpected("a name to assign to"));
        };
        self.at += 1;
        self.expect('=', "after the name of a result")?;
        let value = self.sum()?;
        if self.peek().kind != TokenKind::EndOfStatement {
            return Err(self.unexpected("an operator or the end of the line"));
        }
        Ok(Statement {
            name: name.clone(),
            line: token.line,
            column: token.column,
            value,
        })
    }

    fn sum(&mut self) -> Result<Node, Diagnostic> {
        let mut left = self.product()?;
        loop {
            let token = self.peek();
            let operation = match token.kind {
                TokenKind::Sign('+') => Binary::Add,
                TokenKind::Sign('-') => Binary::Sub,
                _ => return Ok(left),
            };
            self.at += 1;
            left = binary(token, operation, left, self.product()?)?;
        }
    }

    fn product(&mut self) -> Result<Node, Diagnostic> {
        let mut left = self.negative()?;
        loop {
            let token = self.peek();
            let operation = match token.kind {
                TokenKind::Sign('*') => Binary::Mul,
                TokenKind::Sign('/') => Binary::Div,
                _ => return Ok(left),
            };
            self.at += 1;
            left = binary(token, operation, left, self.negative()?)?;
        }
    }

    fn negative(&mut self) -> Result<Node, Diagnostic> {
        let token = self.peek();
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(token));
        }
        let node = if self.take('-') {
            let inner = self.negative()?;
            let depth = inner.depth + 1;
            node(token, NodeKind::Negative(Box::new(inner)), depth)
        } else if self.take('+') {
            self.negative()
        } else {
            self.power()
        };
        self.nesting -= 1;
        node
    }

    fn power(&mut self) -> Result<Node, Diagnostic> {
        let base = self.atom()?;
        let token = self.peek();
        if !self.take('^') {
            return Ok(base);
        }
        // The exponent may carry its own sign: 10^-3.
        let exponent = self.negative()?;
        binary(token, Binary::Pow, base, exponent)
    }

    fn atom(&mut self) -> Result<Node, Diagnostic> {
        let token = self.peek();
        match &token.kind {
            TokenKind::Number(value) => {
                self.at += 1;
                node(token, NodeKind::Number(*value), 1)
            }
            TokenKind::Name(name) => {
                self.at += 1;
                if self.take('(') {
                    self.call(token, name)
                } else {
                    node(token, NodeKind::Symbol(name.clone()), 1)
                }
            }
            TokenKind::Sign('(') => {
                self.at += 1;
                let inner = self.sum()?;
                self.expect(')', "to close the parenthesis")?;
                Ok(inner)
            }
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn call(&mut self, token: &Token, name: &str) -> Result<Node, Diagnostic> {
        let mut arguments = Vec::new();
        if !self.take(')') {
            loop {
                arguments.push(self.sum()?);
                if !self.take(',') {
                    break;
                }
            }
            self.expect(')', "to close the arguments")?;
        }
        let depth = 1 + arguments.iter().map(|node| node.depth).max().unwrap_or(0);
        node(token, NodeKind::Call(name.to_owned(), arguments), depth)
    }
}

fn binary(token: &Token, operation: Binary, left: Node, right: Node) -> Result<Node, Diagnostic> {
    let depth = 1 + left.depth.max(right.depth);
    node(
        token,
        NodeKind::Binary(operation, Box::new(left), Box::new(right)),
        depth,
    )
}

fn node(token: &Token, kind: NodeKind, depth: usize) -> Result<Node, Diagnostic> {
    if depth > MAX_DEPTH {
        return Err(too_deep(token));
    }
    Ok(Node {
        kind,
        line: token.line,
        column: token.column,
        depth,
    })
}

fn too_deep(token: &Token) -> Diagnostic {
    Diagnostic {
        line: token.line,
        column: token.column,
        message: format!("the expression is nested more than {MAX_DEPTH} levels deep"),
        help: Some("give parts of it names on lines of their own".to_owned()),
    }
}
