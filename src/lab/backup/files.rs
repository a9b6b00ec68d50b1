//! The files below a folder, and bytes of them.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::manifest::speakable;
use super::{BackupError, disk};

/// Names of the files below `folder`, relative, with `/`, in order. Locks are no evidence
/// and stay out.
pub fn files_below(folder: &Path) -> Result<Vec<String>, BackupError> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((path, prefix)) = folders.pop() {
        for entry in fs::read_dir(&path).map_err(disk("read", &path))? {
            let entry = entry.map_err(disk("read", &path))?;
            let path = entry.path();
            let refuse = |cause| BackupError::File {
                path: path.clone(),
                cause,
            };
            let name = entry.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| refuse("has a name that is not UTF-8: rename it"))?;
            speakable(name).map_err(refuse)?;
            let name = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(disk("read", &path))?;
            if kind.is_dir() {
                folders.push((path, format!("{name}/")));
            } else if kind.is_symlink() {
                return Err(refuse(
                    "is a symbolic link: put the file itself in its place",
                ));
            } else if !kind.is_file() {
                return Err(refuse("is neither a file nor a folder: take it out"));
            } else if !has_end(&name, "lock") {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether the name ends in a dot and this.
pub fn has_end(name: &str, end: &str) -> bool {
    name.strip_suffix(end)
        .is_some_and(|rest| rest.ends_with('.'))
}

/// A file whose writing was cut short by whoever wrote it.
pub fn is_part(name: &str) -> bool {
    has_end(name, "part") || has_end(name, "partial")
}

/// How a file may change between two backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A record whose last whole line is a seal: never again.
    Sealed,
    /// A record without a seal, or checkpoints: lines are added. With the bytes up to the end
    /// of the last whole line.
    Growing(u64),
    /// In any way.
    Free,
}

pub fn kind_of(path: &Path, name: &str) -> Result<Kind, BackupError> {
    let read = || -> io::Result<Kind> {
        let record = has_end(name, "jsonl");
        if !record && !has_end(name, "checkpoints") {
            return Ok(Kind::Free);
        }
        let mut file = File::open(path)?;
        let mut start = Vec::new();
        (&mut file).take(7).read_to_end(&mut start)?;
        if record && start != b"{\"seq\":" {
            return Ok(Kind::Free);
        }
        let (whole, last) = last_line(&mut file)?;
        let last: Value = serde_json::from_slice(&last).unwrap_or_default();
        if record && last["event"]["kind"] == "sealed" {
            return Ok(Kind::Sealed);
        }
        Ok(Kind::Growing(whole))
    };
    read().map_err(disk("read", path))
}

/// Length up to the end of the last whole line, and that line.
fn last_line(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    const BLOCK: u64 = 1 << 16;
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail: Vec<u8> = Vec::new();
    let mut start = length;
    loop {
        let ends: Vec<_> = (0..tail.len())
            .rev()
            .filter(|&at| tail[at] == b'\n')
            .take(2)
            .collect();
        match ends[..] {
            [end, before] => {
                let line = tail[before + 1..=end].to_vec();
                return Ok((start + end as u64 + 1, line));
            }
            [end] if start == 0 => return Ok((end as u64 + 1, tail[..=end].to_vec())),
            _ if start == 0 => return Ok((0, Vec::new())),
            _ => {}
        }
        // Doubled at each turn, so that a very long line costs no square of its length.
        let step = start.min(BLOCK.max(tail.len() as u64));
        start -= step;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        Read::by_ref(file).take(step).read_to_end(&mut block)?;
        block.append(&mut tail);
        tail = block;
    }
}

/// SHA-256 and length of the first `limit` bytes, or of as many as there are.
pub fn hash(path: &Path, limit: u64) -> Result<(String, u64), BackupError> {
    let mut digest = Sha256::new();
    let length = stream(path, limit, &mut |chunk| {
        digest.update(chunk);
        Ok(())
    })
    .map_err(disk("read", path))?;
    Ok((hex(digest), length))
}

fn hex(digest: Sha256) -> String {
    use std::fmt::Write as _;
    digest
        .finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn stream(
    path: &Path,
    limit: u64,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut input = BufReader::with_capacity(1 << 18, File::open(path)?.take(limit));
    let mut length = 0;
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(length);
        }
        take(chunk)?;
        let count = chunk.len();
        length += count as u64;
        input.consume(count);
    }
}

/// Copies the first `length` bytes beside the place of the file, syncs, reads back, and only
/// then gives the copy its name.
pub fn copy(from: &Path, length: u64, sha256: &str, to: &Path) -> Result<(), BackupError> {
    let folder = to.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder).map_err(disk("create", folder))?;
    let part = part_of(to);
    let mut output = File::create(&part).map_err(disk("create", &part))?;
    let mut failed = None;
    let mut digest = Sha256::new();
    let copied = stream(from, length, &mut |chunk| {
        digest.update(chunk);
        output
            .write_all(chunk)
            .inspect_err(|error| failed = Some(error.kind()))
    });
    let doubted = if failed.is_some() { &part } else { from };
    let copied = copied.map_err(disk("copy", doubted))?;
    output.sync_all().map_err(disk("sync", &part))?;
    drop(output);
    if copied != length || hex(digest) != sha256 {
        return Err(BackupError::File {
            path: from.to_owned(),
            cause: "was changed while it was copied: run the command again",
        });
    }
    settle(&part, to, sha256)
}

/// Writes a small file in the same way.
pub fn write(to: &Path, text: &str) -> Result<(), BackupError> {
    let part = part_of(to);
    let mut output = File::create(&part).map_err(disk("create", &part))?;
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.sync_all())
        .map_err(disk("write", &part))?;
    settle(&part, to, &heng_records::sha256_hex(text.as_bytes()))
}

fn settle(part: &Path, to: &Path, sha256: &str) -> Result<(), BackupError> {
    let (found, _) = hash(part, u64::MAX)?;
    if found != sha256 {
        return Err(BackupError::ReadBack {
            path: part.to_owned(),
            written: sha256.to_owned(),
            found,
        });
    }
    fs::rename(part, to).map_err(disk("rename", part))?;
    sync_folder(to.parent().unwrap_or_else(|| Path::new(".")))
}

pub fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(disk("sync", folder))
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}
