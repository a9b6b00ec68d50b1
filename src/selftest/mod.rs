//! Published reference cases, run against the engine: how a laboratory validates the program
//! before it uses it (ISO/IEC 17025:2017, 7.11.2), with its own cases beside the shipped.
//!
//! This module reads cases, asks the crates for numbers and compares. It computes nothing
//! that the program reports elsewhere.

mod case;
mod complex;
mod data;
mod engine;
mod field;
mod fits;
mod judge;
mod limits;
mod machine;
mod measurement;
mod nonlinear;
mod paper;
mod problem;
mod report;
mod science;
mod series;
mod translate;
mod variance;

use case::{Case, CaseFile};
pub use field::Fault;
use heng_records::sha256_hex;
use judge::{Line, Verdict};
pub use paper::validation;
pub use report::{json, text};
use std::ops::Range;

/// Seed of every Monte Carlo run of a self-test: two runs give the same bits.
pub const SEED: u64 = 20_261_123;

/// The cases in the program, by file name.
pub const SHIPPED: &[(&str, &str)] = &[
    (
        "uncertainty.json",
        include_str!("../../fixtures/oracles/uncertainty.json"),
    ),
    (
        "science.json",
        include_str!("../../fixtures/oracles/science.json"),
    ),
];

/// What was compared, in the order of the files.
#[derive(Debug, Default)]
pub struct Report {
    /// Names of the files and SHA-256 of their texts.
    files: Vec<(String, String)>,
    cases: Vec<CaseNote>,
    lines: Vec<Line>,
}

/// A case that was run.
#[derive(Debug)]
struct CaseNote {
    id: String,
    topic: String,
    source: String,
    /// Its lines of the report.
    lines: Range<usize>,
}

impl Report {
    fn count(&self, verdict: Verdict) -> usize {
        self.lines
            .iter()
            .filter(|line| line.verdict == verdict)
            .count()
    }

    pub fn failed(&self) -> bool {
        self.count(Verdict::Fail) > 0
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// Runs the cases of `files` (names and texts) whose ids begin with `only`. All files are
/// read before the first case runs.
pub fn run(files: &[(&str, &str)], only: &str) -> Result<Report, Fault> {
    let digest = |(name, text): &(&str, &str)| ((*name).to_owned(), sha256_hex(text.as_bytes()));
    let mut report = Report {
        files: files.iter().map(digest).collect(),
        ..Report::default()
    };
    let files = files
        .iter()
        .map(|(name, text)| CaseFile::parse(name, text))
        .collect::<Result<Vec<_>, _>>()?;
    let mut cases = Vec::new();
    for file in &files {
        cases.extend(file.cases()?);
    }
    for case in cases.iter().filter(|case| case.id().starts_with(only)) {
        let from = report.lines.len();
        report.lines.extend(match case {
            Case::Engine(case) => engine::run(case)?,
            Case::Science(case) => science::run(case)?,
        });
        report.cases.push(CaseNote {
            id: case.id().to_owned(),
            topic: case.topic(),
            source: case.source(),
            lines: from..report.lines.len(),
        });
    }
    Ok(report)
}
