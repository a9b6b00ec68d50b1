//! Finding and trying instruments, through the binary, against simulated ones.

mod binary;
mod simulator;
#[path = "../drivers/tests/transcript/mod.rs"]
mod transcript;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use binary::{code, heng, said, scripted, stdout};
use heng_drivers::{Quality, catalogue, unescape};
use serde_json::Value;
use simulator::Simulator;
use unicode_width::UnicodeWidthStr;

#[test]
fn the_catalogue_lists_every_model_and_every_page_fits() {
    let listed: Value =
        serde_json::from_slice(&heng(&["instruments", "--format", "json"]).stdout).unwrap();
    let ids: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    let known: Vec<_> = catalogue()
        .iter()
        .map(heng_drivers::Description::id)
        .collect();
    assert_eq!(ids, known);
    for model in known {
        for language in ["en", "zh"] {
            let output = heng(&["instruments", model, "--lang", language]);
            assert_eq!(code(&output), 0, "{}", said(&output));
            let page = stdout(&output);
            let description = heng_drivers::description(model).unwrap();
            assert!(page.starts_with(description.title()), "{page}");
            for quantity in description.quantities() {
                assert!(page.contains(&quantity.name), "{model}: {}", quantity.name);
            }
            for line in page.lines() {
                assert!(line.width() <= 100, "{model}: {line}");
            }
        }
    }
    let page: Value =
        serde_json::from_slice(&heng(&["instruments", "mbw-473", "--format", "json"]).stdout)
            .unwrap();
    assert_eq!(page["evidence"], serde_json::json!(["manual", "log"]));
    assert_eq!(page["description"]["identify"]["model"], "473");
    assert_eq!(code(&heng(&["instruments", "mbw-474"])), 64);
}

