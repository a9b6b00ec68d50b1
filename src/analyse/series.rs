//! Series of readings from a logger's file, for judging them one after the other.

use heng_procedures::{Sample, Value};
use heng_quantities::Decimal;
use jiff::Timestamp;

use super::table::{Clock, Table, TableError};

/// Why a file has no series.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("{0}; sort the file, or read it with --sort")]
    Unsorted(#[source] TableError),
    #[error("none of the {rows} rows matches the filter and the times; {read}")]
    NoRow { rows: usize, read: String },
    #[error("column {column:?} has no reading in the {rows} rows that were chosen")]
    NoReading { column: String, rows: usize },
    #[error(
        "line {line}, column {column:?}: a second reading at the time of line {before}; remove one of the two, or filter for one instrument"
    )]
    Repeated {
        line: usize,
        before: usize,
        column: String,
    },
}

/// Which rows count.
#[derive(Debug)]
pub struct Choice<'a> {
    pub time: &'a str,
    pub clock: &'a Clock,
    /// Column and text of its cell.
    pub filter: &'a [(String, String)],
    /// Rows from here on.
    pub from: Option<Timestamp>,
    /// Rows before.
    pub to: Option<Timestamp>,
    /// Takes the rows in the order of time where the file does not have them so.
    pub sort: bool,
}

/// The chosen rows of a file, in the order of time.
pub struct Series<'a> {
    table: &'a Table,
    rows: Vec<usize>,
    /// Time of the first row.
    pub start: Timestamp,
    /// Times of the rows since then.
    t_us: Vec<u64>,
}

impl<'a> Series<'a> {
    /// # Errors
    /// [`SeriesError`], with the line where there is one.
    pub fn choose(table: &'a Table, choice: &Choice<'_>) -> Result<Self, SeriesError> {
        let matching = table.matching(choice.filter.iter().map(|(column, text)| (column, text)))?;
        let moments = table.moments(choice.time, &matching, choice.clock)?;
        let span = moments.iter().min().zip(moments.iter().max());
        let inside = |moment: &Timestamp| {
            choice.from.is_none_or(|from| *moment >= from)
                && choice.to.is_none_or(|to| *moment < to)
        };
        let inside = moments.iter().zip(&matching).filter(|one| inside(one.0));
        let (moments, rows): (Vec<Timestamp>, Vec<usize>) = inside.unzip();
        if !choice.sort {
            table
                .in_order(choice.time, &rows, &moments)
                .map_err(SeriesError::Unsorted)?;
        }
        let mut chosen: Vec<_> = moments.into_iter().zip(rows).collect();
        // Rows of one time stay in the order of the file.
        chosen.sort_by_key(|(moment, _)| *moment);
        let Some(start) = chosen.first().map(|(moment, _)| *moment) else {
            let read = match span {
                Some((from, to)) => format!("those of the filter lie from {from} to {to}"),
                None => "the filter leaves none".to_owned(),
            };
            let rows = table.height();
            return Err(SeriesError::NoRow { rows, read });
        };
        let since = |moment: &Timestamp| moment.as_microsecond().abs_diff(start.as_microsecond());
        Ok(Self {
            table,
            rows: chosen.iter().map(|(_, row)| *row).collect(),
            start,
            t_us: chosen.iter().map(|(moment, _)| since(moment)).collect(),
        })
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Times of the rows since the start.
    pub fn t_us(&self) -> &[u64] {
        &self.t_us
    }

    /// Time from the first to the last row.
    pub fn span_us(&self) -> u64 {
        self.t_us.last().copied().unwrap_or(0)
    }

    /// Digits of a column in every row.
    ///
    /// # Errors
    /// [`SeriesError`], with the line where there is one.
    pub fn digits(&self, column: &str) -> Result<Vec<Option<Decimal>>, SeriesError> {
        Ok(self.table.digits(column, &self.rows)?)
    }

    /// Readings of a column; where a cell is empty there is none.
    ///
    /// # Errors
    /// [`SeriesError`], with the line where there is one.
    pub fn samples(&self, column: &str) -> Result<Vec<Sample>, SeriesError> {
        self.readings(column, self.digits(column)?)
    }

    /// 1 where a column has this text, 0 where it has another one.
    ///
    /// # Errors
    /// [`SeriesError`], with the line where there is one.
    pub fn states(&self, column: &str, text: &str) -> Result<Vec<Sample>, SeriesError> {
        let texts = self.table.texts(column, &self.rows)?;
        let digits = texts.into_iter().map(|found| {
            let is_text = i64::from(found == text);
            (!found.is_empty()).then(|| Decimal::new(is_text, 0))
        });
        self.readings(column, digits.collect())
    }

    fn readings(
        &self,
        column: &str,
        digits: Vec<Option<Decimal>>,
    ) -> Result<Vec<Sample>, SeriesError> {
        let (mut samples, mut last) = (Vec::new(), None);
        for (at, digits) in digits.into_iter().enumerate() {
            let Some(digits) = digits else { continue };
            let t_us = self.t_us[at];
            if let Some((before, before_us)) = last
                && before_us == t_us
            {
                return Err(SeriesError::Repeated {
                    line: self.table.line(self.rows[at]),
                    before: self.table.line(self.rows[before]),
                    column: column.to_owned(),
                });
            }
            last = Some((at, t_us));
            let value = Value::Digits(digits);
            samples.push(Sample { t_us, value });
        }
        if samples.is_empty() {
            return Err(SeriesError::NoReading {
                column: column.to_owned(),
                rows: self.rows.len(),
            });
        }
        Ok(samples)
    }
}
