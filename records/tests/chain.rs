//! A record that was altered in any way is found, and the place is named.

use std::path::Path;

use heng_records::{
    Ending, Entry, Event, FORMAT, GENESIS, Interrupted, NotInterrupted, Opened, Operator,
    ReadError, Reader, Recorded, Recovered, Storage, TextRole, TextUsed, Verdict, WriteError,
    Writer, checkpoints_of, sha256_hex, verify,
};
use proptest::prelude::*;

mod session;
use session::{Folder, exchange};

/// Of the first format, which every program reads.
fn opened() -> Opened {
    Opened {
        format: 1,
        ..session::opened()
    }
}

fn events() -> Vec<Event> {
    let text = "id = \"x\"\n";
    let mut events = vec![
        Event::Opened(opened()),
        Event::Text(TextUsed {
            role: TextRole::Procedure,
            name: "x.toml".into(),
            sha256: sha256_hex(text.as_bytes()),
            text: text.into(),
        }),
    ];
    for index in 0..20_u64 {
        let rx = format!("{}.4971\\r\\n", 10 + index);
        events.push(exchange(rx, index * 1000, index * 1000 + 40));
        events.push(Event::Derived {
            body: serde_json::json!({ "value": 0.1 + index as f64 }),
        });
    }
    events.push(Event::Operator(Operator::Note {
        person: "A".into(),
        text: "door \"shut\"".into(),
    }));
    events.push(Event::Sealed {
        entries: events.len() as u64,
        root: None,
        reason: "complete".into(),
    });
    events
}

fn write(path: &Path) -> Vec<u8> {
    let mut writer = Writer::create(path, Storage::default()).unwrap();
    for (index, event) in events().into_iter().enumerate() {
        let t_us = index as u64 * 500;
        writer
            .append(t_us, "2026-11-23T08:00:00+08:00".into(), event)
            .unwrap();
    }
    std::fs::read(path).unwrap()
}

fn sample() -> Vec<u8> {
    let folder = Folder::new("sample");
    write(&folder.0.join("s.jsonl"))
}

fn broken_at(bytes: &[u8]) -> Option<u64> {
    match Reader::from_bytes(Path::new("s.jsonl"), bytes) {
        Ok(reader) => match reader.ending {
            Ending::Broken(broken) | Ending::Torn(broken) => Some(broken.entry),
            Ending::Sealed | Ending::Open => None,
        },
        Err(ReadError::NotARecord { .. }) => Some(0),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_was_written_reads_back_and_verifies() {
    let folder = Folder::new("roundtrip");
    let path = folder.0.join("s.jsonl");
    write(&path);
    let reader = Reader::open(&path).unwrap();
    let read: Vec<_> = reader
        .entries
        .iter()
        .map(|entry| entry.event.clone())
        .collect();
    assert_eq!(read, events());
    assert_eq!(verify(&path, &[]).unwrap().ending, Ending::Sealed);
}

#[test]
fn the_hash_is_what_any_sha256_tool_computes_over_the_line() {
    let bytes = sample();
    let line = bytes.split(|&byte| byte == b'\n').nth(1).unwrap();
    let text = std::str::from_utf8(line).unwrap();
    let (hashed, rest) = text.split_once(",\"hash\":\"").unwrap();
    assert_eq!(rest, format!("{}\"}}", sha256_hex(hashed.as_bytes())));
}

/// Every single bit of the record: 8 times its length in flips.
#[test]
fn every_flipped_bit_is_found_in_its_entry() {
    let bytes = sample();
    let mut entry = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            assert_eq!(broken_at(&altered), Some(entry), "byte {at} bit {bit}");
        }
        if bytes[at] == b'\n' {
            entry += 1;
        }
    }
}

#[test]
fn dropped_doubled_and_swapped_lines_are_found() {
    let bytes = sample();
    let lines: Vec<_> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    for at in 0..lines.len() - 1 {
        let mut dropped = lines.clone();
        dropped.remove(at);
        assert_eq!(
            broken_at(&dropped.concat()),
            Some(at as u64),
            "dropped {at}"
        );
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        assert_eq!(
            broken_at(&doubled.concat()),
            Some(at as u64 + 1),
            "doubled {at}"
        );
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        assert_eq!(
            broken_at(&swapped.concat()),
            Some(at as u64),
            "swapped {at}"
        );
    }
}

#[test]
fn a_cut_record_is_never_called_sealed() {
    let bytes = sample();
    for length in 1..bytes.len() {
        if let Ok(reader) = Reader::from_bytes(Path::new("s.jsonl"), &bytes[..length]) {
            assert_ne!(reader.ending, Ending::Sealed, "cut at {length}");
        }
    }
}

