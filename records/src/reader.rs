//! Reading a record back, and saying what is wrong with it and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::chain::{Entry, GENESIS, sha256_hex, split_hash};
use crate::event::{Event, FORMAT};

/// All entries of a record that are intact, and how the file ends.
#[derive(Debug)]
pub struct Reader {
    pub path: PathBuf,
    pub entries: Vec<Entry>,
    pub ending: Ending,
}

/// How a record ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The last entry seals it.
    Sealed,
    /// Every entry is intact, but the session was not closed: incomplete but honest.
    Open,
    /// Evidence is damaged or was altered from here on.
    Broken(Broken),
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Number of the entry that is wrong, and its line in the file (from 1).
    pub entry: u64,
    pub line: usize,
    pub cause: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "entry {} (line {}): {}",
            self.entry, self.line, self.cause
        )
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

/// The verdict on a record's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub entries: u64,
    /// Hash of the last intact entry.
    pub head: String,
    pub ending: Ending,
}

/// Checks the chain of the record at `path`.
///
/// # Errors
/// [`ReadError`] where the file cannot be read or is not a record.
pub fn verify(path: &Path) -> Result<Verification, ReadError> {
    let reader = Reader::open(path)?;
    let head = reader
        .entries
        .last()
        .map_or(GENESIS, |entry| &entry.hash)
        .to_owned();
    Ok(Verification {
        entries: reader.entries.len() as u64,
        head,
        ending: reader.ending,
    })
}

/// A record that a session left without a seal.
#[derive(Debug)]
pub struct Interrupted {
    pub path: PathBuf,
    pub entries: Vec<Entry>,
    /// Bytes of a last line without its end: the write that the end of the session tore.
    pub torn: Vec<u8>,
    /// Of the whole lines.
    pub(crate) sha256: String,
}

/// Why a record cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum NotInterrupted {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{path} is sealed: its session was closed, there is nothing to take up")]
    Sealed { path: PathBuf },
    #[error("{path} was altered: {broken}")]
    Broken { path: PathBuf, broken: Broken },
}

impl Interrupted {
    /// Reads a record without a seal; nothing is changed.
    ///
    /// # Errors
    /// [`NotInterrupted`] where it is sealed or no whole record up to its last line.
    pub fn open(path: &Path) -> Result<Self, NotInterrupted> {
        let bytes = std::fs::read(path).map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let reader = Reader::from_bytes(path, &bytes[..whole])?;
        let path = path.to_owned();
        match reader.ending {
            Ending::Open => Ok(Self {
                path,
                entries: reader.entries,
                torn: bytes[whole..].to_vec(),
                sha256: sha256_hex(&bytes[..whole]),
            }),
            Ending::Sealed => Err(NotInterrupted::Sealed { path }),
            Ending::Broken(broken) => Err(NotInterrupted::Broken { path, broken }),
        }
    }
}

impl Reader {
    /// Reads the record at `path` up to the first entry that does not hold.
    ///
    /// # Errors
    /// [`ReadError`] where the file cannot be read or is not a record.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let bytes = std::fs::read(path).map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(path, &bytes)
    }

    /// Reads a record from memory; `path` is used in messages only.
    ///
    /// # Errors
    /// [`ReadError`] where the bytes are not a record.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, ReadError> {
        let (entries, broken) = read_entries(bytes);
        let first = entries.first().map(|entry| &entry.event);
        match (first, &broken) {
            (Some(Event::Opened(opened)), _) if opened.format > FORMAT => {
                return Err(ReadError::NewerFormat {
                    path: path.to_owned(),
                    program: format!("{} {}", opened.program, opened.version),
                    found: opened.format,
                });
            }
            (None, None) => {
                let cause = "the file is empty".to_owned();
                return Err(ReadError::NotARecord {
                    path: path.to_owned(),
                    cause,
                });
            }
            _ => {}
        }
        let ending = match (broken, entries.last().map(|entry| &entry.event)) {
            (Some(broken), _) => Ending::Broken(broken),
            (None, Some(Event::Sealed { .. })) => Ending::Sealed,
            (None, _) => Ending::Open,
        };
        Ok(Self {
            path: path.to_owned(),
            entries,
            ending,
        })
    }
}

fn read_entries(bytes: &[u8]) -> (Vec<Entry>, Option<Broken>) {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match read_line(line, entries.last()) {
            Ok(entry) => entries.push(entry),
            Err(cause) => {
                let broken = Broken {
                    entry: entries.len() as u64,
                    line: index + 1,
                    cause,
                };
                return (entries, Some(broken));
            }
        }
    }
    (entries, None)
}

fn read_line(line: &[u8], before: Option<&Entry>) -> Result<Entry, String> {
    let line = line
        .strip_suffix(b"\n")
        .ok_or("the line has no end: the last write was torn, or the file was cut")?;
    let (hashed, claimed) = split_hash(line).ok_or("the line does not end with a hash")?;
    let hash = sha256_hex(hashed);
    if hash.as_bytes() != claimed {
        return Err("its hash does not match its content: a byte was altered".to_owned());
    }
    let entry: Entry = serde_json::from_slice(line)
        .map_err(|error| format!("the hash holds but the content is not an entry: {error}"))?;
    let (seq, prev) = before.map_or((0, GENESIS), |entry| (entry.seq + 1, entry.hash.as_str()));
    if entry.prev != prev {
        return Err(
            "it is not chained to the entry before it: entries were dropped, moved or spliced in"
                .to_owned(),
        );
    }
    if entry.seq != seq {
        return Err(format!("it is numbered {} where {seq} is due", entry.seq));
    }
    if before.is_some_and(|entry| matches!(entry.event, Event::Sealed { .. })) {
        return Err("it stands after the seal".to_owned());
    }
    if before.is_some_and(|earlier| entry.t_us < earlier.t_us) {
        return Err("its time is before that of the entry before it".to_owned());
    }
    if before.is_none() != matches!(entry.event, Event::Opened(_)) {
        return Err("a record begins with one opening entry, and only begins with it".to_owned());
    }
    Ok(entry)
}
