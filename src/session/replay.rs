//! Replay: the recorded evidence through the same engine, every derived value compared.
//!
//! Opens no port and writes nothing.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;

use heng_records::{Broken, Ending, Entry, Event, Opened, ReadError, Reader, TextUsed, sha256_hex};
use serde_json::Value;

use super::engine::Engine;
use super::evidence::Evidence;
use super::logger;
use crate::analyse::artefact;

/// What a replay found.
#[derive(Debug)]
pub struct Report {
    pub session: String,
    pub entries: u64,
    pub head: String,
    /// Derived values that were computed again and are identical.
    pub identical: usize,
    /// Artefacts that were made again and are identical, byte for byte.
    pub artefacts: Vec<String>,
    /// Artefacts whose bytes belong to another version of the program: a PDF's layout may
    /// change, the document and the DCC it shows may not.
    pub not_compared: Vec<String>,
    pub finding: Finding,
}

/// The verdict, and the first place where the record does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Sealed, and everything derived is identical.
    Identical,
    /// Everything up to the end is identical, but the session was not closed.
    Incomplete,
    /// The chain does not hold: bytes of the file were altered.
    Broken(Broken),
    /// The chain holds, but a value differs from what the evidence gives.
    Differs(Difference),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub entry: u64,
    pub cause: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.entry, self.cause)
    }
}

fn differs(entry: u64, cause: impl Into<String>) -> Difference {
    Difference {
        entry,
        cause: cause.into(),
    }
}

/// Replays the record at `path`.
///
/// # Errors
/// [`ReadError`] where the file is not a record that this program can read.
pub fn replay(path: &Path) -> Result<Report, ReadError> {
    Reader::open(path).map(|reader| judge(&reader))
}

/// Replays a record that was read.
pub fn judge(reader: &Reader) -> Report {
    let mut report = Report::of(&reader.entries);
    if let Ending::Broken(broken) = &reader.ending {
        report.finding = Finding::Broken(broken.clone());
        return report;
    }
    // A session that ended in the middle of its first entry has nothing to compare.
    if reader.entries.is_empty() {
        return report;
    }
    report.finding = match walk(&reader.entries, &mut report) {
        Err(difference) => Finding::Differs(difference),
        Ok(_) if reader.ending == Ending::Sealed => Finding::Identical,
        Ok(_) => Finding::Incomplete,
    };
    report
}

/// Where the walk through a record ended.
pub struct Walked {
    pub source: Source,
    /// Derived values that follow from the last evidence and do not stand in the record.
    pub due: VecDeque<Value>,
    pub document: Option<Value>,
}

impl Report {
    fn of(entries: &[Entry]) -> Self {
        Self {
            session: String::new(),
            entries: entries.len() as u64,
            head: entries
                .last()
                .map(|entry| entry.hash.clone())
                .unwrap_or_default(),
            identical: 0,
            artefacts: Vec::new(),
            not_compared: Vec::new(),
            finding: Finding::Incomplete,
        }
    }
}

/// Feeds the entries of a record that is not closed, and compares, as a replay does.
///
/// # Errors
/// [`Difference`] at the first entry that does not follow.
pub fn walk_open(entries: &[Entry]) -> Result<Walked, Difference> {
    walk(entries, &mut Report::of(entries))
}

