//! A disk in memory that behaves as badly as disks do, by a seed: what was not synced is at a
//! power cut kept, lost, torn inside a sector and out of order; the n-th operation fails; after
//! a sync that failed pages look clean and are gone at the cut (Rebello et al., "Can applications
//! recover from fsync failures?", USENIX ATC 2020); a sync may lie; the disk may be full.
//!
//! What it does not do: damage what was durable. A torn sector holds a begin of what was written
//! to it and then what it held before.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use heng_records::{Disk, DiskFile};

use crate::session::Random;

const SECTOR: usize = 512;

/// What the n-th operation does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done. A sync: what it had to make durable looks clean and is lost.
    Error,
    /// As `Error`; after a sync the file shows again what is durable, as where the page was
    /// dropped from memory.
    Reverts,
    /// An append takes a part and no more; else as `Error`.
    Short,
    /// There is no room from here on, until [`Simulated::make_room`].
    Full,
    /// A signal came; nothing is done.
    Interrupted,
    /// A sync answers that all went well and has done nothing; other operations are as ever.
    Lie,
    /// The power fails.
    Cut,
}

#[derive(Default)]
struct File {
    /// What programs see, and what is there after a power cut.
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that differ and will be written, or may be.
    dirty: BTreeSet<usize>,
    locked: bool,
}

/// A change of the names in a folder.
#[derive(Clone)]
enum Change {
    Set(PathBuf, usize),
    Move(PathBuf, PathBuf, usize),
    Remove(PathBuf),
}

type Names = BTreeMap<PathBuf, usize>;

struct State {
    random: Random,
    files: Vec<File>,
    names: Names,
    durable: Names,
    /// Changes of names that no sync has made durable.
    pending: Vec<Change>,
    /// Counts the cuts: a file that was opened before one is dead.
    boot: u64,
    off: bool,
    full: bool,
    operations: u64,
    counts: BTreeMap<(&'static str, String), u64>,
    at: Option<(u64, Fault)>,
    fired: bool,
    /// Folder whose syncs of files lie, and whether those of its names do.
    liar: Option<(PathBuf, bool)>,
}

/// Its clones are one disk.
#[derive(Clone)]
pub struct Simulated(Arc<Mutex<State>>);

struct Open {
    disk: Simulated,
    path: PathBuf,
    file: usize,
    boot: u64,
    locks: Mutex<bool>,
}

fn failure(text: &str) -> io::Error {
    io::Error::other(text.to_owned())
}

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Set(path, file) => drop(names.insert(path.clone(), *file)),
        Change::Move(from, to, file) => {
            if names.get(from) == Some(file) {
                names.remove(from);
            }
            names.insert(to.clone(), *file);
        }
        Change::Remove(path) => drop(names.remove(path)),
    }
}

impl File {
    /// Writes one sector, or its first bytes, to the medium.
    fn persist(&mut self, sector: usize, bytes: usize) {
        let begin = sector * SECTOR;
        let end = (begin + bytes.min(SECTOR)).min(self.cached.len());
        if end <= begin {
            return;
        }
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[begin..end].copy_from_slice(&self.cached[begin..end]);
    }

    fn sync(&mut self) {
        for sector in std::mem::take(&mut self.dirty) {
            self.persist(sector, SECTOR);
        }
        if self.durable.len() < self.cached.len() {
            self.durable.resize(self.cached.len(), 0);
        }
    }

    /// What a disk makes of the sectors in its queue when it stops in the middle.
    fn lose(&mut self, random: &mut Random) {
        // The length may be written before the bytes are.
        let length = self.cached.len();
        let kept = random.below(4);
        for sector in std::mem::take(&mut self.dirty) {
            match random.below(4) + kept {
                0 | 1 => {}
                2 => {
                    let bytes = random.index(SECTOR);
                    self.persist(sector, bytes);
                }
                _ => self.persist(sector, SECTOR),
            }
        }
        if random.below(3) == 0 && self.durable.len() < length {
            self.durable.resize(length, 0);
        }
    }
}

