//! A data logger's file, read by its map: a pure function of both texts, so that a replay
//! takes the same way as the first reading.
//!
//! Every cell is read as text and becomes decimal digits; nothing is rounded to a binary
//! number, and nothing is guessed: a cell is a number, a declared sign of a missing reading,
//! or an error with its line.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::str::FromStr;

use heng_procedures::{DisplaySeries, LocationSeries, LocationTable, QuantityTable};
use heng_quantities::{Decimal, DecimalError};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use polars::prelude::{
    CsvParseOptions, CsvReadOptions, DataFrame, PolarsError, SerReader, StringChunked,
};

use super::map::{DecimalSign, FileFormat, Map, QuantityMap};

/// Why a logger's file cannot be read. Lines count from 1, as an editor shows them.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("line {line}: the file is not UTF-8; save it as UTF-8 or convert it")]
    NotUtf8 { line: usize },
    #[error("the file has no header line and rows")]
    Empty,
    #[error(
        "line {line}: {found} cells, but the header has {expected}; repair the row or the separator in the map"
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
        "line {line}, column {column:?}: {source}; a sign of a missing reading must be named in the map's `missing`"
    )]
    Number {
        line: usize,
        column: String,
        #[source]
        source: DecimalError,
    },
    #[error(
        "no row lies in the window {from} to {to}: of {rows} rows {matching} match the filter{span}"
    )]
    EmptyWindow {
        from: Timestamp,
        to: Timestamp,
        rows: usize,
        matching: usize,
        span: String,
    },
    #[error(
        "the reader of the file and the count of its rows disagree: {rows} rows read, {counted} counted"
    )]
    RowCount { rows: usize, counted: usize },
    #[error("the file cannot be read as CSV: {0}")]
    Csv(#[from] PolarsError),
}

/// Reads a logger's file into the readings of every location.
///
/// Times count from the beginning of the map's window. A quantity has a row for every row of
/// the file inside the window in which any of its locations, display or globe was read.
///
/// # Errors
/// [`ImportError`], with the line where there is one.
pub fn read_table(map: &Map, csv: &[u8]) -> Result<LocationTable, ImportError> {
    let text = utf8(csv)?;
    let separator = map.file.separator.byte();
    let lines = records(text, separator)?;
    let frame = frame(text, separator)?;
    if frame.height() != lines.len() {
        return Err(ImportError::RowCount {
            rows: frame.height(),
            counted: lines.len(),
        });
    }
    let file = File {
        frame: &frame,
        lines: &lines,
        format: &map.file,
    };
    let rows = file.window(map)?;
    let quantities = map
        .quantity
        .iter()
        .map(|quantity| file.quantity(map, quantity, &rows))
        .collect::<Result<_, _>>()?;
    Ok(LocationTable {
        start: map.window.from.to_string(),
        quantities,
    })
}

/// The text without byte order mark and last line breaks.
fn utf8(bytes: &[u8]) -> Result<&str, ImportError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        ImportError::NotUtf8 {
            line: before.split(|&byte| byte == b'\n').count(),
        }
    })?;
    // Spreadsheet programs write a byte order mark in front; it is no part of the header.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(text.trim_end_matches(['\r', '\n']))
}

