//! Appending to a record: write, sync, read back, compare, and only then say so.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::{Chain, Entry, sha256_hex};
use crate::checkpoint::{Checkpoints, Witness, checkpoints_of};
use crate::disk::{Disk, DiskFile, Machine, append_all, reads_back, replace};
use crate::event::{Dropped, Event, FORMAT};
use crate::interrupted::{Interrupted, NotInterrupted, file_name};
use crate::reader::ReadError;

/// Entries that nothing waits for are made durable together, this long after the first of
/// them at the latest: five syncs a second, whatever the rate of the events.
const GROUP_US: u64 = 200_000;

/// A checkpoint is due after so many entries or so much time, whichever comes first.
const CHECKPOINT_ENTRIES: u64 = 1000;
const CHECKPOINT_US: u64 = 10_000_000;

/// Where a record is kept.
#[derive(Clone)]
pub struct Storage {
    pub disk: Arc<dyn Disk>,
    /// Folder for a second copy of the checkpoints, best on another device.
    pub witness: Option<PathBuf>,
    /// Who writes, for whoever finds the record locked.
    pub holder: String,
}

impl Default for Storage {
    /// The file system of the machine, checkpoints beside the record alone.
    fn default() -> Self {
        Self {
            disk: Arc::new(Machine),
            witness: None,
            holder: format!("process {}", std::process::id()),
        }
    }
}

impl Storage {
    /// Beside the record, and in the other folder.
    fn checkpoint_files(&self, record: &Path) -> Vec<PathBuf> {
        let beside = checkpoints_of(record);
        let folder = self.witness.as_ref();
        let elsewhere = folder.and_then(|folder| Some(folder.join(beside.file_name()?)));
        [Some(beside), elsewhere].into_iter().flatten().collect()
    }

    /// None where there is no such file.
    fn checkpoints(&self, path: &Path) -> Result<Option<Checkpoints>, NotInterrupted> {
        Checkpoints::read(&*self.disk, path).map_err(|source| {
            let path = path.to_owned();
            ReadError::Io { path, source }.into()
        })
    }
}

/// The one writer of a record.
///
/// Each entry is written before [`Writer::append`] returns, so it survives the end of the
/// program. [`Writer::commit`] makes everything so far durable, so it survives the end of the
/// machine; only then are entries [acknowledged](Writer::acknowledged).
pub struct Writer {
    storage: Storage,
    file: Box<dyn DiskFile>,
    path: PathBuf,
    chain: Chain,
    /// Bytes in the file, and the part of them that was synced and read back.
    length: u64,
    committed: u64,
    acknowledged: u64,
    /// Bytes written since the last commit, kept to be compared with the file.
    pending: Vec<u8>,
    pending_since_us: u64,
    utc: String,
    /// Seals have a root since format 3; a record of an earlier one may be closed.
    format: u32,
    witnesses: Vec<Witness>,
    /// Entries and time of the last checkpoint.
    checkpoint: (u64, u64),
    /// After a failure nothing more is acknowledged.
    broken: bool,
}