impl State {
    /// Counts the operation; the answer is the fault that it has.
    fn enter(&mut self, verb: &'static str, path: &Path) -> io::Result<Option<Fault>> {
        if self.off {
            return Err(failure("the power is off"));
        }
        self.operations += 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        *self.counts.entry((verb, name.into_owned())).or_default() += 1;
        let Some((_, fault)) = self.at.filter(|(at, _)| *at == self.operations) else {
            return Ok(None);
        };
        self.fired = true;
        match fault {
            Fault::Cut => {
                self.cut();
                Err(failure("the power failed"))
            }
            Fault::Interrupted => Err(io::ErrorKind::Interrupted.into()),
            Fault::Full => {
                self.full = true;
                Ok(None)
            }
            other => Ok(Some(other)),
        }
    }

    /// Every operation that has no meaning of its own for a fault.
    fn plain(&mut self, verb: &'static str, path: &Path) -> io::Result<()> {
        match self.enter(verb, path)? {
            None | Some(Fault::Lie) => Ok(()),
            Some(_) => Err(failure("the disk has failed")),
        }
    }

    fn cut(&mut self) {
        self.off = true;
        let pending = std::mem::take(&mut self.pending);
        // A journal keeps a begin; without one any of them may be there, each whole.
        let begin = self.random.index(pending.len() + 1);
        let journal = self.random.below(2) == 0;
        for (at, change) in pending.iter().enumerate() {
            let kept = if journal {
                at < begin
            } else {
                self.random.below(2) == 0
            };
            if kept {
                apply(&mut self.durable, change);
            }
        }
        for file in &mut self.files {
            file.lose(&mut self.random);
            // Whoever looks after the restart sees the medium.
            file.cached.clone_from(&file.durable);
            file.locked = false;
        }
        self.names.clone_from(&self.durable);
        self.boot += 1;
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let found = self.names.get(path).copied();
        found.ok_or(io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.pending.push(change);
    }

    fn lies(&self, path: &Path, of_names: bool) -> bool {
        let liar = self.liar.as_ref();
        liar.is_some_and(|(folder, names)| path.parent() == Some(folder) && (*names || !of_names))
    }
}

/// The folder whose sync makes a change durable.
fn folder_of(change: &Change) -> Option<&Path> {
    match change {
        Change::Set(path, _) | Change::Move(_, path, _) | Change::Remove(path) => path.parent(),
    }
}

impl Simulated {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: Random(seed),
            files: Vec::new(),
            names: Names::new(),
            durable: Names::new(),
            pending: Vec::new(),
            boot: 0,
            off: false,
            full: false,
            operations: 0,
            counts: BTreeMap::new(),
            at: None,
            fired: false,
            liar: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// All syncs of files in this folder, and of its names, answer well and do nothing.
    pub fn lie_in(&self, folder: &Path, names: bool) {
        self.state().liar = Some((folder.to_owned(), names));
    }

    /// The n-th operation from here on, counted from 1, has this fault.
    pub fn fail(&self, number: u64, fault: Fault) {
        let mut state = self.state();
        state.at = Some((state.operations + number, fault));
        state.fired = false;
    }

    /// Whether the fault came; no other comes after this.
    pub fn disarm(&self) -> bool {
        let mut state = self.state();
        state.at = None;
        state.fired
    }

    pub fn make_room(&self) {
        self.state().full = false;
    }

    /// How often this was done to files of this name.
    pub fn count(&self, verb: &'static str, name: &str) -> u64 {
        let key = (verb, name.to_owned());
        self.state().counts.get(&key).copied().unwrap_or(0)
    }

    /// Switches the power off, if it is on, and on again.
    pub fn cut_and_restart(&self) {
        let mut state = self.state();
        if !state.off {
            state.cut();
        }
        state.off = false;
    }

    /// What a program sees of a file, without an operation of the disk.
    pub fn look(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let file = state.find(path).ok()?;
        Some(state.files[file].cached.clone())
    }

