//! What-if results are those of the library for the changed evidence, and change no file.

use std::collections::BTreeMap;
use std::path::Path;

use heng_procedures::PointResult;
use heng_quantities::Language;
use heng_records::sha256_hex;

use super::super::trial;
use super::{Change, Entry, Event, Outcome, Recorded, WhatIfError, caution, what_if};
use heng_uncertainty::type_a;
use serde::Deserialize as _;

const THERMOMETER: &str = "DEMO-T-2026-0931.toml";

fn files(folder: &Path) -> BTreeMap<String, String> {
    let all = std::fs::read_dir(folder).unwrap().map(|file| {
        let file = file.unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        (name, sha256_hex(&bytes))
    });
    all.collect()
}

/// The final results: the last of each point and measurand.
fn recorded(entries: &[Entry]) -> Vec<PointResult> {
    let mut results: Vec<PointResult> = Vec::new();
    for entry in entries {
        if let Event::Derived { body } = &entry.event
            && let Ok(Outcome::Result(result)) = Outcome::deserialize(body)
        {
            results.retain(|one| (one.point, &one.measurand) != (result.point, &result.measurand));
            results.push(*result);
        }
    }
    results
}

fn recomputed(entries: &[Entry], changes: &[Change]) -> Vec<PointResult> {
    let session = Recorded::of(entries).unwrap();
    let texts = session.changed_texts(changes).unwrap();
    let points = session.left(entries, changes).unwrap();
    session.results(&texts, &points).unwrap()
}

fn nothing_changed_is_bit_identical(entries: &[Entry]) {
    // As texts: as numbers, 0 and −0 would be equal.
    let text = |results: &[PointResult]| serde_json::to_string(results).unwrap();
    let recorded = recorded(entries);
    assert!(!recorded.is_empty());
    assert_eq!(text(&recomputed(entries, &[])), text(&recorded));
    for changed in what_if(entries, &[]).unwrap() {
        assert_eq!(changed.recorded, changed.what_if);
    }
}

fn without_a_reading(entries: &[Entry]) {
    let scans = entries.iter().filter(|entry| {
        trial::derived(entry, "scan").is_some_and(|scan| scan["purpose"] == "reading")
    });
    let second = scans.clone().nth(1).unwrap();
    let changes = [Change::Without { entry: second.seq }];
    let (was, is) = (recorded(entries), recomputed(entries, &changes));
    let session = Recorded::of(entries).unwrap();
    let all = &session.points[0].cycles;
    let left = [&all[0], &all[2]];
    for (was, is) in was.iter().zip(&is) {
        if was.point == 1 {
            assert_eq!(
                serde_json::to_string(was).unwrap(),
                serde_json::to_string(is).unwrap()
            );
            continue;
        }
        let signal = if was.measurand == "humidity" {
            "d_rh"
        } else {
            "d_t"
        };
        let series: Vec<_> = left.iter().map(|scan| scan.signals[signal]).collect();
        let due = type_a(&series).unwrap();
        let rows = is.budget.rows.iter();
        let found = rows.filter(|row| row.u == due.u && row.dof == due.dof);
        assert_eq!(found.count(), 1, "{:#?}", is.budget);
    }
    let changed = what_if(entries, &changes).unwrap();
    let readings = changed
        .iter()
        .map(|one| (one.recorded.readings, one.what_if.readings));
    assert_eq!(
        readings.collect::<Vec<_>>(),
        [(3, 2), (3, 2), (3, 3), (3, 3)]
    );
    let settling = entries
        .iter()
        .find(|entry| trial::derived(entry, "scan").is_some());
    let entry = settling.unwrap().seq;
    let refused = what_if(entries, &[Change::Without { entry }]).unwrap_err();
    assert!(matches!(refused, WhatIfError::NotAReading { entry: found } if found == entry));
}

fn with_a_worse_standard(entries: &[Entry]) {
    let standard = include_str!("../../../fixtures/demo/standards/DEMO-T-2026-0931.toml");
    let change = |from: &str, to: &str| {
        let text = standard.replacen(from, to, 1);
        assert_ne!(text, standard);
        [Change::Text {
            name: THERMOMETER.to_owned(),
            text,
        }]
    };
    let worse = change("expanded_u = 0.02\n", "expanded_u = 0.20\n");
    let (was, is) = (recorded(entries), recomputed(entries, &worse));
    let of = |results: &[PointResult]| {
        let found = results.iter().find(|one| one.measurand == "temperature");
        found.unwrap().budget.clone()
    };
    let (was, is) = (of(&was), of(&is));
    // u = U/k of 0.10 K in the place of 0.01 K, everything else as it was.
    let due = (was.u * was.u - 0.01 * 0.01 + 0.1 * 0.1).sqrt();
    assert!((is.u - due).abs() < 1e-12, "{} {due}", is.u);
    assert_eq!(is.value.to_bits(), was.value.to_bits());
    // Another correction goes through the readings: 0.1 K more at every temperature.
    let other = change(
        "[[-40.0, 0.004], [0.0, 0.001], [20.0, -0.002], [100.0, -0.006]]",
        "[[-40.0, 0.104], [0.0, 0.101], [20.0, 0.098], [100.0, 0.094]]",
    );
    let shifted = of(&recomputed(entries, &other));
    assert!(
        (shifted.value - (was.value - 0.1)).abs() < 1e-9,
        "{}",
        shifted.value
    );
    let line = what_if(entries, &worse).unwrap()[1].line(Language::En);
    assert!(line.starts_with("WHAT-IF 假设  point 1"), "{line}");
    assert!(caution(Language::Zh).starts_with("WHAT-IF 假设"));
    let unknown = Change::Text {
        name: "procedure.toml".to_owned(),
        text: String::new(),
    };
    let refused = what_if(entries, &[unknown]).unwrap_err().to_string();
    assert!(
        refused.contains("order.toml") && refused.contains(THERMOMETER),
        "{refused}"
    );
    let renamed = change("DEMO-T-2026-0931", "DEMO-T-2027-0001");
    assert!(matches!(
        what_if(entries, &renamed),
        Err(WhatIfError::Evidence(_))
    ));
}

#[test]
fn a_what_if_is_what_the_library_says_and_changes_no_file() {
    let folder = trial::folder("what-if");
    let left = trial::complete(&folder, trial::texts(trial::bench()), &[]);
    assert!(left.ended.completed);
    let before = files(&folder);
    nothing_changed_is_bit_identical(&left.entries);
    without_a_reading(&left.entries);
    with_a_worse_standard(&left.entries);
    assert_eq!(files(&folder), before);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_session_that_was_aborted_keeps_its_results_too() {
    let folder = trial::folder("what-if-aborted");
    let left = trial::run(&folder, trial::bench(), &[]);
    nothing_changed_is_bit_identical(&left.entries);
    std::fs::remove_dir_all(&folder).unwrap();
}
