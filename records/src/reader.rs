//! Reading a record back, and saying what is wrong with it and where.

use std::fmt;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chain::{Chain, Entry, NO_END, Taken};
use crate::checkpoint::{Checkpoints, checkpoints_of};
use crate::disk::{Disk, Machine};
use crate::event::FORMAT;

/// No entry is longer than this; a file without line ends must not fill the memory.
const LONGEST_LINE: u64 = 1 << 26;

/// All entries of a record that are intact, and how the file ends.
#[derive(Debug)]
pub struct Reader {
    pub path: PathBuf,
    pub entries: Vec<Entry>,
    pub ending: Ending,
    pub(crate) chain: Chain,
    /// Length of the part that holds.
    pub(crate) bytes: u64,
}

/// How a record ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The last entry seals it.
    Sealed,
    /// Every entry is intact, but the session was not closed: incomplete but honest.
    Open,
    /// As `Open`, and behind the last checkpoint stands something that does not hold: what a
    /// crash leaves of a write.
    Torn(Broken),
    /// Evidence is damaged or was altered from here on.
    Broken(Broken),
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Number of the entry that is wrong, and its line in the file (from 1).
    pub entry: u64,
    pub line: usize,
    /// The file of checkpoints that is wrong; then `line` is a line of it.
    pub checkpoints: Option<PathBuf>,
    pub cause: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entry, line, cause, ..
        } = self;
        match &self.checkpoints {
            None => write!(f, "entry {entry} (line {line}): {cause}"),
            Some(path) => write!(f, "checkpoints {}, line {line}: {cause}", path.display()),
        }
    }
}

/// Why a file cannot be read as a record at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is not a heng record: {cause}")]
    NotARecord { path: PathBuf, cause: String },
    #[error(
        "{path} was written by {program} in format {found}; this program reads formats up to {FORMAT}: use that version or a later one"
    )]
    NewerFormat {
        path: PathBuf,
        program: String,
        found: u32,
    },
}

/// One entry of a record that is read entry by entry.
#[derive(Debug)]
pub enum Recorded {
    Evidence(Box<Entry>),
    /// A derived value as it is written, to be compared with what is computed again: as a tree
    /// of values it would take longer to read than to compute.
    Derived {
        seq: u64,
        body: Box<RawValue>,
    },
}

/// What there was to a record that was read entry by entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Number of entries that hold, and the hash of the last one; empty where there is none.
    pub entries: u64,
    pub head: String,
    pub ending: Ending,
}

impl Reader {
    /// Reads the record at `path` up to the first entry that does not hold, and hands over each
    /// entry as soon as its line holds; no more than one line is kept.
    ///
    /// # Errors
    /// [`ReadError`] where the file cannot be read or is not a record.
    pub fn each(path: &Path, mut take: impl FnMut(Recorded)) -> Result<Extent, ReadError> {
        let witnesses = witnesses(&Machine, &[checkpoints_of(path)])?;
        let (ending, _, walk) = Walk::through(&Machine, path, witnesses, |_, taken| {
            take(recorded(taken)?);
            Ok(())
        })?;
        let Chain { entries, head, .. } = walk.chain;
        let head = if entries == 0 { String::new() } else { head };
        Ok(Extent {
            entries,
            head,
            ending,
        })
    }

    /// Reads the record at `path` up to the first entry that does not hold.
    ///
    /// # Errors
    /// [`ReadError`] where the file cannot be read or is not a record.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Self::open_on(&Machine, path)?.0)
    }

    /// As [`Reader::open`], on that disk; gives the bytes of the file as well.
    pub(crate) fn open_on(disk: &dyn Disk, path: &Path) -> Result<(Self, Vec<u8>), ReadError> {
        // Before the record: a writer may be at work, and its record grows first.
        let witnesses = witnesses(disk, &[checkpoints_of(path)])?;
        let bytes = disk.read(path).map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        let reader = Self::check(path, &bytes, witnesses)?;
        Ok((reader, bytes))
    }

    /// Reads a record without checkpoints from memory; `path` is used in messages only.
    ///
    /// # Errors
    /// [`ReadError`] where the bytes are not a record.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, ReadError> {
        Self::check(path, bytes, Vec::new())
    }

    fn check(
        path: &Path,
        bytes: &[u8],
        witnesses: Vec<(PathBuf, Checkpoints)>,
    ) -> Result<Self, ReadError> {
        let mut walk = Walk::new(path, witnesses);
        let mut entries = Vec::new();
        let mut broken = None;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let taken = walk.take(line)?;
            let entry = taken.and_then(|taken| taken.entry().map_err(|error| walk.content(&error)));
            match entry {
                Ok(entry) => entries.push(entry),
                Err(found) => {
                    broken = Some(found);
                    break;
                }
            }
        }
        let (ending, _, walk) = walk.finish(broken, bytes.get(..8).unwrap_or(bytes))?;
        Ok(Self {
            path: path.to_owned(),
            entries,
            ending,
            bytes: walk.bytes,
            chain: walk.chain,
        })
    }
}

