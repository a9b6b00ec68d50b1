//! `heng export`: the results of a laboratory as a table for other programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::index::{tables_of, write_out};
use super::{Exit, Failure, csv, print};
use crate::analyse::extract::to_parquet;
use crate::lab::survey::readings;
use crate::lab::tables::{Column, Kind, RecordRow, Row, SCHEMA, Tables};

#[derive(Args)]
pub struct Extract {
    /// The folder of the laboratory
    folder: PathBuf,
    /// CSV, or Parquet, which keeps the kinds of the columns
    #[arg(long, value_enum)]
    format: Format,
    /// What one row is
    #[arg(long, value_enum, default_value_t = Which::Results)]
    table: Which,
    /// File to write; without it CSV goes to the standard output
    #[arg(long, required_if_eq("format", "parquet"))]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Parquet,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// One result, with its record, certificate and item
    Results,
    /// One file that is, or should be, a record
    Records,
    /// One checkpoint of a record
    Checkpoints,
    /// One reading that a result rests on; reads the records again
    Readings,
}

pub fn export(arguments: &Extract) -> Result<Exit, Failure> {
    let tables = tables_of(&arguments.folder)?;
    let (columns, rows) = match arguments.table {
        Which::Results => results(&tables),
        Which::Records => plain(&tables.records),
        Which::Checkpoints => plain(&tables.checkpoints),
        Which::Readings => plain(
            &readings(&arguments.folder, &tables.records)
                .map_err(|error| Failure::new(Exit::Input, &error))?,
        ),
    }
    .map_err(|error| Failure::new(Exit::Write, &error))?;
    let bytes = match arguments.format {
        Format::Csv => to_csv(&columns, &rows).into_bytes(),
        Format::Parquet => {
            to_parquet(&columns, &rows).map_err(|error| Failure::new(Exit::Write, &error))?
        }
    };
    match &arguments.out {
        Some(path) => write_out(&arguments.folder, path, &bytes),
        None => print(&String::from_utf8_lossy(&bytes)),
    }
}

/// Columns and rows of a table.
type Sheet = (Vec<Column>, Vec<Vec<Value>>);

/// The first column of every extract.
const VERSION: Column = Column {
    name: "schema_version",
    kind: Kind::Count,
};

/// Columns of a record that stand in front of those of its results.
const OF_RECORD: [&str; 15] = [
    "verdict",
    "session",
    "clock",
    "operator",
    "procedure",
    "procedure_version",
    "certificate",
    "issued",
    "demonstration",
    "item",
    "manufacturer",
    "model",
    "serial",
    "standards",
    "conditions",
];

fn plain<R: Row>(rows: &[R]) -> Result<Sheet, serde_json::Error> {
    let columns = std::iter::once(&VERSION).chain(R::COLUMNS).copied();
    let rows = rows.iter().map(|row| {
        let mut cells = vec![Value::from(SCHEMA)];
        cells.extend(row.cells()?);
        Ok(cells)
    });
    Ok((columns.collect(), rows.collect::<Result<_, _>>()?))
}

fn results(tables: &Tables) -> Result<Sheet, serde_json::Error> {
    let taken: Vec<usize> = RecordRow::COLUMNS
        .iter()
        .enumerate()
        .filter(|(_, column)| OF_RECORD.contains(&column.name))
        .map(|(at, _)| at)
        .collect();
    let mut records = BTreeMap::new();
    for record in &tables.records {
        let cells = record.cells()?;
        let own: Vec<_> = taken.iter().map(|&at| cells[at].clone()).collect();
        records.insert(&record.path, own);
    }
    let (columns, mut rows) = plain(&tables.results)?;
    let mut all = vec![VERSION];
    all.extend(taken.iter().map(|&at| RecordRow::COLUMNS[at]));
    all.extend(&columns[1..]);
    for (row, result) in rows.iter_mut().zip(&tables.results) {
        let own = records.get(&result.path).cloned();
        let own = own.unwrap_or_else(|| vec![Value::Null; taken.len()]);
        row.splice(1..1, own);
    }
    Ok((all, rows))
}

fn to_csv(columns: &[Column], rows: &[Vec<Value>]) -> String {
    let mut text = csv::line(columns.iter().map(|column| column.name.to_owned()));
    for row in rows {
        let cells = columns.iter().zip(row);
        text += &csv::line(cells.map(|(column, cell)| match cell {
            Value::Null => String::new(),
            Value::String(words) if column.kind == Kind::Text => csv::inert(words),
            Value::String(digits) => digits.clone(),
            other => other.to_string(),
        }));
    }
    text
}
