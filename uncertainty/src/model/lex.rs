//! Characters to tokens. Lines end a statement, except inside parentheses.

use super::Diagnostic;

#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    Number(f64),
    Name(String),
    /// One of `+ - * / ^ ( ) , =`.
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
const MAX_CHARACTERS: usize = 65_536;

pub fn lex(source: &str) -> Result<Vec<Token>, Vec<Diagnostic>> {
    let characters: Vec<char> = source.chars().collect();
    if characters.len() > MAX_CHARACTERS {
        let message = format!("the model has more than {MAX_CHARACTERS} characters");
        return Err(vec![Diagnostic {
            line: 1,
            column: 1,
            message,
            help: None,
        }]);
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
    if diagnostics.is_empty() {
        Ok(lexer.tokens)
    } else {
        Err(diagnostics)
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
            '+' | '-' | '*' | '/' | '^' | '(' | ')' | ',' | '=' => self.sign(c)?,
            _ if c.is_ascii_digit() || c == '.' => self.number()?,
            _ if c.is_alphabetic() || c == '_' => {
                let end = self.end_of(self.at, |c| c.is_alphanumeric() || c == '_');
                let name = self.characters[self.at..end].iter().collect();
                self.push(TokenKind::Name(name));
                self.at = end;
            }
            _ => {
                let diagnostic = self.diagnostic(
                    format!("the character {c:?} has no meaning in a model"),
                    "use names, numbers, + - * / ^ ( ) , = and # for comments",
                );
                self.at += 1;
                return Err(diagnostic);
            }
        }
        Ok(())
    }

    fn sign(&mut self, c: char) -> Result<(), Diagnostic> {
        if c == '*' && self.characters.get(self.at + 1) == Some(&'*') {
            let diagnostic =
                self.diagnostic("`**` is not an operator".into(), "write a power as x^2");
            self.at += 2;
            return Err(diagnostic);
        }
        match c {
            '(' => self.open += 1,
            ')' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.push(TokenKind::Sign(c));
        self.at += 1;
        Ok(())
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
