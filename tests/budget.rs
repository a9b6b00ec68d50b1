//! `heng budget` as its users meet it: table, files, messages and exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};

fn heng(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heng"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("budget")
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
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    stdout(&output)
}

/// A fresh folder under the target directory; kept, so that a failure can be looked at.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn written(name: &str, bytes: &[u8]) -> String {
    let path = folder(&format!("budget-{name}")).join("budget.toml");
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

const GAUGE_BLOCK: &str = "fixtures/budgets/gauge-block-gum-h1.toml";
const IMPEDANCE: &str = "fixtures/budgets/impedance-gum-h2.toml";
const MULTIMETER: &str = "fixtures/budgets/multimeter-ea402-s9.toml";
const WEIGHT: &str = "fixtures/budgets/weight-ea402-s2.toml";

fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/budgets");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .map(|name| format!("fixtures/budgets/{name}"))
        .collect();
    names.sort();
    names
}

#[test]
fn the_table_is_what_the_source_prints() {
    let text = done(&[GAUGE_BLOCK]);
    for line in [
        // JCGM 100:2008, table H.1: 16.6 nm, 31.7 nm and 16.7 degrees of freedom.
        "d_theta                0   0.0289  K     rectangular      2       -575.0          16.6  27.5 %",
        "l             50000838.0           nm                  16.8                       31.7",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    for words in [
        "first order is validated",
        "l = (50000838 ± 92) nm, k = 2.92, p = 99 %, ν = 16.8 (first order)",
        "1000000 trials, seed 20081, ",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn every_example_fits_its_page_in_both_languages() {
    for example in examples() {
        for language in ["en", "zh"] {
            let text = done(&[
                &example,
                "--lang",
                language,
                "--explain",
                "--trials",
                "100000",
            ]);
            for line in text.lines() {
                // Characters of double width count twice.
                let wide = |c: char| ('\u{2e80}'..'\u{ffef}').contains(&c);
                let width: usize = line.chars().map(|c| if wide(c) { 2 } else { 1 }).sum();
                assert!(
                    width <= 100 || !line.contains(' '),
                    "{example}: {width} columns: {line}"
                );
            }
            let chinese = text.contains("结论") && !text.contains("verdict");
            assert_eq!(chinese, language == "zh", "{text}");
        }
    }
}

#[test]
fn json_holds_what_an_assessor_needs() {
    let text = done(&[GAUGE_BLOCK, "--format", "json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GAUGE_BLOCK);
    let hash = |bytes: &[u8]| {
        let digits = |byte: &u8| [byte >> 4, byte & 15].map(|d| char::from_digit(d.into(), 16));
        let digest = Sha256::digest(bytes);
        digest.iter().flat_map(digits).flatten().collect::<String>()
    };
    assert_eq!(json["file_sha256"], hash(&std::fs::read(path).unwrap()));
    assert_eq!(
        json["model_sha256"],
        hash(json["model"].as_str().unwrap().as_bytes())
    );
    assert_eq!(json["seed"], 20081);
    assert!(json["sampler"].is_string() && json["engine"].is_string());
    let output = &json["outputs"][0];
    for method in ["first_order", "second_order", "monte_carlo"] {
        assert!(output[method]["u"].is_f64(), "{method}");
    }
    assert!(output["validation"]["validated"].is_boolean());
    assert_eq!(
        text,
        done(&[GAUGE_BLOCK, "--format", "json"]),
        "the same bits again"
    );
}

#[test]
fn csv_has_one_shape() {
    let text = done(&[IMPEDANCE, "--format", "csv"]);
    let columns: Vec<_> = text.lines().map(|line| line.split(',').count()).collect();
    // A head; of each result its inputs (3, 3 and 2) and four methods.
    assert_eq!(columns, vec![16; 1 + 8 + 12], "{text}");
    assert!(text.contains("R,input,V,4.999,"));
}

#[test]
fn certificate_lines_say_what_u_is() {
    let text = done(&[WEIGHT, "--certificate", "--set", "dm.dof=50"]);
    // EA-4/02, S2: (10 000.025 ± 0.059) g with k = 2; here k is t for 95.45 %, 2.00.
    assert!(
        text.starts_with("m = (10000.025 ± 0.059) g, k = 2.0"),
        "{text}"
    );
    assert!(text.contains("p = 95.45 %"), "{text}");
    let text = done(&[MULTIMETER, "--certificate", "--lang", "zh"]);
    assert!(text.contains("蒙特卡洛"), "{text}");
}

#[test]
fn the_command_line_replaces_what_the_file_says() {
    let json = |arguments: &[&str]| -> Value {
        let mut all = vec![GAUGE_BLOCK, "--format", "json"];
        all.extend(arguments);
        serde_json::from_str(&done(&all)).unwrap()
    };
    let changed = json(&[
        "--set",
        "l_s.u=50",
        "--set",
        "d_mean.value=315",
        "--seed",
        "7",
    ]);
    let budget = &changed["outputs"][0]["first_order"];
    assert_eq!(budget["value"], 50_000_938.0);
    // By hand: 31.664² − 25² + 50² = 2877.6 nm².
    assert!((budget["u"].as_f64().unwrap() - 53.64).abs() < 0.01);
    assert_eq!(changed["seed"], 7);
    assert_eq!(changed["set"][0], "l_s.u=50");
    let other = json(&["--output", "d", "--coverage", "0.9", "--trials", "20000"]);
    assert_eq!(other["outputs"][0]["symbol"], "d");
    assert_eq!(other["outputs"][0]["monte_carlo"]["trials"], 20000);
    assert_eq!(other["coverage"], 0.9);
}

#[test]
fn the_figure_holds_both_intervals() {
    let folder = folder("budget-figure");
    let one = folder.join("one.svg");
    done(&[GAUGE_BLOCK, "--svg", one.to_str().unwrap()]);
    let svg = std::fs::read_to_string(&one).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("first order") && svg.contains("Monte Carlo"));
    // One file a result, where there are several.
    done(&[IMPEDANCE, "--svg", folder.join("z.svg").to_str().unwrap()]);
    for name in ["z-R.svg", "z-X.svg", "z-Z.svg"] {
        assert!(folder.join(name).exists(), "{name}");
    }
    let nowhere = folder.join("no/such/folder.svg");
    let output = heng(&[GAUGE_BLOCK, "--svg", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
}

#[test]
fn the_schema_is_shipped() {
    let schema: Value = serde_json::from_str(&done(&["--schema"])).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

/// An outside validator agrees, where it is installed.
#[test]
fn every_example_meets_the_schema() {
    let python = std::env::var("HENG_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "import json, sys, tomllib\n\
                  try:\n    import jsonschema\nexcept ImportError:\n    sys.exit(77)\n\
                  schema = json.load(open('uncertainty/budget.schema.json'))\n\
                  jsonschema.Draft202012Validator.check_schema(schema)\n\
                  for name in sys.argv[1:]:\n    \
                      jsonschema.validate(tomllib.load(open(name, 'rb')), schema, jsonschema.Draft202012Validator)\n";
    let output = Command::new(&python)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-c", script])
        .args(examples())
        .output();
    match output {
        Ok(output) if output.status.code() == Some(77) => println!("skipped: no jsonschema"),
        Ok(output) => assert!(output.status.success(), "{}", stderr(&output)),
        Err(error) => println!("skipped: {python}: {error}"),
    }
}

const SOUND: &str = "title = 'x'\nmodel = '''\ny = sqrt(a)\n'''\n[inputs.a]\nvalue = 1\nu = 0.1\n";

#[test]
fn malformed_input_is_refused_with_its_place() {
    let model = SOUND.replace("sqrt(a)", "wurzel(a)");
    let huge = format!("title = '{}'", "x".repeat(9 << 20));
    let cases: [(&str, &[u8], &str); 6] = [
        ("empty", b"", "line 1, column 1: missing field `title`"),
        (
            "binary",
            b"title = '\xff\xfe\x00'",
            "line 1, column 10: the file is not UTF-8",
        ),
        ("nul", b"title = 'a\x00b'", "line 1, column 11"),
        ("model", model.as_bytes(), "line 3, column 5: "),
        ("huge", huge.as_bytes(), "state long series by mean"),
        (
            "unknown",
            b"title = 'x'\nmodel = 'y = a'\n[inputs.a]\nvalue = 1\n",
            "line 3, column 9",
        ),
    ];
    for (name, bytes, words) in cases {
        let path = written(name, bytes);
        let output = heng(&[&path]);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{name}: {message}");
        assert!(
            message.contains(words) && message.contains("budget.toml"),
            "{name}: {message}"
        );
        assert!(output.stdout.is_empty(), "{name}");
    }
    let output = heng(&["no/such/file.toml"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}

#[test]
fn wrong_arguments_are_told_apart_from_wrong_files() {
    let cases: [&[&str]; 8] = [
        &[],
        &[GAUGE_BLOCK, "--format", "xml"],
        &[GAUGE_BLOCK, "--set", "l_s=3"],
        &[GAUGE_BLOCK, "--set", "l_s.k=3"],
        &[GAUGE_BLOCK, "--set", "l_s.u=three"],
        &[GAUGE_BLOCK, "--coverage", "95"],
        &[GAUGE_BLOCK, "--output", "nothing"],
        &[GAUGE_BLOCK, "--set", "l_s.u=nan"],
    ];
    for arguments in cases {
        let output = heng(arguments);
        assert_eq!(
            output.status.code(),
            Some(64),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    // A name that the file does not have is the file's affair.
    let output = heng(&[GAUGE_BLOCK, "--set", "x.u=1"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("its inputs are"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_result_without_trials_is_incomplete_but_honest() {
    // Half of the trials have no square root: no method that draws gives a result, and first
    // order stands with its reason beside it.
    let text = SOUND.replace("value = 1\nu = 0.1", "value = 0.01\nu = 1");
    let output = heng(&[&written("domain", text.as_bytes())]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let table = stdout(&output);
    assert!(
        table.contains("Monte Carlo: ") && table.contains("no finite value"),
        "{table}"
    );
    // No method at all.
    let text = SOUND.replace("value = 1\nu = 0.1", "value = -1\nu = 0.1");
    let output = heng(&[&written("nowhere", text.as_bytes())]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(!stdout(&output).contains("reported"), "{}", stdout(&output));
    // An adaptive run that is cut short says so.
    let text = format!("{SOUND}[evaluation]\nadaptive = {{ digits = 3, max_trials = 200_000 }}\n");
    let output = heng(&[&written("adaptive", text.as_bytes())]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("not converged"),
        "{}",
        stdout(&output)
    );
}
