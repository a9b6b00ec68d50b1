//! A record in a terminal: shown, gone through, and left as it is.

#[path = "binary/mod.rs"]
mod binary;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use binary::{code, heng, said};

/// A copy of a stored session, in a folder of its own.
fn copied(name: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sessions/v2/comparison");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&to);
    fs::create_dir_all(&to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    to
}

/// Every file of a folder: its bytes, and when it was last written.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files
        .map(|file| {
            let written = file.metadata().unwrap().modified().unwrap();
            (file.path(), (fs::read(file.path()).unwrap(), written))
        })
        .collect()
}

/// `heng replay` on a pseudo-terminal of 100 x 30: everything that it draws, and its exit code.
/// The keys are pressed when the screen shows this text.
fn in_terminal(record: &Path, options: &str, shows: &str, keys: &str) -> (String, i32) {
    let program = env!("CARGO_BIN_EXE_heng");
    let record = record.display();
    let command = format!("stty rows 30 cols 100; exec {program} replay {record} {options}");
    let mut process = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("HENG_GLYPHS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of util-linux gives a pseudo-terminal");
    // Open until the program has ended: `script` takes its end for that of the session.
    let mut input = process.stdin.take().unwrap();
    let mut output = process.stdout.take().unwrap();
    let (mut drawn, mut piece, mut pressed) = (Vec::new(), [0; 4096], false);
    loop {
        let count = output.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        drawn.extend(&piece[..count]);
        if !pressed && String::from_utf8_lossy(&drawn).contains(shows) {
            pressed = true;
            input.write_all(keys.as_bytes()).unwrap();
        }
        // A screen that never shows it is drawn on and on.
        if !pressed && drawn.len() > 1 << 16 {
            process.kill().unwrap();
        }
    }
    let status = process.wait().unwrap();
    let drawn = String::from_utf8_lossy(&drawn).into_owned();
    assert!(pressed, "{shows} was not shown: {drawn}");
    (drawn, status.code().unwrap())
}

#[test]
fn a_replay_in_a_terminal_leaves_every_file_as_it_is() {
    let folder = copied("replay-in-a-terminal");
    let record = folder.join("DEMO-2026-1183.jsonl");
    let before = everything(&folder);
    for (options, shows, keys) in [
        (
            "",
            "Timeline",
            "\u{1b}[C\u{1b}[C l\r\tbb/reading\rkkn]}w+123.,6?q\u{3}",
        ),
        (
            // One character: the cursor is moved behind every wide one.
            "--lang zh --from 40 --speed 1000",
            "轴",
            "123\u{1b}[F6w\rq",
        ),
    ] {
        let (screen, exit) = in_terminal(&record, options, shows, keys);
        // It is left at once, whether everything was computed again by then or not.
        let verdict = match exit {
            0 => "verdict  identical",
            2 => "verdict  none",
            other => panic!("exit {other}: {screen}"),
        };
        assert!(screen.contains(verdict), "{screen}");
        assert_eq!(everything(&folder), before);
    }
}

#[test]
fn a_damaged_record_is_shown_with_its_place_and_leaves_with_its_verdict() {
    let folder = copied("replay-of-a-damaged-record");
    let record = folder.join("DEMO-2026-1183.jsonl");
    let mut bytes = fs::read(&record).unwrap();
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let (end, _) = ends.nth(99).unwrap();
    bytes[end - 200] ^= 1;
    fs::write(&record, &bytes).unwrap();
    let before = everything(&folder);
    let (screen, exit) = in_terminal(&record, "", "Timeline", "\u{1b}[Fq");
    assert!(screen.contains("entry 99 (line 100)"), "{screen}");
    assert!(screen.contains("verdict  altered"), "{screen}");
    assert_eq!(exit, 1);
    assert_eq!(everything(&folder), before);
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let record = "fixtures/sessions/v2/comparison/DEMO-2026-1183.jsonl";
    let output = heng(&["replay", record]);
    assert_eq!(code(&output), 64);
    assert!(said(&output).contains("--plain"), "{}", said(&output));
}
