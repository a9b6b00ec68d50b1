//! Programs of other people against ours, over pseudo-terminals: their simulators with our
//! drivers, their clients with our simulators.
//!
//! `HENG_PYTHON` names the interpreter that has the peers (`tests/requirements.txt`);
//! `python3` where it is not set. A test whose peer is missing says so and passes, unless
//! `HENG_PEERS=required`. What a peer is known to do otherwise than the instrument stands in
//! `tests/peers/deviations.toml`, and has to be seen.

mod binary;
#[path = "peers/deviation.rs"]
mod deviation;
#[path = "peers/served.rs"]
mod served;
mod simulator;
#[path = "peers/talk.rs"]
mod talk;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use binary::{code, heng, said, scripted, stdout};
use deviation::Deviations;
use serde_json::Value;
use served::{SKIPPED, Served, python, script, skip};
use simulator::Simulator;
use talk::{Told, marked, told};

/// A pseudo-terminal keeps eight bits and no parity, whatever the factory's settings are.
const LINE: [&str; 2] = ["--line", "9600 8N1"];

/// The one attempt of `heng identify`.
fn identify(port: &str, model: &str) -> Value {
    let asked = ["identify", port, "--model", model, "--format", "json"];
    let output = heng(&[&asked, &LINE[..]].concat());
    let attempts: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    attempts[0].clone()
}

/// Three readings of one quantity, or the failure.
fn read(port: &str, model: &str, quantity: &str, layout: &[&str]) -> Result<Vec<Value>, String> {
    let asked = ["read", port, "--model", model, "--quantity", quantity];
    let form = ["--count", "3", "--format", "json"];
    let layout: Vec<_> = layout.iter().flat_map(|one| ["--layout", *one]).collect();
    let output = heng(&[&asked, &LINE[..], &form, &layout[..]].concat());
    if code(&output) != 0 {
        return Err(said(&output));
    }
    let text = stdout(&output);
    let readings: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(readings.len(), 3, "{text}");
    Ok(readings)
}

/// The digits of readings of this unit and quality.
fn digits<'a>(readings: &'a [Value], unit: &str, quality: &str) -> Vec<&'a str> {
    let digits = readings.iter().map(|reading| {
        assert_eq!(
            (&reading["unit"], &reading["quality"]),
            (&unit.into(), &quality.into()),
            "{reading}"
        );
        let digits = reading["digits"].as_str().unwrap();
        let reply = reading["reply"].as_str().unwrap();
        assert!(!digits.is_empty() && !reply.is_empty(), "{reading}");
        digits
    });
    digits.collect()
}

/// A talk with everything allowed that is not an adjustment.
fn speak(port: &str, model: &str, options: &[&str], lines: &str) -> Vec<Told> {
    let asked = ["talk", port, "--model", model];
    let allowed = ["--allow", "set", "--allow", "unknown"];
    let output = scripted(&[&asked, &LINE[..], &allowed, options].concat(), lines);
    assert!(matches!(code(&output), 0 | 4), "{}", said(&output));
    told(&stdout(&output))
}

/// What the lines of a talk meant, where none failed.
fn meanings(port: &str, model: &str, options: &[&str], lines: &str) -> Vec<String> {
    let told = speak(port, model, options, lines);
    assert!(marked(&told, '!').is_empty(), "{told:#?}");
    let meanings = marked(&told, '=').into_iter().map(str::to_owned);
    meanings.collect()
}

/// The bytes that came for each of the lines, and what failed.
fn replies(port: &str, model: &str, lines: &str) -> (Vec<String>, Vec<String>) {
    let told = speak(port, model, &[], lines);
    let own = |mark| marked(&told, mark).into_iter().map(str::to_owned).collect();
    (own('<'), own('!'))
}

fn is_refused(port: &str, model: &str, line: &str, reason: &str) {
    let asked = ["talk", port, "--model", model, "--allow", "set"];
    let output = scripted(&[&asked, &LINE[..]].concat(), line);
    assert_eq!((code(&output), stdout(&output)), (64, String::new()));
    assert!(said(&output).contains(reason), "{}", said(&output));
}