/// The texts in front of the record.
fn preamble(entries: &[Entry]) -> Option<(Opened, Vec<TextUsed>, &Entry, &[Entry])> {
    let Event::Opened(opened) = &entries.first()?.event else {
        return None;
    };
    let texts: Vec<_> = entries[1..]
        .iter()
        .map_while(|entry| match &entry.event {
            Event::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    let (front, rest) = entries.split_at(1 + texts.len());
    Some((opened.clone(), texts, front.last()?, rest))
}

fn walk(entries: &[Entry], report: &mut Report) -> Result<Walked, Difference> {
    let (opened, texts, last, rest) =
        preamble(entries).ok_or_else(|| differs(0, "the record has no opening entry"))?;
    report.session.clone_from(&opened.session);
    let mut source = Source::start(&opened, &texts, last)?;
    let mut due: VecDeque<Value> = source.take_derived().into();
    let mut document = None;
    for entry in rest {
        match &entry.event {
            Event::Derived { body } => {
                let value = due.pop_front().ok_or_else(|| {
                    differs(
                        entry.seq,
                        "a derived value that does not follow from the evidence",
                    )
                })?;
                compare(entry.seq, body, &value)?;
                report.identical += 1;
                if artefact::is_certificate(body) {
                    document = Some(body.clone());
                }
                continue;
            }
            Event::Artefact { name, sha256, .. } => {
                if opened.version != env!("CARGO_PKG_VERSION") && artefact::is_pdf(name) {
                    report.not_compared.push(name.clone());
                } else {
                    same_artefact(entry.seq, name, sha256, document.as_ref())?;
                    report.artefacts.push(name.clone());
                }
            }
            Event::Sealed { entries, .. } if *entries != entry.seq => {
                return Err(differs(
                    entry.seq,
                    format!("the seal counts {entries} entries"),
                ));
            }
            Event::Opened(_) | Event::Text(_) => {
                return Err(differs(
                    entry.seq,
                    "the session had begun: nothing may be added to what it started from",
                ));
            }
            _ => {}
        }
        if !due.is_empty() {
            return Err(differs(
                entry.seq,
                format!("{} derived values are missing in front of it", due.len()),
            ));
        }
        source.feed(entry)?;
        due.extend(source.take_derived());
    }
    let last = entries.last().map(|entry| &entry.event);
    // The last evidence may stand in the record before what follows from it was written.
    if !due.is_empty() && matches!(last, Some(Event::Sealed { .. })) {
        let missing = due.len();
        return Err(differs(
            report.entries,
            format!("{missing} derived values are missing"),
        ));
    }
    Ok(Walked {
        source,
        due,
        document,
    })
}

/// Where derived values come from: instruments' bytes, or a logger's file.
pub enum Source {
    Instruments(Box<Engine>),
    Logger(Vec<Value>),
}

impl Source {
    fn start(opened: &Opened, texts: &[TextUsed], last: &Entry) -> Result<Self, Difference> {
        let refuse = |cause: String| differs(last.seq, cause);
        if opened.job == logger::JOB {
            let derived =
                logger::derive(opened, texts, last).map_err(|error| refuse(error.to_string()))?;
            return Ok(Self::Logger(derived));
        }
        let evidence = Evidence::parse(opened, texts).map_err(|error| refuse(error.to_string()))?;
        let engine = Engine::start(evidence, last).map_err(|error| refuse(error.to_string()))?;
        Ok(Self::Instruments(Box::new(engine)))
    }

    fn feed(&mut self, entry: &Entry) -> Result<(), Difference> {
        match self {
            Self::Instruments(engine) => engine
                .feed(entry)
                .map_err(|error| differs(entry.seq, error.to_string())),
            Self::Logger(_) => Ok(()),
        }
    }

    fn take_derived(&mut self) -> Vec<Value> {
        match self {
            Self::Instruments(engine) => engine.take_derived(),
            Self::Logger(derived) => std::mem::take(derived),
        }
    }
}

/// Bit-for-bit: numbers are written with the fewest digits that give the same bits back, so
/// equal text is equal bits.
fn compare(entry: u64, recorded: &Value, computed: &Value) -> Result<(), Difference> {
    // Compared as texts: as numbers, 0 and −0 would be equal.
    let (left, right) = (recorded.to_string(), computed.to_string());
    if left == right {
        return Ok(());
    }
    let (place, recorded, computed) = first_difference("", recorded, computed);
    Err(differs(
        entry,
        format!("{place} is recorded as {recorded}, the evidence gives {computed}"),
    ))
}

fn first_difference(place: &str, recorded: &Value, computed: &Value) -> (String, String, String) {
    match (recorded, computed) {
        (Value::Object(left), Value::Object(right)) => {
            let keys = left
                .keys()
                .chain(right.keys().filter(|key| !left.contains_key(*key)));
            for key in keys {
                let (a, b) = (
                    left.get(key).unwrap_or(&Value::Null),
                    right.get(key).unwrap_or(&Value::Null),
                );
                if a != b {
                    return first_difference(&format!("{place}/{key}"), a, b);
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (a, b)) in left.iter().zip(right).enumerate() {
                if a != b {
                    return first_difference(&format!("{place}/{index}"), a, b);
                }
            }
        }
        _ => {}
    }
    (place.to_owned(), short(recorded), short(computed))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn same_artefact(
    entry: u64,
    name: &str,
    sha256: &str,
    document: Option<&Value>,
) -> Result<(), Difference> {
    let document = document.ok_or_else(|| differs(entry, "an artefact without a certificate"))?;
    let made = artefact::artefact(document, name)
        .map_err(|error| differs(entry, error.to_string()))?
        .ok_or_else(|| differs(entry, format!("{name} is not made from this certificate")))?;
    let computed = sha256_hex(&made);
    if computed == sha256 {
        return Ok(());
    }
    Err(differs(
        entry,
        format!("{name} has SHA-256 {sha256}, made again it has {computed}"),
    ))
}
