//! A session that is killed, and goes on: the binary, its real files, SIGKILL.

mod binary;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use binary::{code, heng, said, stdout};

const RECORD: &str = "DEMO-2026-1183.jsonl";

fn empty(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// Runs the command, kills it when it has told so many lines, and gives what it told; none
/// where it ended before.
fn killed_after(arguments: &[&str], lines: usize) -> Option<Vec<String>> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut heard: Vec<String> = told.by_ref().take(lines).map_while(Result::ok).collect();
    process.kill().unwrap();
    let ended = process.wait().unwrap();
    // What was in the pipe was told as well; a last line may be half of one.
    heard.extend(told.map_while(Result::ok));
    heard.pop();
    (!ended.success()).then_some(heard)
}

/// The lines of a replay.
fn replayed(record: &str) -> Vec<String> {
    let plain = heng(&["replay", "--plain", record]);
    stdout(&plain).lines().map(str::to_owned).collect()
}

/// Whatever the screen called recorded is in the record.
fn assert_nothing_vanished(record: &str, told: &[String], before: &str) {
    let kept = replayed(record);
    let begun = kept.iter().position(|line| *line == told[0]);
    let at = begun.unwrap_or_else(|| panic!("{before}: {:?} is not in {kept:?}", told[0]));
    assert!(
        kept[at..].starts_with(told),
        "{before}: told {:?}, kept {:?}",
        told.last(),
        kept.last()
    );
}

/// A short procedure. Four readings: of three, the standard uncertainty that the trials give
/// does not exist (JCGM 101:2008, 6.4.9.4), and now and then a certificate cannot be issued.
fn procedure() -> PathBuf {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sessions/v2/procedure.toml");
    let text = std::fs::read_to_string(stored).unwrap();
    let four = text.replace("count = 3", "count = 4");
    assert_ne!(text, four);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("killed-procedure.toml");
    std::fs::write(&path, four).unwrap();
    path
}

fn goes_on(procedure: &Path, lines: usize, again: usize) {
    let folder = empty(&format!("killed-{lines}"));
    let (out, record) = (folder.to_str().unwrap(), folder.join(RECORD));
    let record = record.to_str().unwrap();
    let demo = [
        "demo",
        "--plain",
        "--procedure",
        procedure.to_str().unwrap(),
        "--out",
        out,
    ];
    let told = killed_after(&demo, lines).expect("killed before its end");
    assert_nothing_vanished(record, &told, &format!("{lines} lines"));
    let verified = heng(&["verify", record]);
    assert_eq!(code(&verified), 2, "{lines}: {}", said(&verified));
    // Once more, while it goes on.
    let resume = ["resume", "--plain", record];
    if let Some(told) = killed_after(&resume, again) {
        assert_nothing_vanished(record, &told, &format!("{lines}, then {again} lines"));
        let verified = heng(&["verify", record]);
        assert_eq!(code(&verified), 2, "{lines}, {again}: {}", said(&verified));
        let resumed = heng(&resume);
        assert_eq!(code(&resumed), 0, "{lines}, {again}: {}", said(&resumed));
    }
    for command in [&["verify", record][..], &["replay", "--verify", record]] {
        let judged = heng(command);
        assert_eq!(code(&judged), 0, "{lines}, {again}: {}", said(&judged));
    }
    let document = folder.join("DEMO-2026-1183.xml");
    assert!(document.exists(), "{lines}, {again}: no certificate");
}

#[test]
fn a_killed_session_goes_on_to_its_certificate_and_nothing_told_is_lost() {
    let procedure = procedure();
    for (lines, again) in [(10, 5), (30, 40), (60, 10), (90, 25), (120, 60), (150, 3)] {
        goes_on(&procedure, lines, again);
    }
}
