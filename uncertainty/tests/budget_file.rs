//! Budget files: the published examples, and what is refused.

use std::path::{Path, PathBuf};

use heng_uncertainty::{
    BUDGET_SCHEMA, BudgetFile, CautionKind, Distribution, Evaluation, FileDiagnostic, Library,
    OutputEvaluation, Replaced, ReportedMethod, Setting, Verdict, evaluate, explain,
};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/budgets")
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn read(name: &str) -> BudgetFile {
    let text = text_of(name);
    BudgetFile::parse(name, &text, Library::shipped()).unwrap_or_else(|found| panic!("{found:#?}"))
}

fn evaluated(name: &str) -> Evaluation {
    evaluate(&read(name), Library::shipped())
}

fn output<'a>(evaluation: &'a Evaluation, symbol: &str) -> &'a OutputEvaluation {
    let mut outputs = evaluation.outputs.iter();
    outputs.find(|one| one.symbol == symbol).unwrap()
}

/// A published number of an output.
struct Published {
    file: &'static str,
    output: &'static str,
    what: &'static str,
    value: f64,
    tolerance: f64,
}

/// Tolerances are half a unit of the last printed digit; with trials, plus their sampling
/// error at four standard errors of 10⁶ trials.
#[rustfmt::skip]
const PUBLISHED: &[Published] = &[
    Published { file: "gauge-block-gum-h1.toml", output: "l", what: "value", value: 50_000_838.0, tolerance: 0.5 },
    Published { file: "gauge-block-gum-h1.toml", output: "l", what: "u", value: 32.0, tolerance: 0.5 },
    // 16.7518557 to 1e-5 by five other packages; printed as 16 after truncation.
    Published { file: "gauge-block-gum-h1.toml", output: "l", what: "dof", value: 16.751_855_7, tolerance: 1e-5 },
    // The source multiplies the rounded 32 by 2.92; 92.5 without rounding between.
    Published { file: "gauge-block-gum-h1.toml", output: "l", what: "U", value: 93.0, tolerance: 0.6 },
    Published { file: "gauge-block-gum-h1.toml", output: "l", what: "component:d_theta", value: 16.599, tolerance: 0.0005 },
    Published { file: "gauge-block-gum-h1.toml", output: "l", what: "component:alpha_s", value: 0.0, tolerance: 1e-9 },
    Published { file: "gauge-block-jcgm101-9-5.toml", output: "dL", what: "value", value: 838.0, tolerance: 0.5 },
    Published { file: "gauge-block-jcgm101-9-5.toml", output: "dL", what: "u", value: 32.0, tolerance: 0.5 },
    Published { file: "gauge-block-jcgm101-9-5.toml", output: "dL", what: "mc_u", value: 36.0, tolerance: 0.5 },
    Published { file: "gauge-block-jcgm101-9-5.toml", output: "dL", what: "shortest_low", value: 745.0, tolerance: 2.5 },
    Published { file: "gauge-block-jcgm101-9-5.toml", output: "dL", what: "shortest_high", value: 932.0, tolerance: 2.5 },
    Published { file: "impedance-gum-h2.toml", output: "R", what: "value", value: 127.732, tolerance: 0.0005 },
    Published { file: "impedance-gum-h2.toml", output: "R", what: "u", value: 0.071, tolerance: 0.0005 },
    Published { file: "impedance-gum-h2.toml", output: "X", what: "value", value: 219.847, tolerance: 0.0005 },
    // Printed from rounded inputs; the readings themselves give 0.29558.
    Published { file: "impedance-gum-h2.toml", output: "X", what: "u", value: 0.295, tolerance: 0.0006 },
    Published { file: "impedance-gum-h2.toml", output: "Z", what: "value", value: 254.260, tolerance: 0.0005 },
    Published { file: "impedance-gum-h2.toml", output: "Z", what: "u", value: 0.236, tolerance: 0.0005 },
    // All inputs come from one sample of five (Willink, Metrologia 44, 2007, 340).
    Published { file: "impedance-gum-h2.toml", output: "R", what: "dof", value: 4.0, tolerance: 1e-9 },
    // GTC 1.5.1 on the same readings.
    Published { file: "impedance-gum-h2.toml", output: "R", what: "U", value: 0.197_325_86, tolerance: 1e-7 },
    Published { file: "impedance-gum-h2.toml", output: "X", what: "U", value: 0.820_666_3, tolerance: 1e-7 },
    Published { file: "impedance-gum-h2.toml", output: "Z", what: "U", value: 0.656_174_29, tolerance: 1e-7 },
    Published { file: "mass-jcgm101-9-3.toml", output: "dm", what: "value", value: 1.234, tolerance: 5e-5 },
    Published { file: "mass-jcgm101-9-3.toml", output: "dm", what: "u", value: 0.0539, tolerance: 5e-5 },
    // Printed 0.0750; 0.0751 by other rounding of the limits.
    Published { file: "mass-jcgm101-9-3.toml", output: "dm", what: "u2", value: 0.0750, tolerance: 1.5e-4 },
    // Printed 0.0750; the closed form of these inputs is 0.075480, four standard errors are 2.2e-4.
    Published { file: "mass-jcgm101-9-3.toml", output: "dm", what: "mc_u", value: 0.075_48, tolerance: 2.2e-4 },
    Published { file: "comparison-loss-jcgm101-9-4.toml", output: "Y", what: "mc_mean", value: 50e-6, tolerance: 5e-7 },
    Published { file: "comparison-loss-jcgm101-9-4.toml", output: "Y", what: "mc_u", value: 50e-6, tolerance: 5e-7 },
    Published { file: "comparison-loss-jcgm101-9-4.toml", output: "Y", what: "shortest_low", value: 0.0, tolerance: 5e-7 },
    Published { file: "weight-ea402-s2.toml", output: "m", what: "value", value: 10_000.025, tolerance: 0.0005 },
    Published { file: "weight-ea402-s2.toml", output: "m", what: "u", value: 0.0293, tolerance: 5e-5 },
    // With the 2 degrees of freedom of the reading k is 2.08 instead of the 2 of the 1999 text.
    Published { file: "weight-ea402-s2.toml", output: "m", what: "k", value: 2.08, tolerance: 0.015 },
    Published { file: "resistor-ea402-s3.toml", output: "R_X", what: "value", value: 10_000.178, tolerance: 0.0005 },
    // The components are printed to 2 or 3 digits: 0.6 per cent.
    Published { file: "resistor-ea402-s3.toml", output: "R_X", what: "u", value: 0.008_33, tolerance: 5e-5 },
    Published { file: "gauge-block-ea402-s4.toml", output: "dl_X", what: "value", value: -74.0, tolerance: 0.5 },
    Published { file: "gauge-block-ea402-s4.toml", output: "dl_X", what: "mc_u", value: 36.4, tolerance: 0.2 },
    // The components are printed to 2 or 3 digits: 0.6 per cent.
    Published { file: "gauge-block-ea402-s4.toml", output: "dl_X", what: "u2", value: 36.4, tolerance: 0.2 },
    Published { file: "multimeter-ea402-s9.toml", output: "E_X", what: "value", value: 0.10, tolerance: 0.005 },
    Published { file: "multimeter-ea402-s9.toml", output: "E_X", what: "u", value: 0.030, tolerance: 0.0005 },
    // 0.05 from rounded k = 1.65 and u; 0.0489 without rounding.
    Published { file: "multimeter-ea402-s9.toml", output: "E_X", what: "mc_U", value: 0.05, tolerance: 0.0015 },
    Published { file: "water-meter-ea402-s12.toml", output: "e", what: "u", value: 0.91e-3, tolerance: 5e-6 },
    Published { file: "water-meter-ea402-s12.toml", output: "e", what: "k", value: 2.28, tolerance: 0.005 },
    Published { file: "water-meter-ea402-s12.toml", output: "e", what: "U", value: 2.0e-3, tolerance: 1e-4 },
    Published { file: "viscometer-tn1900-e3.toml", output: "mu_M", what: "value", value: 5.69, tolerance: 0.01 },
    Published { file: "viscometer-tn1900-e3.toml", output: "mu_M", what: "u", value: 1.03, tolerance: 0.005 },
    Published { file: "viscometer-tn1900-e3.toml", output: "mu_M", what: "mc_mean", value: 5.82, tolerance: 0.01 },
    // Heavy right tail: 0.02 covers rounding and trials.
    Published { file: "viscometer-tn1900-e3.toml", output: "mu_M", what: "mc_u", value: 1.11, tolerance: 0.02 },
    Published { file: "viscometer-tn1900-e3.toml", output: "mu_M", what: "symmetric_low", value: 4.05, tolerance: 0.02 },
    Published { file: "viscometer-tn1900-e3.toml", output: "mu_M", what: "symmetric_high", value: 8.39, tolerance: 0.02 },
];

