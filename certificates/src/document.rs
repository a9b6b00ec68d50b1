//! The one model of a certificate. DCC, PDF, CSV and budget text are functions of it.

use heng_quantities::{Decimal, Text, Unit};
use serde::{Deserialize, Serialize};

/// Everything that a calibration certificate says, already rounded and worded.
///
/// Dates are `YYYY-MM-DD`. Hashes are SHA-256 in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    pub number: String,
    /// The program that computed the results and wrote this document.
    pub program: Program,
    /// Prints "no metrological traceability" on every page and in the DCC.
    pub demonstration: bool,
    pub title: Text,
    pub laboratory: Party,
    pub customer: Party,
    /// Where the work was done; the laboratory's or the customer's address, or another one.
    pub place: Text,
    pub item: Item,
    pub received: Option<String>,
    pub begun: String,
    pub ended: String,
    pub issued: String,
    /// ISO 3166-1 code of the laboratory's country, `CN`.
    pub country: String,
    pub methods: Vec<Method>,
    pub formulas: Vec<FormulaNote>,
    /// Text of the measurement model; empty where a method has none.
    pub model: String,
    pub standards: Vec<Standard>,
    pub environment: Vec<Influence>,
    pub tables: Vec<Table>,
    pub budgets: Vec<BudgetTable>,
    pub plots: Vec<Plot>,
    pub decision_rule: Option<Text>,
    pub conformity: Vec<ConformityStatement>,
    /// What this certificate says beyond the [standing statements](crate::standing_statements).
    pub statements: Vec<Text>,
    pub persons: Vec<Person>,
    /// Other programs and firmware that the results depend on.
    pub software: Vec<Program>,
    pub record: RecordRef,
}

/// A program and its version, `0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub name: String,
    pub version: String,
}

/// The laboratory or its customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    pub name: Text,
    pub address: Text,
    /// An e-mail address or a telephone number; may be empty.
    pub contact: String,
    /// The laboratory's accreditation number, or the number of the customer's order.
    pub code: Option<String>,
}

/// The calibrated instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub name: Text,
    pub manufacturer: String,
    pub model: String,
    pub serial: String,
    pub condition: Text,
}

/// A procedure that was followed, with the hash of its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    pub id: String,
    pub version: String,
    pub title: Text,
    pub norm: Vec<String>,
    pub sha256: String,
}

/// A formula that the model calls, with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormulaNote {
    pub name: String,
    pub version: u32,
    pub title: Text,
    pub source: String,
    /// Name of each argument with the range for which the source states the formula; none in
    /// certificates of records of format 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<String>,
    /// That it was used outside of them, why and by whom; none where it was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<Text>,
}

impl FormulaNote {
    /// Ranges, and what was forced, as one text; none where there is neither.
    pub(crate) fn range(&self) -> Option<Text> {
        let ranges = self.ranges.join("; ");
        let mut text = Text::same(&ranges);
        if !ranges.is_empty() {
            text = Text {
                en: format!("Range: {ranges}."),
                zh: format!("适用范围: {ranges}。"),
            };
        }
        for forced in &self.forced {
            let join = |text: &str, more: &str| format!("{text} {more}").trim_start().to_owned();
            text = Text {
                en: join(&text.en, &forced.en),
                zh: join(&text.zh, &forced.zh),
            };
        }
        (!text.en.is_empty()).then_some(text)
    }
}

/// A measurement standard and the certificate that makes it one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    pub role: Text,
    pub name: Text,
    pub model: String,
    pub serial: String,
    /// Number of its certificate.
    pub certificate: String,
    /// Who issued that certificate.
    pub issuer: Text,
    pub calibrated: String,
    pub valid_until: String,
    pub sha256: String,
    pub traceable: bool,
    /// The values used lie within the range and the dates of the certificate.
    pub in_validity: bool,
}

/// An influence quantity during the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Influence {
    pub name: Text,
    /// `basic_temperature`, `basic_humidityRelative`, ...
    pub ref_type: Option<String>,
    pub unit: Unit,
    pub min: Decimal,
    pub mean: Decimal,
    pub max: Decimal,
}

/// A table of results; all its columns are equally long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub id: String,
    pub title: Text,
    pub note: Option<Text>,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Unique in its table.
    pub key: String,
    pub name: Text,
    /// `basic_referenceValue`, `basic_measuredValue`, `basic_measurementError`, ...
    pub ref_type: Option<String>,
    pub cells: Cells,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cells {
    Text(Vec<Text>),
    Number {
        unit: Unit,
        values: Vec<Decimal>,
        uncertainty: Option<Vec<Expanded>>,
    },
    /// Verdicts (`pass`, `fail`, `conditional_pass`, `conditional_fail`) on the column `of`.
    Verdict {
        of: String,
        verdicts: Vec<String>,
    },
}

/// An expanded uncertainty in the unit of a difference of the values that it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expanded {
    pub value: Decimal,
    /// Coverage factor.
    pub k: f64,
    /// Coverage probability as a fraction, 0.95.
    pub coverage: f64,
    /// `normal`, `t`, `rectangular`, ...
    pub distribution: String,
    /// Effective degrees of freedom; none where they are infinite.
    pub dof: Option<f64>,
}

/// The uncertainty budget of one result, worded for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetTable {
    pub title: Text,
    /// Unit of the contributions.
    pub unit: Unit,
    pub rows: Vec<BudgetLine>,
    /// Summary lines under the table: combined and expanded uncertainty, coverage factor.
    pub result: Vec<Text>,
    /// GUM against Monte Carlo: name of the quantity, its value by each of the two.
    pub comparison: Option<Vec<[Text; 3]>>,
}

/// One input quantity of a budget. The numbers are texts: they are written once, by who
/// computed them, and are the same on screen, in the PDF and in the budget file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetLine {
    pub symbol: String,
    pub name: Text,
    pub value: String,
    pub unit: String,
    /// Standard uncertainty.
    pub u: String,
    pub distribution: Text,
    pub dof: String,
    pub sensitivity: String,
    /// Sensitivity coefficient times standard uncertainty.
    pub contribution: String,
    /// Part of the combined variance, in percent.
    pub share: String,
}

/// A diagram of errors with their expanded uncertainties.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    pub title: Text,
    pub x_label: Text,
    pub x_unit: Unit,
    pub y_label: Text,
    pub y_unit: Unit,
    pub series: Vec<Series>,
    pub limit_low: Option<f64>,
    pub limit_high: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub name: Text,
    pub points: Vec<PlotPoint>,
}

/// A point with the half-width `u` of its vertical bar, in the units of the axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlotPoint {
    pub x: f64,
    pub y: f64,
    pub u: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformityStatement {
    /// Which results, which specification (ISO/IEC 17025:2017, 7.8.6.2).
    pub text: Text,
    /// `pass`, `fail`, `conditional_pass` or `conditional_fail` (ILAC-G8:09/2019, 4.2).
    pub verdict: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub role: Text,
    pub name: String,
    /// Exactly one person authorises the certificate.
    pub main_signer: bool,
}

/// The session record from which all this was computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRef {
    /// File name without its folder.
    pub file: String,
    /// Number of entries up to and including the one whose hash is `head`.
    pub entries: u64,
    pub head: String,
}