#[test]
fn a_balance_of_labmcp_is_read_tared_and_refuses() {
    let Some(peer) = Served::start("serve_labmcp_mettler.py", &[]) else {
        return;
    };
    let (port, model) = (peer.port(), "mettler-mtsics");
    let mut deviations = Deviations::of("labmcp-mettler-toledo");
    let found = identify(port, model);
    assert_eq!(found["finding"], "identified", "{found}");
    assert_eq!(found["identity"]["serial"], "B123456789", "{found}");
    assert_eq!(found["identity"]["version"], "3.10 10.28.0.493.142");
    // SI answers S D while the load of 52.18734 g moves, S waits until it rests.
    let readings = read(port, model, "mass", &[]).unwrap();
    for mass in digits(&readings, "g", "settling") {
        assert!(mass.starts_with("52.18"), "{mass}");
    }
    let done = meanings(port, model, &[], "weight\ntare\ntare_value\nweight\n");
    assert_eq!(
        done,
        [
            "weight: mass 52.1873 g valid",
            "tare: mass_3 52.1873 g valid",
            "tare_value: mass_3 52.1873 g valid",
            "weight: mass 0.0000 g valid",
        ]
    );
    let (received, failed) = replies(port, model, "clear_tare\nzero_now\nweight\nzero\nXYZ\nsi\n");
    assert_eq!(
        received,
        [
            "TAC A\\r\\n",
            "ZI S\\r\\n",
            "S S     0.0000 g\\r\\n",
            "Z A\\r\\n",
            "ES\\r\\n",
            "ES\\r\\n",
        ]
    );
    assert!(failed.is_empty(), "{failed:?}");
    let adjustment = ["--allow", "calibrate", "--person", "A. Lin"];
    let reason = ["--reason", "check of the driver"];
    let told = speak(port, model, &[&adjustment[..], &reason].concat(), "adjust");
    let bytes: String = [marked(&told, '<'), marked(&told, '~')].concat().concat();
    deviations.seen("sends C3 A", bytes == "C3 B\\r\\nC3 A\\r\\n", &bytes);
    deviations.all_seen();
}

#[test]
fn the_mt_sics_emulator_is_weighed_with_and_its_si_is_not_a_reading() {
    let Some(peer) = Served::start("serve_mtsics_emulator.py", &[]) else {
        return;
    };
    let (port, model) = (peer.port(), "mettler-mtsics");
    let mut deviations = Deviations::of("mt-sics-emulator");
    let found = identify(port, model);
    assert_eq!(found["finding"], "identified", "{found}");
    assert_eq!(found["identity"]["serial"], "B246813579", "{found}");
    let refusal = read(port, model, "mass", &[]);
    let refused = refusal.is_err_and(|error| error.contains("SI S     0.0000 g"));
    deviations.seen("answers SI with", refused, "the reading was taken");
    let done = meanings(port, model, &[], "weight\ntare\nzero\n");
    assert_eq!(done[0], "weight: mass 0.0000 g valid");
    assert_eq!(done[1], "tare: mass_3 0.0000 g valid");
    // Repeated output ends with SI: nothing more comes while the talk listens at its end.
    let told = speak(port, model, &[], "talk\nweight_now\n");
    assert!(marked(&told, '=')[0].starts_with("talk: mass 0.0000 g valid"));
    assert!(marked(&told, '~').is_empty(), "{told:#?}");
    let asked = "XYZ\nsi\nI0\nSR\nSU\nC3\nD \"x\"\nI2\nTA\n";
    let told = speak(
        port,
        model,
        &[
            "--allow",
            "calibrate",
            "--person",
            "A. Lin",
            "--reason",
            "check",
        ],
        asked,
    );
    let received = marked(&told, '<');
    let evidence = format!("{received:#?}");
    assert_eq!(received[0], "ES\\r\\n");
    deviations.seen(
        "takes commands in lower case",
        received[1] != "ES\\r\\n",
        &evidence,
    );
    let one_line = received[2].starts_with("I0 A") && received[2].matches("\\n").count() == 1;
    let unknown = received[3..7].iter().all(|reply| *reply == "ES\\r\\n");
    deviations.seen("answers I0 in one line", one_line && unknown, &evidence);
    let serial = received[7] == "I2 A \"B246813579\"\\r\\n" && received[8] == "ES\\r\\n";
    deviations.seen("answers I2 with", serial, &evidence);
    deviations.all_seen();
}