#[test]
fn nothing_follows_a_seal_and_no_file_is_overwritten() {
    let folder = Folder::new("seal");
    let path = folder.0.join("s.jsonl");
    let mut writer = Writer::create(&path, Storage::default()).unwrap();
    writer
        .append(0, "u".into(), Event::Opened(opened()))
        .unwrap();
    writer
        .append(
            1,
            "u".into(),
            Event::Sealed {
                entries: 1,
                root: None,
                reason: "r".into(),
            },
        )
        .unwrap();
    let late = Event::Operator(Operator::Pause { person: "A".into() });
    assert!(matches!(
        writer.append(2, "u".into(), late),
        Err(WriteError::Sealed { .. })
    ));
    assert!(matches!(
        Writer::create(&path, Storage::default()),
        Err(WriteError::Create { .. })
    ));
}

#[test]
fn a_record_without_a_seal_is_taken_up_behind_its_last_whole_line() {
    let folder = Folder::new("resume");
    let path = folder.0.join("session.jsonl");
    let bytes = write(&path);
    let checkpoints = checkpoints_of(&path);
    for (cut, number) in [(bytes.len() / 3, 1), (bytes.len() / 2, 2)] {
        // A crash before the first checkpoint.
        std::fs::remove_file(&checkpoints).unwrap();
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let whole = 1 + bytes[..cut]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .unwrap();
        let interrupted = Interrupted::open(&path).unwrap();
        assert_eq!(interrupted.torn, &bytes[whole..cut]);
        let t_us = interrupted.entries.last().unwrap().t_us;
        let (mut writer, dropped) = Writer::resume(&interrupted, Storage::default()).unwrap();
        let due = ["session.jsonl.torn", "session.jsonl.torn-2"][number - 1];
        let stated = dropped.last().unwrap();
        assert_eq!(
            stated.file, due,
            "an earlier torn line is never overwritten"
        );
        let kept = std::fs::read(folder.0.join(due)).unwrap();
        assert_eq!(kept, &bytes[whole..cut]);
        assert_eq!(stated.sha256, sha256_hex(&kept));
        // Whoever tries the same meanwhile is refused, and changes nothing.
        let again = Interrupted::open(&path).unwrap();
        let refused = Writer::resume(&again, Storage::default()).err().unwrap();
        assert!(matches!(&refused, WriteError::InUse { holder, .. }
            if *holder == format!("process {}", std::process::id())));
        let found = Recovered {
            person: "A".into(),
            reason: "crash".into(),
            dropped,
        };
        writer
            .append(t_us, String::new(), Event::Recovered(found))
            .unwrap();
        writer.seal(t_us, String::new(), "aborted").unwrap();
        drop(writer);
        let found = verify(&path, &[]).unwrap();
        assert_eq!(found.verdict, Verdict::Good, "{found:?}");
        assert!(std::fs::read(&path).unwrap().starts_with(&bytes[..whole]));
        let sealed = Interrupted::open(&path).err();
        assert!(matches!(sealed, Some(NotInterrupted::Sealed { .. })));
    }
    std::fs::remove_file(&checkpoints).unwrap();
    let mut altered = bytes[..bytes.len() / 2].to_vec();
    altered[bytes.len() / 4] ^= 4;
    std::fs::write(&path, &altered).unwrap();
    let broken = Interrupted::open(&path).err();
    assert!(matches!(broken, Some(NotInterrupted::Broken { .. })));
    // What changed since it was read is not what was checked.
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let interrupted = Interrupted::open(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2 + 9]).unwrap();
    assert!(Writer::resume(&interrupted, Storage::default()).is_err());
}

/// The lines of the bodies, each with its right hash, behind an opening entry.
fn chained(event: &[u8]) -> Vec<u8> {
    let opened = serde_json::to_string(&Event::Opened(opened())).unwrap();
    let mut bytes = Vec::new();
    let mut prev = GENESIS.to_owned();
    for (seq, event) in [opened.as_bytes(), event].into_iter().enumerate() {
        let mut line = format!("{{\"seq\":{seq},\"t_us\":5,\"utc\":\"u\",\"event\":").into_bytes();
        line.extend_from_slice(event);
        line.extend_from_slice(format!(",\"prev\":\"{prev}\"").as_bytes());
        prev = sha256_hex(&line);
        line.extend_from_slice(format!(",\"hash\":\"{prev}\"}}\n").as_bytes());
        bytes.extend_from_slice(&line);
    }
    bytes
}

