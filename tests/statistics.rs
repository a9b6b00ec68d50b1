//! `heng statistics` through the binary, on published series.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A file in the folder of temporary files of this test.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("statistics-{name}"));
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn fixture(name: &str) -> String {
    root().join("fixtures").join(name).display().to_string()
}

/// Columns of a file of Dataplot as CSV under the names given; `_` leaves one out.
fn dataplot(name: &str, columns: &[&str]) -> String {
    let text = std::fs::read_to_string(fixture(&format!("nist-dataplot/{name}"))).unwrap();
    let below = text
        .lines()
        .rev()
        .take_while(|line| !line.contains("-----"));
    let cells = |line: &str| {
        let cells: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        (cells.len() >= columns.len()).then_some(cells)
    };
    let mut rows: Vec<_> = below.filter_map(cells).collect();
    rows.reverse();
    let chosen = |cells: &[String]| {
        let kept = cells.iter().zip(columns).filter(|(_, name)| **name != "_");
        kept.map(|(cell, _)| cell.clone())
            .collect::<Vec<_>>()
            .join(",")
    };
    let names: Vec<_> = columns
        .iter()
        .filter(|name| **name != "_")
        .copied()
        .collect();
    let mut csv = names.join(",") + "\n";
    for row in rows {
        csv += &(chosen(&row) + "\n");
    }
    file(&name.to_lowercase(), &csv)
}

fn run(arguments: &[&str]) -> Output {
    let heng = Command::new(env!("CARGO_BIN_EXE_heng"))
        .arg("statistics")
        .args(arguments)
        .output();
    heng.unwrap()
}

fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn result(arguments: &[&str]) -> Value {
    let text = done(&[arguments, &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&text).unwrap();
    document["result"].clone()
}

/// The exit code and the message of a run that is refused.
fn refused(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code().unwrap(), errors)
}

/// `printed` holds for every number that rounds to it.
fn near(found: &Value, printed: f64, half_unit: f64) {
    let found = found.as_f64().unwrap();
    assert!(
        (found - printed).abs() <= half_unit,
        "{found}, printed {printed}"
    );
}

#[test]
fn readings_that_follow_each_other_are_told() {
    let mavro = dataplot("MAVRO.DAT", &["y"]);
    let arguments = ["summary", &mavro, "--value", "y"];
    let found = result(&arguments);
    // Certified by NIST: mean 2.001856, s 0.000429123454, r1 0.937989183.
    let one = &found[0]["type_a"];
    near(&one["mean"], 2.001_856, 5e-13);
    near(&one["s"], 0.000_429_123_454, 5e-13);
    near(&one["lag1"], 0.937_989_183, 5e-10);
    assert_eq!(one["independent"], false);
    assert!(done(&arguments).contains("is not s/√n"));
    let chinese = done(&[&arguments[..], &["--lang", "zh"]].concat());
    assert!(chinese.contains("相邻读数不独立"), "{chinese}");
}

#[test]
fn a_load_cell_needs_the_square_and_the_text_says_so() {
    let data = dataplot("LOADCELL.DAT", &["x", "y"]);
    let line = ["fit", &data, "--x", "x", "--y", "y"];
    assert!(done(&line).contains("neighbouring residuals have the same sign"));
    let square = [&line[..], &["--degree", "2", "--at", "3.5"]].concat();
    assert!(!done(&square).contains("the same sign"));
    let found = result(&square);
    // Computed from the same file with numpy; the digits are those of `data.loadcell` in the cases
    // of the self-test.
    let estimates = &found["fit"]["estimates"];
    near(&estimates[0], -1.839_804_7e-5, 5e-13);
    near(&estimates[1], 0.100_102_485, 5e-10);
    near(&estimates[2], 7.031_865e-6, 5e-13);
    near(&found["fit"]["s"], 3.764_03e-5, 5e-11);
}

#[test]
fn a_line_is_used_in_both_directions() {
    let data = file(
        "line.csv",
        "x,y,u\n1,2.1,0.1\n2,3.9,0.1\n3,6.1,0.1\n4,7.9,0.1\n",
    );
    let arguments = ["fit", &data, "--x", "x", "--y", "y"];
    let found = result(&[&arguments[..], &["--reading", "5.0", "--reading", "5:0.2"]].concat());
    // By hand: 5 = 0.1 + 1.96·x.
    near(&found["inverse"][0]["value"], 2.5, 1e-12);
    assert!(found["inverse"][1]["u"].as_f64() > found["inverse"][0]["u"].as_f64());
    let stated = result(&[&arguments[..], &["--u-y", "u"]].concat());
    assert_eq!(stated["fit"]["scale"], "stated");
    let both = file(
        "both.csv",
        "x,y,ux,uy\n1,2.1,0.1,0.1\n2,3.9,0.1,0.1\n3,6.1,0.1,0.1\n",
    );
    let both = [
        "fit", &both, "--x", "x", "--y", "y", "--u-x", "ux", "--u-y", "uy",
    ];
    assert_eq!(result(&both)["fit"]["scale"], "stated");
}

