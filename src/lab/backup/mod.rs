//! Verified copies of the folder of a laboratory. `records/BACKUP.md` says what they promise.

mod files;
mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use heng_records::{ReadError, Verdict, verify};
use serde_json::Value;

use files::{Kind, copy, files_below, has_end, hash, is_part, kind_of, sync_folder, write};
use manifest::Manifest;

/// Stands in a folder until everything is restored into it.
const UNFINISHED: &str = "RESTORE-NOT-FINISHED.part";
const LOCK: &str = "backup.lock";

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{path} {cause}")]
    File { path: PathBuf, cause: &'static str },
    #[error(
        "{inner} lies inside of {outer}, or is the same folder: a backup needs a folder of its own, best on another device"
    )]
    Inside { inner: PathBuf, outer: PathBuf },
    #[error(
        "{target} holds {name}, which is neither in the folder nor in the manifest: it is no backup of this folder; choose a new folder"
    )]
    Foreign { target: PathBuf, name: String },
    #[error("nothing was copied, for the backup would lose evidence:\n  {}", .0.join("\n  "))]
    Refused(Vec<String>),
    #[error("nothing was restored: {0}")]
    NotWhole(Check),
    #[error(
        "{path} does not read back as it was written (SHA-256 {found} in the place of {written}): the disk is not to be trusted"
    )]
    ReadBack {
        path: PathBuf,
        written: String,
        found: String,
    },
    #[error("cannot {doing} {path}: {source}")]
    Disk {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Disk {
        doing,
        path,
        source,
    }
}

/// What reading a whole backup again has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    pub files: usize,
    /// A file is not the one that was copied, or is gone.
    pub altered: Vec<String>,
    /// What a copy leaves that did not come to its end.
    pub half: Vec<String>,
    /// Records that were not as written when they were copied.
    pub records: Vec<String>,
    pub notes: Vec<String>,
}

impl Check {
    /// Every file is there as it was copied.
    pub fn is_whole(&self) -> bool {
        self.altered.is_empty() && self.half.is_empty()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if !self.altered.is_empty() {
            "altered: the backup is not as it was made"
        } else if !self.half.is_empty() {
            "half: a copy did not come to its end; run heng backup again"
        } else if self.records.is_empty() {
            "whole: every file is as it was copied, and no record is altered"
        } else {
            "whole, with altered records: every file is as it was copied, but not every record holds"
        };
        write!(f, "{verdict}")?;
        write!(f, "\n  files    {} in the manifest", self.files)?;
        let lists = [&self.altered, &self.half, &self.records];
        for reason in lists.into_iter().flatten() {
            write!(f, "\n  reason   {reason}")?;
        }
        for note in &self.notes {
            write!(f, "\n  note     {note}")?;
        }
        Ok(())
    }
}

/// Brings the backup at `target` to the state of the folder, and reads all of it again. The
/// answer also counts the files that were copied.
pub fn backup(source: &Path, target: &Path) -> Result<(usize, Check), BackupError> {
    apart(source, target)?;
    let names = sources(source)?;
    fs::create_dir_all(target).map_err(disk("create", target))?;
    let _lock = lock(target)?;
    let mut plan = Plan::new(source, target)?;
    plan.meet(names)?;
    plan.carry_out()
}

/// Reads everything in a backup again.
pub fn check(backup: &Path) -> Result<Check, BackupError> {
    is_folder(backup)?;
    Ok(read_all(backup, listed(backup)?)?.1)
}

