//! The columns that a kind of statistics needs, from a CSV file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use heng_quantities::Text;

use crate::analyse::map::{FileFormat, Separator};
use crate::analyse::table::Table;
use crate::cli::{Exit, Failure};

/// Which rows of which file.
#[derive(Args, Debug)]
pub struct Data {
    /// The data, with a line of names at the top
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// What stands between the cells
    #[arg(long, value_enum, default_value_t = Between::Comma)]
    separator: Between,
    /// Only the rows in which the column has this text; may be given several times
    #[arg(long = "where", value_name = "COLUMN=TEXT")]
    only: Vec<String>,
    /// Leave out the rows in which a needed cell is empty, and say how many
    #[arg(long)]
    skip_missing: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Between {
    Comma,
    Semicolon,
    Tab,
}

/// The rows that were asked for.
pub struct Rows {
    name: String,
    table: Table,
    kept: Vec<usize>,
    /// Rows that were left out for an empty cell.
    missing: usize,
}

impl Data {
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the file and keeps the rows in which all of `needed` have a text.
    pub fn rows(&self, needed: &[&str]) -> Result<Rows, Failure> {
        let name = self.file.display().to_string();
        let refuse = |reason: &dyn std::fmt::Display| {
            Failure::new(Exit::Input, &format!("{name}: {reason}"))
        };
        let bytes = std::fs::read(&self.file)
            .map_err(|error| Failure::new(Exit::Input, &format!("cannot read {name}: {error}")))?;
        let format = FileFormat {
            separator: match self.separator {
                Between::Comma => Separator::Comma,
                Between::Semicolon => Separator::Semicolon,
                Between::Tab => Separator::Tab,
            },
            ..FileFormat::default()
        };
        let table = Table::read(&bytes, &format).map_err(|error| refuse(&error))?;
        let mut filter = BTreeMap::new();
        for condition in &self.only {
            let Some((column, wanted)) = condition.split_once('=') else {
                let message = format!("--where {condition}: write COLUMN=TEXT");
                return Err(Failure::new(Exit::Usage, &message));
            };
            filter.insert(column.to_owned(), wanted.to_owned());
        }
        let mut kept = table.matching(&filter).map_err(|error| refuse(&error))?;
        let matching = kept.len();
        for column in needed {
            let texts = table.texts(column, &kept).map_err(|error| refuse(&error))?;
            let filled: Vec<bool> = texts.iter().map(|text| !text.trim().is_empty()).collect();
            let first = filled.iter().position(|filled| !filled);
            if let Some(at) = first.filter(|_| !self.skip_missing) {
                return Err(refuse(&format!(
                    "line {}, column {column:?}: the cell is empty; fill it, or leave such rows \
                     out with --skip-missing",
                    table.line(kept[at])
                )));
            }
            let mut filled = filled.into_iter();
            kept.retain(|_| filled.next().unwrap_or_default());
        }
        if kept.is_empty() {
            return Err(refuse(
                &"no row is left; look at --where and at empty cells",
            ));
        }
        let missing = matching - kept.len();
        Ok(Rows {
            name,
            table,
            kept,
            missing,
        })
    }
}

impl Rows {
    /// Numbers of a column, with a decimal point.
    pub fn numbers(&self, column: &str) -> Result<Vec<f64>, Failure> {
        let numbers = self.labels(column)?.into_iter().zip(&self.kept);
        numbers
            .map(|(text, &row)| {
                let number = text.parse::<f64>().ok();
                number.filter(|number| number.is_finite()).ok_or_else(|| {
                    let message = format!(
                        "{}: line {}, column {column:?}: {text:?} is no number; write digits \
                         with a decimal point",
                        self.name,
                        self.table.line(row)
                    );
                    Failure::new(Exit::Input, &message)
                })
            })
            .collect()
    }

    /// Texts of a column.
    pub fn labels(&self, column: &str) -> Result<Vec<&str>, Failure> {
        let texts = self.table.texts(column, &self.kept);
        let texts = texts.map_err(|error| self.refuse(&error))?;
        Ok(texts.into_iter().map(str::trim).collect())
    }

    /// Texts of a column that name each row once.
    pub fn names(&self, column: &str) -> Result<Vec<&str>, Failure> {
        let names = self.labels(column)?;
        for (at, name) in names.iter().enumerate() {
            if let Some(before) = names[..at].iter().position(|known| known == name) {
                let [first, second] = [before, at].map(|at| self.table.line(self.kept[at]));
                return Err(self.refuse(&format!(
                    "{name:?} stands in lines {first} and {second} of column {column:?}: choose \
                     rows with --where, or name each result differently"
                )));
            }
        }
        Ok(names)
    }

    /// An error of a computation on these rows.
    pub fn refuse(&self, reason: &dyn std::fmt::Display) -> Failure {
        Failure::new(Exit::Input, &format!("{}: {reason}", self.name))
    }

    /// How many rows were left out, where any were.
    pub fn remarks(&self) -> Vec<Text> {
        if self.missing == 0 {
            return Vec::new();
        }
        vec![Text::new(
            &format!("{} rows with an empty cell were left out", self.missing),
            &format!("{} 行因有空单元格而未采用", self.missing),
        )]
    }
}

/// The values of each label, in the order of their first appearance.
pub fn grouped<'a>(labels: &[&'a str], values: &[f64]) -> Vec<(&'a str, Vec<f64>)> {
    let mut groups: Vec<(&str, Vec<f64>)> = Vec::new();
    for (&label, &value) in labels.iter().zip(values) {
        match groups.iter_mut().find(|(known, _)| *known == label) {
            Some((_, members)) => members.push(value),
            None => groups.push((label, vec![value])),
        }
    }
    groups
}
