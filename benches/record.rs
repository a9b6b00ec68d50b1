//! The record: how fast it is verified, beside one SHA-256 over the same bytes, and how long
//! an entry takes until it is durable and read back.
//!
//! `HENG_BIG_RECORD` names a record to be verified; without it one is written from the entries
//! of a stored session, over and over.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use heng_records::{Event, FORMAT, Reader, Storage, Verdict, Writer, verify};

const SESSION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../fixtures/sessions/v2/comparison/DEMO-2026-1183.jsonl"
);
const UTC: &str = "2026-11-26T08:00:00.000000+08:00";

/// A folder of its own on the disk of the build, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("record-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the stored session holds between its texts and its end.
fn events() -> (Event, Vec<Event>) {
    let entries = Reader::open(Path::new(SESSION)).unwrap().entries;
    let mut events = entries.into_iter().map(|entry| entry.event);
    let Some(Event::Opened(mut opened)) = events.next() else {
        panic!("the session has no opening entry");
    };
    opened.format = FORMAT;
    let kept = events.filter(|event| matches!(event, Event::Exchange(_) | Event::Derived { .. }));
    (Event::Opened(opened), kept.collect())
}

fn record(path: &Path, bytes: u64) {
    let (opened, events) = events();
    let mut writer = Writer::create(path, Storage::default()).unwrap();
    writer.append(0, UTC.to_owned(), opened).unwrap();
    let mut t_us = 0;
    while std::fs::metadata(path).unwrap().len() < bytes {
        for event in &events {
            t_us += 50_000;
            writer.append(t_us, UTC.to_owned(), event.clone()).unwrap();
        }
        writer.commit().unwrap();
    }
    writer.seal(t_us, UTC.to_owned(), "completed").unwrap();
}

/// Seconds of a command that must succeed; its output is thrown away.
fn timed(program: &str, file: &Path) -> f64 {
    let begin = Instant::now();
    let status = Command::new(program)
        .arg(file)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    assert!(status.success(), "{program} {}", file.display());
    seconds
}

/// Both programs in turns over one file, so that both see the same load; the fastest of each.
fn programs(file: &Path, rounds: u32) {
    let (verifier, digest) = (env!("CARGO_BIN_EXE_heng-verify"), "sha256sum");
    let (mut ours, mut plain) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        ours = ours.min(timed(verifier, file));
        plain = plain.min(timed(digest, file));
    }
    let megabytes = std::fs::metadata(file).unwrap().len() as f64 / 1e6;
    println!(
        "{megabytes:.0} MB, fastest of {rounds}: heng-verify {:.0} MB/s, sha256sum {:.0} MB/s, ratio of times {:.2}",
        megabytes / ours,
        megabytes / plain,
        ours / plain
    );
}

/// Every entry durable and read back before the next one, as before a command that acts on
/// an instrument.
fn appends(folder: &Path, count: usize) {
    let (opened, events) = events();
    let mut writer = Writer::create(&folder.join("appends.jsonl"), Storage::default()).unwrap();
    writer.append(0, UTC.to_owned(), opened).unwrap();
    writer.commit().unwrap();
    let mut times: Vec<Duration> = Vec::new();
    let exchanges = events
        .iter()
        .filter(|event| matches!(event, Event::Exchange(_)));
    for (index, event) in exchanges.cycle().take(count).enumerate() {
        let t_us = index as u64 * 50_000;
        let event = event.clone();
        let begin = Instant::now();
        writer.append(t_us, UTC.to_owned(), event).unwrap();
        writer.commit().unwrap();
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let at = |permille: usize| times[(count - 1) * permille / 1000].as_secs_f64() * 1e3;
    println!(
        "{count} appends, each synced and read back, ms: median {:.2}, 90 % {:.2}, 99 % {:.2}, 99.9 % {:.2}, longest {:.2}",
        at(500),
        at(900),
        at(990),
        at(999),
        at(1000)
    );
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let folder = Folder::new();
    let small = folder.0.join("small.jsonl");
    record(&small, 16_000_000);
    let bytes = std::fs::read(&small).unwrap();
    let mut group = criterion.benchmark_group("record of 16 MB");
    group
        .sample_size(20)
        .throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("one SHA-256 over all", |bench| {
        bench.iter(|| heng_records::sha256_hex(black_box(&bytes)));
    });
    group.bench_function("verify", |bench| {
        bench.iter(|| {
            let found = verify(&small, &[]).unwrap();
            assert_eq!(found.verdict, Verdict::Good);
        });
    });
    group.bench_function("read all entries", |bench| {
        bench.iter(|| Reader::open(&small).unwrap());
    });
    group.finish();
    let file = std::env::var_os("HENG_BIG_RECORD").map_or_else(
        || {
            let large = folder.0.join("large.jsonl");
            record(&large, 200_000_000);
            large
        },
        PathBuf::from,
    );
    programs(&file, 7);
    appends(&folder.0, 5000);
}
