//! Replay: the recorded evidence through the same engine, every derived value compared.
//!
//! Opens no port and writes nothing.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::ScopedJoinHandle;

use heng_records::{
    Broken, Ending, Entry, Event, Extent, FORMAT, Opened, ReadError, Reader, Recorded, TextUsed,
    sha256_hex,
};
use serde_json::Value;
use serde_json::value::RawValue;

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

/// Entries are handed from the reader to the engine in batches of so many, and no more than so
/// many batches wait: a long session is never held as a whole.
const BATCH: usize = 512;
const WAITING: usize = 16;

/// A derived value as it is recorded, and as it was computed again.
type Pair = (u64, Box<RawValue>, Value);

/// Replays the record at `path`. One thread reads, hashes and parses, this one computes, and
/// one compares.
///
/// # Errors
/// [`ReadError`] where the file is not a record that this program can read.
pub fn replay(path: &Path) -> Result<Report, ReadError> {
    let mut comparison = Comparison::default();
    std::thread::scope(|scope| {
        let (to_engine, recorded) = sync_channel(WAITING);
        let (to_comparison, pairs) = sync_channel(WAITING);
        let reading = scope.spawn(move || read_in_batches(path, &to_engine));
        let comparing = scope.spawn(move || compare_pairs(&pairs));
        let mut found = None;
        for batch in recorded {
            if found.is_none() {
                let mut batch = Vec::into_iter(batch);
                found = batch.try_for_each(|one| comparison.take(one)).err();
            }
            // Nobody hears where that thread has panicked, which is told below.
            let _ = to_comparison.send(std::mem::take(&mut comparison.pairs));
        }
        drop(to_comparison);
        let (identical, differs) = joined(comparing);
        let extent = joined(reading)?;
        comparison.identical = identical;
        let first = differs.into_iter().chain(found);
        let first = first.min_by_key(|difference| difference.entry);
        Ok(comparison.report(extent, first))
    })
}

fn joined<T>(thread: ScopedJoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// How many are identical, up to the first that differs.
fn compare_pairs(pairs: &Receiver<Vec<Pair>>) -> (usize, Option<Difference>) {
    let (mut identical, mut found) = (0, None);
    for (seq, body, value) in pairs.iter().flatten() {
        if found.is_none() {
            found = compare(seq, Body::Text(&body), &value).err();
            identical += usize::from(found.is_none());
        }
    }
    (identical, found)
}

fn read_in_batches(path: &Path, to: &SyncSender<Vec<Recorded>>) -> Result<Extent, ReadError> {
    let mut batch = Vec::with_capacity(BATCH);
    let extent = Reader::each(path, |one| {
        batch.push(one);
        if batch.len() == BATCH {
            // Nobody hears where the engine has panicked, which its thread tells.
            let _ = to.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
        }
    });
    let _ = to.send(batch);
    extent
}

/// Replays a record that was read.
pub fn judge(reader: &Reader) -> Report {
    let mut comparison = Comparison::default();
    let differs = reader
        .entries
        .iter()
        .try_for_each(|entry| comparison.entry(entry))
        .err();
    let head = reader.entries.last().map(|entry| entry.hash.clone());
    let extent = Extent {
        entries: reader.entries.len() as u64,
        head: head.unwrap_or_default(),
        ending: reader.ending.clone(),
    };
    comparison.report(extent, differs)
}

/// Where the walk through a record ended.
pub struct Walked {
    pub source: Source,
    /// Derived values that follow from the last evidence and do not stand in the record.
    pub due: VecDeque<Value>,
    pub document: Option<Value>,
}

/// Feeds the entries of a record that is not closed, and compares, as a replay does.
///
/// # Errors
/// [`Difference`] at the first entry that does not follow.
pub fn walk_open(entries: &[Entry]) -> Result<Walked, Difference> {
    let mut comparison = Comparison::default();
    for entry in entries {
        comparison.entry(entry)?;
    }
    comparison.end(entries.len() as u64)?;
    let Stage::Under(under) = comparison.stage else {
        return Err(differs(0, NOT_OPENED));
    };
    Ok(Walked {
        source: under.source,
        due: under.due,
        document: under.document,
    })
}

const NOT_OPENED: &str = "the record has no opening entry";

/// The recorded evidence on its way through the engine, held against what is recorded as
/// derived from it.
#[derive(Default)]
struct Comparison {
    stage: Stage,
    session: String,
    identical: usize,
    artefacts: Vec<String>,
    not_compared: Vec<String>,
    /// Values that are to be compared.
    pairs: Vec<Pair>,
}

#[derive(Default)]
enum Stage {
    #[default]
    Nothing,
    /// The opening entry, the texts behind it, and the last of these entries.
    Preamble(Opened, Vec<TextUsed>, Box<Entry>),
    Under(Box<Under>),
}

struct Under {
    opened: Opened,
    source: Source,
    due: VecDeque<Value>,
    document: Option<Value>,
    sealed: bool,
}

impl Comparison {
    fn take(&mut self, recorded: Recorded) -> Result<(), Difference> {
        match recorded {
            Recorded::Evidence(entry) => self.entry(&entry),
            Recorded::Derived { seq, body } => {
                let value = begun(&mut self.stage)?.due(seq)?;
                self.pairs.push((seq, body, value));
                Ok(())
            }
        }
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), Difference> {
        match (&entry.event, &mut self.stage) {
            (Event::Derived { body }, _) => {
                let value = begun(&mut self.stage)?.due(entry.seq)?;
                compare(entry.seq, Body::Tree(body), &value)?;
                self.identical += 1;
                return Ok(());
            }
            (Event::Opened(opened), Stage::Nothing) => {
                self.session.clone_from(&opened.session);
                let first = Box::new(entry.clone());
                self.stage = Stage::Preamble(opened.clone(), Vec::new(), first);
                return Ok(());
            }
            (Event::Text(text), Stage::Preamble(_, texts, last)) => {
                texts.push(text.clone());
                (**last).clone_from(entry);
                return Ok(());
            }
            _ => {}
        }
        let mut artefacts = Artefacts {
            same: &mut self.artefacts,
            not_compared: &mut self.not_compared,
        };
        begun(&mut self.stage)?.evidence(entry, &mut artefacts)
    }

    /// Nothing follows any more.
    fn end(&mut self, entries: u64) -> Result<(), Difference> {
        let under = begun(&mut self.stage)?;
        // The last evidence may stand in the record before what follows from it was written.
        if !under.due.is_empty() && under.sealed {
            let missing = under.due.len();
            let cause = format!("{missing} derived values are missing");
            return Err(differs(entries, cause));
        }
        Ok(())
    }

    fn report(mut self, extent: Extent, found: Option<Difference>) -> Report {
        let Extent {
            entries,
            head,
            ending,
        } = extent;
        let mut report = Report {
            session: String::new(),
            entries,
            head,
            identical: 0,
            artefacts: Vec::new(),
            not_compared: Vec::new(),
            finding: Finding::Incomplete,
        };
        if let Ending::Broken(broken) = ending {
            report.finding = Finding::Broken(broken);
            return report;
        }
        // A session that ended in the middle of its first entry has nothing to compare.
        if entries == 0 {
            return report;
        }
        report.finding = match found.map_or_else(|| self.end(entries), Err) {
            Err(difference) => Finding::Differs(difference),
            Ok(()) if ending == Ending::Sealed => Finding::Identical,
            Ok(()) => Finding::Incomplete,
        };
        Report {
            session: self.session,
            identical: self.identical,
            artefacts: self.artefacts,
            not_compared: self.not_compared,
            ..report
        }
    }
}

/// The source of what is derived, started where this is the first entry behind the texts.
fn begun(stage: &mut Stage) -> Result<&mut Under, Difference> {
    if let Stage::Preamble(opened, texts, last) = stage {
        let mut source = Source::start(opened, texts, last)?;
        *stage = Stage::Under(Box::new(Under {
            opened: opened.clone(),
            due: source.take_derived().into(),
            source,
            document: None,
            sealed: false,
        }));
    }
    match stage {
        Stage::Under(under) => Ok(under),
        _ => Err(differs(0, NOT_OPENED)),
    }
}

/// Names of the artefacts that were looked at.
struct Artefacts<'a> {
    same: &'a mut Vec<String>,
    not_compared: &'a mut Vec<String>,
}