/// First line of every record behind the header, after checking that all have as many cells
/// as the header: polars would fill up a short row without a word.
fn records(text: &str, separator: u8) -> Result<Vec<usize>, ImportError> {
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
        Some(expected) => Err(ImportError::Ragged {
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
        return Err(ImportError::Quote { line: start });
    }
    end_record(start, cells)?;
    if text.is_empty() || starts.is_empty() {
        Err(ImportError::Empty)
    } else {
        Ok(starts)
    }
}

/// All columns as texts.
fn frame(text: &str, separator: u8) -> Result<DataFrame, ImportError> {
    let names = header(text, separator);
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            return Err(ImportError::RepeatedColumn {
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

struct File<'a> {
    frame: &'a DataFrame,
    /// Line of every row.
    lines: &'a [usize],
    format: &'a FileFormat,
}

/// A row inside the window and its time.
struct Row {
    index: usize,
    t_us: u64,
}

impl File<'_> {
    fn column(&self, name: &str) -> Result<&StringChunked, ImportError> {
        let column = self.frame.column(name).map_err(|_| {
            let known = self.frame.get_column_names();
            ImportError::MissingColumn {
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

    /// The rows that match the filter and lie in the window, in the order of time.
    fn window(&self, map: &Map) -> Result<Vec<Row>, ImportError> {
        let filters = map
            .filter
            .iter()
            .map(|(column, wanted)| Ok((self.column(column)?, wanted.as_str())))
            .collect::<Result<Vec<_>, ImportError>>()?;
        let times = self.column(&map.time.column)?;
        let mut rows = Vec::new();
        let mut matching: Vec<(Timestamp, usize)> = Vec::new();
        for index in 0..self.frame.height() {
            if filters
                .iter()
                .any(|(column, wanted)| column.get(index).unwrap_or_default() != *wanted)
            {
                continue;
            }
            let text = times.get(index).unwrap_or_default();
            let moment = self.moment(map, index, text)?;
            if let Some(&(before, at)) = matching.last()
                && moment < before
            {
                return Err(ImportError::TimeFalls {
                    line: self.lines[index],
                    before: self.lines[at],
                    column: map.time.column.clone(),
                    text: text.to_owned(),
                });
            }
            matching.push((moment, index));
            if moment >= map.window.from && moment < map.window.to {
                let t_us = moment.as_microsecond() - map.window.from.as_microsecond();
                rows.push(Row {
                    index,
                    t_us: t_us.unsigned_abs(),
                });
            }
        }
        if rows.is_empty() {
            let span = match (matching.first(), matching.last()) {
                (Some((first, _)), Some((last, _))) => format!(", from {first} to {last}"),
                _ => String::new(),
            };
            return Err(ImportError::EmptyWindow {
                from: map.window.from,
                to: map.window.to,
                rows: self.frame.height(),
                matching: matching.len(),
                span,
            });
        }
        Ok(rows)
    }

    fn moment(&self, map: &Map, index: usize, text: &str) -> Result<Timestamp, ImportError> {
        let civil = DateTime::strptime(&map.time.format, text);
        let moment = civil.and_then(|civil| TimeZone::fixed(map.time.zone.0).to_timestamp(civil));
        moment.map_err(|cause| ImportError::Time {
            line: self.lines[index],
            column: map.time.column.clone(),
            text: text.to_owned(),
            format: map.time.format.clone(),
            cause: cause.to_string(),
        })
    }

    /// Digits of a column in every row of the window.
    fn digits(&self, column: &str, rows: &[Row]) -> Result<Vec<Option<Decimal>>, ImportError> {
        let cells = self.column(column)?;
        rows.iter()
            .map(|row| {
                let text = cells.get(row.index).unwrap_or_default();
                self.number(text).map_err(|source| ImportError::Number {
                    line: self.lines[row.index],
                    column: column.to_owned(),
                    source,
                })
            })
            .collect()
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

    fn quantity(
        &self,
        map: &Map,
        quantity: &QuantityMap,
        rows: &[Row],
    ) -> Result<QuantityTable, ImportError> {
        let display = quantity.display.as_ref();
        let columns = quantity
            .location
            .iter()
            .map(|location| location.column.as_str());
        let columns = columns
            .chain(display.map(|display| display.column.as_str()))
            .chain(quantity.globe.as_deref());
        let mut read = BTreeMap::new();
        for column in columns {
            read.insert(column, self.digits(column, rows)?);
        }
        let kept: Vec<usize> = (0..rows.len())
            .filter(|&at| read.values().any(|digits| digits[at].is_some()))
            .collect();
        let take = |column: &str| kept.iter().map(|&at| read[column][at]).collect::<Vec<_>>();
        let locations = quantity
            .location
            .iter()
            .map(|location| LocationSeries {
                location: location.name().to_owned(),
                digits: take(&location.column),
                sensor: map.sensor(quantity, location).cloned(),
            })
            .collect();
        Ok(QuantityTable {
            quantity: quantity.quantity.clone(),
            unit: quantity.unit,
            resolution: quantity.resolution,
            t_us: kept.iter().map(|&at| rows[at].t_us).collect(),
            locations,
            reference: quantity.reference().map(str::to_owned),
            set_value: quantity.set_value,
            display: display.map(|display| DisplaySeries {
                digits: take(&display.column),
                resolution: display.resolution,
            }),
            globe: quantity.globe.as_deref().map(take),
            set_interval_s: quantity.set_interval_s,
            watch: quantity.watch,
        })
    }
}

#[cfg(test)]
mod tests;