/// Restores a whole backup into a folder that is new or empty, and reads that again.
pub fn restore(backup: &Path, folder: &Path) -> Result<Check, BackupError> {
    is_folder(backup)?;
    apart(backup, folder)?;
    let (manifest, found) = read_all(backup, listed(backup)?)?;
    if !found.is_whole() {
        return Err(BackupError::NotWhole(found));
    }
    fs::create_dir_all(folder).map_err(disk("create", folder))?;
    let mut there = fs::read_dir(folder).map_err(disk("read", folder))?;
    if there.next().is_some() {
        return Err(BackupError::File {
            path: folder.to_owned(),
            cause: "is not empty: restore into a new folder",
        });
    }
    let mark = folder.join(UNFINISHED);
    File::create(&mark)
        .and_then(|file| file.sync_all())
        .map_err(disk("create", &mark))?;
    sync_folder(folder)?;
    for (name, sha256) in &manifest.0 {
        let from = backup.join(name);
        let length = fs::metadata(&from).map_err(disk("read", &from))?.len();
        copy(&from, length, sha256, &folder.join(name))?;
    }
    fs::remove_file(&mark).map_err(disk("remove", &mark))?;
    sync_folder(folder)?;
    let (_, restored) = read_all(folder, Ok(manifest))?;
    Ok(restored)
}

fn is_folder(path: &Path) -> Result<(), BackupError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(BackupError::File {
            path: path.to_owned(),
            cause: "is not a folder",
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BackupError::File {
            path: path.to_owned(),
            cause: "is not there",
        }),
        Err(error) => Err(disk("read", path)(error)),
    }
}

/// Neither folder may be a part of the other.
fn apart(source: &Path, target: &Path) -> Result<(), BackupError> {
    is_folder(source)?;
    let from = fs::canonicalize(source).map_err(disk("read", source))?;
    let full = std::path::absolute(target).map_err(disk("read", target))?;
    // The target need not be there yet; its nearest folder that is says where it will be.
    let there = full.ancestors().find(|path| path.exists());
    let there = there.unwrap_or(Path::new("/"));
    let rest = full.strip_prefix(there).unwrap_or(Path::new(""));
    let to = fs::canonicalize(there)
        .map_err(disk("read", there))?
        .join(rest);
    let (inner, outer) = match () {
        () if to.starts_with(&from) => (target, source),
        () if from.starts_with(&to) => (source, target),
        () => return Ok(()),
    };
    Err(BackupError::Inside {
        inner: inner.to_owned(),
        outer: outer.to_owned(),
    })
}

/// The files to be copied, checkpoints first: a writer may be at work, and a checkpoint must
/// not tell of more than the copy of its record has.
fn sources(source: &Path) -> Result<Vec<String>, BackupError> {
    let mut names = files_below(source)?;
    for (name, cause) in [
        (
            UNFINISHED,
            "says that the folder was not restored to its end: restore it again",
        ),
        (
            manifest::NAME,
            "says that the folder is itself a backup: restore it, or take the file out",
        ),
    ] {
        if names.iter().any(|one| one == name) {
            let path = source.join(name);
            return Err(BackupError::File { path, cause });
        }
    }
    names.retain(|name| !is_part(name));
    names.sort_by_key(|name| !has_end(name, "checkpoints"));
    Ok(names)
}

/// Held while the file is; another backup into the same folder waits for nothing and ends.
fn lock(target: &Path) -> Result<File, BackupError> {
    let path = target.join(LOCK);
    let file = File::create(&path).map_err(disk("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::File {
            path,
            cause: "is held by another backup into this folder: let it end first",
        }),
        Err(TryLockError::Error(error)) => Err(disk("lock", &path)(error)),
    }
}

/// The manifest, or why there is none.
fn listed(backup: &Path) -> Result<Result<Manifest, String>, BackupError> {
    let path = backup.join(manifest::NAME);
    match fs::read(&path) {
        Ok(bytes) => {
            Ok(Manifest::parse(&bytes).map_err(|cause| format!("{}: {cause}", manifest::NAME)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Err(format!("{} is missing", manifest::NAME)))
        }
        Err(error) => Err(disk("read", &path)(error)),
    }
}

struct Plan<'a> {
    source: &'a Path,
    target: &'a Path,
    before: Manifest,
    /// Copies in the target with their kind, and rests of copies that did not end.
    copies: BTreeMap<String, Kind>,
    parts: Vec<String>,
    /// Files that a sealed record in the target states, with that record.
    stated: BTreeMap<String, String>,
    /// Name, bytes and SHA-256 of what is to be copied.
    due: Vec<(String, u64, String)>,
    after: Manifest,
    refused: Vec<String>,
    notes: Vec<String>,
}

