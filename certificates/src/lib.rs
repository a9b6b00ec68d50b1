//! Calibration certificates: one document model, and the papers that follow from it.
//!
//! A [`Certificate`] holds results that are already rounded and worded. From it come the
//! Digital Calibration Certificate ([`to_dcc`], PTB schema 3.3.0), the PDF ([`to_pdf`],
//! PDF/A-3a and PDF/UA-1 with the DCC attached), the CSV ([`to_csv`]) and the budget for
//! reading in a terminal ([`budget_text`]). All are byte-stable: the same certificate gives
//! the same bytes. [`check`] names every field that ISO/IEC 17025:2017 asks for and that is
//! missing; a certificate with findings is not written.
//!
//! Nothing here signs: a certificate carries the flag [`Certificate::demonstration`] until
//! it is signed outside of this crate.

mod budget;
mod check;
mod csv;
mod dcc;
mod diagram;
mod document;
mod fields;
mod number;
mod pdf;
mod plot;
mod trend;
mod validation;
mod wording;

pub use budget::budget_text;
pub use check::{Missing, check};
pub use csv::to_csv;
pub use dcc::to_dcc;
pub use diagram::{Diagram, Layer, Mark, Style, diagram_svg};
pub use document::{
    BudgetLine, BudgetTable, Cells, Certificate, Column, ConformityStatement, Expanded,
    FormulaNote, Influence, Item, Method, Party, Person, Plot, PlotPoint, Program, RecordRef,
    Series, Standard, Table,
};
pub use fields::{Block, FIELDS, Field, Reading};
pub use pdf::to_pdf;
pub use plot::plot_svg;
pub use trend::{TrendPanel, TrendPlot, trend_svg};
pub use validation::{
    CaseFileNote, Outcome, ValidatedCase, ValidatedNumber, Validation, validation_pdf,
};
pub use wording::{standing_statements, verdict_text};

/// Why a certificate cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate cannot be issued:\n{}", list(.0))]
    Incomplete(Vec<Missing>),
    #[error(
        "the fonts have no glyph for {character:?} (U+{code:04X}) in field {field}: write it with other characters",
        code = u32::from(*.character)
    )]
    Glyph { field: String, character: char },
    #[error("plot {title:?} cannot be drawn: {reason}")]
    Plot { title: String, reason: String },
    #[error("the XML of the certificate cannot be written: {0}")]
    Xml(#[from] std::io::Error),
    #[error("the PDF cannot be composed: {0}")]
    Typesetting(String),
    #[error("the certificate cannot be handed to the typesetter: {0}")]
    Json(#[from] serde_json::Error),
}

fn list(missing: &[Missing]) -> String {
    let lines: Vec<String> = missing.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
