//! Places in a text: from byte offsets to lines and columns, also inside of a string.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;

/// One thing wrong with a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, column {column}: {message}{}", .help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct FileDiagnostic {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// A text together with its name, so that a message can say where.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl<'a> Source<'a> {
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text }
    }

    /// A diagnostic at the place of a value.
    pub fn at(&self, at: Range<usize>, message: String, help: &str) -> FileDiagnostic {
        let (line, column) = position(self.text, at.start);
        FileDiagnostic {
            file: self.name.to_owned(),
            line,
            column,
            message,
            help: Some(help.to_owned()),
        }
    }

    /// A number that is one.
    pub fn finite(&self, number: &Spanned<f64>) -> Result<f64, FileDiagnostic> {
        let found = *number.get_ref();
        if found.is_finite() {
            return Ok(found);
        }
        Err(self.at(
            number.span(),
            format!("{found} is no value of a quantity"),
            "write a finite number",
        ))
    }

    pub fn read<T: DeserializeOwned>(&self, most: usize) -> Result<T, Vec<FileDiagnostic>> {
        if self.text.len() > most {
            let message = format!("the file has {} bytes", self.text.len());
            let help = format!("a budget has at most {most}: state long series by mean, s and n");
            return Err(vec![self.at(0..0, message, &help)]);
        }
        toml::from_str(self.text).map_err(|error| {
            let (line, column) = position(self.text, error.span().map_or(0, |span| span.start));
            vec![FileDiagnostic {
                file: self.name.to_owned(),
                line,
                column,
                message: error.message().replace('\n', ", "),
                help: Some(HELP.to_owned()),
            }]
        })
    }

    /// Line and column in the file of a line and column inside a string value.
    pub fn inside(
        &self,
        value: &Spanned<String>,
        (line, column): (usize, usize),
    ) -> (usize, usize) {
        let span = value.span();
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let mut decoded = String::new();
        let mut target = None;
        let (mut at_line, mut at_column) = (1, 1);
        for (offset, character) in characters(raw) {
            if (at_line, at_column) == (line, column) {
                target = target.or(Some(offset));
            }
            if character == '\n' {
                // Past the end of its line: the place is that end.
                if at_line == line {
                    target = target.or(Some(offset));
                }
                (at_line, at_column) = (at_line + 1, 1);
            } else {
                at_column += 1;
            }
            decoded.push(character);
        }
        // Where the decoding here should differ from the parser's, the start of the string
        // is still true.
        let known = decoded == *value.get_ref();
        let end = raw.trim_end_matches(['"', '\'']).len();
        let offset = if known { target.unwrap_or(end) } else { 0 };
        position(self.text, span.start + offset)
    }
}

const HELP: &str = "`heng budget --schema` lists all keys, fixtures/budgets/ has examples";

/// A key as it stands in the head of a table.
pub fn key(symbol: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if symbol.chars().all(bare) {
        symbol.to_owned()
    } else {
        format!("\"{symbol}\"")
    }
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[start..].chars().count() + 1)
}

/// Characters of a TOML string with the offsets at which each stands in `raw`, which
/// begins with the opening quotes.
fn characters(raw: &str) -> Vec<(usize, char)> {
    let quote = raw.get(..1).unwrap_or_default();
    let long = raw.len() >= 6 && raw.starts_with(&quote.repeat(3));
    let width = if long { 3 } else { 1 };
    let end = raw.len().saturating_sub(width);
    let mut found = Vec::new();
    let mut at = width;
    if long {
        // A line break right after the opening quotes is not part of the value.
        let body = raw.get(at..).unwrap_or_default();
        at += if body.starts_with("\r\n") {
            2
        } else {
            usize::from(body.starts_with('\n'))
        };
    }
    while let Some(character) = raw.get(at..end).and_then(|rest| rest.chars().next()) {
        if character == '\\' && quote == "\"" {
            let (escaped, length) = escape(&raw[at..end]);
            found.extend(escaped.map(|escaped| (at, escaped)));
            at += length;
        } else {
            found.push((at, character));
            at += character.len_utf8();
        }
    }
    found
}

/// The character that an escape stands for, and its length in bytes; none for a line break
/// that is taken out.
fn escape(text: &str) -> (Option<char>, usize) {
    let code = |digits: usize| {
        let hex = text.get(2..2 + digits);
        let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (code.and_then(char::from_u32), 2 + digits)
    };
    match text.as_bytes().get(1) {
        Some(b'n') => (Some('\n'), 2),
        Some(b't') => (Some('\t'), 2),
        Some(b'r') => (Some('\r'), 2),
        Some(b'b') => (Some('\u{8}'), 2),
        Some(b'f') => (Some('\u{c}'), 2),
        Some(b'e') => (Some('\u{1b}'), 2),
        Some(b'x') => code(2),
        Some(b'u') => code(4),
        Some(b'U') => code(8),
        Some(&quoted @ (b'"' | b'\\')) => (Some(char::from(quoted)), 2),
        _ => {
            let rest = text.get(1..).unwrap_or_default();
            (None, 1 + rest.len() - rest.trim_start().len())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct One {
        a: Spanned<String>,
    }

    fn place(text: &str, inside: (usize, usize)) -> (usize, usize) {
        let one: One = toml::from_str(text).unwrap();
        Source::new("x", text).inside(&one.a, inside)
    }

    #[test]
    fn a_place_in_a_string_is_a_place_in_the_file() {
        assert_eq!(place("a = \"y = x\"", (1, 5)), (1, 10));
        assert_eq!(place("a = '''y = x\nz = y'''", (2, 5)), (2, 5));
        assert_eq!(place("#\na = \"\"\"\ny = é\nz = y\"\"\"", (2, 5)), (4, 5));
        // Escapes: the characters after them move.
        assert_eq!(place("a = \"y\\t= x\"", (1, 5)), (1, 11));
        assert_eq!(place("a = \"\"\"y = \\\n   x\nz = y\"\"\"", (1, 5)), (2, 4));
        assert_eq!(place("a = \"y\\u0020= \\U0001F600\"", (1, 5)), (1, 15));
        // The end of a line and of the text are places too.
        assert_eq!(place("a = '''y = \nz'''", (1, 99)), (1, 12));
        assert_eq!(place("a = 'y'", (1, 2)), (1, 7));
    }
}
