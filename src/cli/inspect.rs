//! Commands that only read: replay, verify, lint.

use std::path::PathBuf;

use clap::Args;
use heng_procedures::Procedure;
use heng_records::{Ending, verify as verify_chain};

use super::{Exit, Failure, read_text};
use crate::session::replay::{self as replaying, Finding, Report};

#[derive(Args)]
pub struct Replay {
    /// The record of a session
    record: PathBuf,
}

#[derive(Args)]
pub struct Verify {
    /// The record of a session
    record: PathBuf,
}

#[derive(Args)]
pub struct Lint {
    /// The procedure file
    procedure: PathBuf,
}

pub fn replay(arguments: &Replay) -> Result<Exit, Failure> {
    let report =
        replaying::replay(&arguments.record).map_err(|error| Failure::new(Exit::Input, &error))?;
    for line in report_lines(&report) {
        println!("{line}");
    }
    Ok(exit_of(&report.finding))
}

pub fn exit_of(finding: &Finding) -> Exit {
    match finding {
        Finding::Identical => Exit::Done,
        Finding::Incomplete => Exit::Incomplete,
        Finding::Broken(_) | Finding::Differs(_) => Exit::Altered,
    }
}

/// The verdict first, then the reasons.
pub fn report_lines(report: &Report) -> Vec<String> {
    let verdict = match &report.finding {
        Finding::Identical => {
            "identical: every derived value and every file follows from the recorded evidence"
                .to_owned()
        }
        Finding::Incomplete => {
            "incomplete: everything recorded is identical, but the session was not closed by a seal"
                .to_owned()
        }
        Finding::Broken(broken) => format!("altered: {broken}"),
        Finding::Differs(difference) => format!("differs: {difference}"),
    };
    let mut lines = vec![format!("verdict  {verdict}")];
    if !report.session.is_empty() {
        lines.push(format!("session  {}", report.session));
    }
    lines.push(format!(
        "entries  {} intact, head {}",
        report.entries, report.head
    ));
    lines.push(format!(
        "derived  {} values computed again and identical",
        report.identical
    ));
    for name in &report.artefacts {
        lines.push(format!("file     {name} made again, identical"));
    }
    for name in &report.not_compared {
        lines.push(format!(
            "file     {name} not compared: it was made by another version of the program"
        ));
    }
    lines
}

pub fn verify(arguments: &Verify) -> Result<Exit, Failure> {
    let found =
        verify_chain(&arguments.record).map_err(|error| Failure::new(Exit::Input, &error))?;
    let (verdict, exit) = match &found.ending {
        Ending::Sealed => (
            "good: the chain holds and the record is sealed".to_owned(),
            Exit::Done,
        ),
        Ending::Open => (
            "incomplete: the chain holds, but there is no seal".to_owned(),
            Exit::Incomplete,
        ),
        Ending::Broken(broken) => (format!("altered: {broken}"), Exit::Altered),
    };
    println!("verdict  {verdict}");
    println!("entries  {} intact, head {}", found.entries, found.head);
    Ok(exit)
}

pub fn lint(arguments: &Lint) -> Result<Exit, Failure> {
    let text = read_text(&arguments.procedure)?;
    let name = arguments.procedure.display().to_string();
    match Procedure::parse(&name, &text) {
        Ok(procedure) => {
            println!(
                "{name}: {} {} is well formed",
                procedure.id, procedure.version
            );
            Ok(Exit::Done)
        }
        Err(problems) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            Err(Failure::new(Exit::Input, &lines.join("\n")))
        }
    }
}
