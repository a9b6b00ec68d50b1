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
mod judge;
mod limits;
mod measurement;
mod problem;
mod report;
mod science;
mod series;
mod translate;

use case::{Case, CaseFile};
pub use field::Fault;
use judge::{Line, Verdict};
pub use report::{json, text};

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
    lines: Vec<Line>,
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
    let files = files
        .iter()
        .map(|(name, text)| CaseFile::parse(name, text))
        .collect::<Result<Vec<_>, _>>()?;
    let mut cases = Vec::new();
    for file in &files {
        cases.extend(file.cases()?);
    }
    let mut lines = Vec::new();
    for case in cases.iter().filter(|case| case.id().starts_with(only)) {
        lines.extend(match case {
            Case::Engine(case) => engine::run(case)?,
            Case::Science(case) => science::run(case)?,
        });
    }
    Ok(Report { lines })
}
