//! Records that earlier versions wrote replay with the verdict of their time, for ever.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/sessions")
        .join(name)
}

fn replay(record: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(["replay", "--verify"])
        .arg(record)
        .output()
        .unwrap()
}

fn entries(record: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(record).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    let bytes = Sha256::digest(bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Replays, and holds verdict, exit code, format and that the record is as it was.
fn replays(name: &str, format: u64, verdict: &str, code: i32) {
    let record = stored(name);
    let before = std::fs::read(&record).unwrap();
    let output = replay(&record);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.lines()
            .any(|line| line.starts_with(&format!("verdict  {verdict}"))),
        "{name}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(code), "{name}: {said}");
    assert_eq!(std::fs::read(&record).unwrap(), before, "{name}");
    let entries = entries(&record);
    assert_eq!(entries[0]["event"]["format"], format, "{name}");
    let sealed = entries.last().unwrap()["event"]["kind"] == "sealed";
    assert_eq!(sealed, code == 0, "{name}");
}

/// The files stored beside a record are those that it names; only PDFs are left out.
fn artefacts_are_those_of_the_record(name: &str) {
    let record = stored(name);
    let mut seen = 0;
    for entry in entries(&record) {
        let event = &entry["event"];
        if event["kind"] != "artefact" {
            continue;
        }
        let file = event["name"].as_str().unwrap();
        if Path::new(file)
            .extension()
            .is_some_and(|ending| ending == "pdf")
        {
            continue;
        }
        let bytes = std::fs::read(record.with_file_name(file)).unwrap();
        assert_eq!(event["sha256"], sha256(&bytes), "{file}");
        seen += 1;
    }
    assert_eq!(seen, 3, "{name}");
}

#[test]
fn an_import_of_format_1_replays() {
    let name = "v1/import/TUB-2024-01-16-2.jsonl";
    replays(name, 1, "identical", 0);
    artefacts_are_those_of_the_record(name);
}

#[test]
fn a_comparison_of_format_1_replays() {
    let name = "v1/comparison/DEMO-2026-1183.jsonl";
    replays(name, 1, "identical", 0);
    artefacts_are_those_of_the_record(name);
}

#[test]
fn a_session_of_format_1_without_a_seal_is_incomplete() {
    replays("v1/unsealed/DEMO-2026-1183.jsonl", 1, "incomplete", 2);
}

#[test]
fn an_import_of_format_2_replays() {
    let name = "v2/import/TUB-2024-01-16-2.jsonl";
    replays(name, 2, "identical", 0);
    artefacts_are_those_of_the_record(name);
}

#[test]
fn a_comparison_of_format_2_replays() {
    let name = "v2/comparison/DEMO-2026-1183.jsonl";
    replays(name, 2, "identical", 0);
    artefacts_are_those_of_the_record(name);
}

#[test]
fn a_session_of_format_2_without_a_seal_is_incomplete() {
    replays("v2/unsealed/DEMO-2026-1183.jsonl", 2, "incomplete", 2);
}