#[test]
fn a_balance_of_labmcp_speaks_sbi() {
    let Some(peer) = Served::start("serve_labmcp_sartorius.py", &[]) else {
        return;
    };
    let (port, model) = (peer.port(), "sartorius-sbi");
    let mut deviations = Deviations::of("labmcp-sartorius");
    let found = identify(port, model);
    assert_eq!(found["finding"], "identified", "{found}");
    assert_eq!(found["identity"]["model"], "QUINTIX224-1S");
    assert_eq!(found["identity"]["serial"], "0037402012");
    let readings = read(port, model, "mass", &[]).unwrap();
    for mass in digits(&readings, "g", "valid") {
        assert!(mass.starts_with("52.18"), "{mass}");
    }
    // Until the tare has settled the line has no unit.
    let done = meanings(port, model, &[], "tare\nweight\n");
    assert_eq!(done[0], "tare: done");
    assert!(
        done[1].starts_with("weight: mass 0.0") && done[1].contains(" g settling"),
        "{done:?}"
    );
    let (received, _) = replies(port, model, ">>\\x1BQQ\\r\\n\n>>\\x1BP\n>>\\r\\n\n");
    let late = received.len() == 1 && received[0].starts_with("N     ");
    deviations.seen("waits for CR LF", late, &format!("{received:?}"));
    deviations.all_seen();
}

#[test]
fn the_controller_of_gepace_is_identified_and_asked_for_errors() {
    let Some(peer) = Served::start("serve_gepace.py", &[]) else {
        return;
    };
    let (port, model) = (peer.port(), "druck-pace");
    let mut deviations = Deviations::of("gepace");
    let found = identify(port, model);
    // Its model is spelled as the order code, that of a real unit as words.
    assert_eq!(found["identity"]["serial"], "10388796", "{found}");
    assert_eq!(found["identity"]["model"], "PACE5000", "{found}");
    let done = meanings(port, model, &[], "error\n");
    assert_eq!(done, ["error: code \"0\", message \"No error\""]);
    let unread = read(port, model, "pressure", &[]).unwrap_err();
    let numbered = "sensed\nunit\n:SENS1:PRES?\n:SOUR1:PRES 50\n:SOUR1:PRES?\nset_point\n";
    let (received, failed) = replies(port, model, numbered);
    let evidence = format!("{received:#?} {failed:?} {unread}");
    let nack = unread.contains("NACK") && received[..2].iter().all(|reply| reply == "NACK\\n");
    deviations.seen("answers an unknown query", nack, &evidence);
    let typed = received[2].starts_with(":SENS1:PRES 3") && received[3] == ":SOUR1:PRES 50\\n";
    deviations.seen("repeats the header", typed, &evidence);
    deviations.seen("knows SENS, SOUR", received[4] == "NACK\\n", &evidence);
    deviations.all_seen();
    let (received, _) = replies(port, model, ":OUTP1:STAT 1\n:OUTP1:STAT?\n");
    assert_eq!(received, [":OUTP1:STAT 1\\n"]);
    is_refused(port, model, "set_pressure pressure.set=300000", "outside");
}

