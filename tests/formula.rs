//! `heng formula` and formulas outside of their ranges, as their users meet them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn heng(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn done(arguments: &[&str]) -> String {
    let output = heng(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let all: Vec<_> = arguments
        .iter()
        .copied()
        .chain(["--format", "json"])
        .collect();
    serde_json::from_str(&done(&all)).unwrap()
}

fn refused(arguments: &[&str], code: i32) -> String {
    let output = heng(arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {output:?}"
    );
    assert!(output.stdout.is_empty(), "{arguments:?}");
    stderr(&output)
}

#[test]
fn a_formula_has_its_published_value_in_any_unit() {
    // WMO-No. 8, Annex 4.B: e_w(t) = 6.112·exp(17.62·t/(243.12 + t)) hPa, computed in Python.
    let found = json(&["formula", "wmo_water", "t=20.00"]);
    let value = found["value"].as_f64().unwrap();
    assert_eq!(found["unit"], "Pa");
    let by_hand = 2_332.596_022_097_807;
    assert!((value / by_hand - 1.0).abs() < 1e-12, "{value}");
    // d ln(e)/dt = 17.62·243.12/(243.12 + t)².
    let slope = found["arguments"][0]["derivative"].as_f64().unwrap();
    assert!((slope / (value * 17.62 * 243.12 / (263.12 * 263.12)) - 1.0).abs() < 1e-12);
    assert_eq!(found["forced"], false);
    for same in ["t=20.00degC", "t=293.15 K", "t=68 °F", "t=68degF"] {
        let other = json(&["formula", "wmo_water", same])["value"]
            .as_f64()
            .unwrap();
        assert!((other / value - 1.0).abs() < 1e-12, "{same}: {other}");
    }
}

