//! What is wrong with a text and where: file, line, column, cause and cure.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing wrong with a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, column {column}: {message}{}", .help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct Diagnostic {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub help: Option<String>,
}

/// One step into a TOML document: a key, or a position in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Name(&'a str),
    At(usize),
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for Key<'_> {
    fn from(index: usize) -> Self {
        Self::At(index)
    }
}

/// Reads a TOML file; `name` is the file's name for messages.
pub(crate) fn read_toml<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Vec<Diagnostic>> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        vec![Diagnostic {
            file: name.to_owned(),
            line,
            column,
            message: error.message().replace('\n', ", "),
            help: None,
        }]
    })
}

/// A text together with its name, so that a message can say where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    /// A diagnostic at the value that `path` leads to, or at the nearest value above it
    /// where the path is absent from the text (a field that took its default).
    pub fn at(&self, path: &[Key<'_>], message: String, help: Option<&str>) -> Diagnostic {
        let (line, column) = self.place(path);
        Diagnostic {
            file: self.name.to_owned(),
            line,
            column,
            message,
            help: help.map(str::to_owned),
        }
    }

    /// Line and column of the value that `path` leads to.
    pub fn place(&self, path: &[Key<'_>]) -> (usize, usize) {
        position(self.text, self.span(path).start)
    }

    /// Place of `line` and `column` inside a string value, in lines and columns of the file.
    pub fn place_inside(&self, path: &[Key<'_>], line: usize, column: usize) -> (usize, usize) {
        let start = self.span(path).start;
        let (first, offset) = position(self.text, start);
        let literal = self.text.get(start..).unwrap_or_default();
        let quotes = if literal.starts_with("\"\"\"") || literal.starts_with("'''") {
            3
        } else {
            1
        };
        let body = literal.get(quotes..).unwrap_or_default();
        // A line break right after the opening quotes is not part of the value (TOML 1.0).
        if quotes == 3 && (body.starts_with('\n') || body.starts_with("\r\n")) {
            (first + line, column)
        } else if line == 1 {
            (first, offset + quotes + column - 1)
        } else {
            (first + line - 1, column)
        }
    }

    fn span(&self, path: &[Key<'_>]) -> Range<usize> {
        let Ok(document) = DeTable::parse(self.text) else {
            return 0..0;
        };
        let mut span = document.span();
        let mut table = Some(document.get_ref());
        let mut value: Option<&Spanned<DeValue<'_>>> = None;
        for key in path {
            let next = match key {
                Key::Name(name) => table.and_then(|table| table.get(*name)),
                Key::At(index) => value
                    .and_then(|value| value.get_ref().as_array())
                    .and_then(|array| array.get(*index)),
            };
            let Some(next) = next else { break };
            span = next.span();
            table = next.get_ref().as_table();
            value = Some(next);
        }
        span
    }
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[[b]]\nc = \"x y\"\n[[b]]\nd = { \"é\" = \"\"\"\none\ntwo\"\"\" }\n";

    #[test]
    fn a_place_is_the_line_and_column_of_the_value() {
        let source = Source {
            name: "x.toml",
            text: TEXT,
        };
        for (path, place) in [
            (&["a".into()][..], (1, 5)),
            (&["b".into(), 0.into(), "c".into()], (3, 5)),
            (&["b".into(), 1.into(), "d".into(), "é".into()], (5, 13)),
            (&["b".into(), 0.into(), "absent".into()], (2, 1)),
        ] {
            assert_eq!(source.place(path), place, "{path:?}");
        }
    }

    #[test]
    fn a_place_inside_a_string_is_a_place_in_the_file() {
        let source = Source {
            name: "x.toml",
            text: TEXT,
        };
        let single = ["b".into(), 0.into(), "c".into()];
        assert_eq!(source.place_inside(&single, 1, 3), (3, 8));
        let several = ["b".into(), 1.into(), "d".into(), "é".into()];
        assert_eq!(source.place_inside(&several, 2, 1), (7, 1));
    }

    #[test]
    fn a_text_that_is_no_toml_is_refused_with_its_place() {
        let all = read_toml::<toml::Table>("x.toml", "a = 1\nb = \n").unwrap_err();
        assert_eq!((all[0].line, all[0].file.as_str()), (2, "x.toml"));
    }
}