#[test]
fn the_check_standard_of_the_kilogram_has_shifted() {
    let data = dataplot("MASS.DAT", &["t", "_", "y", "_", "s"]);
    let base = ["chart", &data, "--baseline", "99", "--value"];
    let shewhart = result(&[&base[..], &["y"]].concat());
    near(&shewhart["baseline"]["mean"], -19.47851, 5e-6);
    near(&shewhart["baseline"]["s"], 0.030652, 5e-7);
    assert_eq!(shewhart["chart"]["signals"].as_array().unwrap().len(), 2);
    // The moving average sees more than single values do.
    let ewma = result(&[&base[..], &["y", "--kind", "ewma"]].concat());
    assert!(ewma["chart"]["signals"].as_array().unwrap().len() > 40);
    let sums = result(&[&base[..], &["y", "--kind", "cusum"]].concat());
    assert!(!sums["cusum"]["signals"].as_array().unwrap().is_empty());
    let scatter = [&base[..], &["s", "--kind", "scatter", "--dof", "3"]].concat();
    near(&result(&scatter)["chart"]["centre"], 0.031107, 5e-7);
    let (exit, message) = refused(&[&base[..], &["s", "--kind", "scatter"]].concat());
    assert!(exit == 64 && message.contains("--dof"), "{message}");
}

#[test]
fn a_key_comparison_has_its_published_reference_value() {
    let data = fixture("interlab/bipm_sir_key_comparisons.csv");
    let arguments = [
        "comparison",
        &data,
        "--where",
        "nuclide=Ra-223",
        "--laboratory",
        "lab",
        "--value",
        "activity_kBq",
        "--u",
        "u_k1_kBq",
        "--contributes",
        "in_kcrv",
    ];
    // BIPM.RI(II)-K1.Ra-223: 54 670(140) kBq, rounded to tens.
    let moderated = [&arguments[..], &["--reference", "power-moderated"]].concat();
    let found = result(&moderated);
    near(&found["reference"]["value"], 54_670.0, 5.0);
    near(&found["reference"]["u"], 140.0, 5.0);
    let table = done(&[&moderated[..], &["--format", "csv"]].concat());
    assert_eq!(table.lines().count(), 5);
    for reference in [
        "weighted",
        "subset",
        "median",
        "dersimonian-laird",
        "mandel-paule",
    ] {
        let found = result(&[&arguments[..], &["--reference", reference]].concat());
        assert_eq!(
            found["equivalence"].as_array().unwrap().len(),
            4,
            "{reference}"
        );
    }
}

#[test]
fn lead_in_wine_is_told_to_be_inconsistent() {
    let data = fixture("interlab/ccqm_k30_lead_in_wine.csv");
    let arguments = [
        "comparison",
        &data,
        "--laboratory",
        "lab",
        "--value",
        "value",
        "--u",
        "u",
        "--contributes",
        "include",
    ];
    let text = done(&arguments);
    assert!(text.contains("do not agree within their uncertainties"));
    // Paule and Mandel: 2.968 ± 0.023.
    let found = result(&[&arguments[..], &["--reference", "mandel-paule"]].concat());
    near(&found["reference"]["value"], 2.968, 5e-4);
    near(&found["reference"]["u"], 0.023, 5e-4);
    let scored = [
        "proficiency",
        &data,
        "--laboratory",
        "lab",
        "--value",
        "value",
        "--u",
        "u",
    ];
    assert!(done(&scored).contains("z' counts, not z"));
    let given = [
        &scored[..],
        &[
            "--assigned",
            "2.99",
            "--u-assigned",
            "0.03",
            "--sigma",
            "0.1",
        ],
    ];
    let found = result(&given.concat());
    near(&found["scores"][1]["scores"]["z"]["value"], -0.97, 1e-9);
}