#[test]
fn the_circulator_of_the_julabo_package_is_set_started_and_stopped() {
    let Some(peer) = Served::start("serve_julabo.py", &[]) else {
        return;
    };
    let (port, model) = (peer.port(), "julabo-cf31");
    let mut deviations = Deviations::of("julabo");
    let (received, _) = replies(port, model, "status\nstart\nstatus\n");
    let (first, evidence) = (&received[0], format!("{received:?}"));
    deviations.seen(
        "begins with 00 MANUAL START",
        first == "00 MANUAL START\\r\\n",
        &evidence,
    );
    let status = received[1] == "03 REMOTE START\\r\\n";
    deviations.seen("simulates a status that follows", status, &evidence);
    let found = identify(port, model);
    assert_eq!(found["finding"], "fits", "no serial number: {found}");
    let version = "JULABO CRYOCOMPACT CF31 VERSION 5.0\\r\\n";
    assert_eq!(found["exchanges"][0]["received"], version);
    let readings = read(port, model, "temperature", &[]).unwrap();
    assert_eq!(digits(&readings, "°C", "valid"), ["29.45"; 3]);
    let set = "set_set_point temperature.set=-30.55\nset_point\nstop\nstatus\nrunning\n";
    let done = meanings(port, model, &[], set);
    assert_eq!(
        done,
        [
            "set_set_point: done",
            "set_point: temperature.set -30.55 °C valid",
            "stop: done",
            "status: status \"02 REMOTE STOP\"",
            "running: running \"0\"",
        ]
    );
    let readings = read(port, model, "temperature", &[]).unwrap();
    assert_eq!(digits(&readings, "°C", "idle"), ["29.45"; 3]);
    // Out commands have no reply, so an unknown one shows in the status of a real unit only.
    let (received, _) = replies(port, model, "BOGUS 1\nstatus\n");
    let silent = received == ["02 REMOTE STOP\\r\\n"];
    deviations.seen("reports no error", silent, &format!("{received:?}"));
    deviations.all_seen();
    is_refused(
        port,
        model,
        "set_set_point temperature.set=400.00",
        "outside",
    );
}

#[test]
fn the_circulator_of_lewis_heats_to_its_set_point() {
    let Some(peer) = Served::start("serve_lewis_julabo.py", &[]) else {
        return;
    };
    let (port, model) = (peer.port(), "julabo-cf31");
    let mut deviations = Deviations::of("lewis");
    let found = identify(port, model);
    assert_eq!(found["finding"], "fits", "no serial number: {found}");
    let version = "JULABO FP50_MH Simulator, ISIS\\r\\n";
    assert_eq!(found["exchanges"][0]["received"], version);
    let unread = read(port, model, "temperature", &[]);
    let (received, _) = replies(port, model, "status\nversion\n>version\n");
    let evidence = format!("{received:?}, {unread:?}");
    let greeting = received[0].starts_with("Hello") && unread.is_err();
    let lower = received.len() == 2;
    let set = "set_set_point temperature.set=30.50\nset_point\nstart\nrunning\n";
    let told = speak(port, model, &[], set);
    assert!(marked(&told, '!').is_empty(), "{told:#?}");
    let done = marked(&told, '=');
    assert_eq!(done[1], "set_point: temperature.set 30.5 °C valid");
    assert_eq!(done[3], "running: running \"1\"");
    let empty = told
        .iter()
        .any(|one| matches!(one.mark, '<' | '~') && one.text == "\\r\\n");
    deviations.seen(
        "takes JULABO commands in upper case only",
        lower && empty,
        &evidence,
    );
    let warming = "temperature\nheating_power\nexternal_temperature\ntemperature\n";
    let (received, _) = replies(port, model, warming);
    let number = |reply: &str| reply.trim_end_matches("\\r\\n").parse::<f64>().unwrap();
    let (first, last) = (number(&received[0]), number(&received[3]));
    assert!(24.0 < first && first < last && last < 30.5, "{received:?}");
    let long = received
        .iter()
        .any(|reply| reply.len() > "24.00\\r\\n".len() + 4);
    let swapped = (number(&received[1]), number(&received[2])) == (26.0, 5.0);
    let evidence = format!("{evidence} {received:?}");
    deviations.seen(
        "answers STATUS with a greeting",
        greeting && long,
        &evidence,
    );
    deviations.seen("has the external sensor", swapped, &evidence);
    deviations.all_seen();
    let done = meanings(port, model, &[], "stop\nrunning\n");
    assert_eq!(done, ["stop: done", "running: running \"0\""]);
}