impl<'a> Plan<'a> {
    fn new(source: &'a Path, target: &'a Path) -> Result<Self, BackupError> {
        let (parts, names): (Vec<_>, Vec<_>) = files_below(target)?
            .into_iter()
            .partition(|name| is_part(name));
        let mut copies = BTreeMap::new();
        let mut stated = BTreeMap::new();
        for name in names.into_iter().filter(|name| name != manifest::NAME) {
            let kind = kind_of(&target.join(&name), &name)?;
            if kind == Kind::Sealed {
                for file in stated_in(target, &name)? {
                    stated.insert(file, name.clone());
                }
            }
            copies.insert(name, kind);
        }
        Ok(Self {
            source,
            target,
            before: listed(target)?.unwrap_or_default(),
            copies,
            parts,
            stated,
            due: Vec::new(),
            after: Manifest::default(),
            refused: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Decides about every file before anything in the target is touched.
    fn meet(&mut self, names: Vec<String>) -> Result<(), BackupError> {
        let here: BTreeSet<_> = names.into_iter().collect();
        let gone: Vec<_> = self
            .copies
            .keys()
            .filter(|name| !here.contains(*name))
            .cloned()
            .collect();
        if let Some(name) = gone.iter().find(|name| !self.before.0.contains_key(*name)) {
            return Err(BackupError::Foreign {
                target: self.target.to_owned(),
                name: name.clone(),
            });
        }
        for name in gone {
            let (sha256, _) = hash(&self.target.join(&name), u64::MAX)?;
            let listed = &self.before.0[&name];
            if sha256 == *listed {
                self.notes.push(format!(
                    "{name} is no longer in the folder; the backup keeps it"
                ));
            } else {
                self.refused.push(format!(
                    "{name} is no longer in the folder, and its copy was altered: SHA-256 {sha256}, {listed} in the manifest"
                ));
            }
            self.after.0.insert(name, sha256);
        }
        for name in self.before.0.keys().filter(|name| !here.contains(*name)) {
            if !self.copies.contains_key(name) {
                self.refused.push(format!(
                    "{name} is in the manifest, but neither in the folder nor in the backup"
                ));
            }
        }
        let mut names: Vec<_> = here.into_iter().collect();
        names.sort_by_key(|name| !has_end(name, "checkpoints"));
        for name in names {
            self.meet_one(name)?;
        }
        Ok(())
    }

    fn meet_one(&mut self, name: String) -> Result<(), BackupError> {
        let path = self.source.join(&name);
        let limit = match kind_of(&path, &name)? {
            Kind::Growing(whole) => whole,
            Kind::Sealed | Kind::Free => u64::MAX,
        };
        let (theirs, length) = hash(&path, limit)?;
        self.after.0.insert(name.clone(), theirs.clone());
        if let Some(&kind) = self.copies.get(&name) {
            let (ours, copied) = hash(&self.target.join(&name), u64::MAX)?;
            if ours == theirs {
                return Ok(());
            }
            let why = match kind {
                Kind::Sealed => Some("is sealed and can no longer change".to_owned()),
                Kind::Growing(_) if copied > length || hash(&path, copied)?.0 != ours => {
                    Some("only grows, but its copy is not how it begins".to_owned())
                }
                Kind::Growing(_) => None,
                Kind::Free => self
                    .stated
                    .get(&name)
                    .map(|record| format!("is stated by the sealed record {record}")),
            };
            let listed = self.before.0.get(&name);
            if let Some(why) = why {
                let manifest = listed.map_or("no manifest".to_owned(), |hash| {
                    format!("{hash} in the manifest")
                });
                self.refused.push(format!(
                    "{name} {why}: SHA-256 {theirs} in the folder ({length} bytes), {ours} in the backup ({copied} bytes), {manifest}"
                ));
                return Ok(());
            }
            if listed.is_some_and(|listed| *listed != ours) {
                self.notes.push(format!(
                    "the copy of {name} was not as the manifest states (SHA-256 {ours}); it was replaced"
                ));
            }
        }
        self.due.push((name, length, theirs));
        Ok(())
    }

    fn carry_out(self) -> Result<(usize, Check), BackupError> {
        if !self.refused.is_empty() {
            return Err(BackupError::Refused(self.refused));
        }
        for name in &self.parts {
            let path = self.target.join(name);
            fs::remove_file(&path).map_err(disk("remove", &path))?;
        }
        for (name, length, sha256) in &self.due {
            copy(
                &self.source.join(name),
                *length,
                sha256,
                &self.target.join(name),
            )?;
        }
        if self.after != self.before || !self.target.join(manifest::NAME).exists() {
            write(&self.target.join(manifest::NAME), &self.after.to_text())?;
        }
        let mut found = check(self.target)?;
        found.notes.splice(0..0, self.notes);
        Ok((self.due.len(), found))
    }
}

/// Files in the folder of a record that its entries state with their SHA-256.
fn stated_in(folder: &Path, record: &str) -> Result<Vec<String>, BackupError> {
    let path = folder.join(record);
    let prefix = record.rfind('/').map_or("", |end| &record[..=end]);
    let mut names = Vec::new();
    let input = File::open(&path).map_err(disk("read", &path))?;
    for line in BufReader::new(input).split(b'\n') {
        let line = line.map_err(disk("read", &path))?;
        let text = String::from_utf8_lossy(&line);
        // Most lines are readings; only these two kinds are worth a parse.
        if !text.contains("\"kind\":\"artefact\"") && !text.contains("\"kind\":\"recovered\"") {
            continue;
        }
        let entry: Value = serde_json::from_str(&text).unwrap_or_default();
        let event = &entry["event"];
        let dropped = event["dropped"].as_array().into_iter().flatten();
        let files = dropped.map(|one| &one["file"]).chain([&event["name"]]);
        names.extend(
            files
                .filter_map(Value::as_str)
                .map(|name| format!("{prefix}{name}")),
        );
    }
    Ok(names)
}

/// Reads all files of a folder and holds them against the manifest.
fn read_all(
    folder: &Path,
    listed: Result<Manifest, String>,
) -> Result<(Manifest, Check), BackupError> {
    let mut found = Check::default();
    let manifest = listed.unwrap_or_else(|cause| {
        found.half.push(cause);
        Manifest::default()
    });
    found.files = manifest.0.len();
    let names: BTreeSet<_> = files_below(folder)?.into_iter().collect();
    for (name, listed) in &manifest.0 {
        if !names.contains(name) {
            found.altered.push(format!("{name} is missing"));
            continue;
        }
        let path = folder.join(name);
        let (sha256, bytes) = hash(&path, u64::MAX)?;
        if sha256 != *listed {
            found.altered.push(format!(
                "{name} is altered: SHA-256 {sha256} ({bytes} bytes), {listed} in the manifest"
            ));
        }
    }
    for name in &names {
        if is_part(name) {
            found
                .half
                .push(format!("{name} is the rest of a copy that did not end"));
        } else if name != manifest::NAME && !manifest.0.contains_key(name) {
            found.half.push(format!("{name} is not in the manifest"));
        }
        if has_end(name, "jsonl") {
            found.record(folder, name)?;
        }
    }
    Ok((manifest, found))
}

impl Check {
    fn record(&mut self, folder: &Path, name: &str) -> Result<(), BackupError> {
        match verify(&folder.join(name), &[]) {
            Ok(record) if record.verdict == Verdict::Altered => {
                let reasons = record.reasons.join("; ");
                self.records
                    .push(format!("the record {name} is altered: {reasons}"));
            }
            Ok(record) if record.verdict == Verdict::Incomplete => {
                self.notes.push(format!("the record {name} has no seal"));
            }
            Ok(_) => {}
            Err(ReadError::Io { path, source }) => return Err(disk("read", &path)(source)),
            Err(error) => self.notes.push(error.to_string()),
        }
        Ok(())
    }
}
