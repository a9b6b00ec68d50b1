//! Checkpoints: a second, small file that says how long the record was and what its last
//! entry was. A chain alone cannot tell a torn last write from a record that was cut.

use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::chain::{Chain, Entry, GENESIS, check_line, hex, seal_line};
use crate::disk::{Disk, DiskFile, append_all, reads_back, replace};

/// State of a record at some moment; everything up to there was durable and read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub entries: u64,
    /// Length of the record.
    pub bytes: u64,
    /// Hash of the last entry.
    pub head: String,
    /// Merkle root over the entries.
    pub root: String,
    pub t_us: u64,
    pub utc: String,
    /// Hash of the checkpoint before.
    prev: String,
    hash: String,
}

/// `S-1.checkpoints` of `S-1.jsonl`.
#[must_use]
pub fn checkpoints_of(record: &Path) -> PathBuf {
    record.with_extension("checkpoints")
}

/// A file without line ends must not fill the memory: no checkpoint is nearly as long.
const LONGEST_LINE: u64 = 1 << 20;

/// The checkpoints of one file, as far as they hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checkpoints {
    pub list: Vec<Checkpoint>,
    /// Length of the part that holds.
    pub bytes: u64,
    /// The first line that does not hold.
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub line: usize,
    pub cause: String,
    /// It is the last line: a crash may have torn it.
    pub last: bool,
}

impl Checkpoints {
    /// None where there is no such file.
    pub fn read(disk: &dyn Disk, path: &Path) -> io::Result<Option<Self>> {
        match disk.reader(path) {
            Ok(input) => Self::from_reader(BufReader::new(input)).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn from_reader(mut input: impl BufRead) -> io::Result<Self> {
        let mut found = Self::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = input.by_ref().take(LONGEST_LINE);
            let length = limited.read_until(b'\n', &mut line)?;
            if length == 0 {
                return Ok(found);
            }
            match follow(&line, found.list.last()) {
                Ok(checkpoint) => found.list.push(checkpoint),
                Err(cause) => {
                    if line.last() != Some(&b'\n') {
                        input.skip_until(b'\n')?;
                    }
                    found.fault = Some(Fault {
                        line: found.list.len() + 1,
                        cause,
                        last: input.fill_buf()?.is_empty(),
                    });
                    return Ok(found);
                }
            }
            found.bytes += length as u64;
        }
    }

    /// Why a record with these entries is not the one that the checkpoints were made of.
    pub fn contradict(&self, entries: &[Entry]) -> Option<String> {
        if let Some(fault) = self.fault.as_ref().filter(|fault| !fault.last) {
            return Some(format!("line {}: {}", fault.line, fault.cause));
        }
        let due = self.list.last()?;
        let at = usize::try_from(due.entries).ok()?.checked_sub(1)?;
        let same = entries.get(at).is_some_and(|one| one.hash == due.head);
        (!same).then(|| {
            let Checkpoint { entries, head, .. } = due;
            format!("the last one names {entries} entries with the hash {head}")
        })
    }

    /// The last one is of the seal.
    pub fn is_complete(&self, chain: &Chain) -> bool {
        let last = self.list.last();
        self.fault.is_none() && last.is_some_and(|one| one.entries == chain.entries)
    }
}

fn follow(line: &[u8], before: Option<&Checkpoint>) -> Result<Checkpoint, String> {
    let (line, _) = check_line(line)?;
    let content = |error| format!("the hash holds but the content is no checkpoint: {error}");
    let checkpoint: Checkpoint = serde_json::from_slice(line).map_err(content)?;
    if checkpoint.prev != before.map_or(GENESIS, |one| one.hash.as_str()) {
        return Err("it is not chained to the checkpoint before it".to_owned());
    }
    let grows =
        |one: &Checkpoint| one.entries <= checkpoint.entries && one.bytes <= checkpoint.bytes;
    if !before.is_none_or(grows) {
        return Err("it is before the checkpoint before it".to_owned());
    }
    Ok(checkpoint)
}

/// The file that checkpoints of a record are appended to.
pub(crate) struct Witness {
    pub path: PathBuf,
    file: Box<dyn DiskFile>,
    length: u64,
    head: String,
}

impl Witness {
    pub fn create(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let file = disk.create(path)?;
        if let Err(error) = disk.sync_folder(path) {
            let _ = disk.remove(path);
            return Err(error);
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            length: 0,
            head: GENESIS.to_owned(),
        })
    }

    /// Goes on behind the checkpoints that hold, in a copy, as the record does; a torn last
    /// line is dropped, for the record itself says more.
    pub fn resume(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let bytes = match disk.read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Self::create(disk, path);
            }
            Err(error) => return Err(error),
        };
        let found = Checkpoints::from_reader(bytes.as_slice())?;
        let held = usize::try_from(found.bytes).unwrap_or(usize::MAX);
        let file = replace(disk, path, bytes.get(..held).unwrap_or(&bytes))?;
        let head = found.list.last().map(|one| one.hash.clone());
        Ok(Self {
            path: path.to_owned(),
            file,
            length: found.bytes,
            head: head.unwrap_or_else(|| GENESIS.to_owned()),
        })
    }

    /// Appends the state of the record, makes it durable and reads it back.
    pub fn append(&mut self, chain: &Chain, bytes: u64, utc: &str) -> io::Result<()> {
        let checkpoint = Checkpoint {
            entries: chain.entries,
            bytes,
            head: chain.head.clone(),
            root: chain.tree.root(),
            t_us: chain.t_us,
            utc: utc.to_owned(),
            prev: self.head.clone(),
            hash: String::new(),
        };
        let (line, hash) = seal_line(serde_json::to_vec(&checkpoint)?);
        append_all(&mut *self.file, &line)?;
        self.file.sync()?;
        if !reads_back(&*self.file, self.length, &line)? {
            let cause = "the checkpoint does not read back as it was written";
            return Err(io::Error::new(io::ErrorKind::InvalidData, cause));
        }
        self.length += line.len() as u64;
        self.head = hex(&hash);
        Ok(())
    }
}