#[test]
fn the_ports_are_told_with_what_is_not_seen() {
    let output = heng(&["ports"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("pseudo-terminals"));
    let listed: Value =
        serde_json::from_slice(&heng(&["ports", "--format", "json"]).stdout).unwrap();
    assert!(listed.is_array());
}

#[test]
fn an_instrument_is_identified_among_models_whose_lines_end_otherwise() {
    let mirror = Simulator::start("mbw-473", "identify");
    let port = mirror.port();
    // The request for the 1529 ends with CR: the mirror, which waits for CR LF, holds half a
    // line when its own turn comes.
    let models = ["--model", "fluke-1529", "--model", "mbw-473"];
    let output = heng(&[&["identify", port, "--format", "json"], &models[..]].concat());
    assert_eq!(code(&output), 0, "{}", said(&output));
    let attempts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(attempts[0]["model"], "fluke-1529");
    assert_eq!(attempts[0]["finding"], "no_answer");
    assert_eq!(attempts[0]["exchanges"][0]["sent"], "*IDN?\\r");
    assert_eq!(attempts[1]["finding"], "identified");
    assert_eq!(attempts[1]["identity"]["serial"], "13-0418");
    let output = heng(&["identify", port, "--model", "mbw-473"]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(
        stdout(&output).contains("> SN?\\r\\n"),
        "{}",
        stdout(&output)
    );
    assert!(
        stdout(&output).contains("473, serial 13-0418"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn nobody_is_found_with_a_reason_for_each_attempt() {
    let bath = Simulator::start("fluke-7341", "nobody");
    let output = heng(&[
        "identify",
        bath.port(),
        "--model",
        "mbw-473",
        "--model",
        "vaisala-ptb330",
    ]);
    assert_eq!(code(&output), 4, "{}", said(&output));
    let text = stdout(&output);
    assert!(text.contains("1  mbw-473 at 9600 8N1  no: "), "{text}");
    // A pseudo-terminal keeps 8N1.
    assert!(
        text.contains("2  vaisala-ptb330 at 4800 7E1  not tried: "),
        "{text}"
    );
    let output = heng(&["identify", "/nonexistent/port", "--all"]);
    assert_eq!(code(&output), 4);
    assert_eq!(code(&heng(&["identify", bath.port()])), 64);
}

#[test]
fn readings_carry_digits_times_and_bytes_and_failures_are_lines() {
    let chamber = Simulator::start("weiss-ascii2", "read");
    let port = chamber.port();
    let output = heng(&[
        "read",
        port,
        "--model",
        "weiss-ascii2",
        "--count",
        "2",
        "--format",
        "json",
    ]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = stdout(&output);
    let readings: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(readings.len(), 4, "{text}");
    for reading in &readings {
        let digits = reading["digits"].as_str().unwrap();
        let reply = reading["reply"].as_str().unwrap();
        assert!(reply.contains(digits), "{digits} in {reply}");
        assert_eq!(reading["request"], "$01I\\r");
        assert!(reading["sent"].as_str() < reading["received"].as_str());
        assert_eq!(reading["error"], Value::Null);
    }
    assert_eq!(
        readings[0]["reply"], readings[1]["reply"],
        "one exchange carries both"
    );
    let output = heng(&[
        "read",
        port,
        "--model",
        "weiss-ascii2",
        "--quantity",
        "temperature",
        "--format",
        "csv",
    ]);
    let text = stdout(&output);
    assert!(text.starts_with("reading,quantity,digits,unit,"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
    // Another address: nobody answers, and nothing is read.
    let output = heng(&[
        "read",
        port,
        "--model",
        "weiss-ascii2",
        "--layout",
        "address=02",
    ]);
    assert_eq!((code(&output), stdout(&output)), (4, String::new()));
    assert!(said(&output).contains("no reply"), "{}", said(&output));
    let output = heng(&[
        "read",
        port,
        "--model",
        "weiss-ascii2",
        "--quantity",
        "pressure",
    ]);
    assert_eq!(code(&output), 64, "{}", said(&output));
}

#[test]
fn a_stranger_is_not_read() {
    let thermometer = Simulator::start("fluke-1529", "stranger");
    let output = heng(&[
        "read",
        thermometer.port(),
        "--model",
        "fluke-7341",
        "--line",
        "9600 8N1",
    ]);
    assert_eq!(
        (code(&output), stdout(&output)),
        (4, String::new()),
        "{}",
        said(&output)
    );
}

#[test]
fn endless_readings_end_with_their_reader_and_leave_the_port() {
    let mirror = Simulator::start("mbw-473", "endless");
    let port = mirror.port();
    let arguments = ["read", port, "--model", "mbw-473", "--count", "0"];
    let mut process = Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("dew_point"));
    let interrupted = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let mut process = Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(process.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    assert_eq!(
        process.wait().unwrap().code(),
        Some(0),
        "the reader wants no more"
    );
    let output = heng(&["identify", port, "--model", "mbw-473"]);
    assert_eq!(code(&output), 0, "the port is free: {}", said(&output));
}

#[test]
fn talk_shows_bytes_and_meaning_and_keeps_a_log() {
    let mirror = Simulator::start("mbw-473", "talk");
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("talk.log");
    let _absent = std::fs::remove_file(&log);
    let log_path = log.to_str().unwrap();
    let talk = [
        "talk",
        mirror.port(),
        "--model",
        "mbw-473",
        "--log",
        log_path,
    ];
    let output = scripted(&talk, "serial_number\nSN?\n>>SN?\\r\\n\n");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let text = stdout(&output);
    assert_eq!(text.matches("> 53 4E 3F 0D 0A").count(), 3, "{text}");
    assert_eq!(
        text.matches("= serial_number: serial \"13-0418\"").count(),
        3,
        "{text}"
    );
    let kept = std::fs::read_to_string(&log).unwrap();
    assert!(kept.starts_with("# "), "{kept}");
    assert!(kept.ends_with(&text), "{kept}");
    let output = scripted(&talk, "SN?\n");
    assert_eq!(
        code(&output),
        5,
        "a log is not written over: {}",
        said(&output)
    );
}

#[test]
fn talk_sends_only_what_was_allowed() {
    let bath = Simulator::start("fluke-7341", "guard");
    let talk = |options: &[&str], lines: &str| {
        let first = ["talk", bath.port(), "--model", "fluke-7341"];
        scripted(&[&first, options].concat(), lines)
    };
    for (options, line, needs) in [
        (
            &[][..],
            "set_set_point temperature.set=25.00",
            "--allow set",
        ),
        (&[], "c0=1.5", "--allow unknown"),
        (&["--allow", "set"], "c0=1.5", "--allow unknown"),
        (
            &["--allow", "set"],
            "set_set_point temperature.set=400.00",
            "outside -40 to 150",
        ),
        // Two commands in one line are not the command that the line begins with.
        (&[], "t\\rs=10.00", "--allow unknown"),
    ] {
        let output = talk(options, line);
        assert_eq!(
            (code(&output), stdout(&output)),
            (64, String::new()),
            "{line}"
        );
        assert!(said(&output).contains(needs), "{}", said(&output));
    }
    let output = talk(
        &["--allow", "set"],
        "set_set_point temperature.set=30.00\nset_point\n",
    );
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(
        stdout(&output).contains("temperature.set 30.00 °C"),
        "{}",
        stdout(&output)
    );
    let output = talk(&["--allow", "calibrate", "--person", "A. Lin"], "");
    assert_eq!(code(&output), 64);
    assert!(said(&output).contains("--reason"), "{}", said(&output));
    let raw = ["talk", bath.port(), "--raw", "--line", "2400 8N1"];
    let output = scripted(&raw, "t\n");
    assert_eq!(code(&output), 64, "{}", said(&output));
    let output = scripted(&[&raw[..], &["--allow", "unknown"]].concat(), "t\n");
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(
        stdout(&output).contains("< 74 3A 20"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_captured_transcript_is_one_that_the_tests_of_the_drivers_accept() {
    for (model, read, unread) in [
        ("weiss-ascii2", "state", "write"),
        ("mbw-473", "dew_point", ""),
    ] {
        let instrument = Simulator::start(model, &format!("capture-{model}"));
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{model}.toml"));
        let source = "simulated unit, \"test\" of the writer";
        let output = heng(&[
            "capture",
            instrument.port(),
            "--model",
            model,
            "--source",
            source,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        let text = std::fs::read_to_string(&out).unwrap();
        let captured: transcript::Transcript = toml::from_str(&text).unwrap();
        let commands: Vec<_> = captured.exchange.iter().map(|one| &*one.command).collect();
        assert!(
            commands.contains(&read) && !commands.contains(&unread),
            "{text}"
        );
        for exchange in &captured.exchange {
            assert_eq!((&*exchange.mark, &*exchange.source), ("L", source));
            assert!(exchange.sent_us.is_some() && exchange.received_us.is_some());
            assert!(exchange.error.is_none() && !unescape(&exchange.reply).unwrap().is_empty());
            transcript::check(model, exchange);
        }
        let read = captured
            .exchange
            .iter()
            .find(|one| one.command == read)
            .unwrap();
        assert!(
            read.values
                .iter()
                .all(|value| value.quality != Quality::NoValue)
        );
        assert!(!read.values.is_empty());
    }
    let output = heng(&[
        "capture",
        "/nonexistent/port",
        "--model",
        "mbw-473",
        "--source",
        " ",
    ]);
    assert_eq!(code(&output), 64);
}
