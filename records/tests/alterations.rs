//! Whatever is altered in the files of a record is found, and located: in its entry, or in
//! the line of its checkpoints. Nothing altered is ever called good.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use heng_records::{
    Disk, DiskFile, Ending, Event, Opened, Operator, Storage, Verdict, Verification, Writer,
    sha256_hex, verify_on,
};

/// Files in memory: nothing here fails or tears.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>);

struct Open(Memory, PathBuf);

impl Memory {
    fn get(&self, path: &Path) -> Vec<u8> {
        self.0.lock().unwrap()[path].clone()
    }

    fn put(&self, path: &Path, bytes: Vec<u8>) {
        self.0.lock().unwrap().insert(path.to_owned(), bytes);
    }

    /// Files of its own, with the same content.
    fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().unwrap().clone())))
    }
}

impl Disk for Memory {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if self.0.lock().unwrap().contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.put(path, Vec::new());
        Ok(Box::new(Open(self.clone(), path.to_owned())))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(Open(self.clone(), path.to_owned())))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let files = self.0.lock().unwrap();
        files
            .get(path)
            .cloned()
            .ok_or(io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.0.lock().unwrap();
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = self.0.lock().unwrap().remove(path);
        removed.map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut files = self.0.0.lock().unwrap();
        files.get_mut(&self.1).unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.get(&self.1);
        let rest = &bytes[usize::try_from(offset).unwrap().min(bytes.len())..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.get(&self.1).len() as u64)
    }

    fn lock(&self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }
}

mod session;
use session::{Random, opened, reading};

const RECORD: &str = "laboratory/S-1.jsonl";
const CHECKPOINTS: &str = "laboratory/S-1.checkpoints";
const ELSEWHERE: &str = "witness/S-1.checkpoints";
const ARTEFACT: &str = "S-1.xml";

/// A sealed record of at least so many bytes, its checkpoints in two places, an artefact.
fn laboratory(session: &str, bytes: usize) -> Memory {
    let disk = Memory::default();
    let storage = Storage {
        disk: Arc::new(disk.clone()),
        witness: Some("witness".into()),
        ..Storage::default()
    };
    let record = Path::new(RECORD);
    let mut writer = Writer::create(record, storage).unwrap();
    let mut t_us = 0;
    let mut append = |writer: &mut Writer, event| {
        t_us += 700_000;
        let utc = "2026-11-25T08:00:00+08:00".to_owned();
        writer.append(t_us, utc, event).unwrap();
        writer.commit().unwrap();
    };
    let session = session.into();
    append(
        &mut writer,
        Event::Opened(Opened {
            session,
            ..opened()
        }),
    );
    let mut index = 0;
    while disk.get(record).len() < bytes {
        index += 1;
        append(&mut writer, reading(index));
        let body = serde_json::json!({ "value": 0.1 + index as f64 });
        append(&mut writer, Event::Derived { body });
    }
    let artefact = vec![b'x'; 3000];
    disk.put(&record.with_file_name(ARTEFACT), artefact.clone());
    append(
        &mut writer,
        Event::Artefact {
            name: ARTEFACT.into(),
            bytes: 3000,
            sha256: sha256_hex(&artefact),
        },
    );
    let person = "A".into();
    append(&mut writer, Event::Operator(Operator::Pause { person }));
    writer.seal(t_us, String::new(), "completed").unwrap();
    let found = judge(&disk);
    assert_eq!(found.verdict, Verdict::Good, "{found:?}");
    disk
}

fn judge(disk: &Memory) -> Verification {
    verify_on(disk, Path::new(RECORD), &[]).unwrap()
}

/// The entry at which the record breaks; the first bytes of a file may be what makes it one.
fn broken(disk: &Memory) -> Option<u64> {
    match judge(disk).ending {
        Ending::Broken(broken) | Ending::Torn(broken) => Some(broken.entry),
        Ending::Sealed | Ending::Open => None,
    }
}

