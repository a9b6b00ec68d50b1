//! Two writers of one record, and readers beside a writer.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use heng_records::{
    Ending, Event, Interrupted, Operator, ReadError, Reader, Recovered, Storage, Verdict,
    WriteError, Writer, verify,
};

mod session;
use session::{Folder, opened};

fn note(text: &str) -> Event {
    Event::Operator(Operator::Note {
        person: "A".into(),
        text: text.into(),
    })
}

fn storage(holder: &str) -> Storage {
    Storage {
        holder: holder.to_owned(),
        ..Storage::default()
    }
}

/// Both begin at once; gives what each got, of which one must be a writer.
fn race(begin: impl Fn(&str) -> Result<Writer, WriteError> + Sync) -> (Writer, WriteError) {
    let start = Barrier::new(2);
    let run = |holder: &'static str| {
        start.wait();
        begin(holder)
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run("session B"));
        (run("session A"), other.join().unwrap())
    });
    match (first, second) {
        (Ok(writer), Err(error)) | (Err(error), Ok(writer)) => (writer, error),
        (Ok(_), Ok(_)) => panic!("both write"),
        (Err(first), Err(second)) => panic!("nobody writes: {first}; {second}"),
    }
}

/// 500 races for a new record, and 500 for one that a crash has left.
#[test]
fn of_two_writers_one_wins_and_the_other_is_told() {
    let folder = Folder::new("races");
    for round in 0..500 {
        let path = folder.0.join(format!("S-{round}.jsonl"));
        let (mut writer, lost) = race(|holder| Writer::create(&path, storage(holder)));
        assert!(matches!(lost, WriteError::Create { .. }), "{lost}");
        writer
            .append(0, String::new(), Event::Opened(opened()))
            .unwrap();
        writer.append(1, String::new(), note("one")).unwrap();
        writer.commit().unwrap();
        drop(writer);
        let interrupted = Interrupted::open(&path).unwrap();
        let resume = |holder: &str| {
            let (writer, dropped) = Writer::resume(&interrupted, storage(holder))?;
            assert!(dropped.is_empty());
            Ok(writer)
        };
        let (mut writer, lost) = race(resume);
        assert!(
            matches!(lost, WriteError::InUse { .. } | WriteError::Changed { .. }),
            "{lost}"
        );
        let found = Event::Recovered(Recovered {
            person: "A".into(),
            reason: "a race".into(),
            dropped: Vec::new(),
        });
        writer.append(2, String::new(), found).unwrap();
        let late = Writer::resume(&interrupted, storage("session C"));
        match late.err().unwrap() {
            WriteError::InUse { holder, .. } => assert!(holder.starts_with("session ")),
            other => panic!("{other}"),
        }
        writer.seal(3, String::new(), "completed").unwrap();
        let found = verify(&path, &[]).unwrap();
        assert_eq!((found.verdict, found.entries), (Verdict::Good, 4));
    }
}

/// Whoever reads while a session writes sees a begin of its record.
#[test]
fn readers_beside_a_writer_see_a_prefix() {
    let folder = Folder::new("readers");
    let path = folder.0.join("S-1.jsonl");
    let mut writer = Writer::create(&path, Storage::default()).unwrap();
    writer
        .append(0, String::new(), Event::Opened(opened()))
        .unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| look(&path, &over));
        for index in 1..2000_u64 {
            let text = format!("note {index}");
            let t_us = index * 50_000;
            writer.append(t_us, String::new(), note(&text)).unwrap();
            writer.commit_group(t_us).unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    writer.seal(u64::MAX, String::new(), "completed").unwrap();
    assert_eq!(verify(&path, &[]).unwrap().verdict, Verdict::Good);
}

fn look(path: &Path, over: &AtomicBool) {
    let mut seen = 0;
    while !over.load(Ordering::Relaxed) {
        let reader = match Reader::open(path) {
            Ok(reader) => reader,
            Err(ReadError::NotARecord { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        assert!(
            matches!(reader.ending, Ending::Open | Ending::Torn(_)),
            "{:?}",
            reader.ending
        );
        assert!(reader.entries.len() >= seen, "it became shorter");
        seen = reader.entries.len();
    }
    assert!(seen > 0);
}