#[test]
fn an_uncertain_value_gives_a_budget_by_every_method() {
    for text in [
        "t=20.00±0.02",
        "t=20.00+-0.02",
        "t=20.00(2)",
        "t=20±0.04:k=2",
        "t=68°F±0.036",
    ] {
        let found = json(&["formula", "wmo_water", text, "--trials", "20000"]);
        let slope = found["arguments"][0]["derivative"].as_f64().unwrap();
        let budget = &found["evaluation"]["first_order"];
        let u = budget["u"].as_f64().unwrap();
        assert!((u / (slope * 0.02) - 1.0).abs() < 1e-9, "{text}: {u}");
        assert!(found["evaluation"]["monte_carlo"]["u"].as_f64().unwrap() > 0.0);
    }
    let rectangular = json(&["formula", "wmo_water", "t=20±0.1:rect", "--trials", "20000"]);
    let u = rectangular["arguments"][0]["u"].as_f64().unwrap();
    assert!((u - 0.1 / 3f64.sqrt()).abs() < 1e-15);
    let text = done(&[
        "formula",
        "wmo_water",
        "t=20±0.1:rect",
        "--trials",
        "20000",
        "--lang",
        "zh",
    ]);
    for part in ["灵敏系数", "蒙特卡洛", "wmo_water, 版本 1", "来源"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn outside_of_its_range_a_formula_refuses_and_forced_it_says_so() {
    let message = refused(&["formula", "wmo_water", "t=61.5"], 3);
    for part in [
        "wmo_water",
        "for t from -45 °C to 60 °C",
        "61.5",
        "WMO",
        "--force",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let found = json(&["formula", "wmo_water", "t=61.5", "--force"]);
    assert_eq!(found["forced"], true);
    assert_eq!(found["beyond_range"][0]["argument"], "t");
    for (language, flag) in [("en", "FORCED"), ("zh", "强制计算")] {
        for value in ["t=61.5", "t=61.5±0.1"] {
            let text = done(&[
                "formula",
                "wmo_water",
                value,
                "--force",
                "--lang",
                language,
                "--trials",
                "20000",
            ]);
            assert!(text.contains(flag) && text.contains("61.5"), "{text}");
        }
    }
    // Forcing what needs no force leaves no mark.
    assert_eq!(
        json(&["formula", "wmo_water", "t=60", "--force"])["forced"],
        false
    );
}

#[test]
fn every_formula_states_source_range_and_version() {
    let all = json(&["formula", "--list"]);
    let all = all.as_array().unwrap();
    let text = done(&["formula", "--list"]);
    let mut formulas = 0;
    for row in all {
        let name = row["name"].as_str().unwrap();
        assert!(row["version"].as_u64().unwrap() >= 1, "{name}");
        assert!(!row["source"].as_str().unwrap().is_empty(), "{name}");
        assert!(text.contains(&format!("{name} v")), "{name}");
        if row["kind"] == "formula" {
            formulas += 1;
            for argument in row["arguments"].as_array().unwrap() {
                assert!(
                    argument["min"].as_f64() < argument["max"].as_f64(),
                    "{name}"
                );
            }
        }
        assert!(done(&["formula", name]).contains("version"), "{name}");
    }
    assert!(formulas >= 141, "{formulas}");
    let some = json(&["formula", "--list", "sonntag"]);
    assert!(some.as_array().unwrap().len() < all.len());
    assert!(done(&["formula", "wmo_water", "--format", "latex"]).contains("17.62"));
}

#[test]
fn a_table_is_looked_up_and_never_interpolated() {
    // OIML R 111-1:2004, table 1: E2, 1 kg: 1.6 mg.
    let found = json(&["formula", "oiml_r111_mpe", "nominal=1kg", "class=E2"]);
    assert_eq!(
        (&found["value"], &found["unit"]),
        (&Value::from(1.6), &Value::from("mg"))
    );
    let same = json(&["formula", "oiml_r111_mpe", "nominal=1000 g", "class=E2"]);
    assert_eq!(same["value"], found["value"]);
    let message = refused(
        &["formula", "oiml_r111_mpe", "nominal=1.5kg", "class=E2"],
        3,
    );
    assert!(message.contains("nearest"), "{message}");
}

#[test]
fn what_is_wrong_is_told_with_its_cure() {
    for (arguments, cause) in [
        (&["hardy_watr", "t=20"][..], "hardy_water"),
        (&["hardy_water", "T=20"], "its arguments are t"),
        (
            &["hardy_rh_dew", "td=10", "t=20"],
            "no value is given for p",
        ),
        (&["hardy_water", "t=warm"], "not a number"),
        (&["hardy_water", "t=NaN"], "not a number"),
        (&["hardy_water", "t=inf"], "not a number"),
        (&["hardy_water", "t=20Pa"], "dimension"),
        (&["hardy_water", "t=20±-1"], "without its sign"),
        (&["hardy_water", "t=20", "t=21"], "twice"),
        (&["hardy_water", "20"], "KEY=VALUE"),
        (&["hardy_water", "t=20", "--format", "latex"], "latex"),
        (&["oiml_r111_mpe", "nominal=1kg"], "class"),
        (&["--list", "phlogiston"], "phlogiston"),
    ] {
        let all: Vec<_> = ["formula"].iter().chain(arguments).copied().collect();
        let message = refused(&all, 64);
        assert!(message.contains(cause), "{arguments:?}: {message}");
    }
}

#[test]
fn a_budget_outside_of_a_range_is_refused_unless_file_or_person_says_otherwise() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formula-budget");
    std::fs::create_dir_all(&folder).unwrap();
    let budget = |name: &str, reason: &str| {
        let text = format!(
            "title = \"hot\"\nmodel = \"e = wmo_water(t)\"\n[inputs.t]\nvalue = 61.5\nu = 0.1\nunit = \"°C\"\n\
             [evaluation]\ntrials = 20000\n{reason}"
        );
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = budget("plain.toml", "");
    let message = refused(&["budget", &plain], 3);
    for part in ["wmo_water", "61.5", "WMO", "--force", "beyond_range"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let stated = budget("stated.toml", "beyond_range = \"compared with tables\"\n");
    for (arguments, reason) in [
        (&["budget", &plain, "--force"][..], "--force"),
        (&["budget", &stated], "compared with tables"),
    ] {
        let found = json(arguments);
        assert_eq!(found["forced"], reason);
        assert_eq!(
            found["outputs"][0]["beyond_range"][0]["formula"],
            "wmo_water"
        );
        for (more, flag) in [
            (&["--lang", "en"][..], "FORCED"),
            (&["--lang", "zh"], "强制计算"),
            (&["--certificate"], "FORCED"),
            (&["--format", "csv"], "forced_beyond_range"),
        ] {
            let all: Vec<_> = arguments.iter().chain(more).copied().collect();
            let text = done(&all);
            assert!(
                text.contains(flag) && text.contains(reason),
                "{more:?}: {text}"
            );
        }
    }
    let empty = budget("empty.toml", "beyond_range = \" \"\n");
    assert!(refused(&["budget", &empty], 3).contains("gives no reason"));
}
