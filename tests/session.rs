//! The product as its users meet it: the binary, the record it leaves, and what it says
//! when something is wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use sha2::{Digest, Sha256};

fn heng(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A fresh folder under the target directory; kept, so that a failure can be looked at.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn demo(name: &str, extra: &[&str]) -> (PathBuf, Output) {
    let out = folder(name);
    let mut arguments = vec!["demo", "--plain", "--out", out.to_str().unwrap()];
    arguments.extend(extra);
    let output = heng(&arguments);
    (out, output)
}

/// The demo run that several tests look at.
fn shared_demo() -> &'static (PathBuf, Output) {
    static DEMO: OnceLock<(PathBuf, Output)> = OnceLock::new();
    DEMO.get_or_init(|| demo("demo", &[]))
}

const RECORD: &str = "DEMO-2026-1183.jsonl";

fn record() -> Vec<u8> {
    let (out, output) = shared_demo();
    assert!(
        output.status.success(),
        "{}{}",
        stdout(output),
        stderr(output)
    );
    std::fs::read(out.join(RECORD)).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn lines(record: &[u8]) -> Vec<Value> {
    record
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn derived<'a>(entries: &'a [Value], what: &'a str) -> impl Iterator<Item = &'a Value> {
    entries
        .iter()
        .map(|entry| &entry["event"]["body"])
        .filter(move |body| body["what"] == what)
}

#[test]
fn the_demo_leaves_everything_and_ends_with_the_verdict() {
    let (out, output) = shared_demo();
    assert!(
        output.status.success(),
        "{}{}",
        stdout(output),
        stderr(output)
    );
    let said = stdout(output);
    let closing = &said[said.rfind("record  ").expect("the path of the record")..];
    let last = closing.lines().last().unwrap();
    assert!(last.starts_with("verdict  identical"), "{closing}");
    for ending in [
        ".jsonl",
        "-en.pdf",
        "-zh.pdf",
        ".xml",
        ".csv",
        "-budget.txt",
    ] {
        let named = closing
            .lines()
            .filter(|line| line.ends_with(ending))
            .count();
        assert!(named >= 1, "no path ending {ending} in:\n{closing}");
        let present = std::fs::read_dir(out).unwrap().any(|file| {
            file.unwrap()
                .file_name()
                .to_string_lossy()
                .ends_with(ending)
        });
        assert!(present, "no file ending {ending}");
    }
}

#[test]
fn the_demo_recomputes_and_repeats_byte_for_byte() {
    let first = record();
    let (again, output) = demo("demo-again", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let second = std::fs::read(again.join(RECORD)).unwrap();
    assert!(
        first == second,
        "two runs with one seed differ: compare {RECORD} in demo and demo-again"
    );
    let path = again.join(RECORD);
    let replayed = heng(&["replay", "--verify", path.to_str().unwrap()]);
    assert_eq!(code(&replayed), 0, "{}", stdout(&replayed));
    assert!(
        stdout(&replayed).starts_with("verdict  identical"),
        "{}",
        stdout(&replayed)
    );
    let verified = heng(&["verify", path.to_str().unwrap()]);
    assert!(
        stdout(&verified).starts_with("good"),
        "{}",
        stdout(&verified)
    );
    let (other, output) = demo("demo-other-seed", &["--seed", "7"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        std::fs::read(other.join(RECORD)).unwrap() != first,
        "the seed changes nothing"
    );
}

#[test]
fn the_session_is_a_whole_calibration() {
    let entries = lines(&record());
    let points: Vec<_> = derived(&entries, "point").collect();
    let planned = derived(&entries, "planned").next().unwrap();
    assert_eq!(points.len(), planned["points"].as_array().unwrap().len());
    assert!(points.iter().all(|point| point["complete"] == true));
    let last_us = entries.last().unwrap()["t_us"].as_u64().unwrap();
    assert!(
        last_us > 4 * 3_600_000_000,
        "a session of hours, not {last_us} µs"
    );
    let directions: Vec<_> = planned["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| &point["direction"])
        .collect();
    assert!(
        directions.contains(&&Value::from("rising"))
            && directions.contains(&&Value::from("falling"))
    );
    let last: Vec<_> = derived(&entries, "result")
        .filter(|result| result["preliminary"] == false)
        .collect();
    assert!(last.len() >= points.len(), "{} final results", last.len());
    // Every exchange stands in front of the value decoded from it.
    for scan in derived(&entries, "scan") {
        for indication in scan["indications"].as_array().unwrap() {
            let entry = usize::try_from(indication["entry"].as_u64().unwrap()).unwrap();
            let event = &entries[entry]["event"];
            assert_eq!(event["kind"], "exchange");
            let digits = indication["digits"].as_str().unwrap();
            let sent = digits.trim_start_matches('-');
            assert!(
                event["rx"].as_str().unwrap().contains(sent) || indication["channel"] == "td",
                "{digits} is not in {}",
                event["rx"]
            );
        }
    }
}

/// The answer of `heng replay` to altered bytes.
fn replayed(name: &str, bytes: &[u8]) -> (i32, String) {
    let path = folder(name).join(RECORD);
    std::fs::write(&path, bytes).unwrap();
    let output = heng(&["replay", "--verify", path.to_str().unwrap()]);
    (code(&output), stdout(&output) + &stderr(&output))
}

#[test]
fn an_altered_byte_anywhere_is_found_and_its_entry_named() {
    let bytes = record();
    let ends: Vec<_> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at)
        .collect();
    // Twelve places spread over the file: the records crate flips every bit of a small one.
    for place in 0..12 {
        let at = bytes.len() * (2 * place + 1) / 24;
        let mut altered = bytes.clone();
        altered[at] ^= 0x04;
        let entry = ends.iter().filter(|&&end| end < at).count();
        let (exit, said) = replayed("altered", &altered);
        assert_eq!(exit, 1, "{said}");
        assert!(
            said.contains(&format!("entry {entry} ")),
            "byte {at} of entry {entry}: {said}"
        );
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Root of the Merkle tree of RFC 6962 over the hashes of entries.
fn root(hashes: &[Vec<u8>]) -> Vec<u8> {
    let hash = |kind: u8, parts: &[&[u8]]| {
        Sha256::digest([&[kind], parts.concat().as_slice()].concat()).to_vec()
    };
    if let [one] = hashes {
        return hash(0, &[one]);
    }
    let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
    hash(1, &[&root(left), &root(right)])
}

/// Chains a record anew after its content was changed, as a forger would, with the root that
/// the seal then has to state.
fn mend(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut hashes: Vec<Vec<u8>> = vec![];
    let mut out = Vec::new();
    for line in lines {
        let mut text = String::from_utf8(line.clone()).unwrap();
        if text.contains("\"kind\":\"sealed\"") {
            let at = text.find("\"root\":\"").unwrap() + 8;
            text.replace_range(at..at + 64, &hexadecimal(&root(&hashes)));
        }
        let previous = hashes
            .last()
            .map_or_else(|| "0".repeat(64), |hash| hexadecimal(hash));
        let at = text.rfind(",\"prev\":\"").unwrap();
        let hashed = format!("{},\"prev\":\"{previous}\"", &text[..at]);
        let hash = Sha256::digest(hashed.as_bytes()).to_vec();
        out.extend_from_slice(
            format!("{hashed},\"hash\":\"{}\"}}\n", hexadecimal(&hash)).as_bytes(),
        );
        hashes.push(hash);
    }
    out
}

#[test]
fn a_forged_value_with_a_mended_chain_is_found_in_its_entry() {
    let bytes = record();
    let lines: Vec<Vec<u8>> = bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    assert!(
        mend(&lines) == bytes,
        "the forger's tool does not even copy a record"
    );
    let position = |needle: &str| {
        lines
            .iter()
            .position(|line| String::from_utf8_lossy(line).contains(needle))
            .unwrap()
    };
    for (needle, from, to) in [
        ("\"what\":\"result\"", "\"error\":", "\"error\":1"),
        ("\"what\":\"certificate\"", "Vaisala", "Vaisale"),
        ("\"role\":\"uut\",\"command\":\"send\"", "RH=", "RH ="),
    ] {
        let at = position(needle);
        let text = String::from_utf8(lines[at].clone()).unwrap();
        let mut forged = lines.clone();
        forged[at] = text.replacen(from, to, 1).into_bytes();
        assert_ne!(forged[at], lines[at], "{needle}: nothing was forged");
        let (exit, said) = replayed("forged", &mend(&forged));
        assert_eq!(exit, 1, "{needle}: {said}");
        let named: usize = said
            .split("entry ")
            .nth(1)
            .unwrap()
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap()
            .parse()
            .unwrap();
        // A forged reply shows in the values that follow from it, a forged value in itself.
        assert!(
            named >= at && named <= at + 12,
            "{needle} forged in entry {at}: {said}"
        );
    }
}

#[test]
fn a_record_that_was_cut_is_incomplete_or_altered_but_never_good() {
    let bytes = record();
    let ends: Vec<_> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    let (exit, said) = replayed("cut-at-line", &bytes[..ends[ends.len() / 2]]);
    assert_eq!(exit, 2, "{said}");
    let (exit, said) = replayed("cut-in-line", &bytes[..ends[ends.len() / 2] + 10]);
    assert_eq!(exit, 2, "{said}");
}

#[test]
fn a_record_is_shown_as_lines_walked_both_ways_and_asked_what_if() {
    let count = lines(&record()).len();
    let path = shared_demo().0.join(RECORD);
    let path = path.to_str().unwrap();
    let shown = |arguments: &[&str], exit: i32| {
        let output = heng(&[&["replay", path], arguments].concat());
        assert_eq!(
            code(&output),
            exit,
            "{}{}",
            stdout(&output),
            stderr(&output)
        );
        stdout(&output) + &stderr(&output)
    };
    let from = (count - 4).to_string();
    let plain = shown(&["--plain", "--from", &from, "--speed", "1e9"], 0);
    assert_eq!(
        plain.lines().filter(|line| line.contains(" #")).count(),
        4,
        "{plain}"
    );
    assert!(plain.contains("\nverdict  identical"), "{plain}");
    let past = shown(&["--plain", "--from", &count.to_string()], 64);
    assert!(past.contains("numbered from 0"), "{past}");
    // Neither pipes nor files have a screen.
    let none = shown(&[], 64);
    assert!(
        none.contains("--plain") && none.contains("--verify"),
        "{none}"
    );

    let down = shown(&["--line", "1"], 0);
    assert!(
        down.contains("certificate, line 1: ") && down.contains("sent "),
        "{down}"
    );
    let exchange = down.lines().find(|line| line.contains("exchange with"));
    let exchange = exchange.unwrap().trim_start_matches('#');
    let up = shown(&["--entry", exchange.split(' ').next().unwrap()], 0);
    assert!(up.contains("certificate, line 1: "), "{up}");
    let missing = shown(&["--line", "999"], 64);
    assert!(missing.contains("there is no line 999"), "{missing}");

    let reading = down.lines().find(|line| line.contains(" reading 1 of "));
    let reading = reading.unwrap().trim_start_matches('#');
    let otherwise = shown(&["--without", reading.split(' ').next().unwrap()], 0);
    assert!(otherwise.starts_with("WHAT-IF 假设"), "{otherwise}");
    assert!(
        otherwise.contains("n = 10") && otherwise.contains("n = 9"),
        "{otherwise}"
    );
}

#[test]
fn wrong_arguments_and_files_are_told_with_place_cause_and_cure() {
    let out = folder("wrong");
    let broken = out.join("broken.toml");
    std::fs::write(&broken, "id = \"x\"\nversion = 3\n").unwrap();
    let broken = broken.to_str().unwrap();
    let empty = out.join("empty.jsonl");
    std::fs::write(&empty, "").unwrap();
    for (arguments, exit, words) in [
        (vec!["demo", "--nonsense"], 64, vec!["--nonsense"]),
        (
            vec!["replay", "--verify", "/no/such/file.jsonl"],
            3,
            vec!["/no/such/file.jsonl"],
        ),
        (
            vec!["verify", empty.to_str().unwrap()],
            3,
            vec!["empty.jsonl", "empty"],
        ),
        (vec!["lint", broken], 3, vec!["broken.toml", "line 2"]),
        (
            vec![
                "demo",
                "--plain",
                "--out",
                out.to_str().unwrap(),
                "--start",
                "yesterday",
            ],
            3,
            vec!["yesterday"],
        ),
        (
            vec![
                "demo",
                "--plain",
                "--out",
                out.to_str().unwrap(),
                "--fault",
                "mirror:explode",
            ],
            3,
            vec!["explode"],
        ),
        (
            vec!["simulate", "no-such-model", "--link", "/tmp/heng-none"],
            4,
            vec!["no-such-model"],
        ),
    ] {
        let output = heng(&arguments);
        let said = stderr(&output);
        assert_eq!(code(&output), exit, "{arguments:?}: {said}");
        for word in words {
            assert!(
                said.contains(word),
                "{arguments:?} does not say {word:?}: {said}"
            );
        }
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_record_is_never_overwritten() {
    let (out, _) = shared_demo();
    let before = record();
    let output = heng(&["demo", "--plain", "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains(RECORD), "{}", stderr(&output));
    assert!(std::fs::read(out.join(RECORD)).unwrap() == before);
}

/// Each fault, what the record must say of it, and whether the run survives it.
const FAULTS: &[(&str, &str, bool)] = &[
    ("mirror:drop@300x2", "no reply", true),
    ("uut:truncate:6@150", "breaks off", true),
    ("uut:garble:2@150", "garbled", true),
    ("thermometer:late:60000@120", "no reply", true),
    ("barometer:unit:kPa@90x1000000", "kPa", false),
    ("uut:over-range@150x30", "over_range", true),
    ("thermometer:vanish@9000s", "thermometer", false),
    ("mirror:vanish:30@300", "back and identified", true),
    ("chamber:vanish:60@9", "set points are set again", true),
];

#[test]
fn faults_are_recorded_and_the_run_recomputes() {
    std::thread::scope(|scope| {
        for (number, (fault, words, survives)) in FAULTS.iter().enumerate() {
            scope.spawn(move || {
                let (out, output) = demo(&format!("fault-{number}"), &["--fault", fault]);
                let said = stdout(&output) + &stderr(&output);
                let expected = if *survives { 0 } else { 2 };
                assert_eq!(
                    code(&output),
                    expected,
                    "{fault}: {}",
                    &said[said.len().saturating_sub(2000)..]
                );
                let bytes = std::fs::read(out.join(RECORD)).unwrap();
                let entries = lines(&bytes);
                // An alarm says it in words, or the scan carries the quality of the value.
                let told = derived(&entries, "alarm")
                    .chain(derived(&entries, "scan"))
                    .any(|value| value.to_string().contains(words));
                assert!(told, "{fault}: nothing says {words:?}");
                let path = out.join(RECORD);
                let replayed = heng(&["replay", "--verify", path.to_str().unwrap()]);
                assert!(
                    stdout(&replayed).starts_with("verdict  identical"),
                    "{fault}: {}",
                    stdout(&replayed)
                );
                let safe = derived(&entries, "step").any(|step| step["kind"] == "safe_state");
                assert!(safe, "{fault}: the source did not reach its safe state");
                if !survives {
                    let finished = derived(&entries, "finished").next().expect("an end");
                    assert_eq!(finished["completed"], false);
                    assert_eq!(derived(&entries, "certificate").count(), 0, "{fault}");
                }
            });
        }
    });
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

fn import(name: &str, map: &str) -> (PathBuf, Output) {
    let out = folder(name);
    let (map, data) = (fixture(map), fixture("tub-climate-chamber/elsys.csv"));
    let output = heng(&[
        "import",
        "--procedure",
        "chamber-mapping",
        "--map",
        &map,
        &data,
        "--out",
        out.to_str().unwrap(),
        "--start",
        "2026-11-23T09:00:00+08:00",
    ]);
    (out, output)
}

/// Published-by-computation figures of the TU Berlin rooms, through the whole program.
#[test]
fn a_logger_file_becomes_a_record_with_the_known_figures() {
    let cases: Value =
        serde_json::from_str(&std::fs::read_to_string(fixture("references/mapping.json")).unwrap())
            .unwrap();
    for (room, id) in [
        ("1", "data.tub.2023-12-07.room1"),
        ("2", "data.tub.2024-01-16.room2"),
    ] {
        let case = cases["cases"]
            .as_array()
            .unwrap()
            .iter()
            .find(|case| case["id"] == id)
            .unwrap();
        let (out, output) = import(
            &format!("room{room}"),
            &format!("tub-climate-chamber/map-room{room}.toml"),
        );
        assert!(
            output.status.success(),
            "{}{}",
            stdout(&output),
            stderr(&output)
        );
        assert!(
            stdout(&output).contains("verdict  identical"),
            "{}",
            stdout(&output)
        );
        let record = std::fs::read_dir(&out)
            .unwrap()
            .map(|file| file.unwrap().path())
            .find(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
            .unwrap();
        let entries = lines(&std::fs::read(&record).unwrap());
        let mapping = derived(&entries, "mapping")
            .find(|one| one["quantity"] == "temperature")
            .unwrap();
        let expected = &case["expected"];
        let columns = case["inputs"]["columns"].as_array().unwrap();
        for (location, column) in mapping["locations"].as_array().unwrap().iter().zip(columns) {
            let column = column.as_str().unwrap();
            assert_eq!(location["n"], expected["n"][column], "{id} {column}");
            // Four printed decimals.
            let difference =
                location["mean"].as_f64().unwrap() - expected["mean"][column].as_f64().unwrap();
            assert!(difference.abs() <= 1e-4, "{id} {column}: {difference}");
        }
        let value = |name: &str| {
            let all = mapping["characteristics"].as_array().unwrap();
            all.iter()
                .find(|one| one["id"] == name)
                .unwrap_or_else(|| panic!("{id}: no {name} in {all:?}"))["value"]
                .as_f64()
                .unwrap()
        };
        assert!(
            (value("spread_of_means") - expected["spread_of_means"].as_f64().unwrap()).abs()
                <= 1e-4
        );
        let replayed = heng(&["replay", "--verify", record.to_str().unwrap()]);
        assert_eq!(code(&replayed), 0, "{}", stdout(&replayed));
    }
}

#[test]
fn a_logger_file_or_map_that_is_wrong_is_refused_and_nothing_is_written() {
    let out = folder("wrong-logger");
    let map = std::fs::read_to_string(fixture("tub-climate-chamber/map-room1.toml")).unwrap();
    let data = std::fs::read_to_string(fixture("tub-climate-chamber/elsys.csv")).unwrap();
    let header = data.lines().next().unwrap();
    for (name, map, data, words) in [
        (
            "column",
            map.replace("temp06", "temp99"),
            data.clone(),
            vec!["temp99"],
        ),
        (
            "key",
            map.replace("[window]", "[windows]"),
            data.clone(),
            vec!["map.toml", "windows"],
        ),
        (
            "unit",
            map.replacen("unit = \"°C\"", "unit = \"°F\"", 1),
            data.clone(),
            vec!["°F"],
        ),
        (
            "window",
            map.replace("2023-12-07T", "1999-12-07T"),
            data.clone(),
            vec!["window"],
        ),
        (
            "ragged",
            map.clone(),
            data.replacen(",,,\n", ",,\n", 1),
            vec!["line", "cells"],
        ),
        ("empty", map.clone(), String::new(), vec!["logger.csv"]),
        ("no rows", map, header.to_owned(), vec!["logger.csv"]),
    ] {
        let place = out.join("in");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("map.toml"), map).unwrap();
        std::fs::write(place.join("logger.csv"), data).unwrap();
        let results = out.join("out");
        let output = heng(&[
            "import",
            "--map",
            place.join("map.toml").to_str().unwrap(),
            place.join("logger.csv").to_str().unwrap(),
            "--out",
            results.to_str().unwrap(),
        ]);
        let said = stderr(&output);
        assert_eq!(code(&output), 3, "{name}: {said}");
        for word in words {
            assert!(said.contains(word), "{name} does not say {word:?}: {said}");
        }
        let left = std::fs::read_dir(&results).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{name}: something was written");
    }
}

/// The demonstration with a model that uses a formula 80 °C above the chamber's temperature.
fn hot(name: &str, statement: &str) -> (PathBuf, Output) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inputs = folder(&format!("{name}-inputs"));
    let procedure = "procedures/library/thermo-hygrometer-comparison.toml";
    let text = std::fs::read_to_string(root.join(procedure)).unwrap();
    let model = "rh = 100 * f_mirror(td_x, p_x)";
    assert!(text.contains(model));
    let text = text.replace(model, &format!("hot = sonntag_water(t_x + 80)\n{model}"));
    let text = text.replace(
        "- rh * (1 + d_formula)",
        "- rh * (1 + d_formula) + 1e-30 * hot",
    );
    let (procedure, order) = (inputs.join("hot.toml"), inputs.join("order.toml"));
    std::fs::write(&procedure, text).unwrap();
    let text = std::fs::read_to_string(root.join("fixtures/demo/order.toml")).unwrap();
    std::fs::write(&order, text + statement).unwrap();
    let (procedure, order) = (procedure.to_str().unwrap(), order.to_str().unwrap());
    demo(name, &["--procedure", procedure, "--order", order])
}

/// At 66 °C and 90 %RH the dew point, near 64 °C, is beyond the 60 °C of the mirror's certificate.
#[test]
fn readings_beyond_a_certificate_that_the_order_answers_for_are_marked_on_everything() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inputs = folder("beyond-certificate-inputs");
    let procedure = "procedures/library/thermo-hygrometer-comparison.toml";
    let text = std::fs::read_to_string(root.join(procedure)).unwrap();
    assert!(text.contains("temperature = \"20.0\""));
    let text = text.replace("temperature = \"20.0\"", "temperature = \"66.0\"");
    let (procedure, order) = (inputs.join("warm.toml"), inputs.join("order.toml"));
    std::fs::write(&procedure, text).unwrap();
    let text = std::fs::read_to_string(root.join("fixtures/demo/order.toml")).unwrap();
    let statement = "\n[[beyond_range]]\ncertificate = \"DEMO-H-2026-0417\"\nquantity = \"dew_point\"\n\
        person = \"Li Hua\"\nreason = { en = \"compared with a psychrometer\", zh = \"已与干湿表比对\" }\n";
    std::fs::write(&order, text + statement).unwrap();
    let (procedure, order) = (procedure.to_str().unwrap(), order.to_str().unwrap());
    let arguments = ["--procedure", procedure, "--order", order];
    let (out, output) = demo("beyond-certificate", &arguments);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));

    let entries = lines(&std::fs::read(out.join(RECORD)).unwrap());
    let told = derived(&entries, "alarm").any(|alarm| {
        alarm["text"]["en"]
            .to_string()
            .contains("Li Hua answers for it")
    });
    assert!(told);
    let results: Vec<_> = derived(&entries, "result").collect();
    let forced = |one: &&Value| one["forced"][0]["violation"]["certificate"] == "DEMO-H-2026-0417";
    let beyond = results.iter().filter(|one| forced(one)).count();
    assert!(beyond > 0 && beyond < results.len(), "{beyond}");
    for one in results.iter().filter(|one| forced(one)) {
        let found = one["forced"][0]["violation"]["found"].as_f64().unwrap();
        assert!(found > 60.0 && found < 66.0, "{found}");
        assert_eq!(one["measurand"], "humidity");
    }
    // What the instrument sent stands as it was.
    let sent = derived(&entries, "scan").any(|scan| {
        let all = scan["indications"].as_array().unwrap();
        all.iter().any(|one| {
            let digits = one["digits"].as_str().unwrap_or_default();
            one["channel"] == "td" && digits.parse::<f64>().is_ok_and(|td| td > 60.0)
        })
    });
    assert!(sent);
    let dcc = std::fs::read_to_string(out.join("DEMO-2026-1183.xml")).unwrap();
    for part in [
        "outside of the certified range of a standard, forced by Li Hua",
        "超出标准器的校准范围，由Li Hua决定强制使用",
        "forced: DEMO-H-2026-0417",
        "强制使用: DEMO-H-2026-0417",
        "compared with a psychrometer",
        "<dcc:inValidityRange>false",
    ] {
        assert!(dcc.contains(part), "{part}");
    }
    let budgets = std::fs::read_to_string(out.join("DEMO-2026-1183-budget.txt")).unwrap();
    assert!(budgets.contains("Outside of the certified range of a standard, forced by Li Hua"));
    let record = out.join(RECORD);
    let replay = heng(&["replay", "--verify", record.to_str().unwrap()]);
    assert_eq!(code(&replay), 0, "{}{}", stdout(&replay), stderr(&replay));
}

#[test]
fn a_result_beyond_the_range_of_a_formula_is_refused_unless_the_order_answers_for_it() {
    let (out, output) = hot("beyond-refused", "");
    assert_eq!(code(&output), 2, "{}{}", stdout(&output), stderr(&output));
    let entries = lines(&std::fs::read(out.join(RECORD)).unwrap());
    assert_eq!(derived(&entries, "certificate").count(), 0);
    assert!(!out.join("DEMO-2026-1183.xml").exists());
    let told = derived(&entries, "alarm").any(|alarm| {
        let said = alarm["text"]["en"].as_str().unwrap_or_default();
        said.contains("sonntag_water") && said.contains("[[beyond_range]]")
    });
    assert!(told);

    let statement = "\n[[beyond_range]]\nformula = \"sonntag_water\"\nperson = \"Li Hua\"\n\
        reason = { en = \"compared with steam tables\", zh = \"已与蒸汽表比对\" }\n";
    let (out, output) = hot("beyond-forced", statement);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let entries = lines(&std::fs::read(out.join(RECORD)).unwrap());
    let forced = |result: &&Value| result["forced"][0]["violation"]["formula"] == "sonntag_water";
    let results: Vec<_> = derived(&entries, "result").collect();
    assert!(
        results
            .iter()
            .any(|one| forced(one) && one["forced"][0]["person"] == "Li Hua")
    );
    assert!(
        results.iter().any(|one| one.get("forced").is_none()),
        "temperature needs none"
    );
    let dcc = std::fs::read_to_string(out.join("DEMO-2026-1183.xml")).unwrap();
    for part in [
        "USED OUTSIDE OF ITS RANGE, forced by Li Hua: compared with steam tables",
        "超出适用范围使用",
        "Range: t: ",
        "forced: sonntag_water",
        "强制使用: sonntag_water",
    ] {
        assert!(dcc.contains(part), "{part}");
    }
    // The manager reviews the budgets.
    let budgets = std::fs::read_to_string(out.join("DEMO-2026-1183-budget.txt")).unwrap();
    assert!(budgets.contains("forced by Li Hua"), "{budgets}");
    let record = out.join(RECORD);
    let replay = heng(&["replay", "--verify", record.to_str().unwrap()]);
    assert_eq!(code(&replay), 0, "{}{}", stdout(&replay), stderr(&replay));
}
