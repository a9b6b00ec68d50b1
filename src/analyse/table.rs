//! A data logger's file as texts: header, rows with their lines, times, decimal digits.
//!
//! Every cell is read as text and becomes decimal digits; nothing is rounded to a binary
//! number, and nothing is guessed: a cell is a number, a declared sign of a missing reading,
//! or an error with its line.

use std::io::Cursor;
use std::str::FromStr;

use heng_quantities::{Decimal, DecimalError};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use polars::prelude::{
    CsvParseOptions, CsvReadOptions, DataFrame, PolarsError, SerReader, StringChunked,
};

use super::map::{DecimalSign, FileFormat};

/// Why a file cannot be read. Lines count from 1, as an editor shows them.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("line {line}: the file is not UTF-8; save it as UTF-8 or convert it")]
    NotUtf8 { line: usize },
    #[error("the file has no header line and rows")]
    Empty,
    #[error(
        "line {line}: {found} cells, but the header has {expected}; repair the row, or state the file's separator"
    )]
    Ragged {
        line: usize,
        found: usize,
        expected: usize,
    },
    #[error("line {line}: a quoted cell is not closed")]
    Quote { line: usize },
    #[error("the header has the column {column:?} twice")]
    RepeatedColumn { column: String },
    #[error("there is no column {column:?}; the header has {known}")]
    MissingColumn { column: String, known: String },
    #[error("line {line}, column {column:?}: {text:?} is no time of the form {format:?}: {cause}")]
    Time {
        line: usize,
        column: String,
        text: String,
        format: String,
        cause: String,
    },
    #[error(
        "line {line}, column {column:?}: the time {text:?} lies before that of line {before}; rows must be in the order of time"
    )]
    TimeFalls {
        line: usize,
        before: usize,
        column: String,
        text: String,
    },
    #[error(
        "line {line}, column {column:?}: {source}; a sign of a missing reading must be named as `missing`"
    )]
    Number {
        line: usize,
        column: String,
        #[source]
        source: DecimalError,
    },
    #[error(
        "the reader of the file and the count of its rows disagree: {rows} rows read, {counted} counted"
    )]
    RowCount { rows: usize, counted: usize },
    #[error("the file cannot be read as CSV: {0}")]
    Csv(#[from] PolarsError),
}

/// How the file writes its times.
#[derive(Debug, Clone)]
pub struct Clock {
    /// As `strptime` reads it; none for ISO 8601, with or without a zone.
    pub format: Option<String>,
    /// Difference to UTC of times that carry no zone.
    pub zone: Offset,
}

impl Clock {
    /// # Errors
    /// Why the text is no time of this form.
    pub fn read(&self, text: &str) -> Result<Timestamp, jiff::Error> {
        let civil = match &self.format {
            Some(format) => DateTime::strptime(format, text)?,
            None => match text.parse::<Timestamp>() {
                Ok(moment) => return Ok(moment),
                Err(_) => text.parse::<DateTime>()?,
            },
        };
        TimeZone::fixed(self.zone).to_timestamp(civil)
    }

    fn form(&self) -> &str {
        self.format.as_deref().unwrap_or("2026-11-23 10:00:00")
    }
}

/// A file, all cells as texts.
pub struct Table {
    frame: DataFrame,
    /// Line of every row.
    lines: Vec<usize>,
    format: FileFormat,
}

impl Table {
    /// # Errors
    /// [`TableError`], with the line where there is one.
    pub fn read(bytes: &[u8], format: &FileFormat) -> Result<Self, TableError> {
        let text = utf8(bytes)?;
        let separator = format.separator.byte();
        let lines = records(text, separator)?;
        let frame = frame(text, separator)?;
        if frame.height() != lines.len() {
            return Err(TableError::RowCount {
                rows: frame.height(),
                counted: lines.len(),
            });
        }
        Ok(Self {
            frame,
            lines,
            format: format.clone(),
        })
    }

    pub fn height(&self) -> usize {
        self.frame.height()
    }

    /// Line of a row.
    pub fn line(&self, row: usize) -> usize {
        self.lines[row]
    }

