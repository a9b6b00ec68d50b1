//! Characters to tokens. Lines end a statement, except inside parentheses and brackets.

use super::{Diagnostic, one_a_line};

#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    Number(f64),
    /// A name, with its part where it is that of a complex quantity: `G.re`.
    Name(String),
    /// One of `+ - * / ^ ( ) [ ] , = : < > ≤ ≥`; `<=` and `>=` are read as the last two.
    Sign(char),
    EndOfStatement,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub line: usize,
    pub column: usize,
}

/// Longest text that is read; a measurement model is a page, not a book.
pub const MAX_CHARACTERS: usize = 65_536;

/// Parts of a complex quantity, written after a dot.
const PARTS: &[&str] = &["re", "im", "abs", "arg"];

pub fn lex(source: &str) -> Result<Vec<Token>, Vec<Diagnostic>> {
    let characters: Vec<char> = source.chars().collect();
    if characters.len() > MAX_CHARACTERS {
        return Err(vec![too_long("")]);
    }
    let mut lexer = Lexer {
        characters,
        at: 0,
        line: 1,
        line_start: 0,
        open: 0,
        tokens: Vec::new(),
    };
    let mut diagnostics = Vec::new();
    while let Some(&c) = lexer.characters.get(lexer.at) {
        if let Err(diagnostic) = lexer.token(c) {
            diagnostics.push(diagnostic);
        }
    }
    lexer.push(TokenKind::EndOfStatement);
    one_a_line(&mut diagnostics);
    if diagnostics.is_empty() {
        Ok(lexer.tokens)
    } else {
        Err(diagnostics)
    }
}

pub fn too_long(how: &str) -> Diagnostic {
    Diagnostic {
        line: 1,
        column: 1,
        message: format!("the model has more than {MAX_CHARACTERS} characters{how}"),
        help: None,
    }
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    line: usize,
    line_start: usize,
    open: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn token(&mut self, c: char) -> Result<(), Diagnostic> {
        match c {
            '\n' => {
                if self.open == 0 {
                    self.push(TokenKind::EndOfStatement);
                }
                self.at += 1;
                self.line += 1;
                self.line_start = self.at;
            }
            ' ' | '\t' | '\r' => self.at += 1,
            '#' => {
                while self.characters.get(self.at).is_some_and(|&c| c != '\n') {
                    self.at += 1;
                }
            }
            '+' | '-' | '*' | '/' | '^' | '(' | ')' | '[' | ']' | ',' | '=' | ':' | '<' | '>'
            | '≤' | '≥' => self.sign(c)?,
            _ if c.is_ascii_digit() || c == '.' => self.number()?,
            _ if c.is_alphabetic() || c == '_' => self.name(),
            _ => {
                let diagnostic = self.diagnostic(
                    format!("the character {c:?} has no meaning in a model"),
                    "use names, numbers, + - * / ^ ( ) [ ] , = : < <= > >= and # for comments",
                );
                self.at += 1;
                return Err(diagnostic);
            }
        }
        Ok(())
    }

    fn sign(&mut self, c: char) -> Result<(), Diagnostic> {
        let next = self.characters.get(self.at + 1).copied();
        let (sign, length) = match (c, next) {
            ('*', Some('*')) => return Err(self.no_operator("**", "write a power as x^2")),
            ('=', Some('=')) => {
                let help = "compare with < <= > >=; two measured values are never quite equal";
                return Err(self.no_operator("==", help));
            }
            ('<', Some('=')) => ('≤', 2),
            ('>', Some('=')) => ('≥', 2),
            _ => (c, 1),
        };
        match c {
            '(' | '[' => self.open += 1,
            ')' | ']' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.push(TokenKind::Sign(sign));
        self.at += length;
        Ok(())
    }

    /// Refuses two characters that are an operator elsewhere.
    fn no_operator(&mut self, text: &str, help: &str) -> Diagnostic {
        let diagnostic = self.diagnostic(format!("`{text}` is not an operator"), help);
        self.at += 2;
        diagnostic
    }

    fn name(&mut self) {
        let belongs = |c: char| c.is_alphanumeric() || c == '_';
        let mut end = self.end_of(self.at, belongs);
        if self.characters.get(end) == Some(&'.') {
            let part_end = self.end_of(end + 1, belongs);
            let part: String = self.characters[end + 1..part_end].iter().collect();
            if PARTS.contains(&part.as_str()) {
                end = part_end;
            }
        }
        let name = self.characters[self.at..end].iter().collect();
        self.push(TokenKind::Name(name));
        self.at = end;
    }

    fn number(&mut self) -> Result<(), Diagnostic> {
        let digits = |lexer: &Self, from| lexer.end_of(from, |c| c.is_ascii_digit());
        let mut end = digits(self, self.at);
        if self.characters.get(end) == Some(&'.') {
            end = digits(self, end + 1);
        }
        if matches!(self.characters.get(end), Some('e' | 'E')) {
            let signed = matches!(self.characters.get(end + 1), Some('+' | '-'));
            end = digits(self, end + 1 + usize::from(signed));
        }
        // Letters glued to a number are refused: `2x` is no product here.
        let end = self.end_of(end, |c| c.is_alphanumeric() || c == '_' || c == '.');
        let text: String = self.characters[self.at..end].iter().collect();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => {
                self.push(TokenKind::Number(value));
                self.at = end;
                Ok(())
            }
            _ => {
                let diagnostic = self.diagnostic(
                    format!("{text:?} is not a number"),
                    "write 12, 0.5 or 1.5e-3, and a product with *",
                );
                self.at = end;
                Err(diagnostic)
            }
        }
    }

    fn end_of(&self, from: usize, belongs: impl Fn(char) -> bool) -> usize {
        let rest = self.characters.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|&&c| belongs(c)).count()
    }

    fn push(&mut self, kind: TokenKind) {
        let column = self.at - self.line_start + 1;
        self.tokens.push(Token {
            kind,
            line: self.line,
            column,
        });
    }

    fn diagnostic(&self, message: String, help: &str) -> Diagnostic {
        let column = self.at - self.line_start + 1;
        Diagnostic {
            line: self.line,
            column,
            message,
            help: Some(help.to_owned()),
        }
    }
}
