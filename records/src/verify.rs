//! The verdict on a record from its files alone: chain, seal, checkpoints, texts, artefacts.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::chain::{Taken, sha256_hex};
use crate::checkpoint::checkpoints_of;
use crate::disk::{Disk, Machine};
use crate::event::Event;
use crate::reader::{Broken, Ending, ReadError, Walk, witnesses};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Sealed, and everything holds.
    Good,
    /// Something is not as it was written.
    Altered,
    /// Everything holds, but the session was not closed.
    Incomplete,
}

impl Verdict {
    /// Exit code of a program that verifies.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Altered => 1,
            Self::Incomplete => 2,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good: the record is sealed and everything in it holds",
            Self::Altered => "altered: the record is not as it was written",
            Self::Incomplete => {
                "incomplete: what is recorded holds, but the session was not closed by a seal"
            }
        })
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub verdict: Verdict,
    pub ending: Ending,
    /// What speaks against the record, with the place.
    pub reasons: Vec<String>,
    /// What was looked at and holds, and what could not be looked at.
    pub notes: Vec<String>,
    /// Entries that hold, their bytes, and the hash of the last one.
    pub entries: u64,
    pub bytes: u64,
    pub head: String,
    /// Merkle root over the entries that hold.
    pub root: String,
}

impl fmt::Display for Verification {
    /// The verdict line, then the reasons and what else was found, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.verdict)?;
        for reason in &self.reasons {
            writeln!(f, "  reason   {reason}")?;
        }
        writeln!(
            f,
            "  entries  {} in {} bytes hold",
            self.entries, self.bytes
        )?;
        writeln!(f, "  head     {}", self.head)?;
        writeln!(f, "  root     {}", self.root)?;
        for note in &self.notes {
            writeln!(f, "  note     {note}")?;
        }
        Ok(())
    }
}

/// Checks the record at `path` with the checkpoints and artefacts beside it, and with the
/// further files of checkpoints.
///
/// # Errors
/// [`ReadError`] where the file cannot be read or is not a record.
pub fn verify(path: &Path, checkpoints: &[PathBuf]) -> Result<Verification, ReadError> {
    verify_on(&Machine, path, checkpoints)
}

/// As [`verify`], on that disk.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(
    disk: &dyn Disk,
    path: &Path,
    checkpoints: &[PathBuf],
) -> Result<Verification, ReadError> {
    let mut files = vec![checkpoints_of(path)];
    files.extend_from_slice(checkpoints);
    let witnesses = witnesses(disk, &files)?;
    let named: Vec<_> = witnesses.iter().map(|(path, _)| path.clone()).collect();
    if let Some(missing) = checkpoints.iter().find(|path| !named.contains(path)) {
        return Err(ReadError::Io {
            path: missing.clone(),
            source: std::io::ErrorKind::NotFound.into(),
        });
    }
    let count: usize = witnesses.iter().map(|(_, found)| found.list.len()).sum();
    let mut found = Found {
        disk,
        folder: path.parent().unwrap_or_else(|| Path::new("")),
        reasons: Vec::new(),
        notes: vec![match named.len() {
            0 => "no file of checkpoints is beside the record".to_owned(),
            _ => format!("{count} checkpoints"),
        }],
    };
    let (ending, torn, walk) = Walk::through(disk, path, witnesses, |entry, taken| {
        found.look(taken, entry);
        Ok(())
    })?;
    Ok(found.verification(ending, torn, &walk))
}

struct Found<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    reasons: Vec<String>,
    notes: Vec<String>,
}

impl Found<'_> {
    fn look(&mut self, taken: &Taken, entry: u64) {
        if !matches!(&*taken.kind, "text" | "artefact" | "recovered") {
            return;
        }
        match taken.entry().map(|entry| entry.event) {
            Ok(Event::Text(text)) if sha256_hex(text.text.as_bytes()) != text.sha256 => {
                let name = text.name;
                self.reasons.push(format!(
                    "entry {entry}: the text {name} does not have its SHA-256"
                ));
            }
            Ok(Event::Artefact {
                name,
                bytes,
                sha256,
            }) => self.file(entry, &name, bytes, &sha256),
            Ok(Event::Recovered(recovered)) => {
                for one in recovered.dropped {
                    self.file(entry, &one.file, one.bytes, &one.sha256);
                }
            }
            Ok(_) => {}
            Err(error) => self.reasons.push(format!(
                "entry {entry}: the hash holds but it cannot be read: {error}"
            )),
        }
    }

    /// A file that an entry names.
    fn file(&mut self, entry: u64, name: &str, bytes: u64, sha256: &str) {
        // A record must not make its verifier read files of other folders.
        if Path::new(name).file_name().is_none_or(|file| file != name) {
            let reason = format!("entry {entry}: {name:?} is not the name of a file");
            return self.reasons.push(reason);
        }
        match self.digest(name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self
                .notes
                .push(format!("{name} of entry {entry} is not beside the record")),
            Err(error) => self
                .reasons
                .push(format!("{name} of entry {entry} cannot be read: {error}")),
            Ok((length, hash)) if length != bytes || hash != sha256 => self.reasons.push(format!(
                "{name} is not the file of entry {entry}: it has {length} bytes and SHA-256 {hash}, the entry states {bytes} bytes and {sha256}"
            )),
            Ok(_) => self.notes.push(format!("{name} is the file of entry {entry}")),
        }
    }

    fn digest(&self, name: &str) -> std::io::Result<(u64, String)> {
        let mut input = BufReader::new(self.disk.reader(&self.folder.join(name))?);
        let (mut length, mut digest) = (0, Sha256::new());
        loop {
            let chunk = input.fill_buf()?;
            if chunk.is_empty() {
                return Ok((length, crate::chain::hex(&digest.finalize().into())));
            }
            digest.update(chunk);
            let count = chunk.len();
            length += count as u64;
            input.consume(count);
        }
    }

    fn verification(
        mut self,
        ending: Ending,
        torn_checkpoint: Option<Broken>,
        walk: &Walk,
    ) -> Verification {
        let mut verdict = match &ending {
            Ending::Sealed => Verdict::Good,
            Ending::Open => Verdict::Incomplete,
            Ending::Torn(torn) => {
                let reason = format!("behind the last checkpoint, as a crash leaves it: {torn}");
                self.notes.push(reason);
                Verdict::Incomplete
            }
            Ending::Broken(broken) => {
                self.reasons.insert(0, broken.to_string());
                Verdict::Altered
            }
        };
        if !self.reasons.is_empty() {
            verdict = Verdict::Altered;
        }
        if let Some(torn) = torn_checkpoint {
            if verdict == Verdict::Good {
                verdict = Verdict::Incomplete;
            }
            self.reasons.push(torn.to_string());
            let cure = "the record is sealed, only its last checkpoint is not whole: heng resume writes that again";
            self.notes.push(cure.to_owned());
        }
        Verification {
            verdict,
            ending,
            reasons: self.reasons,
            notes: self.notes,
            entries: walk.chain.entries,
            bytes: walk.bytes,
            head: walk.chain.head.clone(),
            root: walk.chain.tree.root(),
        }
    }
}
