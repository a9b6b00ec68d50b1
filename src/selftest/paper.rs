//! The validation report of a self-test, for the laboratory's files.

use heng_certificates::{
    CaseFileNote, Outcome, Program, ValidatedCase, ValidatedNumber, Validation,
};

use super::judge::{Line, Verdict};
use super::report::{figure, short};
use super::{Report, SEED, machine};

/// What the report of a validation states. The program's own file is read to identify it.
pub fn validation(report: &Report, begun: &str) -> std::io::Result<Validation> {
    let files = report.files.iter();
    Ok(Validation {
        program: Program {
            name: "heng".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        program_sha256: machine::program_sha256()?,
        machine: machine::description(),
        begun: begun.to_owned(),
        seed: SEED,
        files: files
            .map(|(name, sha256)| CaseFileNote {
                name: name.clone(),
                sha256: sha256.clone(),
            })
            .collect(),
        cases: report
            .cases
            .iter()
            .map(|case| ValidatedCase {
                id: case.id.clone(),
                topic: case.topic.clone(),
                source: case.source.clone(),
                numbers: report.lines[case.lines.clone()]
                    .iter()
                    .map(number)
                    .collect(),
            })
            .collect(),
    })
}

fn number(line: &Line) -> ValidatedNumber {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    ValidatedNumber {
        what: line.what.clone(),
        expected: figure(&line.expected),
        got: or_dash(line.got.as_ref().map(figure)),
        tolerance: or_dash(line.tolerance.map(|tolerance| short(tolerance, 2))),
        outcome: match line.verdict {
            Verdict::Pass => Outcome::Pass,
            Verdict::Fail => Outcome::Fail,
            Verdict::Skip => Outcome::Skip,
        },
        remark: line.remark.clone(),
    }
}