#[test]
fn registers_of_a_pymodbus_server_are_read_and_set() {
    let Some(peer) = Served::start("serve_pymodbus.py", &[]) else {
        return;
    };
    let (port, model) = (peer.port(), "chamber-modbus");
    let mut deviations = Deviations::of("pymodbus");
    assert_eq!(identify(port, model)["finding"], "fits");
    let readings = read(port, model, "temperature", &[]).unwrap();
    assert_eq!(digits(&readings, "°C", "valid"), ["23.0"; 3]);
    let set = "temperature_set_point\nset_temperature temperature.set=-40.5\n\
        temperature_set_point\nstart\nrun_state\nstop\nrun_state\n";
    let done = meanings(port, model, &[], set);
    assert_eq!(
        done[0],
        "temperature_set_point: temperature.set -10.5 °C valid"
    );
    assert_eq!(
        done[2],
        "temperature_set_point: temperature.set -40.5 °C valid"
    );
    assert_eq!(done[4], "run_state: run \"1\"");
    assert_eq!(done[6], "run_state: run \"0\"");
    // Floats with the least significant word first, and a register that is not there.
    let layout = ["address=240", "words=low_first", "count=4"];
    let floats = "layout={relative_humidity:f32}{temperature:f32}";
    let own = [&layout[..], &[floats]].concat();
    let transmitter = "modbus-temperature-humidity";
    let humidity = read(port, transmitter, "relative_humidity", &own).unwrap();
    assert_eq!(digits(&humidity, "%RH", "valid"), ["30.56"; 3]);
    let temperature = read(port, transmitter, "temperature", &own).unwrap();
    assert_eq!(digits(&temperature, "°C", "valid"), ["20.5"; 3]);
    let absent = [&own[..], &["first=900"]].concat();
    let refused = read(port, transmitter, "temperature", &absent).unwrap_err();
    assert!(refused.contains("exception"), "{refused}");
    let nobody = read(port, model, "temperature", &["address=7"]).unwrap_err();
    let answered = nobody.contains("exception");
    deviations.seen("answers a request to a unit", answered, &nobody);
    deviations.all_seen();
    is_refused(
        port,
        model,
        "set_temperature temperature.set=400.0",
        "outside",
    );
}

#[test]
fn a_meter_of_pyvisa_sim_is_read_while_its_function_fits() {
    let wheel = "target/peers/wheels/qcodes-0.58.0-py3-none-any.whl";
    let wheel = Path::new(env!("CARGO_MANIFEST_DIR")).join(wheel);
    let name = "serve_pyvisa_sim.py";
    if !wheel.is_file() {
        return skip(name, &format!("no {}", wheel.display()));
    }
    let table = "qcodes/instrument/sims/Keysight_34465A.yaml";
    let arguments = [wheel.to_str().unwrap(), table, "GPIB0::1::INSTR"];
    let Some(peer) = Served::start(name, &arguments) else {
        return;
    };
    let (port, model) = (peer.port(), "scpi-voltmeter");
    let mut deviations = Deviations::of("pyvisa-sim");
    let found = identify(port, model);
    assert_eq!(found["finding"], "identified", "{found}");
    let identity = &found["identity"];
    assert!(
        identity["model"].as_str().unwrap().contains("34465A"),
        "{found}"
    );
    let readings = read(port, model, "voltage", &[]).unwrap();
    assert_eq!(digits(&readings, "V", "valid"), ["10"; 3]);
    let (received, _) = replies(
        port,
        model,
        "error\n>BOGUS?\n>SENSe:FUNCtion \"CURR\"\nfunction\n",
    );
    let unknown = received[..2].iter().all(|reply| reply == "ERROR\\r\\n");
    deviations.seen(
        "answers what it does not know",
        unknown,
        &format!("{received:?}"),
    );
    deviations.all_seen();
    // Set to currents, its numbers are no voltages.
    assert_eq!(received[2], "\"CURR\"\\r\\n");
    let refused = read(port, model, "voltage", &[]).unwrap_err();
    assert!(refused.contains("CURR"), "{refused}");
}

/// A client of others talks to a simulated instrument; what it said, where it is installed.
fn client(model: &str, name: &str, more: &[&str]) -> Option<String> {
    let simulator = Simulator::start(model, &format!("peer-{model}-{name}"));
    let path = script(name);
    let run = python().arg(path).arg(simulator.port()).args(more).output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            skip(name, &error.to_string());
            return None;
        }
    };
    let printed = stdout(&output);
    if output.status.code() == Some(SKIPPED) {
        skip(name, printed.trim());
        return None;
    }
    assert!(output.status.success(), "{model}: {}", said(&output));
    println!("{model}: {printed}");
    Some(printed)
}

