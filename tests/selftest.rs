//! `heng selftest` through the binary.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

struct Ran {
    exit: i32,
    out: String,
    errors: String,
}

fn selftest(arguments: &[&str]) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_heng"))
        .arg("selftest")
        .args(arguments)
        .output()
        .unwrap();
    Ran {
        exit: status.code().expect("a signal ended the program"),
        out: String::from_utf8(stdout).unwrap(),
        errors: String::from_utf8(stderr).unwrap(),
    }
}

/// A file of a laboratory in the folder of temporary files of this test.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn shipped(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/oracles");
    let text = std::fs::read_to_string(path.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Passed, failed, skipped: the last line, and only it, has this form.
fn counts(out: &str) -> [usize; 3] {
    let parse = |line: &str| {
        let parts: Vec<_> = line.split(", ").collect();
        let number = |at: usize, word| parts.get(at)?.strip_suffix(word)?.parse().ok();
        let found = [
            number(0, " passed")?,
            number(1, " failed")?,
            number(2, " skipped")?,
        ];
        (parts.len() == 3).then_some(found)
    };
    let found: Vec<_> = out.lines().filter_map(parse).collect();
    assert_eq!(found.len(), 1, "{out}");
    parse(out.lines().last().unwrap()).expect("the counts are the last line")
}

/// Numbers that the shipped files expect, counted apart from the program.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(leaves).sum(),
        Value::Object(map) => map.values().map(leaves).sum(),
        _ => 1,
    }
}

fn expected_numbers() -> usize {
    let sum = |list: &Value, of: &dyn Fn(&Value) -> usize| -> usize {
        list.as_array().unwrap().iter().map(of).sum()
    };
    let engine = sum(&shipped("uncertainty.json")["cases"], &|case| {
        sum(&case["expected"], &|expected| leaves(&expected["value"]))
    });
    let science = sum(&shipped("science.json")["oracles"], &|case| {
        leaves(&case["expected"])
    });
    engine + science
}

#[test]
fn the_shipped_cases_pass_and_none_is_left_out() {
    let ran = selftest(&[]);
    let [passed, failed, skipped] = counts(&ran.out);
    let lines: Vec<_> = ran
        .out
        .lines()
        .filter(|line| line.ends_with("FAIL"))
        .collect();
    assert_eq!((ran.exit, failed), (0, 0), "{lines:?}");
    assert_eq!(passed + failed + skipped, expected_numbers());
    // A check that turns into a skip is lost.
    assert_eq!(skipped, 0);
    assert!(passed >= 1045, "{passed}");
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    // Every kind of the engine that the README names has passed something.
    for case in [
        "gum-h1 ",
        "mul2-zero-product",
        "s2-9.2.2",
        "s1-9.2.3",
        "s2-9.3-x0.001-r0",
        "moments-product",
        "implicit-line",
        "tn1900-e15",
        "ea402-s9",
        "c106-bearings",
        "gum-g2-t-factors",
        "ishigami",
        "strd-michelso",
        "strd-misra1a",
        "strd.nl.Hahn1",
        "gum-h2-dof",
        "willink-2008-line",
        "willink-hall-ex1",
        "hotelling-2d-factors",
        "digitised",
        "pws.hardy.20",
        "rh.unc.20.50",
        "jjf1101.map",
        "risk.rp19",
        "conf.guard",
    ] {
        let any = ran
            .out
            .lines()
            .any(|line| line.starts_with(case) && line.ends_with(" pass"));
        assert!(any, "{case}");
    }
}

