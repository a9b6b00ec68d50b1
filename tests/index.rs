//! The index, the history and the extracts of a laboratory: made from the records alone, the
//! same everywhere, and held against what other programs read in them.

mod binary;
#[path = "peers/served.rs"]
#[allow(dead_code, reason = "no peer is served here")]
mod served;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use binary::{code, heng, said, stdout};
use heng_records::{Event, FORMAT, Storage, Writer};
use serde_json::{Value, json};
use served::{SKIPPED, python, skip};

const INDEX: &str = "heng-index.sqlite";
const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/sessions/v2");
const COMPARISON: &str = "comparison/DEMO-2026-1183";

/// Room for the laboratory of one test.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("index-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("lab")).unwrap();
        Self(path)
    }

    fn lab(&self) -> String {
        self.at("lab")
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join("lab").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Takes a stored record over, with what lies beside it.
    fn take(&self, stored: &str, name: &str) {
        for end in ["jsonl", "xml", "csv"] {
            if let Ok(bytes) = fs::read(format!("{SESSIONS}/{stored}.{end}")) {
                self.put(&format!("{name}.{end}"), bytes);
            }
        }
    }

    fn export(&self) -> String {
        let output = heng(&["index", "export", &self.lab()]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        stdout(&output)
    }

    /// Rebuilds, and gives what was said.
    fn rebuild(&self, exit: i32) -> String {
        let output = heng(&["index", "rebuild", &self.lab()]);
        assert_eq!(code(&output), exit, "{}", said(&output));
        said(&output)
    }

    fn check(&self, exit: i32) -> String {
        let output = heng(&["index", "check", &self.lab()]);
        assert_eq!(code(&output), exit, "{}", said(&output));
        said(&output)
    }

    fn history(&self, item: &str) -> String {
        let output = heng(&["history", item, "--lab", &self.lab()]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        stdout(&output)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A calibration as the stored one, with other words and numbers: a record of the present
/// format whose chain holds.
struct Calibration<'a> {
    number: &'a str,
    day: &'a str,
    serial: &'a str,
    model: &'a str,
    /// Error and U of temperature, as certified; as evaluated they have one digit more.
    temperature: (&'a str, &'a str),
    standard: &'a str,
    sealed: bool,
}

const FIRST: Calibration = Calibration {
    number: "C-1",
    day: "2024-11-23",
    serial: "D1340003",
    model: "HMT330 (simulated)",
    temperature: ("0.20", "0.11"),
    standard: "OLD-T-1",
    sealed: true,
};

impl Calibration<'_> {
    fn write(&self, path: &Path) {
        let stored = fs::read_to_string(format!("{SESSIONS}/{COMPARISON}.jsonl")).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer = Writer::create(path, Storage::default()).unwrap();
        for line in stored.lines() {
            let mut entry: Value = serde_json::from_str(line).unwrap();
            let utc = entry["utc"]
                .as_str()
                .unwrap()
                .replace("2026-11-23", self.day);
            let t_us = entry["t_us"].as_u64().unwrap();
            match entry["event"]["kind"].as_str().unwrap() {
                "opened" | "text" => {}
                "derived" => {
                    let what = entry["event"]["body"]["what"].as_str().unwrap();
                    if matches!(what, "scan" | "steady" | "step" | "prompt") {
                        continue;
                    }
                }
                _ => continue,
            }
            self.change(&mut entry["event"]);
            let event: Event = serde_json::from_value(entry["event"].take()).unwrap();
            writer.append(t_us, utc, event).unwrap();
        }
        if self.sealed {
            let utc = format!("{}T09:00:00.000000+08:00", self.day);
            writer.seal(2286721444, utc, "completed").unwrap();
        } else {
            writer.commit().unwrap();
        }
    }

    fn change(&self, event: &mut Value) {
        let (error, expanded) = self.temperature;
        if event["kind"] == "opened" {
            event["format"] = json!(FORMAT);
            event["session"] = json!(self.number);
        }
        if event["role"] == "order" {
            let text = event["text"].as_str().unwrap();
            let text = text
                .replace("D1340003", self.serial)
                .replace("HMT330 (simulated)", self.model);
            event["sha256"] = json!(heng_records::sha256_hex(text.as_bytes()));
            event["text"] = json!(text);
        }
        let body = &mut event["body"];
        if body["what"] == "result" && body["measurand"] == "temperature" {
            body["rounded"] = json!({ "value": error, "uncertainty": expanded });
            body["error"] = json!(format!("{error}1").parse::<f64>().unwrap());
        }
        if body["what"] == "certificate" {
            body["document"]["number"] = json!(self.number);
            body["document"]["issued"] = json!(self.day);
            for standard in body["document"]["standards"].as_array_mut().unwrap() {
                standard["certificate"] = json!(self.standard);
            }
        }
    }
}

fn rows(export: &str, table: &str) -> Vec<Value> {
    export
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| row["table"] == table)
        .collect()
}

/// Pseudo-random numbers of a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Three sealed calibrations of one item, and a stored import and an open session.
fn laboratory(room: &Room) {
    FIRST.write(&room.0.join("lab/2024/C-1.jsonl"));
    let second = Calibration {
        number: "C-2",
        day: "2025-11-23",
        temperature: ("0.35", "0.12"),
        standard: "T-2",
        ..FIRST
    };
    second.write(&room.0.join("lab/2025/C-2.jsonl"));
    let third = Calibration {
        number: "C-3",
        day: "2026-11-23",
        temperature: ("0.1", "0.2"),
        standard: "T-2",
        ..FIRST
    };
    third.write(&room.0.join("lab/C-3.jsonl"));
    room.take("import/TUB-2024-01-16-2", "imports/TUB-2024-01-16-2");
    room.take("unsealed/DEMO-2026-1183", "open/DEMO-2026-1183");
}

#[test]
fn rebuilds_give_the_same_bytes_wherever_the_records_lie() {
    let (one, other) = (Room::new("here"), Room::new("there, Übung #1?%"));
    laboratory(&one);
    // The same records, made in another order.
    for name in [
        "open/DEMO-2026-1183.jsonl",
        "C-3.jsonl",
        "2025/C-2.jsonl",
        "imports/TUB-2024-01-16-2.csv",
        "imports/TUB-2024-01-16-2.jsonl",
        "2025/C-2.checkpoints",
        "C-3.checkpoints",
        "2024/C-1.jsonl",
        "2024/C-1.checkpoints",
        "imports/TUB-2024-01-16-2.xml",
    ] {
        other.put(name, fs::read(one.0.join("lab").join(name)).unwrap());
    }
    one.rebuild(0);
    let mut rebuilt = Command::new(env!("CARGO_BIN_EXE_heng"));
    rebuilt.args(["index", "rebuild", "."]);
    rebuilt.current_dir(other.0.join("lab"));
    rebuilt.envs([("TZ", "Pacific/Apia"), ("LC_ALL", "zh_CN.UTF-8")]);
    assert!(rebuilt.output().unwrap().status.success());
    let export = one.export();
    assert_eq!(export, other.export());
    one.rebuild(0);
    assert_eq!(export, one.export());
    assert!(one.check(0).starts_with("same"));
    assert!(!export.contains(env!("CARGO_TARGET_TMPDIR")), "{export}");
    let whole: Vec<_> = export.split_inclusive('\n').collect();
    let (end, body) = whole.split_last().unwrap();
    let hash = heng_records::sha256_hex(body.concat().as_bytes());
    assert_eq!(whole[0], "# heng index, schema 1\n");
    assert!(end.starts_with("# end: 5 records, 7 results, "), "{end}");
    assert!(end.ends_with(&format!("{hash}\n")), "{end}");
}

#[test]
fn the_index_holds_what_certificates_and_records_state() {
    let room = Room::new("content");
    room.take(COMPARISON, "DEMO-2026-1183");
    let export = room.export();
    let (records, results) = (rows(&export, "records"), rows(&export, "results"));
    let entries = fs::read_to_string(format!("{SESSIONS}/{COMPARISON}.jsonl")).unwrap();
    let last: Value = serde_json::from_str(entries.lines().last().unwrap()).unwrap();
    let record = &records[0];
    assert_eq!(record["verdict"], "good");
    assert_eq!(record["head"], last["hash"]);
    assert_eq!(record["entries"], entries.lines().count());
    assert_eq!(record["record_bytes"], entries.len());
    assert_eq!(record["opened_utc"], "2026-11-23T00:00:00.000000Z");
    assert_eq!(record["serial"], "D1340003");
    // The certificate's own CSV, which heng wrote on another way.
    let certificate = fs::read_to_string(format!("{SESSIONS}/{COMPARISON}.csv")).unwrap();
    let mut compared = 0;
    for line in certificate.lines() {
        let cells: Vec<_> = line.split(',').collect();
        if cells[3] == "error" {
            let result = results.iter().find(|one| one["measurand"] == cells[1]);
            let result = result.unwrap();
            assert_eq!(result["certified_error"], cells[7]);
            assert_eq!(result["error_unit"], cells[8]);
            assert_eq!(result["certified_uncertainty"], cells[9]);
            assert_eq!(record["certificate"], cells[0]);
            compared += 1;
        }
    }
    assert_eq!((compared, results.len()), (2, 2));
    for result in &results {
        let line = entries
            .lines()
            .nth(result["entry"].as_u64().unwrap().try_into().unwrap());
        let entry: Value = serde_json::from_str(line.unwrap()).unwrap();
        let body = &entry["event"]["body"];
        for (column, field) in [
            ("error", "error"),
            ("reference", "reference"),
            ("indication", "indication"),
        ] {
            let (left, right) = (result[column].as_f64(), body[field].as_f64());
            assert_eq!(left.map(f64::to_bits), right.map(f64::to_bits), "{column}");
        }
        let ends = &body["monte_carlo"]["shortest"];
        let width = ends[1].as_f64().unwrap() - ends[0].as_f64().unwrap();
        assert_eq!(result["expanded_uncertainty"].as_f64(), Some(width / 2.0));
        assert_eq!(result["measured_utc"], "2026-11-23T00:38:04.931862Z");
    }
}

#[test]
fn every_file_that_should_be_a_record_is_a_row() {
    let room = Room::new("unreadable");
    laboratory(&room);
    room.put("bad/empty.jsonl", "");
    room.put("bad/words.jsonl", "no record\n");
    let record = fs::read_to_string(room.0.join("lab/C-3.jsonl")).unwrap();
    let newer = record.replacen(&format!("\"format\":{FORMAT}"), "\"format\":999", 1);
    let (first, _) = newer.split_once('\n').unwrap();
    let (hashed, _) = first.rsplit_once(",\"hash\":").unwrap();
    let hash = heng_records::sha256_hex(hashed.as_bytes());
    room.put(
        "bad/newer.jsonl",
        format!("{hashed},\"hash\":\"{hash}\"}}\n"),
    );
    room.put(
        "bad/altered.jsonl",
        record.replacen("Vaisala", "Vaisalb", 1),
    );
    std::os::unix::fs::symlink(room.at("lab/C-3.jsonl"), room.at("lab/bad/link.jsonl")).unwrap();
    room.put("imports/TUB-2024-01-16-2.csv", "another file");
    let said = room.rebuild(1);
    assert!(
        said.contains("10: 3 good, 1 incomplete, 2 altered, 4 unreadable"),
        "{said}"
    );
    let export = room.export();
    let records = rows(&export, "records");
    let of = |path: &str| {
        let row = records.iter().find(|row| row["path"] == path);
        let row = row.unwrap_or_else(|| panic!("{path} is left out: {export}"));
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        (text("verdict"), text("reasons"))
    };
    for (path, verdict, reason) in [
        ("bad/empty.jsonl", "unreadable", "empty"),
        (
            "bad/words.jsonl",
            "unreadable",
            "does not begin with an entry",
        ),
        ("bad/newer.jsonl", "unreadable", "999"),
        ("bad/link.jsonl", "unreadable", "link"),
        ("bad/altered.jsonl", "altered", "hash"),
        (
            "imports/TUB-2024-01-16-2.jsonl",
            "altered",
            "TUB-2024-01-16-2.csv",
        ),
    ] {
        let (found, reasons) = of(path);
        assert_eq!(found, verdict, "{path}: {reasons}");
        assert!(reasons.contains(reason), "{path}: {reasons}");
        assert!(said.contains(path), "{said}");
    }
    // What an altered record says is no evidence.
    let results = rows(&export, "results");
    let used: Vec<_> = results
        .iter()
        .map(|row| row["path"].as_str().unwrap())
        .collect();
    assert!(
        !used
            .iter()
            .any(|path| path.starts_with("bad/") || path.starts_with("imports/")),
        "{used:?}"
    );
    assert_eq!(results.len(), 6);
    assert_eq!(code(&heng(&["index", "rebuild", &room.at("nowhere")])), 3);
}

#[test]
fn flips_in_the_index_only_cause_a_rebuild() {
    let room = Room::new("flips");
    laboratory(&room);
    room.rebuild(0);
    let due = room.export();
    let path = room.0.join("lab").join(INDEX);
    let sound = fs::read(&path).unwrap();
    let seed = 20261126;
    let mut random = Random(seed);
    let mut noticed = 0;
    for turn in 0..250 {
        let mut bytes = sound.clone();
        match turn {
            0 => bytes.clear(),
            1 => bytes = b"no database".to_vec(),
            2 => bytes.truncate(sound.len() / 2),
            3 => bytes.extend([0; 4096]),
            _ => {
                // Half of them in the head and the schema, where a bit says most.
                let end = if turn % 2 == 0 { 4096 } else { bytes.len() };
                for _ in 0..=random.below(3) {
                    bytes[random.below(end)] ^= 1 << random.below(8);
                }
            }
        }
        fs::write(&path, &bytes).unwrap();
        let output = heng(&["index", "export", &room.lab()]);
        assert_eq!(
            code(&output),
            0,
            "seed {seed}, turn {turn}: {}",
            said(&output)
        );
        assert!(
            stdout(&output) == due,
            "seed {seed}, turn {turn}: another export"
        );
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        noticed += usize::from(told.contains("made again from the records"));
        if !told.is_empty() {
            assert_eq!(
                fs::read(&path).unwrap(),
                sound,
                "seed {seed}, turn {turn}: {told}"
            );
        }
    }
    // The others hit bytes that say nothing.
    assert!(noticed > 100, "seed {seed}: {noticed} noticed");
    // A log that a flip asks for was never written.
    let beside: Vec<_> = fs::read_dir(room.0.join("lab"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(INDEX) && name != INDEX)
        .collect();
    assert!(beside.is_empty(), "{beside:?}");
}

#[test]
fn an_index_of_another_schema_is_made_again() {
    let room = Room::new("schema");
    laboratory(&room);
    room.rebuild(0);
    let due = room.export();
    let path = room.0.join("lab").join(INDEX);
    let mut bytes = fs::read(&path).unwrap();
    // `user_version` of the file format, bytes 60 to 63.
    bytes[60..64].copy_from_slice(&77_u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    assert!(room.check(2).contains("schema 77"));
    let output = heng(&["index", "export", &room.lab()]);
    assert!(said(&output).contains("schema 77"), "{}", said(&output));
    assert_eq!(stdout(&output), due);
    assert!(room.check(0).starts_with("same"));
    fs::remove_file(&path).unwrap();
    assert!(room.check(2).starts_with("missing"));
}

#[test]
fn a_query_sees_what_was_added_and_an_index_that_cannot_be_written_is_done_without() {
    let room = Room::new("old");
    FIRST.write(&room.0.join("lab/C-1.jsonl"));
    assert!(room.export().contains("# end: 1 records, 2 results"));
    room.take(COMPARISON, "DEMO-2026-1183");
    assert!(room.check(2).starts_with("old"));
    assert!(room.export().contains("# end: 2 records, 4 results"));
    assert!(room.check(0).starts_with("same"));
    fs::create_dir(room.0.join("lab").join(format!("{INDEX}.part"))).unwrap();
    room.take("import/TUB-2024-01-16-2", "TUB-2024-01-16-2");
    assert!(room.export().contains("# end: 3 records, 5 results"));
    assert!(room.rebuild(5).contains(INDEX));
    assert!(room.check(2).starts_with("old"));
}

#[test]
fn what_the_index_has_seen_of_a_record_must_still_be_there() {
    let room = Room::new("witness");
    laboratory(&room);
    let open = Calibration {
        number: "C-4",
        sealed: false,
        ..FIRST
    };
    open.write(&room.0.join("lab/C-4.jsonl"));
    room.rebuild(0);
    let lab = room.0.join("lab");
    let index = fs::read(lab.join(INDEX)).unwrap();
    // The folder of 2025 becomes that of 2026: nothing is lost.
    fs::rename(lab.join("2025"), lab.join("2026")).unwrap();
    room.rebuild(0);
    fs::rename(lab.join("2026"), lab.join("2025")).unwrap();
    room.rebuild(0);
    // An open record and its checkpoints put back to an older state, and a sealed one gone.
    for end in ["jsonl", "checkpoints"] {
        let path = lab.join(format!("C-4.{end}"));
        let text = fs::read_to_string(&path).unwrap();
        let count = if end == "jsonl" { 5 } else { 0 };
        let older: String = text.split_inclusive('\n').take(count).collect();
        fs::write(&path, older).unwrap();
    }
    fs::remove_file(lab.join("2024/C-1.jsonl")).unwrap();
    let said = room.rebuild(1);
    assert!(said.contains("C-4.jsonl went back"), "{said}");
    assert!(said.contains("2024/C-1.jsonl is gone"), "{said}");
    assert_eq!(fs::read(lab.join(INDEX)).unwrap(), index, "left as it was");
    let said = room.check(1);
    assert!(
        said.starts_with("lost") && said.contains("went back"),
        "{said}"
    );
    let output = heng(&["index", "export", &room.lab()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is gone"));
    assert_eq!(fs::read(lab.join(INDEX)).unwrap(), index, "left as it was");
    // The record of the same length with another history.
    let another = Calibration {
        temperature: ("0.21", "0.11"),
        ..FIRST
    };
    fs::remove_file(lab.join("2024/C-1.checkpoints")).unwrap();
    another.write(&lab.join("2024/C-1.jsonl"));
    let said = room.rebuild(1);
    assert!(
        said.contains("2024/C-1.jsonl has another history"),
        "{said}"
    );
    let forgotten = heng(&["index", "rebuild", &room.lab(), "--forget"]);
    assert_eq!(code(&forgotten), 0, "{}", self::said(&forgotten));
    assert!(room.check(0).starts_with("same"));
}

/// The cells of the lines of the table under this title.
fn printed(page: &str, title: &str) -> Vec<Vec<String>> {
    let (_, rest) = page.split_once(&format!("{title}\n")).expect(page);
    let lines = rest.lines().skip(2).take_while(|line| !line.is_empty());
    lines
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

#[test]
fn the_history_gives_drift_and_agreement_of_certified_results() {
    let room = Room::new("history");
    laboratory(&room);
    let page = room.history("D1340003");
    let lines = printed(&page, "Temperature, 10 %RH, rising");
    assert_eq!(lines.len(), 3, "{page}");
    // Error and U as the certificates state them, in the order of time.
    let values: Vec<(f64, f64)> = lines
        .iter()
        .map(|line| (line[2].parse().unwrap(), line[3].parse().unwrap()))
        .collect();
    assert_eq!(values, [(0.20, 0.11), (0.35, 0.12), (0.1, 0.2)], "{page}");
    assert_eq!(lines[0][..2], ["2024-11-23", "C-1"]);
    assert_eq!(lines[0][4..], ["–", "–", "–"], "{page}");
    // By hand: 0.15 in 365 d of 365.25 are 0.1501 a year, 0.15/√(0.11² + 0.12²) = 0.9214;
    // −0.25/√(0.12² + 0.2²) = −1.0719.
    assert_eq!(lines[1][4..], ["+0.15", "0.15", "+0.92"], "{page}");
    let third = ["-0.25", "-0.25", "-1.07", "|E_n| ≥ 1, same standard"];
    assert_eq!(lines[2][4..], third, "{page}");
    for (at, line) in lines.iter().enumerate().skip(1) {
        let ((x1, u1), (x2, u2)) = (values[at - 1], values[at]);
        let en = (x2 - x1) / (u1 * u1 + u2 * u2).sqrt();
        assert_eq!(line[6], format!("{en:+.2}"));
    }
    assert!(
        page.contains("ISO 13528") && page.contains("independent"),
        "{page}"
    );
    assert!(
        page.contains("open/DEMO-2026-1183.jsonl is left out"),
        "{page}"
    );
    assert_eq!(room.history("Vaisala/HMT330 (simulated)/D1340003"), page);
    let chinese = stdout(&heng(&[
        "history",
        "D1340003",
        "--lab",
        &room.lab(),
        "--lang",
        "zh",
    ]));
    assert!(
        chinese.contains("同一标准器") && chinese.contains("温度，"),
        "{chinese}"
    );
}

#[test]
fn an_item_that_is_not_one_is_refused_with_those_that_are() {
    let room = Room::new("items");
    laboratory(&room);
    let twin = Calibration {
        number: "C-5",
        model: "HMP110",
        ..FIRST
    };
    twin.write(&room.0.join("lab/C-5.jsonl"));
    let lab = room.lab();
    let output = heng(&["history", "D1340003", "--lab", &lab]);
    assert_eq!(code(&output), 64);
    let (one, other) = (
        "Vaisala/HMP110/D1340003",
        "Vaisala/HMT330 (simulated)/D1340003",
    );
    assert!(
        said(&output).contains(one) && said(&output).contains(other),
        "{}",
        said(&output)
    );
    assert_eq!(room.history(one).matches("C-5").count(), 2);
    assert!(!room.history(other).contains("C-5"));
    let output = heng(&["history", "hmp", "--lab", &lab]);
    assert_eq!(code(&output), 64);
    assert!(said(&output).contains(one), "{}", said(&output));
}

/// What a script of another program prints as JSON; none where it is not installed.
fn outside(name: &str, script: &str, arguments: &[&str]) -> Option<Value> {
    let output = match python().args(["-c", script]).args(arguments).output() {
        Err(error) => {
            skip(name, &error.to_string());
            return None;
        }
        Ok(output) => output,
    };
    if output.status.code() == Some(SKIPPED) {
        skip(name, &said(&output));
        return None;
    }
    assert!(output.status.success(), "{name}: {}", said(&output));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A laboratory whose words a spreadsheet would compute.
fn hostile(room: &Room) {
    laboratory(room);
    let hostile = Calibration {
        number: "C-6",
        serial: "=HYPERLINK(1)",
        model: "a,b 'c'",
        temperature: ("-0.20", "0.11"),
        ..FIRST
    };
    hostile.write(&room.0.join("lab/C-6.jsonl"));
}

/// Columns of an extract that come from the rows of the index, by name.
fn expected(export: &str) -> Vec<BTreeMap<String, Value>> {
    let records = rows(export, "records");
    let results = rows(export, "results");
    results
        .iter()
        .map(|result| {
            let record = records.iter().find(|one| one["path"] == result["path"]);
            let record = record.unwrap().as_object().unwrap().clone();
            let result = result.as_object().unwrap().clone();
            record.into_iter().chain(result).collect()
        })
        .collect()
}

#[test]
fn csv_gives_every_number_and_text_back_to_another_reader() {
    let room = Room::new("csv");
    hostile(&room);
    let path = room.at("results.csv");
    let lab = room.lab();
    let output = heng(&["export", &lab, "--format", "csv", "--out", &path]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, stdout(&heng(&["export", &lab, "--format", "csv"])));
    let script = "import csv, json, sys\n\
                  print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8')))))";
    let Some(found) = outside("csv", script, &[&path]) else {
        return;
    };
    let found = found.as_array().unwrap();
    let due = expected(&room.export());
    assert_eq!(found.len(), due.len());
    for (found, due) in found.iter().zip(&due) {
        let found = found.as_object().unwrap();
        assert_eq!(found["schema_version"], "1");
        for (name, cell) in found.iter().filter(|(name, _)| *name != "schema_version") {
            let cell = cell.as_str().unwrap();
            match &due[name] {
                Value::Null => assert_eq!(cell, "", "{name}"),
                Value::Number(number) if number.is_f64() => {
                    let bits = cell.parse::<f64>().unwrap().to_bits();
                    assert_eq!(Some(bits), number.as_f64().map(f64::to_bits), "{name}");
                }
                Value::String(_) if name.starts_with("certified_") => assert_eq!(due[name], cell),
                Value::String(words) => {
                    assert!(!cell.starts_with(['=', '+', '-', '@']), "{name}: {cell}");
                    assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), words, "{name}");
                }
                other => assert_eq!(other.to_string(), cell, "{name}"),
            }
        }
    }
    assert!(
        text.contains("'=HYPERLINK(1)") && text.contains(",-0.20,"),
        "{text}"
    );
}

#[test]
fn parquet_gives_every_cell_back_to_another_reader() {
    let room = Room::new("parquet");
    hostile(&room);
    let script = "import json, sys\n\
                  try:\n    import pyarrow.parquet as parquet\nexcept ImportError:\n    sys.exit(77)\n\
                  table = parquet.read_table(sys.argv[1])\n\
                  version = parquet.read_metadata(sys.argv[1]).metadata[b'heng.schema'].decode()\n\
                  print(json.dumps({'version': version, 'rows': table.to_pylist()}))";
    let export = room.export();
    for (which, due) in [
        ("results", expected(&export)),
        (
            "records",
            rows(&export, "records").iter().map(fields).collect(),
        ),
        (
            "checkpoints",
            rows(&export, "checkpoints").iter().map(fields).collect(),
        ),
    ] {
        let path = room.at(&format!("{which}.parquet"));
        let output = heng(&[
            "export",
            &room.lab(),
            "--format",
            "parquet",
            "--table",
            which,
            "--out",
            &path,
        ]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        let Some(found) = outside("pyarrow", script, &[&path]) else {
            return;
        };
        assert_eq!(found["version"], "1");
        let found = found["rows"].as_array().unwrap();
        assert_eq!(found.len(), due.len());
        for (found, due) in found.iter().zip(&due) {
            let found = found.as_object().unwrap();
            assert_eq!(found["schema_version"], 1);
            for (name, cell) in found.iter().filter(|(name, _)| *name != "schema_version") {
                assert_eq!(cell, &due[name], "{which}, {name}");
            }
        }
    }
}

#[test]
fn readings_are_those_of_the_points_in_the_record() {
    let room = Room::new("readings");
    room.take(COMPARISON, "DEMO-2026-1183");
    room.take("unsealed/DEMO-2026-1183", "open/DEMO-2026-1183");
    let output = heng(&[
        "export",
        &room.lab(),
        "--format",
        "csv",
        "--table",
        "readings",
    ]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = stdout(&output);
    let (head, found) = text.split_once('\n').unwrap();
    let names = "schema_version,path,number,point,cycle,channel,indication,unit,quality,t_us,entry";
    assert_eq!(head, names);
    let entries = fs::read_to_string(format!("{SESSIONS}/{COMPARISON}.jsonl")).unwrap();
    let mut due = String::new();
    for line in entries.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let body = &entry["event"]["body"];
        for cycle in body["cycles"].as_array().into_iter().flatten() {
            for one in cycle["indications"].as_array().unwrap() {
                let text = |name: &str| one[name].as_str().unwrap().to_owned();
                let number = due.lines().count() + 1;
                let _ = writeln!(
                    due,
                    "1,DEMO-2026-1183.jsonl,{number},r10,{},{},{},{},{},{},{}",
                    cycle["cycle"],
                    text("channel"),
                    text("digits"),
                    text("unit"),
                    text("quality"),
                    one["t_us"],
                    one["entry"],
                );
            }
        }
    }
    assert_eq!(due.lines().count(), 21);
    assert_eq!(found, due);
}

fn fields(row: &Value) -> BTreeMap<String, Value> {
    row.as_object().unwrap().clone().into_iter().collect()
}

#[test]
fn another_sqlite_reads_the_index() {
    let room = Room::new("sqlite");
    hostile(&room);
    room.rebuild(0);
    let script = "import json, sqlite3, sys\n\
                  store = sqlite3.connect(sys.argv[1])\n\
                  store.row_factory = sqlite3.Row\n\
                  rows = store.execute('SELECT * FROM results ORDER BY path, number')\n\
                  version = store.execute('PRAGMA user_version').fetchone()[0]\n\
                  print(json.dumps({'version': version, 'rows': [dict(row) for row in rows]}))";
    let index = room.at(&format!("lab/{INDEX}"));
    let Some(found) = outside("sqlite3", script, &[&index]) else {
        return;
    };
    assert_eq!(found["version"], 1);
    let due = rows(&room.export(), "results");
    let found = found["rows"].as_array().unwrap();
    assert_eq!(found.len(), due.len());
    for (found, due) in found.iter().zip(&due) {
        for (name, cell) in found.as_object().unwrap() {
            let due = due[name]
                .as_bool()
                .map_or(due[name].clone(), |flag| json!(u8::from(flag)));
            assert_eq!(cell, &due, "{name}");
        }
    }
}

#[test]
fn nothing_in_the_laboratory_is_written_over() {
    let room = Room::new("over");
    room.take(COMPARISON, "DEMO-2026-1183");
    let record = room.at("lab/DEMO-2026-1183.jsonl");
    let before = fs::read(&record).unwrap();
    let lab = room.lab();
    for arguments in [
        vec!["index", "export", &lab, "--out", &record],
        vec!["export", &lab, "--format", "csv", "--out", &record],
    ] {
        let output = heng(&arguments);
        assert_eq!(code(&output), 64, "{}", said(&output));
        assert_eq!(fs::read(&record).unwrap(), before);
    }
    assert_eq!(code(&heng(&["export", &lab, "--format", "parquet"])), 64);
}
