//! A verifier in another language, written after `FORMAT.md` and sharing no code with this
//! crate, comes to the same verdict.

use std::path::Path;
use std::process::Command;

use heng_records::{
    Event, Exchange, Opened, ReadError, Storage, TextRole, TextUsed, Writer, checkpoints_of,
    sha256_hex, verify,
};

mod session;
use session::Folder;

fn python() -> String {
    std::env::var("HENG_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// None where there is no Python.
fn stranger(record: &Path) -> Option<i32> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stranger.py");
    let output = Command::new(python())
        .arg(script)
        .arg(record)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.is_empty(), "{said}");
    output.status.code()
}

fn ours(record: &Path) -> i32 {
    match verify(record, &[]) {
        Ok(found) => i32::from(found.verdict.exit_code()),
        Err(
            ReadError::Io { .. } | ReadError::NotARecord { .. } | ReadError::NewerFormat { .. },
        ) => 3,
    }
}

fn write(path: &Path) {
    let mut writer = Writer::create(path, Storage::default()).unwrap();
    let opened = Event::Opened(Opened {
        operator: "张三 \"A\"".into(),
        ..session::opened()
    });
    let text = "id = \"x\"\n";
    let text = Event::Text(TextUsed {
        role: TextRole::Procedure,
        name: "x.toml".into(),
        sha256: sha256_hex(text.as_bytes()),
        text: text.into(),
    });
    for (index, event) in [opened, text].into_iter().enumerate() {
        writer.append(index as u64, "u".into(), event).unwrap();
    }
    for index in 0..30_u64 {
        let event = Event::Exchange(Exchange {
            role: "mirror".into(),
            command: "dew_point".into(),
            tx: "DP?\\r".into(),
            rx: format!("{index}.4971\\r\\n"),
            unsolicited: String::new(),
            sent_us: index,
            received_us: index + 40,
            outcome: "complete".into(),
            reason: String::new(),
        });
        let t_us = 2 + index * 700_000;
        writer.append(t_us, "u".into(), event).unwrap();
        writer.commit().unwrap();
    }
    let artefact = b"<xml/>";
    std::fs::write(path.with_file_name("S-1.xml"), artefact).unwrap();
    let event = Event::Artefact {
        name: "S-1.xml".into(),
        bytes: artefact.len() as u64,
        sha256: sha256_hex(artefact),
    };
    writer.append(u64::MAX, "u".into(), event).unwrap();
    writer.seal(u64::MAX, "u".into(), "completed").unwrap();
}

/// The record as it was written, and some hundred states of its files.
#[test]
fn a_stranger_comes_to_the_same_verdict() {
    if Command::new(python()).arg("--version").output().is_err() {
        println!("no Python here: the stranger cannot be asked");
        return;
    }
    let folder = Folder::new("stranger");
    let record = folder.0.join("S-1.jsonl");
    write(&record);
    let files = [
        record.clone(),
        checkpoints_of(&record),
        folder.0.join("S-1.xml"),
    ];
    let good = files.clone().map(|file| std::fs::read(file).unwrap());
    let mut verdicts = [0; 4];
    let mut hold = |what: &str| {
        let due = ours(&record);
        assert_eq!(stranger(&record), Some(due), "{what}");
        verdicts[usize::try_from(due).unwrap()] += 1;
    };
    hold("as it was written");
    for (file, bytes) in files.iter().zip(&good) {
        for place in 0..25 {
            let at = bytes.len() * place / 25;
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (place % 8);
            std::fs::write(file, &altered).unwrap();
            hold(&format!("{} flipped at {at}", file.display()));
            std::fs::write(file, &bytes[..at]).unwrap();
            hold(&format!("{} cut at {at}", file.display()));
        }
        std::fs::write(file, bytes).unwrap();
    }
    // A power cut before the first checkpoint may lose any sector of what was written.
    std::fs::write(&files[1], b"").unwrap();
    for place in 0..8 {
        let mut altered = good[0].clone();
        altered[place * 100] ^= 1;
        std::fs::write(&record, &altered).unwrap();
        hold(&format!("before the first checkpoint flipped at {place}00"));
    }
    // Without checkpoints, as a record that was handed on.
    std::fs::remove_file(&files[1]).unwrap();
    for place in 0..25 {
        let at = good[0].len() * place / 25;
        std::fs::write(&record, &good[0][..at]).unwrap();
        hold(&format!("without checkpoints cut at {at}"));
    }
    std::fs::write(&record, &good[0]).unwrap();
    hold("without checkpoints");
    assert!(verdicts.iter().all(|count| *count > 0), "{verdicts:?}");
}