impl Under {
    /// The value that the evidence gives where the record holds that entry.
    fn due(&mut self, seq: u64) -> Result<Value, Difference> {
        let value = self.due.pop_front().ok_or_else(|| {
            let cause = "a derived value that does not follow from the evidence";
            differs(seq, cause)
        })?;
        if artefact::is_certificate(&value) {
            self.document = Some(value.clone());
        }
        Ok(value)
    }

    fn evidence(&mut self, entry: &Entry, artefacts: &mut Artefacts) -> Result<(), Difference> {
        match &entry.event {
            Event::Artefact { name, sha256, .. } => {
                let earlier = self.opened.version != env!("CARGO_PKG_VERSION")
                    || self.opened.format != FORMAT;
                if earlier && artefact::is_pdf(name) {
                    artefacts.not_compared.push(name.clone());
                } else {
                    same_artefact(entry.seq, name, sha256, self.document.as_ref())?;
                    artefacts.same.push(name.clone());
                }
            }
            Event::Sealed { entries, .. } if *entries != entry.seq => {
                let cause = format!("the seal counts {entries} entries");
                return Err(differs(entry.seq, cause));
            }
            Event::Opened(_) | Event::Text(_) => {
                let cause = "the session had begun: nothing may be added to what it started from";
                return Err(differs(entry.seq, cause));
            }
            _ => {}
        }
        self.sealed = matches!(entry.event, Event::Sealed { .. });
        if !self.due.is_empty() {
            let missing = self.due.len();
            let cause = format!("{missing} derived values are missing in front of it");
            return Err(differs(entry.seq, cause));
        }
        self.source.feed(entry)?;
        self.due.extend(self.source.take_derived());
        Ok(())
    }
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

/// A recorded value.
#[derive(Clone, Copy)]
enum Body<'a> {
    Text(&'a RawValue),
    Tree(&'a Value),
}

/// Bit-for-bit: numbers are written with the fewest digits that give the same bits back, so
/// equal text is equal bits.
fn compare(entry: u64, recorded: Body, computed: &Value) -> Result<(), Difference> {
    let parsed;
    let recorded = match recorded {
        Body::Text(text) if is_text_of(computed, text.get()) => return Ok(()),
        // Another writer may put blanks, or other digits of the same number.
        Body::Text(text) => {
            parsed = serde_json::from_str(text.get())
                .map_err(|error| differs(entry, format!("it cannot be read: {error}")))?;
            &parsed
        }
        Body::Tree(tree) => tree,
    };
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

/// Whether `value` is written as `text`; stops at the first byte that differs.
fn is_text_of(value: &Value, text: &str) -> bool {
    struct Rest<'a>(&'a [u8]);
    impl io::Write for Rest<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .strip_prefix(bytes)
                .ok_or(io::ErrorKind::InvalidData)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut rest = Rest(text.as_bytes());
    serde_json::to_writer(&mut rest, value).is_ok() && rest.0.is_empty()
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
