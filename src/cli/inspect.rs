//! Commands that only read: replay, verify, lint.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use heng_procedures::Procedure;
use heng_records::{Entry, Reader, Verdict, verify as verify_record};

use super::{Exit, Failure, Show, print, read_text, replay_screen};
use crate::plain::Plain;
use crate::session::replay::{self as replaying, Finding, Report};
use crate::session::trace::Trail;
use crate::session::whatif::{Change, caution, what_if};

#[derive(Args)]
pub struct Replay {
    /// The record of a session
    pub record: PathBuf,
    /// Compute everything again and compare: one verdict line, then the reasons
    #[arg(long, conflicts_with_all = ["plain", "from", "speed"])]
    pub verify: bool,
    /// The way from this line of the certificate, from 1, down to the bytes of every reading
    #[arg(long, value_name = "N", conflicts_with_all = ["verify", "plain", "from", "speed"])]
    pub line: Option<usize>,
    /// The way from this entry, from 0, up to the lines of the certificate that it served
    #[arg(long, value_name = "N", conflicts_with_all = ["verify", "plain", "from", "speed", "line"])]
    pub entry: Option<u64>,
    /// Number of the entry to begin with, from 0
    #[arg(long, value_name = "ENTRY", default_value_t = 0)]
    pub from: u64,
    /// How many times faster than the session went; without it nothing waits
    #[arg(long, value_name = "N", value_parser = speed)]
    pub speed: Option<f64>,
    /// Results with another order or certificate of a standard: name of the text in the record,
    /// and the file to take instead; may be given again
    #[arg(long = "what-if", value_name = "TEXT=FILE", value_parser = replacement,
          conflicts_with_all = ["verify", "plain", "from", "speed", "line", "entry"])]
    pub what_if: Vec<(String, PathBuf)>,
    /// Results without the reading whose scan is this entry; may be given again
    #[arg(long, value_name = "ENTRY",
          conflicts_with_all = ["verify", "plain", "from", "speed", "line", "entry"])]
    pub without: Vec<u64>,
    #[command(flatten)]
    pub show: Show,
}

fn replacement(text: &str) -> Result<(String, PathBuf), String> {
    text.split_once('=')
        .filter(|(name, file)| !name.is_empty() && !file.is_empty())
        .map(|(name, file)| (name.to_owned(), PathBuf::from(file)))
        .ok_or_else(|| "write TEXT=FILE".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number: &f64| number.is_finite() && *number > 0.0)
        .ok_or_else(|| format!("{text:?} is no number above 0"))
}

#[derive(Args)]
pub struct Verify {
    /// The record of a session
    record: PathBuf,
    /// A further copy of its checkpoints, kept elsewhere
    #[arg(long, value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
}

#[derive(Args)]
pub struct Lint {
    /// The procedure file
    procedure: PathBuf,
}

pub fn replay(arguments: &Replay) -> Result<Exit, Failure> {
    if arguments.verify {
        let report = replaying::replay(&arguments.record);
        return told(&report.map_err(|error| Failure::new(Exit::Input, &error))?);
    }
    if arguments.line.is_some() || arguments.entry.is_some() {
        return way(arguments);
    }
    if !arguments.what_if.is_empty() || !arguments.without.is_empty() {
        return otherwise(arguments);
    }
    if arguments.show.plain {
        return plain(arguments);
    }
    replay_screen::screen(arguments)
}

pub fn read(record: &Path) -> Result<Reader, Failure> {
    Reader::open(record).map_err(|error| Failure::new(Exit::Input, &error))
}

/// Place of the entry to begin with.
pub fn first_entry(reader: &Reader, from: u64) -> Result<usize, Failure> {
    let count = reader.entries.len();
    let place = usize::try_from(from).ok().filter(|&place| place < count);
    // A record that was torn in its first entry has none, and is shown with its verdict.
    place.or((from == 0).then_some(0)).ok_or_else(|| {
        let message = format!("there is no entry {from}: the record has {count}, numbered from 0");
        Failure::new(Exit::Usage, &message)
    })
}