/// The entry that a byte belongs to.
fn entry_at(bytes: &[u8], at: usize) -> u64 {
    bytes[..at].split(|&byte| byte == b'\n').count() as u64 - 1
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

/// Every one of the 524 288 bits of 64 kB, in its entry.
#[test]
fn every_bit_of_a_record_is_found_in_its_entry() {
    let disk = laboratory("S-1", 1 << 16);
    let bytes = disk.get(Path::new(RECORD));
    let length = 1 << 16;
    std::thread::scope(|scope| {
        for half in [0..length / 2, length / 2..length] {
            let (disk, bytes) = (disk.copy(), &bytes);
            scope.spawn(move || {
                for at in half {
                    let entry = entry_at(bytes, at);
                    for bit in 0..8 {
                        let mut altered = bytes.clone();
                        altered[at] ^= 1 << bit;
                        disk.put(Path::new(RECORD), altered);
                        let found = judge(&disk);
                        assert_eq!(found.verdict, Verdict::Altered, "byte {at} bit {bit}");
                        let Ending::Broken(broken) = found.ending else {
                            panic!("byte {at} bit {bit}: {:?}", found.ending);
                        };
                        assert_eq!(broken.entry, entry, "byte {at} bit {bit}");
                    }
                }
            });
        }
    });
}

/// Single bits, pairs of bits and bursts of 64 bytes, in each of the files of a session.
#[test]
fn random_flips_in_every_file_are_found() {
    let seed = 20_261_126;
    let disk = laboratory("S-1", 1 << 17);
    let artefact = Path::new(RECORD).with_file_name(ARTEFACT);
    let files = [PathBuf::from(RECORD), PathBuf::from(CHECKPOINTS), artefact];
    let mut random = Random(seed);
    for case in 0..20_000 {
        let file = &files[case % 3];
        let good = disk.get(file);
        let mut altered = good.clone();
        let kind = random.below(3);
        if kind < 2 {
            for _ in 0..=kind {
                let at = random.index(altered.len());
                altered[at] ^= 1 << random.index(8);
            }
        } else {
            let at = random.index(altered.len() - 64);
            for byte in &mut altered[at..at + 64] {
                *byte ^= u8::try_from(random.below(255) + 1).unwrap();
            }
        }
        if altered == good {
            continue;
        }
        disk.put(file, altered.clone());
        let found = judge(&disk);
        let place = format!("seed {seed}, case {case}, {}", file.display());
        assert_ne!(found.verdict, Verdict::Good, "{place}");
        assert!(!found.reasons.is_empty(), "{place}: no reason");
        if case % 3 == 0 {
            let same = altered.iter().zip(&good).take_while(|(a, b)| a == b);
            let at = same.count();
            assert_eq!(broken(&disk), Some(entry_at(&good, at)), "{place}");
        }
        disk.put(file, good);
    }
}

#[test]
fn dropped_doubled_swapped_and_foreign_entries_are_found() {
    let disk = laboratory("S-1", 1 << 15);
    let other = lines(&laboratory("S-2", 1 << 15).get(Path::new(RECORD)));
    let own = lines(&disk.get(Path::new(RECORD)));
    let mut random = Random(7);
    for case in 0..5000 {
        let mut forged = own.clone();
        let at = random.index(own.len() - 1);
        let to = random.index(own.len() - 1);
        match case % 5 {
            0 => drop(forged.remove(at)),
            1 => forged.insert(at, own[at].clone()),
            2 if own[at] != own[to] => forged.swap(at, to),
            3 => forged[at].clone_from(&other[at]),
            _ => forged.truncate(at + 1),
        }
        if case % 5 == 4 {
            // The end of another session behind the begin of this one.
            forged.extend_from_slice(&other[at + 1..]);
        }
        if forged == own {
            continue;
        }
        let first = forged.iter().zip(&own).take_while(|(a, b)| a == b).count();
        disk.put(Path::new(RECORD), forged.concat());
        assert_eq!(judge(&disk).verdict, Verdict::Altered, "case {case}");
        assert_eq!(broken(&disk), Some(first as u64), "case {case}");
    }
}

/// A record that was put back to an older state is shorter than its checkpoints say; where the
/// checkpoints were put back as well, a copy of them elsewhere says so.
#[test]
fn a_record_put_back_to_an_older_state_is_found() {
    let disk = laboratory("S-1", 1 << 15);
    let own = lines(&disk.get(Path::new(RECORD)));
    let known = lines(&disk.get(Path::new(CHECKPOINTS)));
    for kept in 1..own.len() {
        disk.put(Path::new(RECORD), own[..kept].concat());
        let found = judge(&disk);
        assert_eq!(found.verdict, Verdict::Altered, "{kept} entries");
        assert_eq!(broken(&disk), Some(kept as u64), "{kept} entries");
        let older: Vec<_> = known
            .iter()
            .filter(|line| {
                let line: serde_json::Value = serde_json::from_slice(line).unwrap();
                line["entries"].as_u64().unwrap() <= kept as u64
            })
            .cloned()
            .collect();
        let forged = disk.copy();
        forged.put(Path::new(CHECKPOINTS), older.concat());
        // Without the copy this is what a session that was never closed looks like.
        assert_eq!(judge(&forged).verdict, Verdict::Incomplete);
        let witness = [PathBuf::from(ELSEWHERE)];
        let found = verify_on(&forged, Path::new(RECORD), &witness).unwrap();
        assert_eq!(found.verdict, Verdict::Altered, "{kept} entries");
    }
}

/// The tail that a crash tears is told apart from a loss, wherever it is cut.
#[test]
fn a_cut_anywhere_is_never_good() {
    let disk = laboratory("S-1", 1 << 14);
    let bytes = disk.get(Path::new(RECORD));
    for length in 0..bytes.len() {
        disk.put(Path::new(RECORD), bytes[..length].to_vec());
        assert_eq!(judge(&disk).verdict, Verdict::Altered, "cut at {length}");
    }
}

#[test]
fn checkpoints_of_another_record_are_found() {
    let disk = laboratory("S-1", 1 << 15);
    let other = laboratory("S-2", 1 << 15);
    disk.put(Path::new(CHECKPOINTS), other.get(Path::new(CHECKPOINTS)));
    let found = judge(&disk);
    assert_eq!(found.verdict, Verdict::Altered);
    assert_eq!(broken(&disk), Some(0), "{found:?}");
}