#[test]
fn two_runs_say_the_same_and_json_says_it_too() {
    let arguments = ["--only", "s1-"];
    let (first, second) = (selftest(&arguments), selftest(&arguments));
    assert_eq!(first.out, second.out);
    let ran = selftest(&["--only", "s1-", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let [passed, failed, skipped] = counts(&first.out);
    assert_eq!(report["passed"], passed);
    assert_eq!(report["failed"], failed);
    assert_eq!(report["skipped"], skipped);
    let numbers = report["numbers"].as_array().unwrap();
    assert_eq!(numbers.len(), passed + failed + skipped);
    for number in numbers {
        assert!(number["case"].as_str().unwrap().starts_with("s1-"));
        for key in ["what", "expected", "got", "tolerance", "verdict", "remark"] {
            assert!(number.get(key).is_some(), "{number}");
        }
    }
}

#[test]
fn closed_forms_that_no_sampling_meets_are_judged_by_its_error_and_say_so() {
    let ran = selftest(&["--only", "s1-9.2.3"]);
    assert_eq!(ran.exit, 0);
    let exact: Vec<_> = ran
        .out
        .lines()
        .skip_while(|line| !line.contains("_exact low"))
        .collect();
    let words = exact[1..3].join(" ");
    assert!(
        exact[0].ends_with("1e-12 pass") && words.contains("4 standard errors"),
        "{words}"
    );
}

#[test]
fn a_wrong_expectation_fails_and_names_its_case() {
    // One number of each of several kinds, off by more than its tolerance allows.
    for (id, at) in [
        ("gum-h1", 3),
        ("s1-9.2.3", 2),
        ("s1-9.5", 3),
        ("s2-9.2.2", 1),
        ("moments-product", 0),
        ("implicit-line", 0),
        ("tn1900-e15", 2),
        ("ea402-s9", 1),
        ("c106-bearings", 1),
        ("gum-g2-t-factors", 0),
        ("ishigami", 0),
        ("gum-h2-dof", 0),
    ] {
        let mut content = shipped("uncertainty.json");
        let cases = content["cases"].as_array_mut().unwrap();
        cases.retain(|case| case["id"] == id);
        let expected = &mut cases[0]["expected"][at];
        let tolerance = expected["tol"].as_f64().unwrap();
        let off = |value: &Value| {
            let value = value.as_f64().unwrap();
            json!(value + 3.0 * tolerance + 0.01 * value.abs())
        };
        expected["value"] = match &expected["value"] {
            Value::Array(list) => list.iter().map(off).collect(),
            value => off(value),
        };
        let ran = selftest(&[
            "--cases",
            &file(&format!("corrupted-{id}.json"), &content.to_string()),
        ]);
        assert_eq!(ran.exit, 1, "{id}: {}", ran.out);
        let failed = counts(&ran.out)[1];
        assert!((1..=2).contains(&failed), "{id}");
        let named = |line: &str| line.starts_with(id) && line.ends_with("FAIL");
        assert_eq!(
            ran.out.lines().filter(|line| named(line)).count(),
            failed,
            "{id}"
        );
        assert!(ran.out.contains("differs by"), "{id}");
    }
}

/// A balance with a correlated pair, words of the language as names, and a kind to come.
const LABORATORY: &str = r#"{"cases": [
  {"id": "lab-balance", "kind": "lpu", "unit": "g",
   "model": {"m": "re + im*log(pi)**2"},
   "inputs": [
     {"name": "re", "value": 100.0, "u": 0.3, "dof": null, "dist": "normal"},
     {"name": "im", "value": 0.0, "u": 0.4, "dof": 8, "dist": "normal"},
     {"name": "pi", "value": 2.718281828459045, "u": 0.0, "dof": null, "dist": "constant"}],
   "expected": [
     {"of": "m", "what": "value", "value": 100.0, "tol": 1e-9},
     {"of": "m", "what": "u", "value": 0.5, "tol": 1e-9, "why": "3, 4, 5"},
     {"of": "m", "what": "dof", "value": 19.53125, "tol": 1e-9, "why": "8/0.8^4"}]},
  {"id": "lab-new", "kind": "time-series", "expected": [
     {"of": "x", "what": "value", "value": [1.0, 2.0], "tol": 0}]}
]}"#;

#[test]
fn a_laboratory_runs_its_own_cases() {
    let path = file("laboratory.json", LABORATORY);
    let ran = selftest(&["--cases", &path]);
    assert_eq!((ran.exit, counts(&ran.out)), (0, [3, 0, 2]), "{}", ran.out);
    assert!(
        ran.out.contains("unknown kind \"time-series\""),
        "{}",
        ran.out
    );
    let both = selftest(&[
        "--cases",
        &path,
        "--cases",
        &file("second.json", LABORATORY),
    ]);
    assert_eq!(counts(&both.out), [6, 0, 4]);
    let ran = selftest(&["--cases", &path, "--only", "lab-b", "--lang", "zh"]);
    assert_eq!(counts(&ran.out), [3, 0, 0]);
    assert!(ran.out.contains("期望值") && ran.out.contains("通过"));
    let ran = selftest(&["--cases", &path, "--only", "nothing"]);
    assert_eq!(ran.exit, 3);
    assert!(ran.errors.contains("\"nothing\""), "{}", ran.errors);
}

