//! A disk that is full at any place: the writer says so, acknowledges nothing that is not
//! there, accepts nothing more, and the session goes on when there is room again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use heng_records::{
    Event, Interrupted, Recovered, Storage, Verdict, WriteError, Writer, checkpoints_of,
    sha256_hex, verify,
};

mod session;
use session::{Folder, opened, reading};

const FOLDER: &str = "HENG_DISK_FULL";

/// In a process whose files may not grow beyond a limit: writes until it is refused, and
/// prints the number and the hash of each entry that was acknowledged.
#[test]
#[ignore = "the session that the other test starts with a limit"]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let path = Path::new(&folder).join("S-1.jsonl");
    let mut writer = Writer::create(&path, Storage::default()).unwrap();
    let mut hashes = BTreeMap::new();
    let mut told = 0;
    let refused = (0..).find_map(|index| {
        let event = if index == 0 {
            Event::Opened(opened())
        } else {
            reading(index)
        };
        let step = writer
            .append(index * 90_000, String::new(), event)
            .and_then(|entry| {
                hashes.insert(entry.seq, entry.hash);
                writer.commit_group(index * 90_000)
            });
        while told < writer.acknowledged() {
            println!("acknowledged {told} {}", hashes[&told]);
            told += 1;
        }
        step.err()
    });
    let refused = refused.unwrap();
    let WriteError::Write { acknowledged, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*acknowledged, writer.acknowledged());
    assert!(refused.to_string().contains("S-1."), "{refused}");
    let late = writer.append(u64::MAX, String::new(), reading(0)).err();
    assert!(matches!(late, Some(WriteError::Broken { .. })));
    assert!(matches!(writer.commit(), Err(WriteError::Broken { .. })));
    assert_eq!(writer.acknowledged(), told);
    println!("refused");
}

/// A shell sets the limit; a program that ignores the signal of it gets short writes and errors,
/// as on a disk that is full.
fn session_below(blocks: u64, folder: &Path) -> BTreeMap<usize, String> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new("bash")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"",
            "bash",
        ])
        .arg(blocks.to_string())
        .arg(program)
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("refused"), "{blocks} KiB: {text}{errors}");
    let told = text.lines().filter_map(|line| {
        let (number, hash) = line.split_once("acknowledged ")?.1.split_once(' ')?;
        Some((number.parse().ok()?, hash.to_owned()))
    });
    told.collect()
}

fn full_at(blocks: u64) {
    let folder = Folder::new(&format!("full-{blocks}"));
    let told = session_below(blocks, &folder.0);
    let path = folder.0.join("S-1.jsonl");
    let bytes = std::fs::read(&path).unwrap();
    let lines: Vec<_> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    for (number, hash) in &told {
        let end = format!(",\"hash\":\"{hash}\"}}\n");
        let hashed = lines[*number].strip_suffix(end.as_bytes()).unwrap();
        assert_eq!(sha256_hex(hashed), *hash, "{blocks} KiB, entry {number}");
    }
    assert!(!told.is_empty(), "{blocks} KiB");
    let found = verify(&path, &[]).unwrap();
    assert_eq!(found.verdict, Verdict::Incomplete, "{blocks} KiB: {found}");
    // There is room again.
    let interrupted = Interrupted::open(&path).unwrap();
    let t_us = interrupted.entries.last().unwrap().t_us;
    let (mut writer, dropped) = Writer::resume(&interrupted, Storage::default()).unwrap();
    let found = Event::Recovered(Recovered {
        person: "A".into(),
        reason: "the disk was full".into(),
        dropped,
    });
    writer.append(t_us, String::new(), found).unwrap();
    writer.append(t_us, String::new(), reading(1)).unwrap();
    writer.seal(t_us, String::new(), "completed").unwrap();
    let found = verify(&path, &[]).unwrap();
    assert_eq!(found.verdict, Verdict::Good, "{blocks} KiB: {found}");
    assert!(checkpoints_of(&path).exists());
}

/// From 2 KiB on, at 200 sizes.
#[test]
fn a_disk_that_is_full_at_any_size_loses_nothing_that_was_acknowledged() {
    let sizes: Vec<u64> = (0..200).map(|step| 2 + step).collect();
    std::thread::scope(|scope| {
        for half in sizes.chunks(100) {
            scope.spawn(|| half.iter().copied().for_each(full_at));
        }
    });
}