#[test]
fn variances_are_those_of_the_published_studies() {
    let furnace = dataplot("FURNACE.DAT", &["run", "zone", "wafer", "y"]);
    let nested = [
        "anova", &furnace, "--value", "y", "--group", "run", "--inner", "zone", "--nested",
    ];
    let found = result(&nested);
    let table = done(&nested);
    assert!(table.contains("between inner groups"), "{table}");
    near(&found["total"]["dof"], 167.0, 0.0);
    let gear = dataplot("GEAR.DAT", &["y", "batch"]);
    let found = result(&["anova", &gear, "--value", "y", "--group", "batch"]);
    near(&found["between"]["dof"], 9.0, 0.0);
    near(&found["within"]["dof"], 90.0, 0.0);
    // F 2.2969, computed with statsmodels 0.15.
    near(&found["between"]["test"]["f"], 2.2969, 5e-5);
    let gauge = fixture("interlab/gage_rr_sixsigma.csv");
    let gauge = [
        "gauge",
        &gauge,
        "--value",
        "time1",
        "--part",
        "prototype",
        "--appraiser",
        "operator",
        "--tolerance",
        "2",
    ];
    assert!(done(&gauge).contains("it counts as repetition"));
    let fibre = fixture("interlab/apricot_fibre_9_labs_duplicates.csv");
    let fibre = [
        "precision",
        &fibre,
        "--laboratory",
        "lab",
        "--value",
        "fibre",
    ];
    assert!(done(&fibre).contains("Lab 4 is a straggler"));
}

#[test]
fn intervals_are_those_of_the_published_examples() {
    // NASA-HDBK-8739.19-5, table 7-2: 327 days until the uncertainty reaches 0.5.
    let days = [70, 86, 104, 135, 167, 173];
    let found = [0.1, 0.11, 0.251, 0.299, 0.403, 0.615];
    let rows = days
        .iter()
        .zip(found)
        .map(|(day, found)| format!("{day},{found}\n"));
    let data = file(
        "drift.csv",
        &("d,x\n".to_owned() + &rows.collect::<String>()),
    );
    let drift = [
        "drift",
        &data,
        "--days",
        "d",
        "--deviation",
        "x",
        "--degree",
        "2",
        "--u-start",
        "0.28",
    ];
    let found = result(&[&drift[..], &["--u-limit", "0.5"]].concat());
    near(&found["intervals"][0]["interval"]["interval_d"], 327.0, 0.5);
    let (exit, message) = refused(&drift);
    assert!(exit == 64 && message.contains("--u-limit"), "{message}");
    // NCSLI RP-1, method A3: 15 of 20 in tolerance after 365 days, 95 % wanted: 231 days.
    let found = result(&["interval", "--days", "365", "--pass", "15", "--of", "20"]);
    near(&found["attributes"]["interval_d"], 231.0, 0.5);
    let found = result(&[
        "interval",
        "--days",
        "100",
        "--deviation",
        "2",
        "--limit",
        "1",
    ]);
    near(&found["interval_d"], 50.0, 0.0);
}

#[test]
fn a_standard_and_a_process_are_judged_against_their_limits() {
    let mass = dataplot("MASS.DAT", &["t", "_", "y"]);
    let standard = ["standard", &mass, "--value", "y", "--limit", "0.02"];
    assert!(done(&standard).contains("the repeatability exceeds the limit"));
    let groups = file(
        "groups.csv",
        "g,y\na,20.0128\nb,20.0141\nc,20.0119\nd,20.0135\n",
    );
    let found = result(&["standard", &groups, "--value", "y", "--group", "g"]);
    near(&found["stability"]["change"], 0.0022, 1e-9);
    let process = [
        "capability",
        &mass,
        "--value",
        "y",
        "--low",
        "-19.7",
        "--high",
        "-19.2",
    ];
    let found = result(&process);
    // Cp = T/6s with the s that the summary gives.
    let s = result(&["summary", &mass, "--value", "y"])[0]["type_a"]["s"]
        .as_f64()
        .unwrap();
    near(&found["capability"]["pp"]["value"], 0.5 / (6.0 * s), 1e-12);
}

