//! Appending to a record: write, sync, read back, compare, and only then say so.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::chain::{Entry, GENESIS, sha256_hex};
use crate::event::Event;
use crate::reader::Interrupted;

/// How much is synced and read back at once while a run is going on.
///
/// Each entry is written before [`Writer::append`] returns; [`Writer::commit`] makes
/// everything so far durable. The session commits after every scan and before every
/// command that acts on an instrument.
pub struct Writer {
    file: File,
    path: PathBuf,
    seq: u64,
    head: String,
    /// Bytes in the file, and the part of them that was synced and read back.
    length: u64,
    committed: u64,
    /// Bytes written since the last commit, kept to be compared with the file.
    pending: Vec<u8>,
    /// After a failure nothing more is acknowledged.
    broken: bool,
    sealed: bool,
}

/// Why an entry is not in the record.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(
        "cannot create the record {path}: {source}; choose a folder that is writable and a name that is not taken"
    )]
    Create { path: PathBuf, source: io::Error },
    #[error(
        "cannot write to the record {path} after entry {seq}: {source}; the run must stop safely, entries up to {seq} are intact"
    )]
    Write {
        path: PathBuf,
        seq: u64,
        source: io::Error,
    },
    #[error(
        "the record {path} does not read back as it was written near entry {seq}: the disk is not to be trusted; the run must stop safely"
    )]
    ReadBack { path: PathBuf, seq: u64 },
    #[error("the record {path} had a write failure before: nothing more is accepted")]
    Broken { path: PathBuf },
    #[error(
        "the record {path} is being written by a session that is still running: end that one first"
    )]
    InUse { path: PathBuf },
    #[error("the record {path} is sealed: nothing may follow the seal")]
    Sealed { path: PathBuf },
    #[error("event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Writer {
    /// Creates a new record. An existing file is never touched.
    ///
    /// # Errors
    /// [`WriteError::Create`] where the file exists or the folder cannot be written.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .open(path)
            .map_err(|source| WriteError::Create {
                path: path.to_owned(),
                source,
            })?;
        // Says to others that a session is writing; a file system without locks says nothing.
        let _locked = file.try_lock();
        Ok(Self::at(file, path, 0, GENESIS.to_owned(), 0))
    }

    /// Goes on behind the last whole line of a record that was not closed. A torn last line is
    /// moved to a file of its own next to the record first.
    ///
    /// # Errors
    /// [`WriteError`]; the record then is as it was.
    pub fn resume(interrupted: &Interrupted) -> Result<(Self, Option<PathBuf>), WriteError> {
        let path = interrupted.path.as_path();
        let seq = interrupted.entries.len() as u64;
        let refuse = |source: io::Error| WriteError::Write {
            path: path.to_owned(),
            seq: seq.saturating_sub(1),
            source,
        };
        let file = OpenOptions::new().read(true).append(true).open(path);
        let mut file = file.map_err(refuse)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(WriteError::InUse {
                path: path.to_owned(),
            });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(refuse)?;
        let whole = bytes.len().saturating_sub(interrupted.torn.len());
        if bytes[whole..] != interrupted.torn || sha256_hex(&bytes[..whole]) != interrupted.sha256 {
            return Err(WriteError::InUse {
                path: path.to_owned(),
            });
        }
        let mut aside = None;
        if !interrupted.torn.is_empty() {
            aside = Some(keep_aside(path, &interrupted.torn).map_err(refuse)?);
            file.set_len(whole as u64).map_err(refuse)?;
            file.sync_all().map_err(refuse)?;
        }
        let head = interrupted.entries.last().map(|entry| entry.hash.clone());
        let head = head.unwrap_or_else(|| GENESIS.to_owned());
        Ok((Self::at(file, path, seq, head, whole as u64), aside))
    }

    fn at(file: File, path: &Path, seq: u64, head: String, length: u64) -> Self {
        Self {
            file,
            path: path.to_owned(),
            seq,
            head,
            length,
            committed: length,
            pending: Vec::new(),
            broken: false,
            sealed: false,
        }
    }

    /// Appends one event and returns its entry.
    ///
    /// # Errors
    /// [`WriteError`]; after any of them but `Json` the writer accepts nothing more.
    pub fn append(&mut self, t_us: u64, utc: String, event: Event) -> Result<Entry, WriteError> {
        if self.broken {
            return Err(WriteError::Broken {
                path: self.path.clone(),
            });
        }
        if self.sealed {
            return Err(WriteError::Sealed {
                path: self.path.clone(),
            });
        }
        let seals = matches!(event, Event::Sealed { .. });
        let prev = self.head.clone();
        let (entry, mut line) = Entry {
            seq: self.seq,
            t_us,
            utc,
            event,
            prev,
            hash: String::new(),
        }
        .seal()?;
        line.push(b'\n');
        if let Err(source) = self.file.write_all(&line) {
            return Err(self.fail(source));
        }
        self.length += line.len() as u64;
        self.pending.extend_from_slice(&line);
        self.seq += 1;
        self.head.clone_from(&entry.hash);
        if seals {
            self.commit()?;
            self.sealed = true;
        }
        Ok(entry)
    }

    /// Makes all entries so far durable and compares what the file now holds with what was
    /// meant (a flipped bit in a certificate log was once found only by an outsider; here
    /// it is found before the next reading).
    ///
    /// # Errors
    /// [`WriteError::Write`] or [`WriteError::ReadBack`]; both end the record.
    pub fn commit(&mut self) -> Result<(), WriteError> {
        if self.broken {
            return Err(WriteError::Broken {
                path: self.path.clone(),
            });
        }
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = match self.sync_and_read_back() {
            Ok(written) => written,
            Err(source) => return Err(self.fail(source)),
        };
        if written != self.pending {
            self.broken = true;
            return Err(WriteError::ReadBack {
                path: self.path.clone(),
                seq: self.seq,
            });
        }
        self.pending.clear();
        self.committed = self.length;
        Ok(())
    }

    fn sync_and_read_back(&mut self) -> io::Result<Vec<u8>> {
        self.file.sync_data()?;
        self.file.seek(SeekFrom::Start(self.committed))?;
        let mut written = Vec::with_capacity(self.pending.len());
        self.file.read_to_end(&mut written)?;
        Ok(written)
    }

    fn fail(&mut self, source: io::Error) -> WriteError {
        self.broken = true;
        WriteError::Write {
            path: self.path.clone(),
            seq: self.seq.saturating_sub(1),
            source,
        }
    }

    /// Number of the next entry.
    pub const fn next_seq(&self) -> u64 {
        self.seq
    }

    /// Hash of the last entry.
    pub fn head(&self) -> &str {
        &self.head
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes the bytes of a torn line to a new file next to the record.
fn keep_aside(record: &Path, torn: &[u8]) -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        number += 1;
        let ending = match number {
            1 => ".torn".to_owned(),
            _ => format!(".torn-{number}"),
        };
        let mut name = record.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(torn)?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