#[test]
fn pymeasure_reads_and_sets_the_simulated_bath() {
    client("fluke-7341", "fluke_7341.py", &[]);
}

#[test]
fn pyvt4002_reads_the_simulated_chamber() {
    client("weiss-ascii2", "weiss_ascii2.py", &[]);
}

#[test]
fn the_julabo_package_sets_the_simulated_circulator() {
    client("julabo-cf31", "julabo_cf31.py", &[]);
}

#[test]
fn espec_pr3j_sets_the_simulated_chambers_and_stumbles_below_zero() {
    let Some(_) = client("espec-ehs411m", "espec_ehs411m.py", &[]) else {
        return;
    };
    let below = client("espec-p300", "espec_p300.py", &[]).expect("it is installed");
    let mut deviations = Deviations::of("espec-pr3j");
    let stumbles = below.contains("a limit below zero is not understood");
    deviations.seen("does not understand TEMP?", stumbles, &below);
    deviations.all_seen();
}

#[test]
fn gepace_sets_the_simulated_pressure_controller() {
    client("druck-pace", "druck_pace.py", &[]);
}

#[test]
fn the_sartorius_package_weighs_with_the_simulated_balance() {
    client("sartorius-sbi", "sartorius_sbi.py", &[]);
}

#[test]
fn labmcp_checks_the_simulated_balances() {
    client("mettler-mtsics", "labmcp_check.py", &["mettler"]);
    client("sartorius-sbi", "labmcp_check.py", &["sartorius"]);
}

/// What Debian's Modbus client makes of registers, one for each line.
fn mbpoll(port: &str, arguments: &[&str]) -> Option<Vec<String>> {
    let line = [
        "-m", "rtu", "-b", "9600", "-P", "none", "-0", "-1", "-o", "10",
    ];
    let run = Command::new("mbpoll")
        .args(line)
        .args(arguments)
        .arg(port)
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            skip("mbpoll", &error.to_string());
            return None;
        }
    };
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    let text = stdout(&output);
    let values = text.lines().filter(|line| line.starts_with('['));
    let values = values.filter_map(|line| line.split_whitespace().nth(1));
    Some(values.map(str::to_owned).collect())
}

#[test]
fn mbpoll_reads_the_simulated_probe() {
    let probe = Simulator::start("vaisala-hmp-modbus", "peer-mbpoll");
    let words = ["-a", "240", "-t", "4:float", "-r", "0", "-c", "2"];
    let Some(values) = mbpoll(probe.port(), &words) else {
        return;
    };
    let ours = read(probe.port(), "vaisala-hmp-modbus", "temperature", &[]).unwrap();
    let ours: f64 = ours[0]["digits"].as_str().unwrap().parse().unwrap();
    let theirs: f64 = values[1].parse().unwrap();
    assert!((ours - theirs).abs() < 0.5, "{values:?}, ours {ours}");
    // The test registers of the probe, which tell a wrong order of the words.
    let test = ["-a", "240", "-t", "4:float", "-r", "7937", "-c", "1"];
    assert_eq!(mbpoll(probe.port(), &test).unwrap(), ["-123.45"]);
}

#[test]
fn every_deviation_is_of_a_pinned_peer_that_is_looked_at() {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements.txt");
    let requirements = std::fs::read_to_string(requirements).unwrap();
    let pins: BTreeSet<_> = requirements
        .lines()
        .map(|line| line.split(';').next().unwrap().trim().replace("==", " "))
        .collect();
    let source = include_str!("peers.rs");
    for one in deviation::listed() {
        assert!(pins.contains(&one.peer), "{} is not pinned so", one.peer);
        let package = one.peer.split(' ').next().unwrap();
        let looked_at = format!("Deviations::of({package:?})");
        assert!(source.contains(&looked_at), "nobody looks at {package}");
    }
}