    fn column(&self, name: &str) -> Result<&StringChunked, TableError> {
        let column = self.frame.column(name).map_err(|_| {
            let known = self.frame.get_column_names();
            TableError::MissingColumn {
                column: name.to_owned(),
                known: known
                    .iter()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        })?;
        Ok(column.str()?)
    }

    /// Texts of a column in these rows; an empty cell is an empty text.
    pub fn texts<'a>(&'a self, name: &str, rows: &[usize]) -> Result<Vec<&'a str>, TableError> {
        let column = self.column(name)?;
        let text = |&row: &usize| column.get(row).unwrap_or_default();
        Ok(rows.iter().map(text).collect())
    }

    /// The rows whose cells are the texts of `filter`, by column.
    pub fn matching<'a>(
        &self,
        filter: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Result<Vec<usize>, TableError> {
        let filters = filter
            .into_iter()
            .map(|(column, wanted)| Ok((self.column(column)?, wanted.as_str())))
            .collect::<Result<Vec<_>, TableError>>()?;
        let fits = |row: &usize| {
            let mut filters = filters.iter();
            filters.all(|(column, wanted)| column.get(*row).unwrap_or_default() == *wanted)
        };
        Ok((0..self.height()).filter(fits).collect())
    }

    /// Times of these rows.
    pub fn moments(
        &self,
        name: &str,
        rows: &[usize],
        clock: &Clock,
    ) -> Result<Vec<Timestamp>, TableError> {
        let texts = self.texts(name, rows)?;
        let moment = |(&row, text): (&usize, &str)| {
            clock.read(text).map_err(|cause| TableError::Time {
                line: self.lines[row],
                column: name.to_owned(),
                text: text.to_owned(),
                format: clock.form().to_owned(),
                cause: cause.to_string(),
            })
        };
        rows.iter().zip(texts).map(moment).collect()
    }

    /// # Errors
    /// The first row that is earlier than the one before it.
    pub fn in_order(
        &self,
        name: &str,
        rows: &[usize],
        moments: &[Timestamp],
    ) -> Result<(), TableError> {
        let Some(at) = moments.windows(2).position(|pair| pair[1] < pair[0]) else {
            return Ok(());
        };
        let text = self.texts(name, &rows[at + 1..=at + 1])?;
        Err(TableError::TimeFalls {
            line: self.lines[rows[at + 1]],
            before: self.lines[rows[at]],
            column: name.to_owned(),
            text: text.concat(),
        })
    }

    /// Digits of a column in these rows.
    pub fn digits(&self, name: &str, rows: &[usize]) -> Result<Vec<Option<Decimal>>, TableError> {
        let texts = self.texts(name, rows)?;
        let digits = |(&row, text): (&usize, &str)| {
            self.number(text).map_err(|source| TableError::Number {
                line: self.lines[row],
                column: name.to_owned(),
                source,
            })
        };
        rows.iter().zip(texts).map(digits).collect()
    }

    fn number(&self, text: &str) -> Result<Option<Decimal>, DecimalError> {
        if text.is_empty() || self.format.missing.iter().any(|sign| sign == text) {
            return Ok(None);
        }
        match self.format.decimal {
            DecimalSign::Point => Decimal::from_str(text).map(Some),
            // A point would be a separator of thousands here: two readings of one text.
            DecimalSign::Comma if text.contains('.') => {
                Err(DecimalError::Malformed(text.to_owned()))
            }
            DecimalSign::Comma => Decimal::from_str(&text.replace(',', ".")).map(Some),
        }
    }
}

/// The text without byte order mark and last line breaks.
fn utf8(bytes: &[u8]) -> Result<&str, TableError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        TableError::NotUtf8 {
            line: before.split(|&byte| byte == b'\n').count(),
        }
    })?;
    // Spreadsheet programs write a byte order mark in front; it is no part of the header.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(text.trim_end_matches(['\r', '\n']))
}

/// First line of every record behind the header, after checking that all have as many cells
/// as the header: polars would fill up a short row without a word.
fn records(text: &str, separator: u8) -> Result<Vec<usize>, TableError> {
    let mut starts = Vec::new();
    let mut header = None;
    let (mut line, mut start, mut cells, mut quoted) = (1, 1, 1, false);
    let mut end_record = |start: usize, cells: usize| match header {
        None => {
            header = Some(cells);
            Ok(())
        }
        Some(expected) if cells == expected => {
            starts.push(start);
            Ok(())
        }
        Some(expected) => Err(TableError::Ragged {
            line: start,
            found: cells,
            expected,
        }),
    };
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' => {
                line += 1;
                if !quoted {
                    end_record(start, cells)?;
                    (start, cells) = (line, 1);
                }
            }
            _ if byte == separator && !quoted => cells += 1,
            _ => {}
        }
    }
    if quoted {
        return Err(TableError::Quote { line: start });
    }
    end_record(start, cells)?;
    if text.is_empty() || starts.is_empty() {
        Err(TableError::Empty)
    } else {
        Ok(starts)
    }
}

/// All columns as texts.
fn frame(text: &str, separator: u8) -> Result<DataFrame, TableError> {
    let names = header(text, separator);
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            return Err(TableError::RepeatedColumn {
                column: name.clone(),
            });
        }
    }
    let options = CsvReadOptions::default()
        .with_has_header(true)
        // No type is inferred: the cells stay the texts that the logger wrote.
        .with_infer_schema_length(Some(0))
        // One thread reads in one order; the files are small.
        .with_n_threads(Some(1))
        .with_parse_options(CsvParseOptions::default().with_separator(separator));
    Ok(options
        .into_reader_with_file_handle(Cursor::new(text.as_bytes()))
        .finish()?)
}

/// Names in the first record; polars would rename a repeated one.
fn header(text: &str, separator: u8) -> Vec<String> {
    let first = text.lines().next().unwrap_or_default();
    let names = first.split(char::from(separator));
    names
        .map(|name| name.trim_matches('"').to_owned())
        .collect()
}