/// One line an entry, then the verdict.
fn plain(arguments: &Replay) -> Result<Exit, Failure> {
    let reader = read(&arguments.record)?;
    first_entry(&reader, arguments.from)?;
    match lines(&reader.entries, arguments, io::stdout().lock()) {
        // A closed pipe is the reader's choice.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let message = format!("cannot write the lines: {error}");
            return Err(Failure::new(Exit::Write, &message));
        }
        _ => {}
    }
    told(&replaying::judge(&reader))
}

fn lines(entries: &[Entry], arguments: &Replay, out: impl Write) -> io::Result<()> {
    let mut plain = Plain::new(arguments.show.lang.into(), out);
    let mut before_us = None;
    for entry in entries {
        if entry.seq < arguments.from {
            plain.pass(entry);
            continue;
        }
        if let (Some(speed), Some(before_us)) = (arguments.speed, before_us) {
            let passed = Duration::from_micros(entry.t_us.saturating_sub(before_us));
            let paced = Duration::try_from_secs_f64(passed.as_secs_f64() / speed);
            std::thread::sleep(paced.unwrap_or(Duration::MAX));
        }
        before_us = Some(entry.t_us);
        plain.line(entry)?;
    }
    Ok(())
}

/// The way down from a line, or up from an entry, then the verdict.
fn way(arguments: &Replay) -> Result<Exit, Failure> {
    let reader = read(&arguments.record)?;
    let trail = Trail::of(&reader.entries);
    let steps = match (arguments.line, arguments.entry) {
        (Some(number), _) => {
            let lines = trail.lines();
            let line = lines.iter().find(|line| line.number == number);
            trail.down(line.ok_or_else(|| no_line(number, lines.len()))?)
        }
        (None, entry) => trail.up(entry.unwrap_or_default()),
    };
    let language = arguments.show.lang.into();
    let lines: Vec<_> = steps.iter().flat_map(|step| step.lines(language)).collect();
    print(&(lines.join("\n") + "\n"))?;
    told(&replaying::judge(&reader))
}

fn no_line(number: usize, count: usize) -> Failure {
    let message = match count {
        0 => "the record holds no certificate, so there is no way from a line of it".to_owned(),
        _ => {
            format!("the certificate has {count} lines, numbered from 1: there is no line {number}")
        }
    };
    Failure::new(Exit::Usage, &message)
}

/// The results with these changes beside the recorded ones, then the verdict on the record.
fn otherwise(arguments: &Replay) -> Result<Exit, Failure> {
    let reader = read(&arguments.record)?;
    let mut changes = Vec::new();
    for (name, file) in &arguments.what_if {
        let (name, text) = (name.clone(), read_text(file)?);
        changes.push(Change::Text { name, text });
    }
    let without = arguments.without.iter();
    changes.extend(without.map(|&entry| Change::Without { entry }));
    let results =
        what_if(&reader.entries, &changes).map_err(|error| Failure::new(Exit::Input, &error))?;
    let language = arguments.show.lang.into();
    let lines = results.iter().map(|result| result.line(language));
    let lines: Vec<_> = std::iter::once(caution(language)).chain(lines).collect();
    print(&(lines.join("\n") + "\n"))?;
    told(&replaying::judge(&reader))
}

pub fn told(report: &Report) -> Result<Exit, Failure> {
    print(&(report_lines(report).join("\n") + "\n"))?;
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
    let found = verify_record(&arguments.record, &arguments.checkpoints)
        .map_err(|error| Failure::new(Exit::Input, &error))?;
    print(&found.to_string())?;
    Ok(match found.verdict {
        Verdict::Good => Exit::Done,
        Verdict::Altered => Exit::Altered,
        Verdict::Incomplete => Exit::Incomplete,
    })
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
