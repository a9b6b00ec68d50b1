//! Published tables: data with source and version, looked up and never interpolated.
//!
//! Each is one TOML file in `tables/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use heng_quantities::{Text, Unit};
use serde::{Deserialize, Serialize};

/// A table by nominal value and class, as its file states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Under which it is looked for; unique among the tables of the program.
    pub name: String,
    /// Raised with every change of the file that changes a value.
    pub version: u32,
    /// What it holds, for certificates.
    pub title: Text,
    /// Where the table was published.
    pub source: String,
    /// What else a user must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// Unit of the nominal values.
    pub nominal_unit: Unit,
    /// Unit of the values.
    pub value_unit: Unit,
    /// Heads of the columns, in the order of the source.
    pub classes: Vec<String>,
    /// By rising nominal value.
    #[serde(rename = "row")]
    pub rows: Vec<TableRow>,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRow {
    /// In the unit of nominal values.
    pub nominal: f64,
    /// By class, in the unit of the values; classes without a value are left out.
    pub values: BTreeMap<String, f64>,
}

/// Why a table gives no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TableError {
    /// A class that the table does not have.
    #[error("the table {table} has no class {class:?}; it has {known}")]
    UnknownClass {
        /// Name of the table.
        table: String,
        /// The class that was asked for.
        class: String,
        /// Classes of the table.
        known: String,
    },
    /// A nominal value that the table does not have. Values between rows are not
    /// interpolated.
    #[error(
        "the table {table} has no row for {nominal} {unit}; its nearest are {neighbours}: take one \
         of them, or state the limit yourself"
    )]
    NotInTable {
        /// Name of the table.
        table: String,
        /// The nominal value that was asked for.
        nominal: f64,
        /// Unit of the nominal values.
        unit: Unit,
        /// The rows below and above.
        neighbours: String,
    },
    /// A row that has no value in this class.
    #[error("the table {table} has no value of class {class} for {nominal} {unit}; it has {known}")]
    NoValue {
        /// Name of the table.
        table: String,
        /// The class that was asked for.
        class: String,
        /// The nominal value that was asked for.
        nominal: f64,
        /// Unit of the nominal values.
        unit: Unit,
        /// Classes that have a value there.
        known: String,
    },
}

/// File names and texts of the tables in the program.
const SHIPPED: &[(&str, &str)] = &[(
    "oiml_r111_mpe.toml",
    include_str!("../tables/oiml_r111_mpe.toml"),
)];

/// A nominal value is that of a row where they differ by no more than this part of it: unit
/// conversions round, and no two rows are so near.
const SAME: f64 = 1e-9;

impl Table {
    /// The tables that come with the program, in alphabetical order of their names.
    ///
    /// # Panics
    /// Where a shipped file is wrong; a test of this crate holds that it is not.
    pub fn shipped() -> &'static [Self] {
        static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
            let read = SHIPPED.iter().map(|(file, text)| match Table::parse(text) {
                Ok(table) => table,
                Err(problem) => panic!("shipped table {file}: {problem}"),
            });
            read.collect()
        });
        &TABLES
    }

    /// The shipped table of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::shipped().iter().find(|table| table.name == name)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        match table.contradiction() {
            Some(problem) => Err(problem),
            None => Ok(table),
        }
    }

    fn contradiction(&self) -> Option<String> {
        let rising = |pair: &[TableRow]| pair[0].nominal < pair[1].nominal;
        if self.rows.is_empty() || !self.rows.windows(2).all(rising) {
            return Some("rows must stand by rising nominal value".to_owned());
        }
        for row in &self.rows {
            for (class, value) in &row.values {
                if !self.classes.contains(class) || !value.is_finite() {
                    let nominal = row.nominal;
                    return Some(format!("row {nominal}: {class:?} = {value} is no entry"));
                }
            }
        }
        None
    }

    /// The value for a nominal value, in the units of the table.
    ///
    /// # Errors
    /// [`TableError`]: nothing is interpolated or taken from a neighbour.
    pub fn value(&self, nominal: f64, class: &str) -> Result<f64, TableError> {
        let table = || self.name.clone();
        if self.classes.iter().all(|known| known != class) {
            return Err(TableError::UnknownClass {
                table: table(),
                class: class.to_owned(),
                known: self.classes.join(", "),
            });
        }
        let same = |row: &&TableRow| (row.nominal - nominal).abs() <= SAME * row.nominal.abs();
        let Some(row) = self.rows.iter().find(same) else {
            return Err(TableError::NotInTable {
                table: table(),
                nominal,
                unit: self.nominal_unit,
                neighbours: self.neighbours(nominal),
            });
        };
        row.values
            .get(class)
            .copied()
            .ok_or_else(|| TableError::NoValue {
                table: table(),
                class: class.to_owned(),
                nominal,
                unit: self.nominal_unit,
                known: self.classes_of(row),
            })
    }

    /// Classes that have a value in the row, in the order of the table.
    fn classes_of(&self, row: &TableRow) -> String {
        let classes = self.classes.iter();
        let known: Vec<_> = classes
            .filter(|class| row.values.contains_key(*class))
            .cloned()
            .collect();
        known.join(", ")
    }

    /// The rows on either side of a nominal value that is in none, with their unit.
    fn neighbours(&self, nominal: f64) -> String {
        let below = self.rows.iter().rev().find(|row| row.nominal < nominal);
        let above = self.rows.iter().find(|row| row.nominal > nominal);
        let near: Vec<_> = [below, above]
            .into_iter()
            .flatten()
            .map(|row| format!("{} {}", row.nominal, self.nominal_unit))
            .collect();
        // No row is on either side of what is no number.
        if near.is_empty() {
            let nominals: Vec<_> = self
                .rows
                .iter()
                .map(|row| row.nominal.to_string())
                .collect();
            return format!("{} {}", nominals.join(", "), self.nominal_unit);
        }
        near.join(" and ")
    }
}
