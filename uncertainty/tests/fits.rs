//! Least-squares fits against certified and published values.

use std::path::Path;

use heng_uncertainty::{
    CoordinateScatter, Fit, FitError, FitScale, Input, InverseError, Library, Model, Polynomial,
    Reading, Sampling, Scatter, coverage_factor, line_of_uncertain_points, linear_fit, monte_carlo,
    propagate,
};
use proptest::prelude::*;
use serde_json::Value;

/// A data set of the Statistical Reference Datasets.
struct Certified {
    estimates: Vec<f64>,
    deviations: Vec<f64>,
    s: f64,
    r_squared: f64,
    /// Columns of the data: y first.
    columns: Vec<Vec<f64>>,
}

fn fixture(folder: &str, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(folder);
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn numbers(line: &str) -> Vec<f64> {
    let words = line.split_whitespace().map(str::parse::<f64>);
    words.collect::<Result<_, _>>().unwrap_or_default()
}

fn certified(name: &str) -> Certified {
    let text = fixture("nist-strd", &format!("{name}.dat"));
    let (head, data) = text.split_once("Data:").unwrap();
    let last = |start: &str| {
        let line = head
            .lines()
            .find(|line| line.trim().starts_with(start))
            .unwrap();
        line.split_whitespace()
            .last()
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    let residual = head.split_once("Residual").unwrap().1;
    let s = residual
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .last()
        .unwrap();
    let (mut estimates, mut deviations) = (Vec::new(), Vec::new());
    for line in head.lines().filter(|line| line.trim().starts_with('B')) {
        let found = numbers(line.trim().split_once(' ').unwrap().1);
        estimates.push(found[0]);
        deviations.push(found[1]);
    }
    let rows: Vec<Vec<f64>> = data.lines().skip(1).map(numbers).collect();
    let column = |at: usize| rows.iter().map(|row| row[at]).collect();
    Certified {
        estimates,
        deviations,
        s: s.parse().unwrap(),
        r_squared: last("R-Squared"),
        columns: (0..rows[0].len()).map(column).collect(),
    }
}

fn fit(name: &str, set: &Certified) -> Fit {
    let (y, x) = (&set.columns[0], &set.columns[1]);
    let polynomial = match name {
        "Norris" => Polynomial::line(),
        "NoInt1" | "NoInt2" => Polynomial::line().through_origin(),
        "Pontius" => Polynomial::of_degree(2),
        "Filip" => Polynomial::of_degree(10),
        "Longley" => {
            let ones = vec![1.0; y.len()];
            let mut columns = vec![("B0", &ones[..])];
            let names = ["B1", "B2", "B3", "B4", "B5", "B6"];
            columns.extend(
                names
                    .into_iter()
                    .zip(set.columns[1..].iter().map(Vec::as_slice)),
            );
            return linear_fit(&columns, y, Scatter::Unknown).unwrap();
        }
        _ => Polynomial::of_degree(5),
    };
    polynomial.fit(x, y, Scatter::Unknown).unwrap()
}

/// Logarithm of the relative error (of the error itself where the certified value is 0), turned
/// round: the number of digits that agree, at most 15.
fn digits(found: f64, certified: f64) -> f64 {
    let scale = if certified == 0.0 {
        1.0
    } else {
        certified.abs()
    };
    let error = (found - certified).abs() / scale;
    if error == 0.0 {
        15.0
    } else {
        (-libm::log10(error)).min(15.0)
    }
}

fn least(found: &[f64], certified: &[f64]) -> f64 {
    assert_eq!(found.len(), certified.len());
    let pairs = found.iter().zip(certified);
    pairs.fold(15.0, |least: f64, (&found, &certified)| {
        least.min(digits(found, certified))
    })
}

/// Digits that must agree: of estimates, of their standard deviations, of s and of R². The
/// certified values have 15. What is missing beyond the fifteenth comes from the data, whose
/// decimals have no exact binary form: the same is found from them with 60 digits.
const FLOORS: [(&str, [f64; 4]); 11] = [
    ("Norris", [13.8, 13.8, 13.8, 14.5]),
    ("Pontius", [13.3, 13.5, 13.5, 14.5]),
    ("NoInt1", [14.5, 14.5, 14.5, 14.5]),
    ("NoInt2", [14.5, 14.5, 14.5, 14.5]),
    ("Filip", [13.5, 14.0, 14.0, 14.5]),
    ("Longley", [14.0, 14.5, 14.5, 14.5]),
    ("Wampler1", [14.9, 14.9, 14.9, 14.9]),
    ("Wampler2", [13.0, 14.9, 14.9, 14.9]),
    ("Wampler3", [14.9, 14.0, 14.5, 14.5]),
    ("Wampler4", [14.9, 14.0, 14.5, 14.5]),
    ("Wampler5", [14.9, 14.0, 14.5, 14.5]),
];

#[test]
fn certified_values_of_the_reference_datasets() {
    for (name, floors) in FLOORS {
        let set = certified(name);
        let fit = fit(name, &set);
        let found = [
            least(&fit.estimates, &set.estimates),
            least(&fit.uncertainties().unwrap(), &set.deviations),
            digits(fit.s.unwrap(), set.s),
            digits(fit.r_squared.unwrap(), set.r_squared),
        ];
        println!(
            "{name:9} estimates {:.1}, deviations {:.1}, s {:.1}, R² {:.1}",
            found[0], found[1], found[2], found[3]
        );
        for (found, floor) in found.into_iter().zip(floors) {
            assert!(found >= floor, "{name}: {found} digits, not {floor}");
        }
    }
}

fn references() -> Value {
    let text = fixture("references", "fits.json");
    serde_json::from_str(&text).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap();
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(list).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64, relative: f64) {
    let limit = relative * expected.abs().max(1e-12);
    assert!((found - expected).abs() <= limit, "{found} for {expected}");
}

/// The other program minimised over line and adjusted abscissae together, in double precision.
fn holds_line(case: &Value, fit: &Fit) {
    let expected = &case["expected"];
    let (u, covariance) = (fit.uncertainties().unwrap(), fit.covariance().unwrap());
    let test = fit.consistency(0.95).unwrap();
    for (found, name) in [
        (fit.estimates[0], "b0"),
        (fit.estimates[1], "b1"),
        (u[0], "u_b0"),
        (u[1], "u_b1"),
        (covariance[0][1], "cov"),
        (test.chi_squared, "chi_squared"),
        (test.limit, "limit"),
        (test.probability, "probability"),
    ] {
        near(found, number(&expected[name]), 1e-9);
    }
    assert!(test.consistent);
}

#[test]
fn both_coordinates_uncertain_as_in_iso_ts_28037() {
    let all = references();
    for name in ["clause_7", "clause_8"] {
        let case = &all[name];
        let [x, y, u_x, u_y, covariances] =
            ["x", "y", "u_x", "u_y", "covariances"].map(|key| list(&case[key]));
        let scatter = CoordinateScatter::Points {
            u_x: &u_x,
            u_y: &u_y,
            covariances: &covariances,
        };
        let fit = line_of_uncertain_points(&x, &y, &scatter).unwrap();
        holds_line(case, &fit);
        // The same as a matrix of all coordinates.
        let n = x.len();
        let mut matrix = vec![vec![0.0; 2 * n]; 2 * n];
        for at in 0..n {
            matrix[at][at] = u_x[at] * u_x[at];
            matrix[n + at][n + at] = u_y[at] * u_y[at];
            matrix[at][n + at] = covariances[at];
            matrix[n + at][at] = covariances[at];
        }
        let joint = CoordinateScatter::Joint(&matrix);
        let joint = line_of_uncertain_points(&x, &y, &joint).unwrap();
        holds_line(case, &joint);
        assert!(least(&joint.estimates, &fit.estimates) > 10.0);
    }
    // Published for clause 7: four decimals.
    let expected = &all["clause_7"]["expected"];
    for (name, published) in [
        ("b0", 0.5788),
        ("b1", 2.1597),
        ("u_b0", 0.4764),
        ("u_b1", 0.1355),
    ] {
        assert!((number(&expected[name]) - published).abs() <= 5e-5);
    }
    let case = &all["clause_10"];
    let matrix = rows(&case["joint"]);
    let (x, y) = (list(&case["x"]), list(&case["y"]));
    let fit = line_of_uncertain_points(&x, &y, &CoordinateScatter::Joint(&matrix)).unwrap();
    holds_line(case, &fit);
}

#[test]
fn exact_abscissae_are_a_weighted_fit_and_exchanged_axes_the_inverse_line() {
    let (x, y) = ([1.0, 2.0, 3.5, 4.0, 6.0], [2.2, 3.9, 7.3, 7.8, 12.1]);
    let (u_x, u_y) = ([0.1, 0.2, 0.1, 0.15, 0.1], [0.3, 0.1, 0.2, 0.2, 0.3]);
    let line = |x: &[f64], u_x: &[f64], y: &[f64], u_y: &[f64]| {
        let covariances = &[][..];
        let scatter = CoordinateScatter::Points {
            u_x,
            u_y,
            covariances,
        };
        line_of_uncertain_points(x, y, &scatter).unwrap()
    };
    let weighted = Polynomial::line()
        .fit(&x, &y, Scatter::Stated(&u_y))
        .unwrap();
    let exact = line(&x, &[0.0; 5], &y, &u_y);
    assert!(least(&exact.estimates, &weighted.estimates) > 14.0);
    assert!(least(&exact.cofactor[0], &weighted.cofactor[0]) > 14.0);
    let (there, back) = (line(&x, &u_x, &y, &u_y), line(&y, &u_y, &x, &u_x));
    near(back.estimates[1], 1.0 / there.estimates[1], 1e-10);
    near(
        back.estimates[0],
        -there.estimates[0] / there.estimates[1],
        1e-10,
    );
    near(back.sum_of_squares, there.sum_of_squares, 1e-10);
    // Exact ordinates: the regression of x on y.
    let of_x = Polynomial::line()
        .fit(&y, &x, Scatter::Stated(&u_x))
        .unwrap();
    near(
        line(&x, &u_x, &y, &[0.0; 5]).estimates[1],
        1.0 / of_x.estimates[1],
        1e-10,
    );
}

#[test]
fn weighted_lines_as_in_iso_ts_28037() {
    // Clause 6.3, example 2; digits as printed.
    let (x, y) = (
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        [3.2, 4.3, 7.6, 8.6, 11.7, 12.8],
    );
    let u = [0.5, 0.5, 0.5, 1.0, 1.0, 1.0];
    let line = Polynomial::line();
    let fit = line.fit(&x, &y, Scatter::Stated(&u)).unwrap();
    let (found, covariance) = (fit.uncertainties().unwrap(), fit.covariance().unwrap());
    for (found, printed, half) in [
        (fit.estimates[0], 0.8852, 5e-5),
        (fit.estimates[1], 2.0570, 5e-5),
        (found[0], 0.5297081, 5e-8),
        (found[1], 0.1778920, 5e-8),
        (covariance[0][1], -0.08227848, 5e-9),
        (fit.sum_of_squares, 4.131, 5e-4),
    ] {
        assert!((found - printed).abs() <= half, "{found} {printed}");
    }
    // Clause 11.1: the line used backwards for a reading of 10.5 with u = 1.
    let reading = Reading::Evaluated {
        value: 10.5,
        u: 1.0,
        dof: f64::INFINITY,
    };
    let found = line.inverse(&fit, &reading, 0.95).unwrap();
    assert!((found.value - 4.674).abs() <= 5e-4, "{found:?}");
    assert!(found.dof.is_infinite() && found.fieller.is_some());
    // The same weights, relative only: scaled by s.
    let scaled = line.fit(&x, &y, Scatter::Relative(&u)).unwrap();
    let s = scaled.s.unwrap();
    near(s * s, fit.sum_of_squares / 4.0, 1e-14);
    near(
        scaled.uncertainties().unwrap()[1],
        s * found_u(&fit)[1],
        1e-14,
    );
    assert_eq!(fit.on(FitScale::Residuals), scaled);
}

fn found_u(fit: &Fit) -> Vec<f64> {
    fit.uncertainties().unwrap()
}

#[test]
fn correlated_ordinates_as_by_another_program() {
    let case = &references()["gls"];
    let (x, y, matrix) = (
        list(&case["x"]),
        list(&case["y"]),
        rows(&case["covariance"]),
    );
    let parabola = Polynomial::of_degree(2);
    let fit = parabola.fit(&x, &y, Scatter::Covariance(&matrix)).unwrap();
    let expected = &case["expected"];
    assert!(least(&fit.estimates, &list(&expected["estimates"])) > 10.0);
    for (found, expected) in fit.cofactor.iter().zip(rows(&expected["cofactor"])) {
        assert!(least(found, &expected) > 10.0);
    }
    near(fit.sum_of_squares, number(&expected["chi_squared"]), 1e-9);
    assert_eq!(fit.dof_of_u(), f64::INFINITY);
    // A diagonal matrix is a weighted fit.
    let u: Vec<f64> = (0..8).map(|at| 0.01 * f64::from(at + 1)).collect();
    let mut diagonal = vec![vec![0.0; 8]; 8];
    for (at, u) in u.iter().enumerate() {
        diagonal[at][at] = u * u;
    }
    let each = parabola.fit(&x, &y, Scatter::Stated(&u)).unwrap();
    let joint = parabola
        .fit(&x, &y, Scatter::Covariance(&diagonal))
        .unwrap();
    assert!(least(&joint.estimates, &each.estimates) > 13.0);
    near(joint.r_squared.unwrap(), each.r_squared.unwrap(), 1e-14);
}

#[test]
fn residuals_of_the_thermometer_of_gum_h3() {
    let case = &references()["gum_h3"];
    let (t, b) = (list(&case["t"]), list(&case["b"]));
    let line = Polynomial::line().about(20.0);
    let fit = line.fit(&t, &b, Scatter::Unknown).unwrap();
    let expected = &case["expected"];
    for (at, point) in fit.points.iter().enumerate() {
        near(point.leverage, number(&expected["leverage"][at]), 1e-10);
        near(
            point.standardised.unwrap(),
            number(&expected["standardised"][at]),
            1e-9,
        );
    }
    let residuals = &fit.residuals;
    near(
        residuals.durbin_watson.unwrap(),
        number(&expected["durbin_watson"]),
        1e-10,
    );
    near(residuals.lag1.unwrap(), number(&expected["lag1"]), 1e-10);
    let runs = residuals.runs.as_ref().unwrap();
    assert_eq!(runs.found as f64, number(&expected["runs"]));
    near(runs.expected, number(&expected["runs_expected"]), 1e-12);
    near(runs.sd, number(&expected["runs_sd"]), 1e-12);
    let largest = residuals.largest.as_ref().unwrap();
    near(largest.limit.unwrap(), number(&expected["limit"]), 1e-10);
    assert_eq!(
        largest.standardised,
        fit.points[largest.point].standardised.unwrap()
    );
    near(
        fit.r_squared.unwrap(),
        number(&expected["r_squared"]),
        1e-12,
    );
    // Printed in H.3: y1, u, y2, u, r, s; half a unit of the last digit.
    let u = found_u(&fit);
    for (found, printed, half) in [
        (fit.estimates[0], -0.1712, 5e-5),
        (u[0], 0.0029, 5e-5),
        (fit.estimates[1], 0.00218, 5e-6),
        (u[1], 0.00067, 5e-6),
        (fit.correlation(0, 1), -0.930, 5e-4),
        (fit.s.unwrap(), 0.0035, 5e-5),
    ] {
        assert!((found - printed).abs() <= half, "{found} {printed}");
    }
    let at_30 = line.predict(&fit, 30.0).unwrap();
    near(at_30.u, number(&expected["u_mean_30"]), 1e-10);
    near(
        at_30.u_single.unwrap(),
        number(&expected["u_single_30"]),
        1e-10,
    );
    assert_eq!(at_30.dof, 9.0);
}

#[test]
fn residuals_of_a_weighted_fit_as_by_another_program() {
    let case = &references()["weighted"];
    let [x, y, u] = ["x", "y", "u"].map(|key| list(&case[key]));
    let fit = Polynomial::line()
        .fit(&x, &y, Scatter::Relative(&u))
        .unwrap();
    let expected = &case["expected"];
    for (at, point) in fit.points.iter().enumerate() {
        near(point.leverage, number(&expected["leverage"][at]), 1e-10);
        near(
            point.standardised.unwrap(),
            number(&expected["standardised"][at]),
            1e-9,
        );
    }
    near(fit.s.unwrap(), number(&expected["s"]), 1e-10);
    near(
        fit.r_squared.unwrap(),
        number(&expected["r_squared"]),
        1e-12,
    );
    assert!(least(&found_u(&fit), &list(&expected["bse"])) > 10.0);
}

/// A fitted value by the engine: parameters as inputs of a model.
#[test]
fn a_fit_goes_on_in_the_engine() {
    let case = &references()["gum_h3"];
    let (t, b) = (list(&case["t"]), list(&case["b"]));
    let line = Polynomial::line().about(20.0);
    let fit = line.fit(&t, &b, Scatter::Unknown).unwrap();
    let mut inputs = fit.inputs(&["b0", "b1"]).unwrap();
    inputs.quantities.push(Input::constant("t", 30.0));
    let text = line.model("b", "t");
    let model = Model::compile(&text, Library::shipped()).unwrap();
    let budget = propagate(&model, "b", &inputs, 0.95).unwrap();
    let direct = line.predict(&fit, 30.0).unwrap();
    near(budget.value, direct.value, 1e-13);
    near(budget.u, direct.u, 1e-12);
    near(budget.dof, 9.0, 1e-12);
    // JCGM 102:2011, 5.3.2.2: any linear function of a multivariate t follows t, so the trials
    // end where the law of propagation does; 5 standard errors.
    let trials = monte_carlo(&model, "b", &inputs, &Sampling::with_seed(4)).unwrap();
    let half = 0.5 * (trials.symmetric[1] - trials.symmetric[0]);
    let budget = propagate(&model, "b", &inputs, trials.coverage).unwrap();
    near(half, budget.expanded, 0.01);
    near(trials.u, budget.u * (9.0_f64 / 7.0).sqrt(), 0.005);
    // Stated uncertainties are exactly known: normal, without an ensemble.
    let stated = fit.on(FitScale::Stated).inputs(&["b0", "b1"]).unwrap();
    assert!(stated.ensembles.is_empty() && stated.quantities[0].dof.is_infinite());
}

#[test]
fn fitted_values_of_a_stiff_polynomial_keep_their_digits() {
    let set = certified("Filip");
    let polynomial = Polynomial::of_degree(10);
    // Powers of the distance from the middle: the rounded coefficients then carry the digits.
    let centred = polynomial.about(-5.75);
    let (y, x) = (&set.columns[0], &set.columns[1]);
    let fit = centred.fit(x, y, Scatter::Unknown).unwrap();
    let stiff = polynomial.fit(x, y, Scatter::Unknown).unwrap();
    for (at, expected) in references()["filip"].as_object().unwrap() {
        let at: f64 = at.parse().unwrap();
        let found = centred.predict(&fit, at).unwrap();
        near(found.value, number(&expected["value"]), 1e-12);
        near(found.u, number(&expected["u"]), 1e-12);
        let rough = polynomial.predict(&stiff, at).unwrap();
        near(rough.value, number(&expected["value"]), 1e-6);
        near(rough.u, number(&expected["u"]), 1e-5);
    }
}

#[test]
fn a_line_is_used_backwards_as_in_citac_a5() {
    let case = &references()["fieller"];
    let (x, y) = (list(&case["x"]), list(&case["y"]));
    let reading = Reading::Repeated {
        mean: number(&case["mean"]),
        k: 2,
    };
    for (line, name) in [
        (Polynomial::line(), "line"),
        (Polynomial::line().through_origin(), "origin"),
        (Polynomial::line().about(0.4), "line"),
    ] {
        let fit = line.fit(&x, &y, Scatter::Unknown).unwrap();
        let found = line.inverse(&fit, &reading, 0.95).unwrap();
        let ends = found.fieller.unwrap();
        assert!(
            least(&ends, &list(&case["expected"][name])) > 9.0,
            "{ends:?}"
        );
        // A ratio of sums of products: a few roundings from the whole number.
        let dof = if name == "line" { 13.0 } else { 14.0 };
        assert!((found.dof - dof).abs() < 1e-12 * dof, "{}", found.dof);
        // The trials of the same model and inputs give the exact interval.
        let model = Model::compile(&found.model, Library::shipped()).unwrap();
        let trials = monte_carlo(&model, "x", &found.inputs, &Sampling::with_seed(5)).unwrap();
        let found = line.inverse(&fit, &reading, trials.coverage).unwrap();
        let ends = found.fieller.unwrap();
        for (end, exact) in trials.symmetric.into_iter().zip(ends) {
            assert!((end - exact).abs() < 0.01 * found.expanded, "{end} {exact}");
        }
    }
    let line = Polynomial::line();
    let fit = line.fit(&x, &y, Scatter::Unknown).unwrap();
    let found = line.inverse(&fit, &reading, 0.95).unwrap();
    // Printed: x0 = 0.2601659751037, u = 0.01784461112558.
    near(found.value, 0.2601659751037, 1e-12);
    near(found.u, 0.01784461112558, 1e-12);
    // A reading of its own scatter and few degrees of freedom has no exact interval.
    let own = Reading::Evaluated {
        value: 0.0714,
        u: 0.002,
        dof: 4.0,
    };
    let found = line.inverse(&fit, &own, 0.95).unwrap();
    assert!(found.fieller.is_none() && found.dof > 4.0 && found.dof < 17.0);
}

#[test]
fn the_linewidth_standards_of_nist() {
    // Columns: linewidth, reading, and as NIST computed them: fitted value, and the ends of its
    // interval of 95 %; six decimals.
    let text = fixture("nist-dataplot", "CALIBRATIONLINE.DAT");
    let rows: Vec<Vec<f64>> = text
        .lines()
        .map(numbers)
        .filter(|row| row.len() == 5)
        .collect();
    assert_eq!(rows.len(), 40);
    let column = |at: usize| -> Vec<f64> { rows.iter().map(|row| row[at]).collect() };
    let line = Polynomial::line();
    let fit = line.fit(&column(0), &column(1), Scatter::Unknown).unwrap();
    let t = coverage_factor(fit.dof, 0.95);
    for row in &rows {
        let found = line.predict(&fit, row[0]).unwrap();
        for (found, printed) in [
            (found.value, row[2]),
            (found.value + t * found.u, row[3]),
            (found.value - t * found.u, row[4]),
        ] {
            // Their program worked in single precision: 7 digits.
            assert!((found - printed).abs() <= 2e-6, "{found} {printed}");
        }
    }
}

#[test]
fn load_cell_and_standard_resistor_of_nist() {
    let table = |name: &str, columns: usize| -> Vec<Vec<f64>> {
        let text = fixture("nist-dataplot", name);
        let below = text.rsplit_once("-----").unwrap().1;
        let rows = below
            .lines()
            .map(numbers)
            .filter(|row| row.len() == columns);
        rows.collect()
    };
    let rows = table("LOADCELL.DAT", 2);
    let [x, y] = [0, 1].map(|at| rows.iter().map(|row| row[at]).collect::<Vec<f64>>());
    let fit = Polynomial::of_degree(2)
        .fit(&x, &y, Scatter::Unknown)
        .unwrap();
    // Computed with numpy, which is good to 10 digits here; printed with 8.
    for (found, expected) in [
        (fit.estimates[0], -1.8398047e-05),
        (fit.estimates[1], 0.100102485),
        (fit.estimates[2], 7.031865e-06),
        (fit.s.unwrap(), 3.76403e-05),
    ] {
        near(found, expected, 2e-6);
    }
    // The drift of a resistor: its residuals follow each other, and the fit says so.
    let rows = table("DZIUBA.DAT", 5);
    let year = |row: &Vec<f64>| 1900.0 + row[4] + (row[2] - 1.0) / 12.0 + (row[3] - 1.0) / 365.25;
    let x: Vec<f64> = rows.iter().map(year).collect();
    let y: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let drift = Polynomial::line().about(1983.0);
    let fit = drift.fit(&x, &y, Scatter::Unknown).unwrap();
    assert_eq!((fit.points.len(), fit.dof), (1000, 998.0));
    assert!((fit.estimates[1] - 0.0411381).abs() < 2e-6);
    let later = drift.predict(&fit, 1986.0).unwrap();
    assert!((later.value - 28.118918).abs() < 2e-6);
    assert!((later.u_single.unwrap() - 0.013788).abs() < 2e-6);
    assert!(fit.residuals.lag1.unwrap() > fit.residuals.lag1_limit);
    assert!(fit.residuals.runs.as_ref().unwrap().too_few);
}

#[test]
fn bad_points_are_refused_with_a_cure() {
    let line = Polynomial::line();
    let says = |error: FitError, parts: &[&str]| {
        let text = error.to_string();
        for part in parts {
            assert!(text.contains(part), "{text}");
        }
    };
    let x = [1.0, 2.0, 3.0];
    let refused = |x: &[f64], y: &[f64], scatter: Scatter| line.fit(x, y, scatter).unwrap_err();
    says(
        refused(&x, &[1.0, 2.0], Scatter::Unknown),
        &["3 values for 2 points"],
    );
    says(
        refused(&x, &[1.0, f64::NAN, 2.0], Scatter::Unknown),
        &["ordinate of point 2"],
    );
    says(
        refused(&[1.0, 2.0, f64::INFINITY], &x, Scatter::Unknown),
        &["abscissa of point 3"],
    );
    says(
        refused(&[1.0], &[2.0], Scatter::Unknown),
        &["1 points cannot determine 2 parameters"],
    );
    says(refused(&[], &[], Scatter::Unknown), &["0 points"]);
    says(
        refused(&[2.0; 3], &x, Scatter::Unknown),
        &["1 different abscissae", "measure at more points"],
    );
    let origin = line.through_origin();
    says(
        origin.fit(&[0.0; 3], &x, Scatter::Unknown).unwrap_err(),
        &["0 different abscissae"],
    );
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says(
            refused(&x, &x, Scatter::Stated(&[1.0, bad, 1.0])),
            &["of point 2", "must be positive"],
        );
        says(
            refused(&x, &x, Scatter::Relative(&[1.0, 1.0, bad])),
            &["of point 3"],
        );
    }
    let full = vec![vec![1.0; 3]; 3];
    says(
        refused(&x, &x, Scatter::Covariance(&full)),
        &["row 2", "positive definite"],
    );
    let skew = vec![
        vec![1.0, 0.1, 0.0],
        vec![0.2, 1.0, 0.0],
        vec![0.0, 0.0, 1.0],
    ];
    says(refused(&x, &x, Scatter::Covariance(&skew)), &["symmetric"]);
    says(
        refused(&[1e200, 2e200, 3e200], &x, Scatter::Covariance(&full[..2])),
        &["covariance"],
    );
    let high = Polynomial::of_degree(2).fit(&[1e160, 2e160, 3e160], &x, Scatter::Unknown);
    says(high.unwrap_err(), &["larger unit"]);
    let (u_x, u_y) = ([0.0; 3], [1.0, 0.0, 1.0]);
    let none = CoordinateScatter::Points {
        u_x: &u_x,
        u_y: &u_y,
        covariances: &[],
    };
    says(
        line_of_uncertain_points(&x, &x, &none).unwrap_err(),
        &["of point 2"],
    );
    let beyond = CoordinateScatter::Points {
        u_x: &[1.0; 3],
        u_y: &[1.0; 3],
        covariances: &[2.0; 3],
    };
    says(
        line_of_uncertain_points(&x, &x, &beyond).unwrap_err(),
        &["row 1"],
    );
}

#[test]
fn a_dependent_column_is_named_with_those_it_depends_on() {
    let ones = [1.0; 5];
    let first = [0.1, 0.7, 0.3, 0.9, 0.2];
    let second = [0.5, 0.4, 0.8, 0.1, 0.6];
    // Rounded sums, as measured data are.
    let third: Vec<f64> = first
        .iter()
        .zip(&second)
        .map(|(a, b)| a + 3.0 * b)
        .collect();
    let names = ["constant", "pressure", "humidity", "mixture"];
    let columns = [&ones[..], &first[..], &second[..], &third[..]];
    let columns: Vec<_> = names.into_iter().zip(columns).collect();
    let y = [1.0, 2.0, 3.0, 4.0, 5.5];
    let refused = linear_fit(&columns, &y, Scatter::Unknown).unwrap_err();
    let FitError::Dependent { column, on } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(
        (column.as_str(), on.as_slice()),
        (
            "mixture",
            &["pressure".to_owned(), "humidity".to_owned()][..]
        )
    );
    let zeros = [("nothing", &[0.0; 5][..])];
    let text = linear_fit(&zeros, &y, Scatter::Unknown)
        .unwrap_err()
        .to_string();
    assert!(text.contains("\"nothing\" has only zeros"), "{text}");
    let twice = [("a", &first[..]), ("a", &second[..])];
    let text = linear_fit(&twice, &y, Scatter::Unknown)
        .unwrap_err()
        .to_string();
    assert!(text.contains("two parameters are called \"a\""), "{text}");
    assert_eq!(
        linear_fit(&[], &y, Scatter::Unknown),
        Err(FitError::NoParameters)
    );
}

#[test]
fn without_degrees_of_freedom_there_are_values_only() {
    let line = Polynomial::line();
    let (x, y) = ([1.0, 3.0], [2.0, 8.0]);
    let fit = line.fit(&x, &y, Scatter::Unknown).unwrap();
    assert_eq!(
        (fit.estimates.as_slice(), fit.s, fit.dof),
        (&[-1.0, 3.0][..], None, 0.0)
    );
    for refused in [
        fit.uncertainties().map(|_| ()),
        fit.covariance().map(|_| ()),
        fit.inputs(&["a", "b"]).map(|_| ()),
        line.predict(&fit, 2.0).map(|_| ()),
    ] {
        let text = refused.unwrap_err().to_string();
        assert!(
            text.contains("0 degrees of freedom") && text.contains("state the uncertainties"),
            "{text}"
        );
    }
    assert!(fit.consistency(0.95).is_none());
    // Stated uncertainties do not need any.
    let stated = line.fit(&x, &y, Scatter::Stated(&[0.1, 0.1])).unwrap();
    near(found_u(&stated)[1], 0.1 / 2.0_f64.sqrt(), 1e-15);
    assert!(stated.consistency(0.95).is_none());
    // A question with the wrong number of symbols.
    let text = stated.inputs(&["a"]).unwrap_err().to_string();
    assert!(text.contains("b0, b1; 1 symbols"), "{text}");
}

#[test]
fn a_line_without_slope_is_not_used_backwards() {
    let line = Polynomial::line();
    let (x, y) = ([1.0, 2.0, 3.0, 4.0], [5.0, 5.2, 4.9, 5.1]);
    let fit = line.fit(&x, &y, Scatter::Unknown).unwrap();
    let reading = Reading::Repeated { mean: 5.0, k: 1 };
    let text = line.inverse(&fit, &reading, 0.95).unwrap_err().to_string();
    assert!(
        text.contains("does not differ from 0") && text.contains("wider range"),
        "{text}"
    );
    let parabola = Polynomial::of_degree(2);
    let curved = parabola.fit(&x, &y, Scatter::Unknown).unwrap();
    assert_eq!(
        parabola.inverse(&curved, &reading, 0.95),
        Err(InverseError::NotALine { degree: 2 })
    );
    let good = line
        .fit(&x, &[1.0, 2.1, 2.9, 4.0], Scatter::Stated(&[0.1; 4]))
        .unwrap();
    assert_eq!(
        line.inverse(&good, &reading, 0.95),
        Err(InverseError::UnknownScatter)
    );
    let nan = Reading::Evaluated {
        value: f64::NAN,
        u: 0.1,
        dof: f64::INFINITY,
    };
    assert_eq!(
        line.inverse(&good, &nan, 0.95),
        Err(InverseError::NoReading)
    );
    let none = Reading::Repeated { mean: 2.0, k: 0 };
    let scattered = line
        .fit(&x, &[1.0, 2.1, 2.9, 4.0], Scatter::Unknown)
        .unwrap();
    assert_eq!(
        line.inverse(&scattered, &none, 0.95),
        Err(InverseError::NoReading)
    );
    assert_eq!(
        line.inverse(&scattered, &reading, 1.5),
        Err(InverseError::Probability(1.5))
    );
}

proptest! {
    /// A change of unit by a power of two changes no digit; adding a polynomial of the same
    /// degree to the ordinates adds its coefficients and leaves the residuals.
    #[test]
    fn laws_of_a_fit(
        y in prop::collection::vec(-10.0..10.0_f64, 8),
        slope in -5.0..5.0_f64,
        u in prop::collection::vec(0.1..2.0_f64, 8),
    ) {
        let x: Vec<f64> = (0..8).map(f64::from).collect();
        let line = Polynomial::line();
        let fit = line.fit(&x, &y, Scatter::Relative(&u)).unwrap();
        let doubled: Vec<f64> = y.iter().map(|y| 1024.0 * y).collect();
        let large = line.fit(&x, &doubled, Scatter::Relative(&u)).unwrap();
        prop_assert_eq!(large.estimates[1], 1024.0 * fit.estimates[1]);
        prop_assert_eq!(large.s.unwrap(), 1024.0 * fit.s.unwrap());
        prop_assert_eq!(large.points[3].standardised, fit.points[3].standardised);
        let tilted: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y + slope * x + 1.0).collect();
        let tilted = line.fit(&x, &tilted, Scatter::Relative(&u)).unwrap();
        prop_assert!((tilted.estimates[1] - fit.estimates[1] - slope).abs() < 1e-12);
        prop_assert!((tilted.s.unwrap() - fit.s.unwrap()).abs() < 1e-12);
        // The leverages sum to the number of parameters, the weighted residuals have no part
        // along the columns.
        let sum: f64 = fit.points.iter().map(|point| point.leverage).sum();
        prop_assert!((sum - 2.0).abs() < 1e-13);
        let along: f64 = fit.points.iter().zip(&u).map(|(point, u)| point.weighted / u).sum();
        prop_assert!(along.abs() < 1e-11);
        // In another order of the points the same fit.
        let back = |list: &[f64]| -> Vec<f64> { list.iter().rev().copied().collect() };
        let reversed = line.fit(&back(&x), &back(&y), Scatter::Relative(&back(&u))).unwrap();
        prop_assert!((reversed.estimates[0] - fit.estimates[0]).abs() <= 1e-15 * (1.0 + fit.estimates[0].abs()));
    }

    /// No points make the fit panic or return what is not finite.
    #[test]
    fn any_points_give_finite_numbers_or_an_error(
        x in prop::collection::vec(prop::num::f64::ANY, 0..7),
        y in prop::collection::vec(prop::num::f64::ANY, 0..7),
        degree in 0..4_u32,
    ) {
        let fit = Polynomial::of_degree(degree).fit(&x, &y, Scatter::Unknown);
        if let Ok(fit) = fit {
            prop_assert!(fit.estimates.iter().all(|estimate| estimate.is_finite()));
            prop_assert!(fit.sum_of_squares.is_finite());
        }
        let u = vec![1.0; x.len()];
        let scatter = CoordinateScatter::Points { u_x: &u, u_y: &u, covariances: &[] };
        if let Ok(fit) = line_of_uncertain_points(&x, &y, &scatter) {
            prop_assert!(fit.estimates.iter().all(|estimate| estimate.is_finite()));
        }
    }
}