/// Why an entry is not in the record.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(
        "cannot create the record {path}: {source}; choose a folder that is writable and a name that is not taken"
    )]
    Create { path: PathBuf, source: io::Error },
    #[error(
        "cannot write to {path}: {source}; nothing more is acknowledged: the run must stop safely, the first {acknowledged} entries of the record are durable"
    )]
    Write {
        path: PathBuf,
        acknowledged: u64,
        source: io::Error,
    },
    #[error(
        "the record {path} does not read back as it was written behind its first {acknowledged} entries: the disk is not to be trusted; nothing more is acknowledged: the run must stop safely"
    )]
    ReadBack { path: PathBuf, acknowledged: u64 },
    #[error(
        "the record {path} had a write failure before: nothing more is acknowledged; take it up with a new session"
    )]
    Broken { path: PathBuf },
    #[error("the record {path} is being written by {holder}: end that session first")]
    InUse { path: PathBuf, holder: String },
    #[error("the record {path} is not as it was read: another program has changed it")]
    Changed { path: PathBuf },
    #[error(
        "the checkpoints {checkpoints} are not those of the record {path} as it is now: {cause}; leave both as they are and compare them with a backup"
    )]
    Contradicted {
        path: PathBuf,
        checkpoints: PathBuf,
        cause: String,
    },
    #[error(transparent)]
    Unfit(#[from] NotInterrupted),
    #[error("the record {path} is sealed: nothing may follow the seal")]
    Sealed { path: PathBuf },
    #[error("event cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Writer {
    /// Creates a new record and its checkpoints. An existing file is never touched.
    ///
    /// # Errors
    /// [`WriteError::Create`] where a file exists or the folder cannot be written.
    pub fn create(path: &Path, storage: Storage) -> Result<Self, WriteError> {
        let refuse = |source| WriteError::Create {
            path: path.to_owned(),
            source,
        };
        let file = storage.disk.create(path).map_err(refuse)?;
        let mut writer = Self::at(file, path, Chain::new(), 0, storage);
        if let Err(error) = writer.begin() {
            // All of them are empty and ours; their names shall not stay taken.
            let witnesses = writer.witnesses.iter().map(|one| one.path.as_path());
            for file in witnesses.chain([path]) {
                let _ = writer.storage.disk.remove(file);
            }
            return Err(error);
        }
        writer.name_holder();
        Ok(writer)
    }

    fn begin(&mut self) -> Result<(), WriteError> {
        let refuse = |source| WriteError::Create {
            path: self.path.clone(),
            source,
        };
        // Says to others that a session is writing.
        self.file.lock(&self.path).map_err(refuse)?;
        // The sync of the folder for the checkpoints is that for the record's name as well.
        self.create_witnesses()
    }

    fn create_witnesses(&mut self) -> Result<(), WriteError> {
        for path in self.storage.checkpoint_files(&self.path) {
            match Witness::create(&*self.storage.disk, &path) {
                Ok(witness) => self.witnesses.push(witness),
                Err(source) => return Err(WriteError::Create { path, source }),
            }
        }
        Ok(())
    }

    /// Goes on behind the last entry that holds. What stands behind it is moved to a file of its
    /// own next to the record first; the caller states it in an [`Event::Recovered`].
    ///
    /// It goes on in a copy that was made durable and then takes the name of the record: after
    /// a sync that failed, a file may look whole and be gone at the next power cut.
    ///
    /// # Errors
    /// [`WriteError`]; the entries of the record then are as they were.
    pub fn resume(
        interrupted: &Interrupted,
        storage: Storage,
    ) -> Result<(Self, Vec<Dropped>), WriteError> {
        let path = interrupted.path.as_path();
        let disk = Arc::clone(&storage.disk);
        let refuse = |source: io::Error| WriteError::Write {
            path: path.to_owned(),
            acknowledged: interrupted.chain.entries,
            source,
        };
        // Locked until the copy, which is locked as well, has taken its name.
        let former = disk.open(path).map_err(refuse)?;
        if !former.lock(path).map_err(refuse)? {
            return Err(WriteError::InUse {
                path: path.to_owned(),
                holder: holder(&*disk, path),
            });
        }
        let bytes = disk.read(path).map_err(refuse)?;
        let whole = usize::try_from(interrupted.bytes).unwrap_or(usize::MAX);
        let held = match bytes.split_at_checked(whole) {
            Some((held, torn))
                if torn == interrupted.torn && sha256_hex(held) == interrupted.sha256 =>
            {
                held
            }
            _ => {
                let path = path.to_owned();
                return Err(WriteError::Changed { path });
            }
        };
        check_witnesses(interrupted, &storage)?;
        let dropped = keep_aside(&*disk, path, interrupted).map_err(refuse)?;
        let file = replace(&*disk, path, held).map_err(refuse)?;
        let (chain, length) = (interrupted.chain.clone(), interrupted.bytes);
        let mut writer = Self::at(file, path, chain, length, storage);
        if let Some(Event::Opened(opened)) = interrupted.entries.first().map(|entry| &entry.event) {
            writer.format = opened.format;
        }
        for file in writer.storage.checkpoint_files(path) {
            let witness = Witness::resume(&*disk, &file).map_err(refuse)?;
            writer.witnesses.push(witness);
        }
        writer.name_holder();
        Ok((writer, dropped))
    }

    /// Writes the checkpoint of the seal, where a session ended between the two. The answer is
    /// whether it was missing in a file of checkpoints beside the record or in the other folder.
    ///
    /// # Errors
    /// [`WriteError`]; the record then is as it was.
    pub fn complete(path: &Path, storage: Storage) -> Result<bool, WriteError> {
        let sealed = Interrupted::read(&*storage.disk, path)?;
        let mut missing = false;
        for file in storage.checkpoint_files(path) {
            let found = storage.checkpoints(&file)?;
            missing |= found.is_some_and(|found| !found.is_complete(&sealed.chain));
        }
        if !sealed.chain.sealed || !missing {
            return Ok(false);
        }
        let (mut writer, _) = Self::resume(&sealed, storage)?;
        if let Some(last) = sealed.entries.last() {
            writer.utc.clone_from(&last.utc);
        }
        writer.witness()?;
        writer.forget_holder();
        Ok(true)
    }

    fn at(
        file: Box<dyn DiskFile>,
        path: &Path,
        chain: Chain,
        length: u64,
        storage: Storage,
    ) -> Self {
        Self {
            storage,
            file,
            path: path.to_owned(),
            length,
            committed: length,
            acknowledged: chain.entries,
            pending: Vec::new(),
            pending_since_us: 0,
            utc: String::new(),
            format: FORMAT,
            witnesses: Vec::new(),
            checkpoint: (chain.entries, chain.t_us),
            chain,
            broken: false,
        }
    }

    /// Best effort: the lock itself is what keeps others out.
    fn name_holder(&self) {
        let text = self.storage.holder.as_bytes();
        let _ = replace(&*self.storage.disk, &holder_file(&self.path), text);
    }

    fn forget_holder(&self) {
        let _ = self.storage.disk.remove(&holder_file(&self.path));
    }

    /// Appends one event and returns its entry.
    ///
    /// # Errors
    /// [`WriteError`]; after any of them but `Json` the writer accepts nothing more.
    pub fn append(&mut self, t_us: u64, utc: String, event: Event) -> Result<Entry, WriteError> {
        self.check_open()?;
        let seals = matches!(event, Event::Sealed { .. });
        let entry = Entry {
            seq: self.chain.entries,
            t_us,
            utc,
            event,
            prev: self.chain.head.clone(),
            hash: String::new(),
        };
        let (entry, line, hash) = entry.seal()?;
        if let Err(source) = append_all(&mut *self.file, &line) {
            return Err(self.fail(source));
        }
        if self.pending.is_empty() {
            self.pending_since_us = t_us;
        }
        self.length += line.len() as u64;
        self.pending.extend_from_slice(&line);
        self.chain.advance((&entry.hash, &hash), t_us, seals);
        self.utc.clone_from(&entry.utc);
        if seals {
            self.commit()?;
            self.forget_holder();
        }
        Ok(entry)
    }

    /// Appends the seal: the number of entries before it, their Merkle root and the reason.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn seal(&mut self, t_us: u64, utc: String, reason: &str) -> Result<Entry, WriteError> {
        let seal = Event::Sealed {
            entries: self.chain.entries,
            root: (self.format >= 3).then(|| self.chain.tree.root()),
            reason: reason.to_owned(),
        };
        self.append(t_us, utc, seal)
    }

    /// Makes the entries so far durable if the first of them has waited long enough; the
    /// answer is whether all entries are acknowledged.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn commit_group(&mut self, t_us: u64) -> Result<bool, WriteError> {
        self.check_usable()?;
        if self.pending.is_empty() || t_us.saturating_sub(self.pending_since_us) >= GROUP_US {
            self.commit()?;
        }
        Ok(self.pending.is_empty())
    }

    /// Makes all entries so far durable and compares what the file now holds with what was
    /// meant (a flipped bit in a certificate log was once found only by an outsider; here
    /// it is found before the next reading).
    ///
    /// # Errors
    /// [`WriteError::Write`] or [`WriteError::ReadBack`]; both end the record.
    pub fn commit(&mut self) -> Result<(), WriteError> {
        self.check_usable()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        match self.sync_and_read_back() {
            Err(source) => return Err(self.fail(source)),
            Ok(false) => {
                self.broken = true;
                return Err(WriteError::ReadBack {
                    path: self.path.clone(),
                    acknowledged: self.acknowledged,
                });
            }
            Ok(true) => {}
        }
        self.pending.clear();
        self.committed = self.length;
        self.witness()?;
        self.acknowledged = self.chain.entries;
        Ok(())
    }

    fn sync_and_read_back(&mut self) -> io::Result<bool> {
        self.file.sync()?;
        reads_back(&*self.file, self.committed, &self.pending)
    }

    /// Writes a checkpoint where one is due.
    fn witness(&mut self) -> Result<(), WriteError> {
        let (entries, t_us) = self.checkpoint;
        let first = self.acknowledged == 0;
        let due = self.chain.sealed
            || first
            || self.chain.entries - entries >= CHECKPOINT_ENTRIES
            || self.chain.t_us.saturating_sub(t_us) >= CHECKPOINT_US;
        if !due {
            return Ok(());
        }
        for witness in &mut self.witnesses {
            if let Err(source) = witness.append(&self.chain, self.length, &self.utc) {
                let path = witness.path.clone();
                self.broken = true;
                return Err(WriteError::Write {
                    path,
                    acknowledged: self.acknowledged,
                    source,
                });
            }
        }
        self.checkpoint = (self.chain.entries, self.chain.t_us);
        Ok(())
    }

    fn check_usable(&self) -> Result<(), WriteError> {
        if self.broken {
            let path = self.path.clone();
            return Err(WriteError::Broken { path });
        }
        Ok(())
    }

    fn check_open(&self) -> Result<(), WriteError> {
        self.check_usable()?;
        if self.chain.sealed {
            let path = self.path.clone();
            return Err(WriteError::Sealed { path });
        }
        Ok(())
    }

    fn fail(&mut self, source: io::Error) -> WriteError {
        self.broken = true;
        WriteError::Write {
            path: self.path.clone(),
            acknowledged: self.acknowledged,
            source,
        }
    }

    /// Number of entries that are durable and were read back.
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Number of the next entry.
    pub const fn next_seq(&self) -> u64 {
        self.chain.entries
    }

    /// Hash of the last entry.
    pub fn head(&self) -> &str {
        &self.chain.head
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Who says that it writes this record.
pub(crate) fn holder(disk: &dyn Disk, record: &Path) -> String {
    let text = disk.read(&holder_file(record)).unwrap_or_default();
    match std::str::from_utf8(&text) {
        Ok(text) if !text.is_empty() => text.to_owned(),
        _ => "a session that is still running".to_owned(),
    }
}

fn holder_file(record: &Path) -> PathBuf {
    record.with_extension("lock")
}

/// A copy of the checkpoints may know of entries that the disk of the record has lost.
fn check_witnesses(interrupted: &Interrupted, storage: &Storage) -> Result<(), WriteError> {
    let path = interrupted.path.as_path();
    for checkpoints in storage.checkpoint_files(path) {
        let found = storage.checkpoints(&checkpoints)?;
        if let Some(cause) = found.and_then(|found| found.contradict(&interrupted.entries)) {
            return Err(WriteError::Contradicted {
                path: path.to_owned(),
                checkpoints,
                cause,
            });
        }
    }
    Ok(())
}

/// `S-1.jsonl.torn`, `S-1.jsonl.torn-2` and so on.
fn aside_name(record: &Path, number: u32) -> PathBuf {
    let mut name = record.as_os_str().to_owned();
    match number {
        1 => name.push(".torn"),
        _ => name.push(format!(".torn-{number}")),
    }
    PathBuf::from(name)
}

/// What earlier recoveries and this one moved to files next to the record.
fn aside_files(disk: &dyn Disk, record: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for number in 1.. {
        let path = aside_name(record, number);
        match disk.read(&path) {
            Ok(bytes) => files.push((path, bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// Moves what stands behind the last entry that holds to a file next to the record. The
/// answer is every file there that no entry names yet: a recovery may itself be cut short.
fn keep_aside(
    disk: &dyn Disk,
    record: &Path,
    interrupted: &Interrupted,
) -> io::Result<Vec<Dropped>> {
    let torn = interrupted.torn.as_slice();
    let mut files = aside_files(disk, record)?;
    let next = u32::try_from(files.len() + 1).unwrap_or(u32::MAX);
    files.retain(|(path, _)| !interrupted.states(path));
    let kept = files.iter().any(|(_, bytes)| bytes == torn);
    if !torn.is_empty() && !kept {
        files.push((aside_name(record, next), torn.to_owned()));
    }
    // Also those of an earlier recovery: it may have ended because they could not be synced.
    for (path, bytes) in &files {
        replace(disk, path, bytes)?;
    }
    let dropped = files.into_iter().map(|(path, bytes)| Dropped {
        file: file_name(&path),
        bytes: bytes.len() as u64,
        sha256: sha256_hex(&bytes),
    });
    Ok(dropped.collect())
}
