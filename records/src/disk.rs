//! The file layer under a record. The product uses [`Machine`]; the tests put a disk under
//! the same writer that tears, drops and reorders sectors, fails, and lies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{FileExt, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What a record needs of a file system.
pub trait Disk: Send + Sync {
    /// A new, empty file.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where there is one of this name; it is not touched.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// An existing file, to be read and appended to.
    ///
    /// # Errors
    /// What the file system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// The whole content of a file.
    ///
    /// # Errors
    /// What the file system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// A file to be read from its beginning, without holding all of it.
    ///
    /// # Errors
    /// What the file system says.
    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(io::Cursor::new(self.read(path)?)))
    }

    /// Gives a file another name; a file of that name is replaced.
    ///
    /// # Errors
    /// What the file system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// # Errors
    /// What the file system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in the folder of `path` durable.
    ///
    /// # Errors
    /// What the file system says.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send {
    /// Appends; the answer is how many of the bytes were taken.
    ///
    /// # Errors
    /// What the file system says.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// What the file system says; what was not durable before may then be lost.
    fn sync(&mut self) -> io::Result<()>;

    /// Fills `into` from `offset` on; the answer is how much was there.
    ///
    /// # Errors
    /// What the file system says.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// # Errors
    /// What the file system says.
    fn length(&self) -> io::Result<u64>;

    /// Takes the file for this program alone until it is closed; false where another program
    /// has it, or where `path` has become the name of another file since it was opened. A file
    /// system without locks refuses nobody.
    ///
    /// # Errors
    /// What the file system says.
    fn lock(&self, path: &Path) -> io::Result<bool>;
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Disk for Machine {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .append(true)
            .create_new(true)
            .open(path)?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        Ok(Box::new(file))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match FileExt::read_at(self, &mut into[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn lock(&self, path: &Path) -> io::Result<bool> {
        if matches!(self.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(false);
        }
        let (own, named) = (self.metadata()?, std::fs::metadata(path)?);
        Ok((own.dev(), own.ino()) == (named.dev(), named.ino()))
    }
}

/// Appends all of `bytes` in one write. A write that takes fewer is an error: the disk is
/// full or the file may not grow, and what comes next would be lost as well.
pub(crate) fn append_all(file: &mut dyn DiskFile, bytes: &[u8]) -> io::Result<()> {
    loop {
        match file.append(bytes) {
            Ok(count) if count == bytes.len() => return Ok(()),
            Ok(count) => {
                let due = bytes.len();
                let cause = format!("only {count} of {due} bytes were written: is the disk full?");
                return Err(io::Error::new(io::ErrorKind::WriteZero, cause));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether the file holds these bytes from `offset` on, and nothing behind them.
pub(crate) fn reads_back(file: &dyn DiskFile, offset: u64, due: &[u8]) -> io::Result<bool> {
    let mut at = offset;
    for chunk in due.chunks(CHUNK) {
        let mut found = vec![0; chunk.len()];
        let count = file.read_at(at, &mut found)?;
        if count != chunk.len() || found != chunk {
            return Ok(false);
        }
        at += chunk.len() as u64;
    }
    Ok(file.length()? == at)
}

/// An operating system takes only so much in one write.
const CHUNK: usize = 1 << 20;

/// Puts a new file with these bytes under the name: whole, durable and read back, or not at
/// all. The file stays open and locked, to be appended to.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // What an earlier attempt has left.
    match disk.remove(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let named = write_part(disk, &part, bytes).and_then(|file| {
        disk.rename(&part, path)?;
        Ok(file)
    });
    if named.is_err() {
        // On a full disk the part would take the room that is needed.
        let _ = disk.remove(&part);
    }
    let file = named?;
    disk.sync_folder(path)?;
    Ok(file)
}

fn write_part(disk: &dyn Disk, part: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let mut file = disk.create(part)?;
    // Before others can open it under its later name.
    file.lock(part)?;
    for chunk in bytes.chunks(CHUNK) {
        append_all(&mut *file, chunk)?;
    }
    file.sync()?;
    if !reads_back(&*file, 0, bytes)? {
        let cause = "the file does not read back as it was written";
        return Err(io::Error::new(io::ErrorKind::InvalidData, cause));
    }
    Ok(file)
}
