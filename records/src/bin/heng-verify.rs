//! `heng-verify`: the verdict on records from their files alone. It opens no port, writes
//! nothing, and needs nothing but this crate; `FORMAT.md` says what it checks.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use heng_records::{Verdict, verify};

const USAGE: &str = "\
heng-verify: checks chain, seal, checkpoints, texts and artefacts of session records

usage: heng-verify [--checkpoints FILE]... RECORD...

  --checkpoints FILE  a further copy of the record's checkpoints, kept elsewhere
  --help, --version

The checkpoints and artefacts beside each record are looked at by themselves.
One verdict line for each record, then the reasons. Exit code of the worst:
0 good, 1 altered, 2 incomplete but honest, 3 cannot be read, 64 wrong arguments.
";

const CANNOT_READ: u8 = 3;
const WRONG_ARGUMENTS: u8 = 64;

struct Arguments {
    records: Vec<PathBuf>,
    checkpoints: Vec<PathBuf>,
}

enum Asked {
    Verify(Arguments),
    Print(&'static str),
    Wrong(String),
}

fn asked(arguments: impl Iterator<Item = OsString>) -> Asked {
    let mut found = Arguments {
        records: Vec::new(),
        checkpoints: Vec::new(),
    };
    let mut arguments = arguments;
    let mut options = true;
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--help" | "-h") if options => return Asked::Print(USAGE),
            Some("--version") if options => {
                return Asked::Print(concat!("heng-verify ", env!("CARGO_PKG_VERSION"), "\n"));
            }
            Some("--checkpoints") if options => match arguments.next() {
                Some(file) => found.checkpoints.push(file.into()),
                None => return Asked::Wrong("--checkpoints needs a file".to_owned()),
            },
            Some("--") if options => options = false,
            Some(other) if options && other.starts_with('-') => {
                return Asked::Wrong(format!("there is no option {other}"));
            }
            _ => found.records.push(argument.into()),
        }
    }
    match found.records.len() {
        0 => Asked::Wrong("name a record".to_owned()),
        1 => Asked::Verify(found),
        _ if found.checkpoints.is_empty() => Asked::Verify(found),
        _ => Asked::Wrong("--checkpoints belongs to one record".to_owned()),
    }
}

fn main() -> ExitCode {
    let (text, code) = match asked(std::env::args_os().skip(1)) {
        Asked::Verify(arguments) => run(&arguments),
        Asked::Print(text) => (text.to_owned(), 0),
        Asked::Wrong(cause) => {
            let _ = writeln!(io::stderr(), "heng-verify: {cause}\n\n{USAGE}");
            (String::new(), WRONG_ARGUMENTS)
        }
    };
    // A closed pipe is the reader's choice; the exit code still tells.
    let _ = io::stdout().write_all(text.as_bytes());
    code.into()
}

fn run(arguments: &Arguments) -> (String, u8) {
    let mut text = String::new();
    let mut worst = 0;
    for record in &arguments.records {
        let (lines, code) = match verify(record, &arguments.checkpoints) {
            Ok(found) => (found.to_string(), found.verdict.exit_code()),
            Err(error) => (format!("cannot read: {error}\n"), CANNOT_READ),
        };
        if arguments.records.len() > 1 {
            text.extend([record.display().to_string().as_str(), ": "]);
        }
        text += &lines;
        worst = worse(worst, code);
    }
    (text, worst)
}

/// Altered is worse than unreadable, which is worse than incomplete.
fn worse(one: u8, other: u8) -> u8 {
    let altered = Verdict::Altered.exit_code();
    if one == altered || other == altered {
        altered
    } else {
        one.max(other)
    }
}