fn recorded(taken: &Taken) -> Result<Recorded, serde_json::Error> {
    #[derive(Deserialize)]
    struct Line<'a> {
        seq: u64,
        #[serde(borrow)]
        event: Event<'a>,
    }
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        body: &'a RawValue,
    }
    if taken.kind != "derived" {
        return taken.entry().map(|entry| Recorded::Evidence(entry.into()));
    }
    let Line { seq, event } = serde_json::from_str(taken.text)?;
    let body = event.body.to_owned();
    Ok(Recorded::Derived { seq, body })
}

/// The checkpoint files that exist.
pub(crate) fn witnesses(
    disk: &dyn Disk,
    paths: &[PathBuf],
) -> Result<Vec<(PathBuf, Checkpoints)>, ReadError> {
    let mut found = Vec::new();
    for path in paths {
        let checkpoints = Checkpoints::read(disk, path).map_err(|source| ReadError::Io {
            path: path.clone(),
            source,
        })?;
        found.extend(checkpoints.map(|checkpoints| (path.clone(), checkpoints)));
    }
    Ok(found)
}

/// The way through the lines of a record, held against its checkpoints.
pub(crate) struct Walk<'p> {
    path: &'p Path,
    pub chain: Chain,
    pub bytes: u64,
    line: usize,
    witnesses: Vec<(PathBuf, Checkpoints)>,
    /// How many checkpoints of each file were met.
    met: Vec<usize>,
}

impl<'p> Walk<'p> {
    pub fn new(path: &'p Path, witnesses: Vec<(PathBuf, Checkpoints)>) -> Self {
        let met = vec![0; witnesses.len()];
        Self {
            path,
            chain: Chain::new(),
            bytes: 0,
            line: 0,
            witnesses,
            met,
        }
    }