#[test]
fn a_bad_file_is_refused_with_file_case_field_and_cure() {
    let changes = [
        (
            "\"tol\": 1e-9, \"why\": \"3, 4, 5\"",
            "\"tol\": NaN",
            "lab-balance",
            "no NaN",
        ),
        (
            "\"u\": 0.3",
            "\"u\": \"0.3\"",
            "inputs[0].u",
            "write a number",
        ),
        ("\"u\": 0.3", "\"u\": -0.3", "inputs[0].u", "0 or more"),
        ("\"dof\": 8", "\"dof\": 0", "inputs[1].dof", "above 0"),
        ("\"u\": 0.4, ", "", "inputs[1].u", "is missing"),
        (
            "\"what\": \"u\"",
            "\"what\": \"uu\"",
            "expected[1].what",
            "take value, u",
        ),
        (
            "\"what\": \"u\"",
            "\"what\": \"component:x\"",
            "expected[1].what",
            "take one of",
        ),
        (
            "\"of\": \"m\", \"what\": \"u\"",
            "\"of\": \"n\", \"what\": \"u\"",
            "expected[1].of",
            "take one of m",
        ),
        (
            "\"model\": {\"m\": \"re + im*log(pi)**2\"},",
            "",
            "model",
            "is missing",
        ),
        ("re + im", "re + + * im", "model.m", "re"),
        ("re + im", "re + im2*im", "inputs", "im2"),
        ("re + im", "im", "inputs", "does not use"),
        (
            "\"normal\"}",
            "\"gaussian\"}",
            "inputs[0].dist",
            "take normal",
        ),
        (
            "\"tol\": 0}",
            "\"tol\": -1}",
            "expected[0].tol",
            "0 or more",
        ),
        (
            "\"value\": [1.0, 2.0]",
            "\"value\": [1.0, null]",
            "expected[0].value[1]",
            "write a number",
        ),
        ("\"kind\": \"lpu\"", "\"kind\": 3", "kind", "a text"),
        ("lab-new", "lab-balance", "lab-balance", "stands twice"),
        ("\"cases\"", "\"case\"", "cases", "write"),
        ("{\"cases\": [", "[", "", "JSON"),
    ];
    for (at, (old, new, place, cure)) in changes.into_iter().enumerate() {
        let text = LABORATORY.replacen(old, new, 1);
        assert_ne!(text, LABORATORY, "{old}");
        let path = file(&format!("bad-{at}.json"), &text);
        let ran = selftest(&["--cases", &path]);
        assert_eq!(
            (ran.exit, ran.out.as_str()),
            (3, ""),
            "{new}: {}",
            ran.errors
        );
        for part in [&path, place, cure] {
            assert!(
                ran.errors.contains(part),
                "{new}: {part:?} is not in {}",
                ran.errors
            );
        }
    }
    assert_eq!(selftest(&["--cases", "no-such-file.json"]).exit, 3);
}

#[test]
fn a_number_that_the_engine_refuses_is_a_failure_with_its_reason() {
    let text = LABORATORY.replace(
        "\"value\": 100.0, \"u\": 0.3",
        "\"value\": -1.0, \"u\": 0.3",
    );
    let text = text.replace("re + im", "log(re) + im");
    let ran = selftest(&["--cases", &file("refused.json", &text)]);
    assert_eq!((ran.exit, counts(&ran.out)), (1, [0, 3, 2]), "{}", ran.out);
    assert!(ran.out.contains("no finite value"), "{}", ran.out);
}

#[test]
fn the_validation_report_is_a_pdf_and_is_written_whole_or_not_at_all() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("validation.pdf");
    let ran = selftest(&["--only", "gum", "--report", path.to_str().unwrap()]);
    assert_eq!(ran.exit, 0, "{}", ran.errors);
    assert!(std::fs::read(&path).unwrap().starts_with(b"%PDF-1.7"));
    let nowhere = folder.join("no-such-folder/validation.pdf");
    let ran = selftest(&["--only", "gum", "--report", nowhere.to_str().unwrap()]);
    assert_eq!(ran.exit, 5);
    assert!(ran.errors.contains("no-such-folder"), "{}", ran.errors);
}
