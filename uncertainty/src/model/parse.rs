//! Tokens to statements.
//!
//! Precedence, loosest first: `or`, `and`, `not`, comparisons (which do not chain), `+ -`,
//! `* /`, unary `-`, `^` (right-associative), so that −x² is −(x²) as on paper.

use super::lex::{Token, TokenKind, lex};
use super::tape::Binary;
use super::{Diagnostic, one_a_line};

#[derive(Debug, Clone)]
pub struct Statement {
    pub name: String,
    /// Where the name stands.
    pub line: usize,
    pub column: usize,
    pub kind: StatementKind,
}

#[derive(Debug, Clone)]
pub enum StatementKind {
    /// `name = value`
    Assign(Node),
    /// `solve name: left = right near start`
    Solve {
        left: Node,
        right: Node,
        start: Option<Node>,
    },
    /// `vector name[length]`
    Vector(u32),
    /// `complex name`
    Complex,
    /// `polar name`
    Polar,
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
    /// A quantity, or a part of a complex one (`G.re`).
    Symbol(String),
    /// Element of a vector, counted from 1.
    Element(String, u32),
    Negative(Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Not(Box<Node>),
    Both(Junction, Box<Node>, Box<Node>),
    Call(String, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Junction {
    And,
    Or,
}

impl Comparison {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }
}

impl Junction {
    pub const fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

/// How strongly the forms of an expression bind.
pub mod strength {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const COMPARISON: u8 = 4;
    pub const SUM: u8 = 5;
    pub const PRODUCT: u8 = 6;
    pub const NEGATIVE: u8 = 7;
    pub const POWER: u8 = 8;
    pub const ATOM: u8 = 9;
}

/// Words that cannot name a quantity because they join expressions.
pub const JOINING: &[&str] = &["if", "and", "or", "not"];

/// Deepest nesting; keeps the recursion over a hostile text off the end of the stack.
const MAX_DEPTH: usize = 400;

/// Longest vector. A series of readings is shorter; a hostile text is not.
const MAX_LENGTH: u32 = 10_000;

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
        if let Err(diagnostic) = parser.statement(&mut statements) {
            diagnostics.push(diagnostic);
            while parser.peek().kind != TokenKind::EndOfStatement {
                parser.at += 1;
            }
        }
    }
    let assigns = statements.iter().any(|statement| {
        matches!(
            statement.kind,
            StatementKind::Assign(_) | StatementKind::Solve { .. }
        )
    });
    if !assigns && diagnostics.is_empty() {
        let message = "the model is empty: it needs a line `name = expression`".to_owned();
        diagnostics.push(Diagnostic {
            line: 1,
            column: 1,
            message,
            help: None,
        });
    }
    one_a_line(&mut diagnostics);
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

/// An operator between two expressions.
#[derive(Clone, Copy)]
enum Infix {
    Arithmetic(Binary),
    Compare(Comparison),
    Both(Junction),
}

impl Infix {
    fn at(token: &TokenKind) -> Option<Self> {
        Some(match token {
            TokenKind::Sign('+') => Self::Arithmetic(Binary::Add),
            TokenKind::Sign('-') => Self::Arithmetic(Binary::Sub),
            TokenKind::Sign('*') => Self::Arithmetic(Binary::Mul),
            TokenKind::Sign('/') => Self::Arithmetic(Binary::Div),
            TokenKind::Sign('^') => Self::Arithmetic(Binary::Pow),
            TokenKind::Sign('<') => Self::Compare(Comparison::Less),
            TokenKind::Sign('≤') => Self::Compare(Comparison::LessEqual),
            TokenKind::Sign('>') => Self::Compare(Comparison::Greater),
            TokenKind::Sign('≥') => Self::Compare(Comparison::GreaterEqual),
            TokenKind::Name(name) if name == "and" => Self::Both(Junction::And),
            TokenKind::Name(name) if name == "or" => Self::Both(Junction::Or),
            _ => return None,
        })
    }

    /// Its own strength and the least that its right operand may have.
    fn strengths(self) -> (u8, u8) {
        let own = match self {
            Self::Arithmetic(operation) => operation_strength(operation),
            Self::Compare(_) => strength::COMPARISON,
            Self::Both(Junction::And) => strength::AND,
            Self::Both(Junction::Or) => strength::OR,
        };
        // The exponent may carry its own sign and its own power: 10^-3, 2^3^2.
        let right = if own == strength::POWER {
            strength::NEGATIVE
        } else {
            own + 1
        };
        (own, right)
    }
}

pub fn operation_strength(operation: Binary) -> u8 {
    match operation {
        Binary::Add | Binary::Sub => strength::SUM,
        Binary::Mul | Binary::Div => strength::PRODUCT,
        Binary::Pow => strength::POWER,
        _ => strength::ATOM,
    }
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
            .then_some("an expression over several lines stands in parentheses");
        refused(token, format!("expected {wanted}, found {found}"), help)
    }

    fn statement(&mut self, statements: &mut Vec<Statement>) -> Result<(), Diagnostic> {
        let word = self.plain_name("a name to assign to")?;
        let name_follows = matches!(self.peek().kind, TokenKind::Name(_));
        match word.1 {
            "vector" | "complex" | "polar" if name_follows => {
                self.declarations(word.1, statements)?;
            }
            "solve" if name_follows => statements.push(self.solve()?),
            name => {
                if self.peek().kind == TokenKind::Sign('[') {
                    let help = "assign a whole vector, from vectors: y = 2 * x";
                    let message = format!("an element of `{name}` cannot be assigned alone");
                    return Err(refused(word.0, message, Some(help)));
                }
                self.expect('=', "after the name of a result")?;
                let value = self.expression(0)?;
                statements.push(statement(word, StatementKind::Assign(value)));
            }
        }
        if self.peek().kind != TokenKind::EndOfStatement {
            return Err(self.unexpected("an operator or the end of the line"));
        }
        Ok(())
    }

    /// A name without the part of a complex quantity.
    fn plain_name(&mut self, wanted: &str) -> Result<(&'a Token, &'a str), Diagnostic> {
        let token = self.peek();
        let TokenKind::Name(name) = &token.kind else {
            return Err(self.unexpected(wanted));
        };
        if let Some((stem, _)) = name.split_once('.') {
            let message = format!("`{name}` is a part of a complex quantity and has no own line");
            let help = format!("write {stem} = complex(a, b), or declare: complex {stem}");
            return Err(refused(token, message, Some(&help)));
        }
        self.at += 1;
        Ok((token, name))
    }

    fn declarations(
        &mut self,
        word: &str,
        statements: &mut Vec<Statement>,
    ) -> Result<(), Diagnostic> {
        loop {
            let name = self.plain_name("the name of a quantity")?;
            let kind = match word {
                "complex" => StatementKind::Complex,
                "polar" => StatementKind::Polar,
                _ => {
                    self.expect('[', "and the number of elements: vector x[5]")?;
                    StatementKind::Vector(self.index("the number of elements")?)
                }
            };
            if self.peek().kind == TokenKind::Sign('[') {
                let message = format!("`{}` cannot be both complex and a vector", name.1);
                let help = "declare a name for each complex quantity";
                return Err(refused(self.peek(), message, Some(help)));
            }
            statements.push(statement(name, kind));
            if !self.take(',') {
                return Ok(());
            }
        }
    }

    /// A whole number from 1 and the closing bracket.
    fn index(&mut self, what: &str) -> Result<u32, Diagnostic> {
        let token = self.peek();
        let TokenKind::Number(value) = token.kind else {
            return Err(self.unexpected(&format!("{what}, a whole number")));
        };
        if value != value.trunc() || !(1.0..=f64::from(MAX_LENGTH)).contains(&value) {
            let message = format!("{what} is a whole number from 1 to {MAX_LENGTH}, not {value}");
            return Err(refused(token, message, None));
        }
        self.at += 1;
        self.expect(']', "to close the bracket")?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and between 1 and the longest length"
        )]
        Ok(value as u32)
    }

    fn solve(&mut self) -> Result<Statement, Diagnostic> {
        let name = self.plain_name("the name of the unknown")?;
        if self.peek().kind == TokenKind::Sign('[') {
            let message = "the unknown of `solve` is one real number, not a vector".to_owned();
            return Err(refused(
                self.peek(),
                message,
                Some("solve for one at a time"),
            ));
        }
        self.expect(':', "after the name of the unknown")?;
        let left = self.expression(0)?;
        self.expect('=', "between the sides of the equation")?;
        let right = self.expression(0)?;
        let near = matches!(&self.peek().kind, TokenKind::Name(word) if word == "near");
        let start = if near {
            self.at += 1;
            Some(self.expression(0)?)
        } else {
            None
        };
        Ok(statement(name, StatementKind::Solve { left, right, start }))
    }

    /// An expression whose operators bind at least as strongly as `minimum`.
    fn expression(&mut self, minimum: u8) -> Result<Node, Diagnostic> {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(self.peek()));
        }
        let mut left = self.prefix()?;
        loop {
            let token = self.peek();
            let Some(infix) = Infix::at(&token.kind) else {
                break;
            };
            let (own, least) = infix.strengths();
            if own < minimum {
                break;
            }
            self.at += 1;
            let right = self.expression(least)?;
            left = join(token, infix, left, right)?;
            if own == strength::COMPARISON
                && let Some(Infix::Compare(_)) = Infix::at(&self.peek().kind)
            {
                let message = "comparisons do not chain".to_owned();
                return Err(refused(self.peek(), message, Some("write a < b and b < c")));
            }
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn prefix(&mut self) -> Result<Node, Diagnostic> {
        let token = self.peek();
        if self.take('-') {
            let inner = self.expression(strength::NEGATIVE)?;
            let depth = inner.depth + 1;
            return node(token, NodeKind::Negative(Box::new(inner)), depth);
        }
        if self.take('+') {
            return self.expression(strength::NEGATIVE);
        }
        if matches!(&token.kind, TokenKind::Name(word) if word == "not") {
            self.at += 1;
            let inner = self.expression(strength::NOT)?;
            let depth = inner.depth + 1;
            return node(token, NodeKind::Not(Box::new(inner)), depth);
        }
        self.atom()
    }

    fn atom(&mut self) -> Result<Node, Diagnostic> {
        let token = self.peek();
        match &token.kind {
            TokenKind::Number(value) => {
                self.at += 1;
                node(token, NodeKind::Number(*value), 1)
            }
            TokenKind::Name(name) if name != "and" && name != "or" => {
                self.at += 1;
                if self.take('(') {
                    self.call(token, name)
                } else if self.take('[') {
                    let index = self.index("an index")?;
                    node(token, NodeKind::Element(name.clone(), index), 1)
                } else {
                    node(token, NodeKind::Symbol(name.clone()), 1)
                }
            }
            TokenKind::Sign('(') => {
                self.at += 1;
                let inner = self.expression(0)?;
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
                arguments.push(self.expression(0)?);
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

fn statement((token, name): (&Token, &str), kind: StatementKind) -> Statement {
    Statement {
        name: name.to_owned(),
        line: token.line,
        column: token.column,
        kind,
    }
}

fn join(token: &Token, infix: Infix, left: Node, right: Node) -> Result<Node, Diagnostic> {
    let depth = 1 + left.depth.max(right.depth);
    let (left, right) = (Box::new(left), Box::new(right));
    let kind = match infix {
        Infix::Arithmetic(operation) => NodeKind::Binary(operation, left, right),
        Infix::Compare(comparison) => NodeKind::Compare(comparison, left, right),
        Infix::Both(junction) => NodeKind::Both(junction, left, right),
    };
    node(token, kind, depth)
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
    let message = format!("the expression is nested more than {MAX_DEPTH} levels deep");
    let help = "give parts of it names on lines of their own";
    refused(token, message, Some(help))
}

fn refused(token: &Token, message: String, help: Option<&str>) -> Diagnostic {
    Diagnostic {
        line: token.line,
        column: token.column,
        message,
        help: help.map(str::to_owned),
    }
}

impl Statement {
    /// The expressions of the statement.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let nodes = match &self.kind {
            StatementKind::Assign(value) => [Some(value), None, None],
            StatementKind::Solve { left, right, start } => {
                [Some(left), Some(right), start.as_ref()]
            }
            StatementKind::Vector(_) | StatementKind::Complex | StatementKind::Polar => [None; 3],
        };
        nodes.into_iter().flatten()
    }
}

impl Node {
    /// Whether the expression uses a quantity whose name (without its part) passes `test`.
    pub fn mentions(&self, test: &impl Fn(&str) -> bool) -> bool {
        match &self.kind {
            NodeKind::Number(_) => false,
            NodeKind::Symbol(name) => test(name.split('.').next().unwrap_or(name)),
            NodeKind::Element(name, _) => test(name),
            NodeKind::Negative(inner) | NodeKind::Not(inner) => inner.mentions(test),
            NodeKind::Binary(_, left, right)
            | NodeKind::Compare(_, left, right)
            | NodeKind::Both(_, left, right) => left.mentions(test) || right.mentions(test),
            NodeKind::Call(_, arguments) => {
                arguments.iter().any(|argument| argument.mentions(test))
            }
        }
    }

    /// How strongly the expression binds where it is written in the language.
    pub fn strength(&self) -> u8 {
        match &self.kind {
            NodeKind::Number(_)
            | NodeKind::Symbol(_)
            | NodeKind::Element(..)
            | NodeKind::Call(..) => strength::ATOM,
            NodeKind::Negative(_) => strength::NEGATIVE,
            NodeKind::Binary(operation, ..) => operation_strength(*operation),
            NodeKind::Compare(..) => strength::COMPARISON,
            NodeKind::Not(_) => strength::NOT,
            NodeKind::Both(Junction::And, ..) => strength::AND,
            NodeKind::Both(Junction::Or, ..) => strength::OR,
        }
    }
}