    /// Takes the next line, with its end; inside is why it does not hold.
    ///
    /// # Errors
    /// [`ReadError::NewerFormat`] at the opening entry.
    pub fn take<'a>(&mut self, line: &'a [u8]) -> Result<Result<Taken<'a>, Broken>, ReadError> {
        self.line += 1;
        let taken = match self.chain.take(line) {
            Ok(taken) => taken,
            Err(cause) => return Ok(Err(self.broken(self.chain.entries, cause))),
        };
        if taken.kind == "opened" {
            self.check_format(taken.text)?;
        }
        self.bytes += line.len() as u64;
        Ok(self.meet().map(|()| taken))
    }

    /// Takes line after line of a file, and hands over each that holds with the number of its
    /// entry; gives what [`Walk::finish`] says.
    pub fn through(
        disk: &dyn Disk,
        path: &'p Path,
        witnesses: Vec<(PathBuf, Checkpoints)>,
        mut look: impl FnMut(u64, &Taken) -> Result<(), serde_json::Error>,
    ) -> Result<(Ending, Option<Broken>, Self), ReadError> {
        let unreadable = |source| ReadError::Io {
            path: path.to_owned(),
            source,
        };
        let mut walk = Self::new(path, witnesses);
        let mut input = BufReader::with_capacity(1 << 18, disk.reader(path).map_err(unreadable)?);
        let mut line = Vec::new();
        let mut start = Vec::new();
        let broken = loop {
            line.clear();
            let mut limited = io::Read::take(&mut input, LONGEST_LINE);
            let length = limited.read_until(b'\n', &mut line).map_err(unreadable)?;
            if length == 0 {
                break None;
            }
            if start.is_empty() {
                start.extend_from_slice(&line[..line.len().min(8)]);
            }
            let taken = walk.take(&line)?.and_then(|taken| {
                look(walk.chain.entries - 1, &taken).map_err(|error| walk.content(&error))
            });
            if let Err(broken) = taken {
                break Some(broken);
            }
        };
        walk.finish(broken, &start)
    }

    /// The line that was taken last is no entry.
    fn content(&self, error: &serde_json::Error) -> Broken {
        let cause = format!("the hash holds but the content is not an entry: {error}");
        self.broken(self.chain.entries - 1, cause)
    }

    pub fn broken(&self, entry: u64, cause: String) -> Broken {
        Broken {
            entry,
            line: self.line,
            checkpoints: None,
            cause,
        }
    }

    fn check_format(&self, line: &str) -> Result<(), ReadError> {
        #[derive(serde::Deserialize)]
        struct Line {
            event: Opening,
        }
        #[derive(serde::Deserialize)]
        struct Opening {
            format: u32,
            program: String,
            version: String,
        }
        let Line { event: opened } = serde_json::from_str(line).map_err(|error| {
            let cause = format!("its opening entry does not name a format: {error}");
            let path = self.path.to_owned();
            ReadError::NotARecord { path, cause }
        })?;
        if opened.format > FORMAT {
            return Err(ReadError::NewerFormat {
                path: self.path.to_owned(),
                program: format!("{} {}", opened.program, opened.version),
                found: opened.format,
            });
        }
        Ok(())
    }

    /// Holds the record so far against the checkpoints up to here.
    fn meet(&mut self) -> Result<(), Broken> {
        for at in 0..self.witnesses.len() {
            while let Some(due) = self.witnesses[at].1.list.get(self.met[at]) {
                if due.bytes > self.bytes {
                    break;
                }
                let same = due.bytes == self.bytes
                    && due.entries == self.chain.entries
                    && due.head == self.chain.head
                    && due.root == self.chain.tree.root();
                if !same {
                    let name = self.witnesses[at].0.display();
                    let line = self.met[at] + 1;
                    let cause = format!(
                        "the record is not the one that was there before: checkpoint {name}, line {line}, names {} entries in {} bytes with the hash {}",
                        due.entries, due.bytes, due.head
                    );
                    return Err(self.broken(self.chain.entries - 1, cause));
                }
                self.met[at] += 1;
            }
        }
        Ok(())
    }

    /// The verdict at the end of the file or at the first line that does not hold, and the torn
    /// end of a file of checkpoints; `start` is how the file begins.
    ///
    /// # Errors
    /// [`ReadError::NotARecord`] where nothing says that this was ever a record.
    pub fn finish(
        mut self,
        broken: Option<Broken>,
        start: &[u8],
    ) -> Result<(Ending, Option<Broken>, Self), ReadError> {
        if self.chain.entries == 0 && self.witnesses.is_empty() {
            let cause = match start {
                [] => "the file is empty",
                _ if !start.starts_with(b"{\"seq\":") => "it does not begin with an entry",
                _ => "",
            };
            if !cause.is_empty() {
                return Err(ReadError::NotARecord {
                    path: self.path.to_owned(),
                    cause: cause.to_owned(),
                });
            }
        }
        let (fault, torn) = self.witness_fault();
        let lost = self.lost();
        let ending = match (broken, lost, fault) {
            (Some(broken), None, _) if self.is_torn(&broken) => Ending::Torn(broken),
            (Some(broken), _, _) | (None, Some(broken), _) | (None, None, Some(broken)) => {
                Ending::Broken(broken)
            }
            (None, None, None) if self.chain.sealed => Ending::Sealed,
            (None, None, None) => Ending::Open,
        };
        Ok((ending, torn, self))
    }

    /// A checkpoint that names more than there is.
    fn lost(&mut self) -> Option<Broken> {
        let files = self.witnesses.iter().zip(&self.met);
        let (path, due) = files
            .filter_map(|((path, found), met)| found.list.get(*met).map(|_| (path, found)))
            .filter_map(|(path, found)| Some((path, found.list.last()?)))
            .max_by_key(|(_, due)| due.bytes)?;
        let cause = format!(
            "the record ends here, but checkpoint {} names {} entries in {} bytes: entries that were durable are gone",
            path.display(),
            due.entries,
            due.bytes
        );
        self.line += 1;
        Some(self.broken(self.chain.entries, cause))
    }

    /// What is wrong with a file of checkpoints: altered, or its last line torn, which says
    /// nothing against an open record.
    fn witness_fault(&self) -> (Option<Broken>, Option<Broken>) {
        let (mut altered, mut torn) = (None, None);
        for (path, found) in &self.witnesses {
            if let Some(fault) = &found.fault {
                let place = if fault.last { &mut torn } else { &mut altered };
                *place = Some(Broken {
                    entry: found.list.last().map_or(0, |one| one.entries),
                    line: fault.line,
                    checkpoints: Some(path.clone()),
                    cause: fault.cause.clone(),
                });
            }
        }
        (altered, torn.filter(|_| self.chain.sealed))
    }

    /// Whether a crash can have left this. Without checkpoints only a last line without its
    /// end is certain, and only behind an entry: nothing else says that the file was ever a
    /// record. With them anything behind the last is, also where that is the begin of the file:
    /// a power cut may lose the first sector and keep those behind it.
    fn is_torn(&self, broken: &Broken) -> bool {
        let (known, no_end) = (!self.witnesses.is_empty(), broken.cause == NO_END);
        let begun = self.chain.entries > 0;
        !self.chain.sealed && broken.entry == self.chain.entries && (known || (begun && no_end))
    }
}
