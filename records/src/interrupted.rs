//! A record that a session left without a seal.

use std::path::{Path, PathBuf};

use crate::chain::{Chain, Entry, sha256_hex};
use crate::disk::{Disk, Machine};
use crate::event::Event;
use crate::reader::{Broken, Ending, ReadError, Reader};

/// A record that may be taken up: its entries hold, and what stands behind them was written
/// after the last checkpoint.
#[derive(Debug)]
pub struct Interrupted {
    pub path: PathBuf,
    pub entries: Vec<Entry>,
    /// Bytes behind the last entry that holds: the write that the end of the session tore.
    pub torn: Vec<u8>,
    /// What is wrong with the first of them.
    pub cause: Option<Broken>,
    pub(crate) chain: Chain,
    /// Length and SHA-256 of the part that holds.
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Why a record cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum NotInterrupted {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{path} is sealed: its session was closed, there is nothing to take up")]
    Sealed { path: PathBuf },
    #[error(
        "{path} holds no whole entry: its session ended before anything was recorded; begin a new one"
    )]
    Empty { path: PathBuf },
    #[error(
        "{path} was altered or its disk has lost what was durable: {broken}; it stays as it is, compare it with a backup"
    )]
    Broken { path: PathBuf, broken: Broken },
}

impl Interrupted {
    /// Reads a record without a seal; nothing is changed.
    ///
    /// # Errors
    /// [`NotInterrupted`] where it is sealed, or does not hold up to its last checkpoint.
    pub fn open(path: &Path) -> Result<Self, NotInterrupted> {
        Self::open_on(&Machine, path)
    }

    /// As [`Interrupted::open`], on that disk.
    ///
    /// # Errors
    /// As [`Interrupted::open`].
    pub fn open_on(disk: &dyn Disk, path: &Path) -> Result<Self, NotInterrupted> {
        let found = Self::read(disk, path)?;
        let path = path.to_owned();
        if found.chain.sealed {
            return Err(NotInterrupted::Sealed { path });
        }
        if found.entries.is_empty() {
            return Err(NotInterrupted::Empty { path });
        }
        Ok(found)
    }

    /// Any record that holds up to its last checkpoint, sealed or not.
    pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Self, NotInterrupted> {
        let (reader, bytes) = Reader::open_on(disk, path)?;
        let path = path.to_owned();
        let cause = match reader.ending {
            Ending::Open | Ending::Sealed => None,
            Ending::Torn(broken) => Some(broken),
            Ending::Broken(broken) => return Err(NotInterrupted::Broken { path, broken }),
        };
        let whole = usize::try_from(reader.bytes).unwrap_or(usize::MAX);
        Ok(Self {
            path,
            entries: reader.entries,
            torn: bytes[whole..].to_vec(),
            cause,
            chain: reader.chain,
            bytes: reader.bytes,
            sha256: sha256_hex(&bytes[..whole]),
        })
    }
}

impl Interrupted {
    /// Whether an entry says that this file keeps what was dropped.
    pub(crate) fn states(&self, file: &Path) -> bool {
        let name = file_name(file);
        self.entries.iter().any(|entry| match &entry.event {
            Event::Recovered(found) => found.dropped.iter().any(|one| one.file == name),
            _ => false,
        })
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