    pub fn names(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    fn handle(&self, path: &Path, file: usize, boot: u64) -> Box<dyn DiskFile> {
        Box::new(Open {
            disk: self.clone(),
            path: path.to_owned(),
            file,
            boot,
            locks: Mutex::new(false),
        })
    }
}

impl Disk for Simulated {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.plain("create", path)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = state.files.len();
        state.files.push(File::default());
        state.change(Change::Set(path.to_owned(), file));
        Ok(self.handle(path, file, state.boot))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.plain("open", path)?;
        let file = state.find(path)?;
        Ok(self.handle(path, file, state.boot))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        state.plain("read", path)?;
        let file = state.find(path)?;
        Ok(state.files[file].cached.clone())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.plain("rename", to)?;
        let file = state.find(from)?;
        state.change(Change::Move(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.plain("remove", path)?;
        state.find(path)?;
        state.change(Change::Remove(path.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.enter("sync_folder", path)?;
        let lies = fault == Some(Fault::Lie) || state.lies(path, true);
        if lies {
            return Ok(());
        }
        let all = std::mem::take(&mut state.pending);
        let own = |change: &Change| folder_of(change) == path.parent();
        let (due, others): (Vec<_>, Vec<_>) = all.into_iter().partition(own);
        state.pending = others;
        if fault.is_some() {
            // They are seen, and no later sync writes them.
            return Err(failure("the folder cannot be synced"));
        }
        for change in &due {
            apply(&mut state.durable, change);
        }
        Ok(())
    }
}

impl Open {
    fn enter(&self, verb: &'static str) -> io::Result<(MutexGuard<'_, State>, Option<Fault>)> {
        let mut state = self.disk.state();
        if self.boot != state.boot {
            return Err(failure("the power was off since this file was opened"));
        }
        let fault = state.enter(verb, &self.path)?;
        Ok((state, fault))
    }

    fn plain(&self, verb: &'static str) -> io::Result<MutexGuard<'_, State>> {
        match self.enter(verb)? {
            (state, None | Some(Fault::Lie)) => Ok(state),
            _ => Err(failure("the disk has failed")),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if self.boot == state.boot && *self.locks.lock().unwrap() {
            state.files[self.file].locked = false;
        }
    }
}

impl DiskFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut state, fault) = self.enter("append")?;
        let taken = match fault {
            _ if state.full => 0,
            None | Some(Fault::Lie) => bytes.len(),
            Some(Fault::Short) => bytes.len() / 2,
            Some(_) => return Err(failure("the disk has failed")),
        };
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = &mut state.files[self.file];
        let from = file.cached.len();
        file.cached.extend_from_slice(&bytes[..taken]);
        let sectors = from / SECTOR..file.cached.len().div_ceil(SECTOR);
        file.dirty.extend(sectors);
        Ok(taken)
    }

    fn sync(&mut self) -> io::Result<()> {
        let (mut state, fault) = self.enter("sync")?;
        if fault == Some(Fault::Lie) || state.lies(&self.path, false) {
            return Ok(());
        }
        let State { files, random, .. } = &mut *state;
        let file = &mut files[self.file];
        if fault.is_none() {
            file.sync();
            return Ok(());
        }
        // What was in the queue is partly written; what was not is clean now, and lost.
        file.lose(random);
        if fault == Some(Fault::Reverts) {
            file.cached.clone_from(&file.durable);
        }
        Err(failure("the file cannot be synced"))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let state = self.plain("read_at")?;
        let bytes = &state.files[self.file].cached;
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        let count = into.len().min(bytes.len() - from);
        into[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn length(&self) -> io::Result<u64> {
        let state = self.plain("length")?;
        Ok(state.files[self.file].cached.len() as u64)
    }

    fn lock(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.plain("lock")?;
        let mut locks = self.locks.lock().unwrap();
        if state.files[self.file].locked && !*locks {
            return Ok(false);
        }
        state.files[self.file].locked = true;
        *locks = true;
        Ok(state.find(path)? == self.file)
    }
}
