//! `heng steady` as its users meet it: counts on published records, pictures, messages and
//! exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const TESTO: &str = "fixtures/tub-climate-chamber/testo.csv";

fn heng(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("steady")
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn done(arguments: &[&str]) -> String {
    let output = heng(arguments);
    let message = stderr(&output);
    assert!(output.status.success(), "{arguments:?}: {message}");
    stdout(&output)
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&done(&[arguments, &["--format", "json"]].concat())).unwrap()
}

/// A file in a fresh folder under the target directory.
fn written(name: &str, text: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("steady-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_windows_of_the_rooms_are_those_counted_on_whole_tenths() {
    for (room, steady, first) in [
        ("1", 212, "2023-11-29 11:21:49"),
        ("2", 320, "2023-11-29 10:39:04"),
    ] {
        let filter = format!("room_id={room}");
        let chosen = [
            TESTO,
            "--value",
            "testo_temp1",
            "--filter",
            &filter,
            "--sort",
        ];
        let named = json(&[&chosen[..], &["--criterion", "room-temperature-30min"]].concat());
        let inline = json(
            &[
                &chosen[..],
                &[
                    "--unit",
                    "°C",
                    "--kind",
                    "trailing",
                    "--window",
                    "30min",
                    "--readings",
                    "28",
                ],
                &["--range", "0.2", "--gap", "120s"],
            ]
            .concat(),
        );
        for found in [&named, &inline] {
            assert_eq!(found["steady"], steady, "room {room}");
            assert_eq!(found["first_steady"], first, "room {room}");
            let windows = found["stretches"].as_array().unwrap().iter();
            let sum: u64 = windows.map(|one| one["windows"].as_u64().unwrap()).sum();
            assert_eq!(sum, steady, "room {room}");
            // Twelve gaps over 2 min; the longest lasts 762 h.
            let gaps = found["gaps"].as_array().unwrap();
            let seconds = gaps.iter().map(|gap| gap["seconds"].as_f64().unwrap());
            let longest = seconds.fold(0.0, f64::max);
            assert_eq!(
                (gaps.len(), (longest / 3600.0).trunc()),
                (12, 762.0),
                "room {room}"
            );
        }
        assert_eq!(named["criterion"]["version"], "1.0.0");
        assert!(inline["criterion"].is_null());
        assert_eq!(
            named["windows"],
            found_lines(&chosen, steady),
            "room {room}"
        );
    }
}

/// Verdicts of the CSV, whose steady ones are counted against `steady`.
fn found_lines(chosen: &[&str], steady: u64) -> Value {
    let named = ["--criterion", "room-temperature-30min", "--format", "csv"];
    let csv = done(&[chosen, &named].concat());
    let mut lines = csv.lines();
    let head = lines.next().unwrap();
    assert!(
        head.starts_with("time,steady,testo_temp1: steady,"),
        "{head}"
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let counted = rows.iter().filter(|row| row[1] == "1").count();
    assert_eq!(counted as u64, steady);
    rows.len().into()
}

#[test]
fn the_text_tells_when_why_not_and_where_it_ends() {
    let arguments = [
        TESTO,
        "--value",
        "testo_temp1",
        "--filter",
        "room_id=1",
        "--criterion",
        "soak-30-readings",
        "--from",
        "2023-12-12",
        "--to",
        "2023-12-13",
    ];
    let text = done(&arguments);
    for part in [
        "testo.csv, room_id = 1\n",
        "soak-30-readings 1.0.0",
        "the last 30 readings, within 36 min, range ≤ 0.3 K, |slope| ≤ 0.2 K/h",
        "First steady   2023-12-12 11:31:41\n",
        "400, 2023-12-12 09:50:41 to 2023-12-12 16:29:41",
        "Gaps           none\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let chinese = done(&[&arguments[..], &["--lang", "zh"]].concat());
    for part in [
        "首次稳定",
        "2023-12-12 11:31:41",
        "最近30个读数",
        "未稳定原因",
    ] {
        assert!(chinese.contains(part), "{part:?} is not in\n{chinese}");
    }
    for line in chinese.lines().filter(|line| !line.starts_with("testo")) {
        assert!(
            !line.contains("steady") && !line.contains("slope"),
            "{line}"
        );
    }
}

#[test]
fn the_picture_shades_every_stretch_and_gap() {
    let picture = written("room.svg", "");
    let found = json(&[
        TESTO,
        "--value",
        "testo_temp1",
        "--filter",
        "room_id=1",
        "--sort",
        "--criterion",
        "room-temperature-30min",
        "--to",
        "2023-12-02",
        "--picture",
        &picture,
    ]);
    let svg = std::fs::read_to_string(&picture).unwrap();
    let count = |what: &str| found[what].as_array().unwrap().len();
    // The legend has each colour twice, as fill and edge.
    assert_eq!(svg.matches("#CDE8CD").count(), count("stretches") + 2);
    assert_eq!(svg.matches("#E2E2E2").count(), count("gaps") + 2);
    assert!(svg.contains("testo_temp1 / °C") && svg.contains("<title>testo.csv, room_id = 1: "));
}

const MINUTES: &str = "\
time;t;u;state
23.11.2026 10:00;20,0;20,1;run
23.11.2026 10:01;20,1;20,2;ready
23.11.2026 10:02;20,2;20,3;ready
23.11.2026 10:03;20,3;20,4;ready
23.11.2026 10:04;---;20,5;ready
23.11.2026 10:05;20,5;20,6;ready
23.11.2026 10:06;20,6;20,7;ready
";

#[test]
fn other_forms_two_sensors_and_states_are_read() {
    let path = written("german.csv", MINUTES);
    let form = [
        path.as_str(),
        "--time",
        "time",
        "--time-format",
        "%d.%m.%Y %H:%M",
        "--separator",
        "semicolon",
        "--decimal",
        "comma",
        "--missing",
        "---",
        "--zone",
        "+01:00",
        "--unit",
        "°C",
        "--value",
        "u",
        "--minus",
        "t",
        "--window",
        "2min",
        "--gap",
        "2min",
        "--range",
        "0.01",
    ];
    // The sensors drift, but together: their difference is 0.1 K at every reading.
    let found = json(&form);
    assert_eq!(found["windows"], 6);
    assert_eq!(found["steady"], 4);
    assert_eq!(found["first_steady"], "2026-11-23 10:02:00");
    assert_eq!(found["at_end"][0]["range"], 0.0);
    assert_eq!(found["signals"][0]["readings_of"], "u − t");
    // The state holds from 10:01 on.
    let found = json(&[&form[..], &["--state", "state=ready"]].concat());
    assert_eq!(found["first_steady"], "2026-11-23 10:03:00");
    // A set point that the difference reaches, and one that it never does.
    let near = ["--within", "0.1", "--soak", "3min", "--set-point"];
    let found = json(&[&form[..], &near, &["0.2"]].concat());
    assert_eq!(found["first_steady"], "2026-11-23 10:03:00");
    let output = heng(&[&form[..], &near, &["0.3"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stdout(&output).contains("never"));
}

#[test]
fn a_criteria_file_of_the_laboratory_is_used_and_checked() {
    let shipped = "procedures/criteria/room-temperature-30min.toml";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(shipped));
    let text = text.unwrap().replace("range = \"0.2\"", "range = \"0.1\"");
    let own = written("own.toml", &text);
    let chosen = [
        TESTO,
        "--value",
        "testo_temp1",
        "--filter",
        "room_id=1",
        "--sort",
    ];
    let narrow = json(&[&chosen[..], &["--criterion", &own]].concat());
    assert!(narrow["steady"].as_u64().unwrap() < 212);
    let wrong = written("wrong.toml", &text.replace("\"0.1\"", "\"-0.1\""));
    let output = heng(&[&chosen[..], &["--criterion", &wrong]].concat());
    assert_eq!(output.status.code(), Some(3));
    let message = stderr(&output);
    assert!(
        message.contains("line 19, column 9: range -0.1 is not above zero"),
        "{message}"
    );
}

#[test]
fn the_criteria_are_listed_with_their_limits() {
    for (language, part) in [
        ("en", "|slope| + 2 u ≤ 0.5 K/h"),
        ("zh", "|斜率| + 2 u ≤ 0.5 K/h"),
    ] {
        let text = done(&["--list", "--lang", language]);
        assert!(text.contains(part), "{text}");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("procedures/criteria");
        for file in std::fs::read_dir(shipped).unwrap() {
            let name = file.unwrap().path();
            let name = name.file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(text.contains(&format!("{name} 1.0.0\n")), "{name}");
        }
    }
}

const GOOD: &str = "\
datetime,t
2026-11-23 10:00:00,20.0
2026-11-23 10:01:00,20.1
2026-11-23 10:02:00,20.0
";

#[test]
fn a_bad_file_is_refused_with_its_line_and_the_cure() {
    let cases = [
        (
            "datetime",
            "moment",
            &["no column \"datetime\"", "the header has moment, t"][..],
        ),
        (
            "10:01:00,",
            "10:61:00,",
            &["line 3", "2026-11-23 10:61:00", "no time"],
        ),
        ("20.1", "20.1K", &["line 3, column \"t\"", "20.1K"]),
        (
            "10:02:00",
            "09:02:00",
            &["line 4", "before that of line 3", "--sort"],
        ),
        (
            "10:02:00",
            "10:01:00",
            &["line 4", "second reading at the time of line 3"],
        ),
        (
            "20.1\n",
            "20.1,3\n",
            &["line 3", "3 cells, but the header has 2"],
        ),
        (
            ",20.1\n",
            "\n",
            &["line 3", "1 cells, but the header has 2"],
        ),
        ("20.1", "\"20.1", &["a quoted cell is not closed"]),
        (",t\n", ",datetime\n", &["the column \"datetime\" twice"]),
    ];
    let criterion = ["--criterion", "room-temperature-30min", "--value", "t"];
    for (number, (from, to, parts)) in cases.iter().enumerate() {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let path = written(&format!("bad-{number}.csv"), &text);
        let output = heng(&[&[path.as_str()][..], &criterion].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{to}: {message}");
        for part in *parts {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
    for (name, text, part) in [
        ("empty", "", "no header line and rows"),
        ("head", "datetime,t\n", "no header line and rows"),
        (
            "gone",
            "datetime,t\n2026-11-23 10:00:00,\n",
            "column \"t\" has no reading in the 1 rows",
        ),
    ] {
        let path = written(&format!("{name}.csv"), text);
        let output = heng(&[&[path.as_str()][..], &criterion].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let path = written("good.csv", GOOD);
    for (extra, part) in [
        (["--filter", "room=1"], "no column \"room\""),
        (["--filter", "t=1"], "none of the 3 rows matches the filter"),
        (
            ["--from", "2026-11-24"],
            "those of the filter lie from 2026-11-23T10:00:00Z to",
        ),
    ] {
        let output = heng(&[&[path.as_str()][..], &criterion, &extra].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let output = heng(&[&["nowhere.csv"][..], &criterion].concat());
    assert_eq!(output.status.code(), Some(3));
    // One reading, and readings without scatter, are judged as they are.
    let one = written("one.csv", "datetime,t\n2026-11-23 10:00:00,20.0\n");
    let output = heng(&[&[one.as_str()][..], &criterion].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_command_that_says_too_little_is_refused_with_what_to_add() {
    let path = written("little.csv", GOOD);
    let limits = [
        "--window", "2min", "--gap", "90s", "--value", "t", "--unit", "°C",
    ];
    let hygrometer = ["--criterion", "thermo-hygrometer-comparison", "--value"];
    let cases: [(Vec<&str>, &str); 12] = [
        (vec![], "name a --criterion (heng steady --list shows them)"),
        (
            vec!["--window", "2min", "--range", "1"],
            "--window and --gap",
        ),
        (limits.to_vec(), "limits nothing"),
        (
            [&limits[..6], &["--range", "1"]].concat(),
            "state the --unit",
        ),
        (
            [&limits[..], &["--range", "0"]].concat(),
            "--range: range 0 is not above zero",
        ),
        (
            [&limits[..], &["--slope", "1", "--slope-k", "-1"]].concat(),
            "--slope-k: slope_k -1",
        ),
        (
            [&limits[..], &["--range", "1", "--kind", "last"]].concat(),
            "--readings: ",
        ),
        (
            vec!["--criterion", "bath", "--value", "t"],
            "name one of chamber-dkd-r-5-7, ",
        ),
        (
            vec!["--criterion", "soak-30-readings"],
            "no column plays the role \"temperature\"",
        ),
        ([&hygrometer[..], &["t"]].concat(), "write ROLE=COLUMN"),
        (
            vec![
                "--criterion",
                "soak-30-readings",
                "--value",
                "t",
                "--unit",
                "hPa",
            ],
            "limits temperature in °C, the values are in hPa",
        ),
        (
            vec!["--criterion", "chamber-jjf1101-2019", "--value", "t"],
            "state --set-point",
        ),
    ];
    for (arguments, part) in cases {
        let output = heng(&[&[path.as_str()][..], &arguments].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {message}");
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    for arguments in [
        &["--window", "2 weeks"][..],
        &["--zone", "Berlin"],
        &["--filter", "room"],
        &["--criterion", "soak-30-readings", "--range", "1"],
        &["--within", "1"],
    ] {
        let output = heng(&[&[path.as_str()][..], arguments].concat());
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
    }
}