#[test]
fn every_kind_draws_its_picture() {
    let data = file(
        "series.csv",
        "g,h,x,y,u\na,1,1,2.0,.1\na,2,2,4.1,.1\nb,1,3,6.0,.1\nb,2,4,8.2,.1\na,1,5,9.9,.1\na,2,6,12.1,.1\nb,1,7,14.0,.1\nb,2,8,16.1,.1\n",
    );
    let picture = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("statistics.svg");
    let path = picture.to_str().unwrap();
    for arguments in [
        "summary FILE --value y",
        "fit FILE --x x --y y",
        "chart FILE --value y",
        "comparison FILE --laboratory x --value y --u u",
        "proficiency FILE --laboratory x --value y",
        "anova FILE --value y --group g",
        "anova FILE --value y --group g --inner h",
        "gauge FILE --value y --part g --appraiser h",
        "precision FILE --laboratory g --value y",
        "standard FILE --value y --last 3",
        "capability FILE --value y --low 0 --high 20",
        "drift FILE --days x --deviation y --u-start 0.1 --high 20",
        "interval --days 365 --pass 19 --of 20",
    ] {
        let words = arguments
            .split(' ')
            .map(|word| if word == "FILE" { &data } else { word });
        let words: Vec<_> = words.chain(["--svg", path, "--lang", "zh"]).collect();
        done(&words);
        let svg = std::fs::read_to_string(&picture).unwrap();
        assert!(
            svg.starts_with("<svg") && svg.ends_with("</svg>\n"),
            "{arguments}"
        );
        std::fs::remove_file(&picture).unwrap();
    }
}

#[test]
fn no_output_replaces_what_was_read() {
    let text = "y\n1.0\n2.0\n";
    let data = file("kept.csv", text);
    let (exit, message) = refused(&["summary", &data, "--value", "y", "--svg", &data]);
    assert!(exit == 64 && message.contains("another file"), "{message}");
    assert_eq!(std::fs::read_to_string(&data).unwrap(), text);
}

#[test]
fn bad_input_is_named_with_place_and_cure() {
    let case = |text: &str, arguments: &[&str], exit: i32, parts: &[&str]| {
        let data = file("bad.csv", text);
        let arguments = [&[arguments[0], &data], &arguments[1..]].concat();
        let (found, message) = refused(&arguments);
        assert_eq!(found, exit, "{arguments:?}: {message}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
    };
    let summary = ["summary", "--value", "y"];
    case("y\n1.0\n", &summary, 3, &["at least 2"]);
    case("y\n", &summary, 3, &["no header line and rows"]);
    case("z\n1\n2\n", &summary, 3, &["no column \"y\"", "z"]);
    case(
        "y\n1\nNaN\n",
        &summary,
        3,
        &["line 3", "NaN", "decimal point"],
    );
    case("y,z\n1,a\n,b\n", &summary, 3, &["line 3", "--skip-missing"]);
    case(
        "y\n1\n2\n",
        &["summary", "--value", "y", "--where", "y"],
        64,
        &["COLUMN=TEXT"],
    );
    case(
        "y\n1\n2\n",
        &["summary", "--value", "y", "--where", "y=3"],
        3,
        &["no row is left"],
    );
    case(
        "y\n1\n1\n1\n",
        &["chart", "--value", "y"],
        3,
        &["must be positive", "more digits"],
    );
    case(
        "y\n1\n2\n",
        &["chart", "--value", "y", "--baseline", "5"],
        64,
        &["2 values"],
    );
    case(
        "x,y\n1,2\n1,3\n1,4\n",
        &["fit", "--x", "x", "--y", "y"],
        3,
        &["different abscissae"],
    );
    let comparison = [
        "comparison",
        "--laboratory",
        "l",
        "--value",
        "x",
        "--u",
        "u",
    ];
    case(
        "l,x,u\nA,1,0.1\nB,2,0\n",
        &comparison,
        3,
        &["\"B\"", "positive"],
    );
    case("l,x,u\nA,1,0.1\n", &comparison, 3, &["at least 2"]);
    case(
        "l,x,u\nA,1,0.1\nA,2,0.1\n",
        &comparison,
        3,
        &["lines 2 and 3", "--where"],
    );
    let rules = [
        "chart", "--value", "y", "--kind", "ewma", "--rules", "nelson",
    ];
    case("y\n1\n2\n3\n", &rules, 64, &["--kind individuals"]);
    let far = [
        "fit", "--x", "x", "--y", "y", "--degree", "2", "--at", "1e308",
    ];
    case("x,y\n1,1\n2,4.1\n3,9\n4,16\n", &far, 3, &["too large"]);
    let anova = ["anova", "--value", "y", "--group", "g", "--inner", "h"];
    case(
        "g,h,y\na,1,1\na,2,2\nb,1,3\n",
        &anova,
        3,
        &["\"b\"", "--nested"],
    );
    let limits = ["capability", "--value", "y", "--low", "2", "--high", "1"];
    case("y\n1\n2\n", &limits, 3, &["lower first"]);
}
