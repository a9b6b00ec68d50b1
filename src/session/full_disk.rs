//! A session whose disk is full: nothing more is called recorded, the source is led to its
//! safe state, and where room was made the session goes on.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use heng_drivers::{Adapters, Clock, Request, SkippingClock};
use heng_records::{Disk, DiskFile, Entry, Machine, Reader, Storage};

use super::calendar::Calendar;
use super::evidence::Evidence;
use super::live::{self, Answers, LiveError, Session};
use super::ports::Ports;
use super::recovery::{Recovery, Site};
use super::simulated::SimulatedBench;
use super::trial;

/// The machine's disk, with room for so many bytes.
struct Small(Arc<AtomicU64>);

struct SmallFile {
    file: Box<dyn DiskFile>,
    left: Arc<AtomicU64>,
}

impl Disk for Small {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let (file, left) = (Machine.create(path)?, Arc::clone(&self.0));
        Ok(Box::new(SmallFile { file, left }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let (file, left) = (Machine.open(path)?, Arc::clone(&self.0));
        Ok(Box::new(SmallFile { file, left }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Machine.read(path)
    }

    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Machine.reader(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Machine.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Machine.remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        Machine.sync_folder(path)
    }
}

impl DiskFile for SmallFile {
    /// Takes what there is room for, as a disk does.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let room = bytes.len().min(usize::try_from(left).unwrap());
        let taken = self.file.append(&bytes[..room])?;
        self.left.fetch_sub(taken as u64, Ordering::Relaxed);
        Ok(taken)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, into)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn lock(&self, path: &Path) -> io::Result<bool> {
        self.file.lock(path)
    }
}

fn answers() -> Answers {
    Answers {
        prepared: trial::answers(),
        person: None,
    }
}

/// What the chamber replies when it is asked for its state.
fn chamber(laboratory: &SimulatedBench, clock: &SkippingClock) -> String {
    let evidence = Evidence::parse(&trial::opened(), &trial::texts(trial::bench())).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let adapters: Arc<dyn Adapters> = laboratory.adapters();
    trial::runtime().block_on(async {
        let ports = Ports::new(&laboratory.connections(), &evidence, &clock, &adapters);
        let mut ports = ports.unwrap();
        ports.open("chamber").await;
        let asked = ports.exchange("chamber", &Request::new("state"), b"").await;
        String::from_utf8(asked.rx).unwrap()
    })
}

/// The second digital channel starts the chamber.
fn is_running(state: &str) -> bool {
    let digital = state.trim_end().rsplit(' ').next().unwrap();
    match digital.as_bytes()[1] {
        b'0' => false,
        b'1' => true,
        other => panic!("{other} in {state:?}"),
    }
}

fn full_after(folder: &Path, room: u64) {
    let clock = SkippingClock::new();
    let bench = trial::bench_of(&trial::texts(trial::bench()));
    let laboratory = SimulatedBench::start(&bench, 5, &clock, &[]).unwrap();
    let told: Arc<Mutex<Vec<Entry>>> = Arc::default();
    let heard = Arc::clone(&told);
    let session = Session {
        storage: Storage {
            disk: Arc::new(Small(Arc::new(AtomicU64::new(room)))),
            ..Storage::default()
        },
        opened: trial::opened(),
        texts: trial::texts(trial::bench()),
        folder: folder.to_owned(),
        clock: Arc::new(clock.clone()),
        calendar: Calendar::at("2026-11-25T08:00:00+08:00").unwrap(),
        connections: laboratory.connections(),
        adapters: laboratory.adapters(),
        answers: answers(),
        pace: None,
        sink: Box::new(move |entry: &Entry| heard.lock().unwrap().push(entry.clone())),
    };
    let error = trial::runtime().block_on(live::run(session)).unwrap_err();
    assert!(matches!(error, LiveError::Stopped(_)), "{room}: {error}");
    assert!(error.to_string().contains("heng resume"), "{room}: {error}");
    let state = chamber(&laboratory, &clock);
    assert!(!is_running(&state), "{room}: {state:?}");

    // Everything that was shown is there.
    let record = folder.join("TRIAL-1.jsonl");
    let kept = Reader::open(&record).unwrap().entries;
    let told = told.lock().unwrap();
    assert!(!told.is_empty(), "{room}");
    let hashes = |entries: &[Entry]| {
        entries
            .iter()
            .map(|one| one.hash.clone())
            .collect::<Vec<_>>()
    };
    assert!(hashes(&kept).starts_with(&hashes(&told)), "{room}");

    let recovery = Recovery::read(&record).unwrap();
    let site = Site {
        clock: Arc::new(clock),
        connections: laboratory.connections(),
        adapters: laboratory.adapters(),
        person: "Wang Wei".to_owned(),
        close: false,
        storage: Storage::default(),
        answers: answers(),
        pace: None,
        sink: Box::new(|_| ()),
    };
    let ended = trial::runtime().block_on(recovery.run(site)).unwrap();
    assert!(ended.completed && !ended.files.is_empty(), "{room}");
    trial::assert_recomputes(&record);
}

#[test]
fn a_session_on_a_full_disk_leaves_no_source_running_and_goes_on_when_there_is_room() {
    let folder = trial::folder("full-disk");
    let whole = trial::complete(&folder, trial::texts(trial::bench()), &[]);
    let bytes = std::fs::read(&whole.ended.record).unwrap();
    // From the first point under way to the last readings: the chamber runs.
    let started = whole
        .entries
        .iter()
        .position(|entry| trial::is_step(entry, "stabilise", Some(0)));
    let lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let begun: usize = lines.take(started.unwrap()).map(<[u8]>::len).sum();
    let end = bytes.len() * 9 / 10;
    std::thread::scope(|scope| {
        for place in 0..12 {
            let room = (begun + (end - begun) * place / 12) as u64;
            let folder = folder.join(format!("room-{room}"));
            std::fs::create_dir(&folder).unwrap();
            scope.spawn(move || full_after(&folder, room));
        }
    });
    std::fs::remove_dir_all(&folder).unwrap();
}