/// Whatever the reader does not take for an entry the verifier does not either.
#[test]
fn a_right_hash_does_not_make_an_entry() {
    let folder = Folder::new("content");
    let path = folder.0.join("s.jsonl");
    let good = br#"{"kind":"exchange","role":"r","command":"c","tx":"","rx":"\u00b0","sent_us":1,"received_us":2,"outcome":"complete"}"#;
    let late_kind = br#"{"body":{"kind":"text"},"kind":"derived"}"#;
    for event in [&good[..], late_kind] {
        std::fs::write(&path, chained(event)).unwrap();
        assert_eq!(Reader::open(&path).unwrap().ending, Ending::Open);
        assert_eq!(verify(&path, &[]).unwrap().ending, Ending::Open);
        assert_eq!(each(&path).1, Ending::Open);
    }
    let no_entries: [&[u8]; 10] = [
        b"{\"kind\":\"derived\",\"body\":\"\xff\"}",
        b"{\"kind\":\"derived\",\"body\":\"\n\"}",
        br#"{"kind":"derived","body":"\q"}"#,
        br#"{"kind":"derived","body":01}"#,
        br#"{"kind":"derived","body":1,}"#,
        br#"{"kind":"derived","kind":"text","body":1}"#,
        br#"{"kind":3,"body":1}"#,
        br#"{"body":1}"#,
        br#"{"kind":"derived","body":1},"more":2"#,
        br#"{"kind":"derived","body":1},"seq":1"#,
    ];
    for event in no_entries {
        let case = String::from_utf8_lossy(event);
        std::fs::write(&path, chained(event)).unwrap();
        let read = Reader::open(&path).unwrap().ending;
        assert!(
            matches!(&read, Ending::Broken(at) if at.entry == 1),
            "{case}"
        );
        assert_eq!(verify(&path, &[]).unwrap().ending, read, "{case}");
        assert_eq!(each(&path).1, read, "{case}");
    }
}

/// What is handed over entry by entry.
fn each(path: &Path) -> (Vec<Entry>, Ending) {
    let mut entries = Vec::new();
    let extent = Reader::each(path, |recorded| match recorded {
        Recorded::Evidence(entry) => entries.push(*entry),
        Recorded::Derived { seq, body } => entries.push(Entry {
            seq,
            t_us: 0,
            utc: String::new(),
            event: Event::Derived {
                body: serde_json::from_str(body.get()).unwrap(),
            },
            prev: String::new(),
            hash: String::new(),
        }),
    });
    let extent = extent.unwrap();
    if extent.ending == Ending::Open {
        assert_eq!(extent.entries, entries.len() as u64);
    }
    (entries, extent.ending)
}

#[test]
fn entry_by_entry_a_record_is_what_it_is_as_a_whole() {
    let folder = Folder::new("each");
    let path = folder.0.join("s.jsonl");
    let bytes = write(&path);
    let mut altered = bytes.clone();
    altered[bytes.len() / 2] ^= 1;
    for bytes in [&bytes[..], &bytes[..bytes.len() / 2], &altered] {
        std::fs::write(&path, bytes).unwrap();
        let whole = Reader::open(&path).unwrap();
        let (entries, ending) = each(&path);
        assert_eq!(ending, whole.ending);
        let events = |entries: &[Entry]| -> Vec<_> {
            entries
                .iter()
                .map(|one| (one.seq, one.event.clone()))
                .collect()
        };
        assert_eq!(events(&entries), events(&whole.entries));
    }
}

#[test]
fn a_later_format_is_refused_with_the_version_that_wrote_it() {
    let folder = Folder::new("format");
    let path = folder.0.join("s.jsonl");
    let mut first = opened();
    let later = FORMAT + 1;
    first.format = later;
    first.version = "9.0.0".into();
    let mut writer = Writer::create(&path, Storage::default()).unwrap();
    writer.append(0, "u".into(), Event::Opened(first)).unwrap();
    writer.commit().unwrap();
    let error = Reader::open(&path).unwrap_err();
    assert!(matches!(error, ReadError::NewerFormat { found, .. } if found == later));
    assert!(error.to_string().contains("9.0.0"));
}

#[test]
fn a_file_that_cannot_be_written_is_reported() {
    let error = Writer::create(Path::new("/nonexistent-folder/s.jsonl"), Storage::default())
        .err()
        .unwrap();
    assert!(matches!(error, WriteError::Create { .. }));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Reader::from_bytes(Path::new("x"), &bytes);
    }
}
