//! The record of an eight-hour session, for the bench of replay.

use std::fmt::Write as _;
use std::path::PathBuf;

use heng_records::{Reader, Recorded, TextRole};

use super::evidence::text_used;
use super::trial;

/// Instruments besides those of the demonstration: each reads four quantities in one exchange,
/// the last three.
const MONITORS: usize = 4;
const QUANTITIES: [(&str, &str); 4] = [
    ("temperature", "°C"),
    ("relative_humidity", "%RH"),
    ("temperature_2", "°C"),
    ("relative_humidity_2", "%RH"),
];
const CHANNELS: usize = 20;
const SCANS: usize = 28_800;

/// The shipped procedure read once a second, with fifteen more channels; nine points of about
/// 3200 s each, of which the last 20 s are the readings.
fn procedure() -> String {
    let text = include_str!("../../procedures/library/thermo-hygrometer-comparison.toml");
    let text = text
        .replace("scan_interval_s = 30", "scan_interval_s = 1")
        .replace("minimum_wait_s = 1800", "minimum_wait_s = 3185")
        .replace("gap_s = 90", "gap_s = 5")
        .replace("count = 10", "count = 20")
        .replace("interval_s = 60", "interval_s = 1");
    let text = trial::with_wide_criteria(&text);
    let title = "title = { en = \"Monitor\", zh = \"监测仪\" }";
    let (mut more, mut sequence) = (String::new(), String::new());
    for monitor in 1..=MONITORS {
        let kept = if monitor < MONITORS { 4 } else { 3 };
        let names = QUANTITIES[..kept]
            .iter()
            .map(|(name, _)| format!("{name:?}"));
        let names = names.collect::<Vec<_>>().join(", ");
        writeln!(more, "[[role]]\nname = \"m{monitor}\"\n{title}\npurpose = \"environment\"\nquantities = [{names}]\n").unwrap();
        for (name, unit) in &QUANTITIES[..kept] {
            writeln!(more, "[[channel]]\nname = \"m{monitor}_{name}\"\nrole = \"m{monitor}\"\nquantity = \"{name}\"\nunit = \"{unit}\"\n{title}\n").unwrap();
            write!(sequence, ", \"m{monitor}_{name}\"").unwrap();
        }
    }
    let text = text.replace("\"t_uut\", ", &format!("\"t_uut\"{sequence}, "));
    let at = text.find("# Relative humidity is over water").unwrap();
    format!("{}{more}\n{}", &text[..at], &text[at..])
}

/// Lines so fast that the instruments' own times are what a scan takes.
fn bench() -> String {
    let line = "line = \"115200 8N1\"";
    let demo = trial::bench().lines().map(|old| {
        let stated = old.starts_with("line = ");
        if stated { line } else { old }
    });
    let demo = demo.fold(String::new(), |text, line| text + line + "\n");
    let monitors = (1..=MONITORS).map(|monitor| {
        format!(
            "\n[[instrument]]\nrole = \"m{monitor}\"\nmodel = \"rotronic-hygroflex\"\nserial = \"M{monitor}\"\nport = \"simulated\"\n{line}\n"
        )
    });
    demo + &monitors.collect::<String>()
}

/// Writes the record that `HENG_BIG_RECORD` names (`FOLDER/TRIAL-1.jsonl`, best in memory: it
/// is synced as often as a real one), and replays it.
#[test]
#[ignore = "writes the record of the bench, some hundred megabytes"]
fn eight_hours_with_twenty_channels() {
    let path = std::env::var_os("HENG_BIG_RECORD").map(PathBuf::from);
    let path = path.expect("HENG_BIG_RECORD names the record to be written");
    let mut texts = trial::texts(&bench());
    for text in &mut texts {
        if text.role == TextRole::Procedure {
            *text = text_used(TextRole::Procedure, "procedure.toml", &procedure());
        }
    }
    let ended = trial::leave(path.parent().unwrap(), texts);
    assert!(ended.completed);
    assert_eq!(ended.record, path);
    let (mut scans, mut readings) = (0, 0);
    let extent = Reader::each(&path, |one| {
        if let Recorded::Derived { body, .. } = one
            && body.get().ends_with("\"what\":\"scan\"}")
        {
            scans += 1;
            readings += body.get().matches("\"channel\":").count();
        }
    });
    let entries = extent.unwrap().entries;
    println!("{entries} entries, {scans} scans, {readings} readings");
    assert!(scans >= SCANS && readings >= SCANS * CHANNELS);
    trial::assert_recomputes(&path);
}