/// The number of that name, or why its method gives none.
fn figure(found: &OutputEvaluation, what: &str) -> Result<f64, String> {
    let budget = || found.first_order.as_ref().map_err(ToString::to_string);
    let trials = || found.monte_carlo.as_ref().map_err(ToString::to_string);
    Ok(match what {
        "value" => budget()?.value,
        "u" => budget()?.u,
        "dof" => budget()?.dof,
        "k" => budget()?.k,
        "U" => budget()?.expanded,
        "u2" => {
            let second = found.second_order.as_ref().map_err(ToString::to_string)?;
            second.u.ok_or("the second order gives no u")?
        }
        "mc_mean" => trials()?.mean,
        "mc_u" => trials()?.u,
        "mc_U" => 0.5 * (trials()?.symmetric[1] - trials()?.symmetric[0]),
        "shortest_low" => trials()?.shortest[0],
        "shortest_high" => trials()?.shortest[1],
        "symmetric_low" => trials()?.symmetric[0],
        "symmetric_high" => trials()?.symmetric[1],
        _ => {
            let symbol = what.strip_prefix("component:").unwrap();
            let mut rows = budget()?.rows.iter();
            rows.find(|row| row.symbol == symbol).unwrap().contribution
        }
    })
}

#[test]
fn published_examples_come_out_as_published() {
    let mut files: Vec<_> = PUBLISHED.iter().map(|one| one.file).collect();
    files.dedup();
    let mut wrong = Vec::new();
    for file in files {
        let evaluation = evaluated(file);
        for one in PUBLISHED.iter().filter(|one| one.file == file) {
            let found = figure(output(&evaluation, one.output), one.what);
            let near = |found: &f64| (found - one.value).abs() <= one.tolerance;
            if !found.as_ref().is_ok_and(near) {
                let Published {
                    output,
                    what,
                    value,
                    ..
                } = one;
                wrong.push(format!(
                    "{file}: {what} of {output}: {found:?}, published {value}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_example_is_held_against_its_source() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let held = PUBLISHED.iter().any(|one| one.file == name);
        assert!(
            held || name == "README.md",
            "{name} has no published number"
        );
    }
}

#[test]
fn results_of_simultaneous_readings_are_correlated_as_published() {
    // JCGM 100:2008, table H.4: half a unit of the last printed digit.
    let evaluation = evaluated("impedance-gum-h2.toml");
    let joint = evaluation.joint.unwrap();
    assert_eq!(joint.symbols, ["R", "X", "Z"]);
    let (first, trials) = (joint.first_order.unwrap(), joint.monte_carlo.unwrap());
    for (i, j, published) in [(0, 1, -0.588), (0, 2, -0.485), (1, 2, 0.993)] {
        assert!((first.correlation[i][j] - published).abs() <= 0.0005);
        // The t distribution with 4 degrees of freedom has no fourth moment; its sample
        // correlation is known to about 0.005.
        assert!((trials.correlation[i][j] - published).abs() <= 0.005);
    }
}

#[test]
fn what_first_order_cannot_say_is_said_by_the_others() {
    let evaluation = evaluated("comparison-loss-jcgm101-9-4.toml");
    let found = output(&evaluation, "Y");
    assert!(found.first_order.is_err());
    assert!(found.second_order.is_ok() && found.validation.is_none());
    let reported = found.reported.as_ref().unwrap();
    assert_eq!(reported.method, ReportedMethod::MonteCarloShortest);
    let json = serde_json::to_value(&evaluation).unwrap();
    let refused = json["outputs"][0]["first_order"]["refused"]
        .as_str()
        .unwrap();
    assert!(refused.contains("vanishes"), "{refused}");
    // The law is 25e-6·χ² with 2 degrees of freedom: the shortest 95 % interval ends at
    // −50e-6·ln 0.05 = 149.8e-6; its end is known to about 0.5e-6 from 10⁶ trials.
    assert!((reported.interval[1] - 149.8e-6).abs() < 2.5e-6);
}

#[test]
fn a_dominant_rectangle_is_not_validated_and_decides_by_its_trials() {
    let evaluation = evaluated("multimeter-ea402-s9.toml");
    let found = output(&evaluation, "E_X");
    assert!(!found.validation.as_ref().unwrap().validated);
    let kinds: Vec<_> = found.cautions.iter().map(|one| one.kind).collect();
    assert!(kinds.contains(&CautionKind::DominantInput), "{kinds:?}");
    let conformity = found.conformity.as_ref().unwrap();
    assert_eq!(conformity.decision.verdict, Verdict::Pass);
    // Every trial conforms: 0.1 + 0.05 + 0.011 is 0.161, and 39 u of the calibrator are left.
    assert_eq!(conformity.trials.unwrap().probability, 1.0);
}

#[test]
fn the_fraction_of_conforming_trials_is_that_of_the_law() {
    // A rectangle from 0 to 1 with the limit 0.9: nine tenths, to four standard errors of
    // √(0.9·0.1/10⁶).
    let text = "title = 'x'\nmodel = 'y = x'\n[inputs.x]\nlower = 0\nupper = 1\n\
                dist = 'rectangular'\n[outputs.y]\nupper = 0.9\nrule = 'simple'\n";
    let file = BudgetFile::parse("x", text, Library::shipped()).unwrap();
    let evaluation = evaluate(&file, Library::shipped());
    let found = output(&evaluation, "y")
        .conformity
        .as_ref()
        .unwrap()
        .trials
        .unwrap();
    assert!((found.probability - 0.9).abs() < 4.0 * 3e-4, "{found:?}");
    assert!((found.error - 3e-4).abs() < 1e-6);
}

#[test]
fn a_rule_of_probability_is_decided_by_the_law_itself() {
    // Within the limit with 0.9 by its law; a normal distribution of that u would say 0.917.
    let rule = |threshold: f64| {
        let text = format!(
            "title = 'x'\nmodel = 'y = x'\n[inputs.x]\nlower = 0\nupper = 1\ndist = \
             'rectangular'\n[outputs.y]\nupper = 0.9\nrule = 'probability'\nthreshold = {threshold}\n"
        );
        let file = BudgetFile::parse("x", &text, Library::shipped()).unwrap();
        evaluate(&file, Library::shipped()).outputs.remove(0)
    };
    let found = rule(0.91);
    let conformity = found.conformity.unwrap();
    assert!(conformity.decision.probability > 0.91);
    assert_eq!(conformity.decision.verdict, Verdict::Fail);
    // The fraction of 10⁶ trials is known to 3e-4: seed 1 gives one within twice that of 0.9.
    let close = rule(0.9);
    let kinds: Vec<_> = close.cautions.iter().map(|one| one.kind).collect();
    assert!(kinds.contains(&CautionKind::Conformity), "{kinds:?}");
}

#[test]
fn without_outputs_the_last_result_is_whole() {
    let text = "title = 'x'\nmodel = '''\ncomplex G\nz = abs(G)\ny = G * G\n'''\n\
                [inputs.'G.re']\nvalue = 1\nu = 0.1\n[inputs.'G.im']\nvalue = 1\nu = 0.1\n";
    let file = BudgetFile::parse("x", text, Library::shipped()).unwrap();
    let symbols: Vec<_> = file.outputs.iter().map(|one| one.symbol.as_str()).collect();
    assert_eq!(symbols, ["y.re", "y.im"]);
}

#[test]
fn a_law_without_standard_deviation_reports_that_of_first_order() {
    let evaluation = evaluated("weight-ea402-s2.toml");
    let found = output(&evaluation, "m");
    assert!(!found.spread);
    let reported = found.reported.as_ref().unwrap();
    assert_eq!(reported.u, found.first_order.as_ref().unwrap().u);
    assert_eq!(reported.k, None);
}

#[test]
fn the_same_file_gives_the_same_bits() {
    let json = |name| serde_json::to_string(&evaluated(name)).unwrap();
    let name = "gauge-block-jcgm101-9-5.toml";
    assert_eq!(json(name), json(name));
}

#[test]
fn improvements_are_ranked_by_their_gain() {
    let file = read("gauge-block-gum-h1.toml");
    let evaluation = evaluate(&file, Library::shipped());
    let found = explain(&file, &evaluation.outputs[0]).unwrap();
    let symbols: Vec<_> = found
        .improvements
        .iter()
        .map(|one| one.symbol.as_str())
        .collect();
    // 27 % of the variance with 2 degrees of freedom gains more than 62 % with 18.
    assert_eq!(symbols[..2], ["d_theta", "l_s"]);
    // Without l_s few degrees of freedom are left: by hand, u² = 31.66² − 25² = 377.6 and
    // ν = 377.6²/(16.6⁴/2 + 6.7⁴/8 + 5.8⁴/24 + 3.9⁴/5 + 2.89⁴/50) = 3.7, t99(3) = 5.84.
    assert!((found.improvements[1].removed - 5.84 * 19.43).abs() < 0.2);
    // Halving a lone normal input halves U.
    let text = "title = 'x'\nmodel = 'y = 3 * x'\n[inputs.x]\nvalue = 1\nu = 0.5\n";
    let file = BudgetFile::parse("x", text, Library::shipped()).unwrap();
    let evaluation = evaluate(&file, Library::shipped());
    let found = explain(&file, &evaluation.outputs[0]).unwrap();
    assert_eq!(found.improvements[0].halved, 0.5 * found.expanded);
    assert_eq!(found.improvements[0].removed, 0.0);
}

#[test]
fn a_replaced_value_takes_its_per_cent_along() {
    let text = "title = 'x'\nmodel = 'y = a + b'\n[inputs.a]\nvalue = 100\nu = '1 % + 0.5'\n\
                [inputs.b]\nreadings = [1.0, 2.0, 4.0]\n";
    let set = |symbol: &str, what, value| Setting {
        symbol: symbol.to_owned(),
        what,
        value,
    };
    let settings = [
        set("a", Replaced::Value, 200.0),
        set("b", Replaced::U, 0.25),
        set("b", Replaced::Dof, 7.0),
    ];
    let file = BudgetFile::parse_with("x", text, Library::shipped(), &settings).unwrap();
    let [a, b] = &file.inputs.quantities[..] else {
        panic!("two inputs")
    };
    assert_eq!((a.value, a.u), (200.0, 2.5));
    assert_eq!((b.u, b.dof), (0.25, 7.0));
    let unknown = [set("c", Replaced::U, 1.0)];
    let refused = BudgetFile::parse_with("x", text, Library::shipped(), &unknown).unwrap_err();
    assert!(refused[0].to_string().contains("no input of the model"));
}

/// Value, u and degrees of freedom of the only input that is stated like this.
fn stated(lines: &str) -> (f64, f64, f64, Distribution) {
    let text = format!("title = 'x'\nmodel = 'y = x'\n[inputs.x]\n{lines}\n");
    let file = BudgetFile::parse("x", &text, Library::shipped())
        .unwrap_or_else(|found| panic!("{lines}: {found:?}"));
    let input = file.inputs.quantities[0].clone();
    (input.value, input.u, input.dof, input.distribution)
}

#[test]
#[rustfmt::skip]
fn every_way_of_stating_knowledge_is_understood() {
    use Distribution::*;
    let inf = f64::INFINITY;
    // u by the formulas of JCGM 100:2008, 4.3 and JCGM 101:2008, table 1.
    let cases = [
        ("value = 5\nexact = true", (5.0, 0.0, inf, Constant)),
        ("value = 5\ndist = 'constant'", (5.0, 0.0, inf, Constant)),
        ("value = 5\nu = 0.5", (5.0, 0.5, inf, Normal)),
        ("value = -5\nu = '10 %'", (-5.0, 0.5, inf, Normal)),
        ("value = -5\nu_rel = 0.1", (-5.0, 0.5, inf, Normal)),
        ("value = 5\nu = 0.5\ndof = 9", (5.0, 0.5, 9.0, StudentT)),
        ("value = 5\nu = 0.5\ndof = inf", (5.0, 0.5, inf, Normal)),
        ("value = 5\nu = 0.5\ndof = 9\ndist = 'normal'", (5.0, 0.5, 9.0, Normal)),
        ("value = 5\nexpanded = 1\nk = 2", (5.0, 0.5, inf, Normal)),
        ("value = 5\nexpanded = 1\nk = 2\ndof = 9", (5.0, 0.5, 9.0, StudentT)),
        ("value = 5\nhalf_width = 3\ndist = 'rectangular'", (5.0, 3.0 / 3_f64.sqrt(), inf, Rectangular)),
        ("lower = 2\nupper = 8\ndist = 'rectangular'", (5.0, 3.0 / 3_f64.sqrt(), inf, Rectangular)),
        ("lower = 2\nupper = 8\nvalue = 5\ndist = 'triangular'", (5.0, 3.0 / 6_f64.sqrt(), inf, Triangular)),
        ("value = 5\nhalf_width = 3\ndist = 'arcsine'", (5.0, 3.0 / 2_f64.sqrt(), inf, UShaped)),
        ("value = 5\nhalf_width = 3\nbeta = 0.5\ndist = 'trapezoidal'", (5.0, 3.0 * (1.25_f64 / 6.0).sqrt(), inf, Trapezoidal { beta: 0.5 })),
        ("value = 5\nhalf_width = 3\nd = 1.5\ndist = 'ctrap'", (5.0, (3.0_f64 + 0.25).sqrt(), inf, CurvilinearTrapezoid { ratio: 0.5 })),
        ("value = 5\nscale = 0.5\ndof = 4", (5.0, 0.5, 4.0, StudentT)),
        ("value = 5\nsd = 0.5\ndof = 4\ndist = 't'", (5.0, 0.5, 4.0, StudentTSd)),
        ("value = 5\ndist = 'exponential'", (5.0, 5.0, inf, Exponential)),
        ("value = 5\nu = 2.5\ndist = 'gamma'", (5.0, 2.5, inf, Gamma { shape: 4.0 })),
        ("counts = 8", (9.0, 3.0, inf, Gamma { shape: 9.0 })),
        ("lower = 0\nupper = 6\nalpha = 1\nbeta = 1\ndist = 'beta'", (3.0, 3.0_f64.sqrt(), inf, Beta { alpha: 1.0, beta: 1.0 })),
        ("value = 5\nu = 0.5\ndist = 'lognormal'", (5.0, 0.5, inf, LogNormal)),
        ("value = 9\ndist = 'poisson'", (9.0, 3.0, inf, Poisson)),
        ("values = [2, 8]", (5.0, 3.0, inf, Empirical { values: vec![2.0, 8.0] })),
        ("values = [0, 8]\nweights = [1, 3]", (6.0, 12_f64.sqrt(), inf, Discrete { values: vec![0.0, 8.0], weights: vec![1.0, 3.0] })),
        ("readings = [1, 2, 3, 2]", (2.0, (2.0_f64 / 3.0).sqrt() / 2.0, 3.0, StudentT)),
        ("readings = [1, 2, 3, 2]\ndist = 'normal'", (2.0, (2.0_f64 / 3.0).sqrt() / 2.0, 3.0, Normal)),
    ];
    for (lines, (value, u, dof, distribution)) in cases {
        let found = stated(lines);
        // Two roundings of a square root and a quotient.
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= 4.0 * f64::EPSILON * b.abs();
        let same = near(found.0, value) && near(found.1, u) && found.2 == dof;
        assert!(same && found.3 == distribution, "{lines}: {found:?}");
    }
    // 2.262 is t for 95 % and 9 degrees of freedom (JCGM 100:2008, table G.2: 2.26).
    let (_, u, ..) = stated("value = 5\nexpanded = 2.26\ncoverage = 0.95\ndof = 9");
    assert!((u - 1.0).abs() < 0.0025, "{u}");
}

/// A sound head in four lines; each case adds what follows.
const HEAD: &str = "title = 'x'\nmodel = \"\"\"\ny = a + b\n\"\"\"\n";
const A: &str = "[inputs.a]\nvalue = 1\nu = 0.1\n";
const B: &str = "[inputs.b]\nvalue = 1\nu = 0.1\n";

fn refused(text: &str) -> Vec<FileDiagnostic> {
    match BudgetFile::parse("b.toml", text, Library::shipped()) {
        Err(found) => found,
        Ok(_) => panic!("accepted: {text}"),
    }
}

#[test]
#[rustfmt::skip]
fn malformed_files_are_refused_at_their_place() {
    let whole = |rest: &str| format!("{HEAD}{A}{rest}");
    // The table of b begins at line 8.
    let input = |lines: &str| whole(&format!("[inputs.b]\n{lines}\n"));
    let both = |rest: &str| whole(&format!("{B}{rest}"));
    let cases: Vec<(&str, String, (usize, usize), &str)> = vec![
        ("empty file", String::new(), (1, 1), "missing field `title`"),
        ("no model", "title = 'x'".into(), (1, 1), "missing field `model`"),
        ("not TOML", "title = ".into(), (1, 9), "value"),
        ("unknown key at the top", format!("colour = 1\n{HEAD}"), (1, 1), "unknown field `colour`"),
        ("unknown key of an input", input("value = 1\nunc = 2"), (10, 1), "unknown field `unc`"),
        ("unknown distribution", input("value = 1\nu = 1\ndist = 'gauss'"), (11, 8), "unknown variant `gauss`"),
        ("unknown unit", input("value = 1\nu = 1\nunit = 'furlong'"), (11, 8), "furlong"),
        ("model: syntax", HEAD.replace("a + b", "a + ") + A, (3, 9), "expected"),
        ("model: unknown function", HEAD.replace("a + b", "a + sinus(b)") + A, (3, 9), "sinus"),
        ("model: empty", "title = 'x'\nmodel = ''\n".into(), (2, 9), ""),
        ("input that the model has not", both("[inputs.c]\nvalue = 1\nu = 1\n"), (11, 9), "no input \"c\""),
        ("input that the model computes", both("[inputs.y]\nvalue = 1\nu = 1\n"), (11, 9), "computed by the model"),
        ("input of which nothing is stated", whole(""), (2, 9), "\"b\", of which nothing is stated"),
        ("unknown is not zero", input("value = 1"), (8, 9), "nothing says how well it is known"),
        ("exact = false", input("value = 1\nexact = false"), (10, 9), "states nothing"),
        ("no value", input("u = 1"), (8, 9), "`value` is missing"),
        ("nan", input("value = nan\nu = 1"), (9, 9), "NaN is no value"),
        ("infinite", input("value = inf\nu = 1"), (9, 9), "inf is no value"),
        ("u is nan", input("value = 1\nu = nan"), (10, 5), "`u` is NaN"),
        ("u is infinite", input("value = 1\nu = inf"), (10, 5), "`u` is inf"),
        ("u is negative", input("value = 1\nu = -1"), (10, 5), "`u` is -1"),
        ("u with a comma", input("value = 1\nu = '0,5 %'"), (10, 5), "0,5 %"),
        ("no degrees of freedom", input("value = 1\nu = 1\ndof = 0"), (11, 7), "0 degrees of freedom"),
        ("degrees of freedom nan", input("value = 1\nu = 1\ndof = nan"), (11, 7), "NaN degrees of freedom"),
        ("t needs dof", input("value = 1\nscale = 1"), (8, 9), "`dof` is missing"),
        ("sd of t with 2 dof", input("value = 1\nsd = 1\ndof = 2"), (8, 9), "more than 2"),
        ("U without k", input("value = 1\nexpanded = 1"), (8, 9), "without its coverage factor"),
        ("k of 0", input("value = 1\nexpanded = 1\nk = 0"), (11, 5), "`k` is 0"),
        ("two ways at once", input("value = 1\nu = 1\nhalf_width = 2"), (10, 5), "`u` does not go with `half_width`"),
        ("limits without a law", input("value = 1\nhalf_width = 2"), (8, 9), "limits without a distribution"),
        ("normal limits", input("value = 1\nhalf_width = 2\ndist = 'normal'"), (11, 8), "cannot be meant here"),
        ("limits exchanged", input("lower = 2\nupper = 1\ndist = 'rectangular'"), (10, 9), "lies below"),
        ("value beside the middle", input("lower = 0\nupper = 1\nvalue = 0.4\ndist = 'rectangular'"), (11, 9), "not in the middle"),
        ("upper alone", input("upper = 1\ndist = 'rectangular'"), (8, 9), "`lower` is missing"),
        ("lower alone", input("lower = 1\ndist = 'rectangular'"), (8, 9), "`upper` is missing"),
        ("ctrap with a wide d", input("value = 1\nhalf_width = 1\nd = 2\ndist = 'ctrap'"), (11, 5), "±2"),
        ("trapezoid too wide", input("value = 1\nhalf_width = 1\nbeta = 2\ndist = 'trapezoidal'"), (8, 9), "ratio from 0 to 1"),
        ("one reading", input("readings = [1]"), (9, 12), "at least 2"),
        ("a reading that is none", input("readings = [1, nan]"), (9, 16), "NaN is no value"),
        ("weights that do not fit", input("values = [1, 2]\nweights = [1]"), (10, 11), "do not fit"),
        ("log-normal of 0", input("value = 0\nu = 1\ndist = 'lognormal'"), (8, 9), "positive"),
        ("exponential of 0", input("value = 0\ndist = 'exponential'"), (8, 9), "0 or less"),
        ("correlation above 1", both("[[correlations]]\nbetween = ['a', 'b']\nr = 1.5\n"), (13, 5), "must lie between -1 and 1"),
        ("correlation nan", both("[[correlations]]\nbetween = ['a', 'b']\nr = nan\n"), (13, 5), "must lie between -1 and 1"),
        ("correlation twice", both("[[correlations]]\nbetween = ['a', 'b']\nr = 0.5\n[[correlations]]\nbetween = ['b', 'a']\nr = 0.4\n"), (16, 5), "given twice"),
        ("correlation of the unknown", both("[[correlations]]\nbetween = ['a', 'c']\nr = 0.5\n"), (12, 17), "no input \"c\""),
        ("correlation of three", both("[[correlations]]\nbetween = ['a', 'b', 'y']\nr = 0.5\n"), (12, 11), "of 3 inputs"),
        ("an ensemble of the unknown", both("[[ensembles]]\ninputs = ['a', 'c']\n"), (12, 16), "no input \"c\""),
        ("two ensembles", both("[[ensembles]]\ninputs = ['a', 'b', 'a']\n"), (12, 21), "two ensembles"),
        ("output that is none", both("[outputs.z]\n"), (11, 10), "computes no \"z\""),
        ("limits without rule", both("[outputs.y]\nupper = 1\n"), (12, 9), "without a decision rule"),
        ("rule without limits", both("[outputs.y]\nrule = 'simple'\n"), (12, 8), "without limits"),
        ("no threshold", both("[outputs.y]\nupper = 1\nrule = 'probability'\n"), (13, 8), "needs a threshold"),
        ("tolerance reversed", both("[outputs.y]\nlower = 2\nupper = 1\nrule = 'simple'\n"), (12, 9), "no conforming value"),
        ("nine digits", both("[outputs.y]\ndigits = 9\n"), (12, 10), "9 significant digits"),
        ("coverage of 95", both("[evaluation]\ncoverage = 95\n"), (12, 12), "coverage probability 95"),
        ("trials and adaptive", both("[evaluation]\ntrials = 5000\nadaptive = {}\n"), (12, 10), "beside `adaptive`"),
        ("rows of unequal length", format!("{HEAD}[[simultaneous]]\ncolumns = ['a', 'b']\nrows = [[1, 2], [3]]\n"), (7, 17), "a row of 1 readings"),
        ("one row", format!("{HEAD}[[simultaneous]]\ncolumns = ['a', 'b']\nrows = [[1, 2]]\n"), (7, 8), "1 rows"),
        ("stated and simultaneous", format!("{HEAD}{A}[[simultaneous]]\ncolumns = ['a', 'b']\nrows = [[1, 2], [2, 3], [2, 1]]\n"), (6, 9), "beside the simultaneous readings"),
        ("units that clash", format!("{HEAD}[inputs.a]\nvalue = 1\nu = 1\nunit = 'mm'\n[inputs.b]\nvalue = 1\nu = 1\nunit = 'K'\n"), (3, 7), "m and K"),
        ("result in another unit", HEAD.replace("a + b", "a * b") + "[inputs.a]\nvalue = 1\nu = 1\nunit = 'V'\n[inputs.b]\nvalue = 1\nu = 1\nunit = 'A'\n[outputs.y]\nunit = 'V'\n", (3, 1), "V"),
    ];
    let mut wrong = Vec::new();
    for (what, text, place, word) in &cases {
        let found = refused(text);
        let first = &found[0];
        let here = (first.line, first.column) == *place && first.to_string().contains(word);
        if !here {
            wrong.push(format!("{what}: wanted {place:?} {word:?}, found {found:#?}"));
        }
        // Each says what to do, but for a finding of the model that needs no more words.
        assert!(first.help.is_some() || first.line == 3 || what.contains("model"), "{what}: {first}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn contradicting_correlations_are_refused() {
    // r of 0.9, 0.9 and −0.9 among three inputs: the variance of −x1 + x2 + x3 would be −2.4.
    let pair =
        |a: &str, b: &str, r: f64| format!("[[correlations]]\nbetween = ['{a}', '{b}']\nr = {r}\n");
    let text = format!(
        "title = 'x'\nmodel = 'y = a + b + c'\n{A}{B}{}{}{}{}",
        B.replace(".b]", ".c]"),
        pair("a", "b", 0.9),
        pair("a", "c", 0.9),
        pair("b", "c", -0.9)
    );
    let found = &refused(&text)[0];
    assert!(found.message.contains("contradict"), "{found}");
    assert!(found.line > 11, "{found}");
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let text = format!("title = '{}'", "x".repeat(9 << 20));
    assert!(refused(&text)[0].message.contains("bytes"));
}

#[test]
fn all_problems_are_told_at_once() {
    let text = format!("{HEAD}[inputs.a]\nvalue = 1\n[inputs.b]\nvalue = nan\nu = 1\n");
    assert_eq!(refused(&text).len(), 2);
}

/// The names in backticks of "unknown field `?`, expected one of `a`, `b`" and its like.
fn expected_of(text: &str) -> Vec<String> {
    let found = &refused(text)[0];
    let (_, names) = found
        .message
        .split_once("expected")
        .unwrap_or_else(|| panic!("{found}"));
    let mut names: Vec<_> = names
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// What the reader accepts is what the schema lists, and nothing else.
#[test]
fn the_schema_lists_the_keys_and_words_of_the_file() {
    let schema: Value = serde_json::from_str(BUDGET_SCHEMA).unwrap();
    let keys = |place: &Value| {
        let mut keys: Vec<_> = place["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        keys.sort();
        keys
    };
    let words = |place: &Value| {
        let words = place["enum"].as_array().unwrap().iter();
        let mut words: Vec<_> = words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect();
        words.sort();
        words
    };
    let defined = &schema["$defs"];
    let tables = [
        ("zz = 1\n".to_owned() + HEAD, &schema),
        (format!("{HEAD}[inputs.a]\nzz = 1"), &defined["input"]),
        (
            format!("{HEAD}[[simultaneous]]\nzz = 1"),
            &defined["simultaneous"],
        ),
        (
            format!("{HEAD}[[correlations]]\nzz = 1"),
            &defined["correlation"],
        ),
        (format!("{HEAD}[[ensembles]]\nzz = 1"), &defined["ensemble"]),
        (format!("{HEAD}[outputs.y]\nzz = 1"), &defined["output"]),
        (
            format!("{HEAD}[evaluation]\nzz = 1"),
            &defined["evaluation"],
        ),
        (
            format!("{HEAD}[evaluation.adaptive]\nzz = 1"),
            &defined["adaptive"],
        ),
    ];
    for (text, place) in tables {
        assert_eq!(expected_of(&text), keys(place), "{text}");
        assert_eq!(place["additionalProperties"], false, "{text}");
    }
    let lists = [
        (
            format!("{HEAD}[inputs.a]\ndist = 'zz'"),
            &defined["input"]["properties"]["dist"],
        ),
        (
            format!("{HEAD}[outputs.y]\nrule = 'zz'"),
            &defined["output"]["properties"]["rule"],
        ),
        (
            format!("correlation_measure = 'zz'\n{HEAD}"),
            &schema["properties"]["correlation_measure"],
        ),
        (
            format!("{HEAD}[evaluation.adaptive]\ninterval = 'zz'"),
            &defined["adaptive"]["properties"]["interval"],
        ),
    ];
    for (text, place) in lists {
        assert_eq!(expected_of(&text), words(place), "{text}");
    }
}
