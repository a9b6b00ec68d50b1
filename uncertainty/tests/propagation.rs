//! Several outputs, second order, ensembles, implicit equations and warnings, against
//! `propagation.json`, `gum.json` and closed forms.

use heng_uncertainty::{
    Budget, Correlation, Input, Inputs, JointBudget, Library, Model, PropagationError, Propagator,
    SecondOrder, Warning, coverage_factor, propagate, propagate_all, second_order,
};
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};

mod reference;
use reference::{inputs_of, number};

fn cases() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/references/propagation.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn case(id: &str) -> Value {
    let here = cases().into_iter().find(|case| case["id"] == id);
    here.unwrap_or_else(|| reference::case(id))
}

fn compiled(text: &str) -> Model {
    Model::compile(text, Library::shipped()).unwrap()
}

fn model_of(case: &Value) -> Model {
    let lines = case["model"].as_object().unwrap().iter();
    let lines = lines.map(|(name, text)| format!("{name} = {}", text.as_str().unwrap()));
    compiled(&lines.collect::<Vec<_>>().join("\n"))
}

fn all_of(case: &Value) -> Inputs {
    let pairs = case["correlation"].as_array().into_iter().flatten();
    Inputs {
        correlations: pairs
            .map(|pair| {
                correlation(
                    pair[0].as_str().unwrap(),
                    pair[1].as_str().unwrap(),
                    number(&pair[2]),
                )
            })
            .collect(),
        ..inputs_of(case).into()
    }
}

fn correlation(a: &str, b: &str, r: f64) -> Correlation {
    Correlation {
        a: a.into(),
        b: b.into(),
        r,
    }
}

fn correlated(quantities: Vec<Input>, pairs: &[(&str, &str, f64)]) -> Inputs {
    Inputs {
        correlations: pairs
            .iter()
            .map(|&(a, b, r)| correlation(a, b, r))
            .collect(),
        ..quantities.into()
    }
}

fn within(case: &Value, expected: &Value, found: f64) {
    let (wanted, tolerance) = (number(&expected["value"]), number(&expected["tol"]));
    assert!(
        (found - wanted).abs() <= tolerance,
        "{}: {expected} found {found}",
        case["id"]
    );
}

fn figure(budget: &Budget, what: &str) -> f64 {
    match what {
        "value" => budget.value,
        "u" => budget.u,
        "dof" => budget.dof,
        "U95" => budget.expanded,
        other => panic!("{other}"),
    }
}

/// A figure of one output, or of two whose names a comma parts.
fn joint_figure(joint: &JointBudget, of: &str, what: &str) -> f64 {
    let place = |name: &str| {
        let mut budgets = joint.budgets.iter();
        budgets.position(|budget| budget.output == name).unwrap()
    };
    match (of.split_once(','), what) {
        (Some((a, b)), "cov") => joint.covariance[place(a)][place(b)],
        (Some((a, b)), "r") => joint.correlation[place(a)][place(b)],
        (None, _) => figure(&joint.budgets[place(of)], what),
        other => panic!("{other:?}"),
    }
}

#[test]
fn published_results_of_first_order_with_several_outputs() {
    let mut compared = 0;
    let independent = case("gum-h2-independent");
    let of_kind = |case: &Value| case["kind"] == "lpu" || case["kind"] == "lpu-multivariate";
    for case in cases().into_iter().filter(of_kind).chain([independent]) {
        let model = model_of(&case);
        let outputs: Vec<&str> = model.outputs().iter().map(String::as_str).collect();
        let joint = propagate_all(&model, &outputs, &all_of(&case), 0.95).unwrap();
        for expected in case["expected"].as_array().unwrap() {
            let (of, what) = (&expected["of"], expected["what"].as_str().unwrap());
            within(
                &case,
                expected,
                joint_figure(&joint, of.as_str().unwrap(), what),
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 22);
}

#[test]
fn correlations_of_the_results_of_gum_h2() {
    let case = case("gum-h2-correlated");
    let given = |symbol: &str, what: &str| number(&case["inputs"][symbol][what]);
    let input = |symbol| Input::normal(symbol, given(symbol, "x"), given(symbol, "u"));
    let pairs = [
        ("V", "I", given("r", "VI")),
        ("V", "phi", given("r", "Vphi")),
        ("I", "phi", given("r", "Iphi")),
    ];
    let inputs = correlated(["V", "I", "phi"].map(input).into(), &pairs);
    let model = compiled("R = V / I * cos(phi)\nX = V / I * sin(phi)\nZ = V / I");
    let joint = propagate_all(&model, &["R", "X", "Z"], &inputs, 0.95).unwrap();
    for (what, i, j) in [("r_RX", 0, 1), ("r_RZ", 0, 2), ("r_XZ", 1, 2)] {
        // The printed coefficients come from unrounded readings; from the rounded inputs
        // of the table the same annex is met to 0.015.
        let (found, wanted) = (joint.correlation[i][j], number(&case["expected"][what]));
        assert!((found - wanted).abs() < 0.015, "{what} {found} {wanted}");
        assert_eq!(found.to_bits(), joint.correlation[j][i].to_bits());
        let product = found * joint.budgets[i].u * joint.budgets[j].u;
        assert!((joint.covariance[i][j] / product - 1.0).abs() < 1e-14);
    }
    for (at, budget) in joint.budgets.iter().enumerate() {
        assert_eq!(joint.covariance[at][at], budget.u * budget.u);
        assert_eq!(
            *budget,
            propagate(&model, &budget.output, &inputs, 0.95).unwrap()
        );
    }
    let text = serde_json::to_string(&joint).unwrap();
    assert_eq!(serde_json::from_str::<JointBudget>(&text).unwrap(), joint);
}

#[test]
fn simultaneous_readings_share_their_degrees_of_freedom() {
    let case = case("gum-h2-dof");
    let rows = case["data"]["rows"].as_array().unwrap();
    let column = |at: usize| -> Vec<f64> { rows.iter().map(|row| number(&row[at])).collect() };
    let mean = |x: &[f64]| x.iter().sum::<f64>() / 5.0;
    let covariance = |x: &[f64], y: &[f64]| {
        let products = x.iter().zip(y).map(|(a, b)| (a - mean(x)) * (b - mean(y)));
        products.sum::<f64>() / 20.0
    };
    let columns = [column(0), column(1), column(2)];
    let symbols = ["V", "I", "phi"];
    let inputs = (0..3).map(|at| {
        let u = covariance(&columns[at], &columns[at]).sqrt();
        Input::student(symbols[at], mean(&columns[at]), u, 4.0)
    });
    let quantities: Vec<Input> = inputs.collect();
    let r = |a: usize, b: usize| {
        covariance(&columns[a], &columns[b]) / (quantities[a].u * quantities[b].u)
    };
    let pairs = [
        ("V", "I", r(0, 1)),
        ("V", "phi", r(0, 2)),
        ("I", "phi", r(1, 2)),
    ];
    let mut inputs = correlated(quantities.clone(), &pairs);
    let model = model_of(&case);
    // Without the word that they were read together, Welch and Satterthwaite's formula does
    // not hold: 0.126, 50 and 13 degrees of freedom would come out.
    let error = propagate(&model, "R", &inputs, 0.95).unwrap_err();
    assert!(
        matches!(error, PropagationError::CorrelatedDof { .. }),
        "{error}"
    );
    inputs.ensembles = vec![symbols.map(str::to_owned).into()];
    for expected in case["expected"].as_array().unwrap() {
        let output = expected["of"].as_str().unwrap();
        let budget = propagate(&model, output, &inputs, 0.95).unwrap();
        within(
            &case,
            expected,
            figure(&budget, expected["what"].as_str().unwrap()),
        );
    }
    for (ensembles, part) in [
        (vec![vec!["V", "q"]], "does not have"),
        (vec![vec!["V", "I"], vec!["I", "phi"]], "already"),
    ] {
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
        inputs.ensembles = ensembles.into_iter().map(owned).collect();
        let error = propagate(&model, "R", &inputs, 0.95)
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    inputs.ensembles = vec![symbols.map(str::to_owned).into()];
    inputs.quantities[2].dof = 5.0;
    let error = propagate(&model, "R", &inputs, 0.95).unwrap_err();
    assert!(
        matches!(error, PropagationError::Ensemble { .. }),
        "{error}"
    );
}

fn second_figure(found: &SecondOrder, what: &str) -> f64 {
    match what {
        "u" => found.u_first,
        "u_second_order" => found.u.unwrap(),
        "bias" => found.quadratic.bias,
        "variance" => found.quadratic.variance,
        "mc_sd" => found.quadratic.variance.sqrt(),
        "mu3" => found.quadratic.third,
        "skewness" => found.quadratic.skewness.unwrap(),
        _ => {
            let symbol = what.strip_prefix("component:").unwrap();
            let row = found.rows.iter().find(|row| row.symbol == symbol);
            row.unwrap().contribution.unwrap()
        }
    }
}

#[test]
fn published_results_of_second_order() {
    let mut compared = 0;
    let second = |case: &Value| case["kind"] == "moments" || case["kind"] == "lpu2";
    for case in cases().into_iter().filter(second) {
        let model = model_of(&case);
        let output = &model.outputs()[0];
        let found = second_order(&model, output, &all_of(&case)).unwrap();
        for expected in case["expected"].as_array().unwrap() {
            within(
                &case,
                expected,
                second_figure(&found, expected["what"].as_str().unwrap()),
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 11);
    let mass = case("s1-9.3");
    let found = second_order(&model_of(&mass), "dmW", &all_of(&mass)).unwrap();
    let expected = mass["expected"].as_array().unwrap().iter();
    for expected in expected.filter(|expected| expected["what"] == "u_second_order") {
        within(&mass, expected, found.u.unwrap());
    }
    // JCGM 100:2008, H.1.7: the second order raises 32 nm to 34 nm.
    let gauge = case("gum-h1");
    let found = second_order(&model_of(&gauge), "l", &all_of(&gauge)).unwrap();
    assert!((found.u.unwrap() - 34.0).abs() < 0.5, "{:?}", found.u);
    assert_eq!(found.correction, 0.0);
}

#[test]
fn second_order_where_the_first_says_nothing() {
    let model = compiled("y = x * x");
    let inputs = Inputs::from(vec![Input::normal("x", 0.0, 1.0)]);
    let error = propagate(&model, "y", &inputs, 0.95).unwrap_err();
    assert!(
        matches!(error, PropagationError::Vanishing { .. }),
        "{error}"
    );
    let found = second_order(&model, "y", &inputs).unwrap();
    assert_eq!(
        (found.value, found.u_first, found.estimate),
        (0.0, 0.0, 1.0)
    );
    // χ² with one degree of freedom: variance 2, skewness √8.
    assert!((found.u.unwrap() - 2_f64.sqrt()).abs() < 1e-15);
    assert!((found.quadratic.skewness.unwrap() - 8_f64.sqrt()).abs() < 1e-14);
    // A sine at its steepest flattens to both sides: with u = 2 the series gives the
    // variance u² − u⁴ = −12, which is said and not rooted.
    let model = compiled("y = sin(x)");
    let wide = Inputs::from(vec![Input::normal("x", 0.0, 2.0)]);
    let found = second_order(&model, "y", &wide).unwrap();
    assert_eq!((found.u, found.u_first), (None, 2.0));
    assert!((found.second_variance + 16.0).abs() < 1e-12);
    assert_eq!(found.rows[0].contribution, None);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<SecondOrder>(&text).unwrap(), found);
    let constants = Inputs::from(vec![Input::constant("x", 0.5)]);
    let found = second_order(&model, "y", &constants).unwrap();
    assert_eq!((found.u, found.quadratic.skewness), (Some(0.0), None));
    assert_eq!(found.estimate, libm::sin(0.5));
    let huge = Inputs::from(vec![Input::normal("x", 0.0, 1e200)]);
    let error = second_order(&compiled("y = x * x"), "y", &huge).unwrap_err();
    assert!(
        matches!(error, PropagationError::NotFinite { .. }),
        "{error}"
    );
}

#[test]
fn second_order_of_correlated_inputs_in_closed_form() {
    // JCGM 101:2008, 9.4: y = x₁² + x₂² with correlation r has at x = 0 the expectation
    // u₁² + u₂² and the variance 2u₁⁴ + 2u₂⁴ + 4r²u₁²u₂².
    let model = compiled("y = a^2 + b^2\nz = a * b");
    for r in [-1.0, -0.9, 0.0, 0.4, 1.0] {
        let quantities = vec![Input::normal("a", 0.0, 0.3), Input::normal("b", 0.0, 0.2)];
        let inputs = correlated(quantities, &[("a", "b", r)]);
        let (a2, b2) = (0.3 * 0.3, 0.2 * 0.2);
        let found = second_order(&model, "y", &inputs).unwrap();
        let wanted = 2.0 * a2 * a2 + 2.0 * b2 * b2 + 4.0 * r * r * a2 * b2;
        assert!((found.correction - (a2 + b2)).abs() < 1e-15, "{r}");
        assert!(
            (found.u.unwrap() / wanted.sqrt() - 1.0).abs() < 1e-13,
            "{r}"
        );
        assert!(
            (found.quadratic.variance / wanted - 1.0).abs() < 1e-13,
            "{r}"
        );
        // The product: expectation r·u₁·u₂, variance u₁²u₂²(1 + r²).
        let found = second_order(&model, "z", &inputs).unwrap();
        assert!((found.correction - r * 0.3 * 0.2).abs() < 1e-15, "{r}");
        let wanted = (a2 * b2 * (1.0 + r * r)).sqrt();
        assert!((found.u.unwrap() / wanted - 1.0).abs() < 1e-13, "{r}");
    }
}

#[test]
fn contributions_of_second_order_add_up() {
    // Independent inputs: all terms belong to somebody.
    let model = compiled("y = a * exp(b) / (c + a^2) + sin(b * c)");
    let quantities = vec![
        Input::normal("a", 1.2, 0.3),
        Input::normal("b", 0.7, 0.2),
        Input::normal("c", 2.0, 0.4),
    ];
    let found = second_order(&model, "y", &quantities.into()).unwrap();
    let rows = found.rows.iter();
    let sum: f64 = rows
        .map(|row| row.first * row.first + row.second_variance)
        .sum();
    let total = found.u_first * found.u_first + found.second_variance;
    assert!((sum / total - 1.0).abs() < 1e-13, "{sum} {total}");
}

#[test]
fn implicit_equations_propagate() {
    let case = case("implicit-line");
    let model = compiled("solve x: (x - x1) - y = 0 near 1");
    let budget = propagate(&model, "x", &all_of(&case), 0.95).unwrap();
    for expected in case["expected"].as_array().unwrap() {
        within(
            &case,
            expected,
            figure(&budget, expected["what"].as_str().unwrap()),
        );
    }
    // Kepler's equation as text against the same root in closed form: with m = E − e·sin E
    // known, u(E) = u(m)/(1 − e·cos E), and E'' = −e·sin E/(1 − e·cos E)³.
    let model = compiled("solve E: E - 0.3 * sin(E) = m near m\nx = 2 * E");
    let (anomaly, u) = (1.1, 0.05);
    let m = anomaly - 0.3 * libm::sin(anomaly);
    let inputs = Inputs::from(vec![Input::normal("m", m, u)]);
    let rate = 1.0 / (1.0 - 0.3 * libm::cos(anomaly));
    let budget = propagate(&model, "x", &inputs, 0.95).unwrap();
    assert!((budget.value - 2.0 * anomaly).abs() < 1e-15);
    assert!((budget.u - 2.0 * rate * u).abs() < 1e-15);
    let found = second_order(&model, "x", &inputs).unwrap();
    let bend = -0.3 * libm::sin(anomaly) * rate * rate * rate;
    assert!((found.correction - bend * u * u).abs() < 1e-16);
    for (text, part) in [
        ("solve x: x * x = -m near 1", "no solution"),
        ("solve x: exp(x) = -m", "no solution"),
        ("solve x: x = 1 / (m - m)", "no finite value"),
        ("solve x: (x - m)^3 = 0 near m", "derivative"),
    ] {
        let error = propagate(&compiled(text), "x", &inputs, 0.95).unwrap_err();
        assert!(error.to_string().contains(part), "{text}: {error}");
        assert!(error.to_string().contains("line 1"), "{text}: {error}");
    }
}

#[test]
fn a_dew_point_is_the_solution_of_its_equation() {
    let model = compiled(
        "solve td: hardy_water(td) = rh / 100 * hardy_water(t) near t - 5\ndepression = t - td",
    );
    let inputs = Inputs::from(vec![
        Input::normal("t", 20.0, 0.1),
        Input::normal("rh", 50.0, 0.5),
    ]);
    let joint = propagate_all(&model, &["td", "depression"], &inputs, 0.95).unwrap();
    let td = joint.budgets[0].value;
    let forward = compiled("rh = 100 * hardy_water(td) / hardy_water(t)");
    let values = |td: f64| vec![Input::normal("td", td, 0.0), Input::normal("t", 20.0, 0.1)];
    let back = propagate(&forward, "rh", &values(td).into(), 0.95).unwrap();
    assert!((back.value - 50.0).abs() < 1e-12, "{td}");
    // ∂td/∂rh of the inverse is 1/(∂rh/∂td) of the model itself.
    let slope = joint.budgets[0].rows[1].sensitivity;
    assert!((slope * back.rows[0].sensitivity - 1.0).abs() < 1e-12);
    // Both depend on t with opposite signs: the depression hardly moves with it.
    assert!(joint.budgets[1].rows[0].sensitivity.abs() < 0.2);
    // −73 °C is below the range of the formula, also where only the solver goes there.
    let dry = |name: &str| Some(if name == "t" { -60.0 } else { 10.0 });
    assert!(!model.check_ranges(&["td"], &dry).is_empty());
    let ordinary = |name: &str| Some(if name == "t" { 20.0 } else { 50.0 });
    assert_eq!(model.check_ranges(&["td"], &ordinary), vec![]);
}

#[test]
fn correlations_of_unused_inputs_change_nothing() {
    let model = compiled("y = a * b + c\nz = q * a");
    let quantities: Vec<Input> = [("a", 1.3), ("b", 0.7), ("c", 2.1), ("q", 0.9)]
        .map(|(symbol, value)| Input::normal(symbol, value, 0.1 * value))
        .into();
    let plain = correlated(quantities.clone(), &[("a", "b", 0.3)]);
    let more = [("a", "b", 0.3), ("a", "q", 0.5), ("q", "c", -0.4)];
    let alone = propagate(&model, "y", &plain, 0.95).unwrap();
    let beside = propagate(&model, "y", &correlated(quantities.clone(), &more), 0.95).unwrap();
    assert_eq!(alone, beside);
    assert_eq!(
        second_order(&model, "y", &plain).unwrap(),
        second_order(&model, "y", &correlated(quantities.clone(), &more)).unwrap()
    );
    // They must be possible all the same.
    let impossible = [("a", "b", 0.9), ("a", "q", 0.9), ("b", "q", -0.9)];
    let error = propagate(&model, "y", &correlated(quantities, &impossible), 0.95).unwrap_err();
    assert!(matches!(error, PropagationError::Correlation(_)), "{error}");
}

#[test]
fn an_exact_input_may_be_correlated() {
    let model = compiled("y = a + b + c");
    let quantities = vec![
        Input::normal("a", 1.0, 0.3).with_dof(5.0),
        Input::normal("b", 1.0, 0.0).with_dof(5.0),
        Input::normal("c", 1.0, 0.4),
    ];
    let inputs = correlated(quantities, &[("a", "b", 0.8), ("b", "c", -0.2)]);
    let budget = propagate(&model, "y", &inputs, 0.95).unwrap();
    assert!((budget.u - 0.5).abs() < 1e-15);
    // 0.5⁴/(0.3⁴/5).
    assert!((budget.dof - 0.0625 * 5.0 / 0.0081).abs() < 1e-9);
}

#[test]
fn numbers_that_are_none_are_refused() {
    let model = compiled("y = a + b");
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for input in [Input::normal("a", bad, 0.1), Input::normal("a", 1.0, bad)] {
            let inputs = Inputs::from(vec![input, Input::normal("b", 1.0, 0.1)]);
            assert!(propagate(&model, "y", &inputs, 0.95).is_err(), "{bad}");
            assert!(second_order(&model, "y", &inputs).is_err(), "{bad}");
        }
    }
    let inputs = Inputs::from(vec![
        Input::normal("a", 1.0, 0.1),
        Input::normal("b", 1.0, 0.1),
    ]);
    let mut propagator = Propagator::new(&model, "y", &inputs).unwrap();
    let inf = f64::INFINITY;
    for (values, u, dof, part) in [
        ([f64::NAN, 1.0], [0.1, 0.1], [inf, inf], "\"a\""),
        ([1.0, inf], [0.1, 0.1], [inf, inf], "\"b\""),
        ([1.0, 1.0], [-0.1, 0.1], [inf, inf], "\"a\""),
        (
            [1.0, 1.0],
            [0.1, 0.1],
            [inf, f64::NAN],
            "degrees of freedom",
        ),
        ([1.0, 1.0], [0.1, 0.1], [inf, 0.0], "degrees of freedom"),
        ([1e308, 1e308], [0.1, 0.1], [inf, inf], "no finite value"),
        ([1.0, 1.0], [1e200, 0.1], [inf, inf], "too large"),
    ] {
        let error = propagator
            .evaluate(&values, &u, &dof)
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(
        propagator
            .evaluate(&[1.0], &[0.1, 0.1], &[inf, inf])
            .is_err()
    );
    let found = propagator
        .evaluate(&[1.0, 2.0], &[0.3, 0.4], &[inf, inf])
        .unwrap();
    assert_eq!((found.value, found.u), (3.0, 0.5));
}

#[test]
fn prepared_and_single_budgets_are_the_same_bits() {
    let case = case("gum-h1");
    let model = model_of(&case);
    let inputs = all_of(&case);
    let mut propagator = Propagator::new(&model, "l", &inputs).unwrap();
    let of = |figure: &dyn Fn(&Input) -> f64| -> Vec<f64> {
        let find = |symbol: &String| {
            let mut quantities = inputs.quantities.iter();
            figure(quantities.find(|input| input.symbol == *symbol).unwrap())
        };
        model.inputs().iter().map(find).collect()
    };
    let (mut values, u) = (of(&|input| input.value), of(&|input| input.u));
    let dof = of(&|input| input.dof);
    for shift in [0.0, 13.5, -7.25] {
        values[1] = 215.0 + shift;
        let mut shifted = inputs.clone();
        shifted.quantities[1].value = values[1];
        let budget = propagate(&model, "l", &shifted, 0.99).unwrap();
        let found = propagator.evaluate(&values, &u, &dof).unwrap();
        assert_eq!(
            (found.value, found.u, found.dof),
            (budget.value, budget.u, budget.dof)
        );
        let components = propagator
            .components()
            .iter()
            .zip(propagator.sensitivities());
        for (row, (component, sensitivity)) in budget.rows.iter().zip(components) {
            assert_eq!(row.contribution, component.abs());
            assert_eq!(row.sensitivity, *sensitivity);
        }
    }
}

#[test]
fn order_and_units_of_the_inputs_do_not_matter() {
    let text = "y = (a * b - c) / (a + d^2) * exp(e / 10)";
    let model = compiled(text);
    let quantities: Vec<Input> = [("a", 1.3), ("b", 0.7), ("c", 2.1), ("d", 0.9), ("e", 4.0)]
        .map(|(symbol, value)| Input::normal(symbol, value, 0.05 * value).with_dof(7.0))
        .into();
    let wanted = propagate(&model, "y", &quantities.clone().into(), 0.95).unwrap();
    let mut turned = quantities.clone();
    for _ in 0..quantities.len() {
        turned.rotate_left(1);
        assert_eq!(
            propagate(&model, "y", &turned.clone().into(), 0.95).unwrap(),
            wanted
        );
    }
    // Another order of first appearance in the text, and every input in a unit 2ⁿ times as
    // large, which rounds nothing: only the order of the sums may show.
    let scaled = "z = e / 160\ny = (b / 4 * a / 8 - c * 32) / (a / 8 + (d / 2)^2) * exp(z)";
    let factors = [
        ("a", 8.0),
        ("b", 4.0),
        ("c", 1.0 / 32.0),
        ("d", 2.0),
        ("e", 16.0),
    ];
    let inputs = quantities
        .iter()
        .zip(factors)
        .map(|(input, (symbol, factor))| Input {
            symbol: symbol.to_owned(),
            value: input.value * factor,
            u: input.u * factor,
            ..input.clone()
        });
    let found = propagate(
        &compiled(scaled),
        "y",
        &inputs.collect::<Vec<_>>().into(),
        0.95,
    );
    let found = found.unwrap();
    let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-14;
    assert!(close(found.value, wanted.value) && close(found.u, wanted.u));
    assert!(close(found.dof, wanted.dof));
    for row in &wanted.rows {
        let same = found.rows.iter().find(|other| other.symbol == row.symbol);
        assert!(
            close(same.unwrap().contribution, row.contribution),
            "{}",
            row.symbol
        );
    }
}

fn kinds(text: &str, quantities: Vec<Input>) -> Vec<Warning> {
    let model = compiled(text);
    let output = model.outputs().last().unwrap().clone();
    propagate(&model, &output, &quantities.into(), 0.95)
        .unwrap()
        .warnings
}

#[test]
fn a_switch_within_two_uncertainties_is_told() {
    let near = |value: f64| {
        vec![
            Input::normal("a", value, 0.1),
            Input::normal("b", 1.0, 0.05),
        ]
    };
    // u(a − b) = 0.1118: the switch is near up to 0.2236.
    for text in [
        "y = max(a, b)",
        "y = b + abs(a - b)",
        "y = if(a < b, a, 2 * a)",
        "y = if(a < 0 or not (a <= b), 3 * a, a)",
        "solve x: x + if(x < b, 0.1, 0.2) * (x - a) = a near a",
    ] {
        for (value, told) in [(1.2, true), (0.8, true), (1.3, false), (0.7, false)] {
            let found = kinds(text, near(value));
            let kink = found
                .iter()
                .find(|warning| matches!(warning, Warning::Kink { .. }));
            assert_eq!(kink.is_some(), told, "{text} at {value}: {found:?}");
            if let Some(Warning::Kink {
                margin, u, line, ..
            }) = kink
            {
                assert!((margin.abs() - 0.2).abs() < 1e-12, "{text}: {margin}");
                assert!((u - 0.0125_f64.sqrt()).abs() < 1e-12, "{text}: {u}");
                assert_eq!(*line, 1);
            }
        }
    }
    // A switch that the result does not feel.
    assert_eq!(kinds("y = a + 0 * max(a, b)", near(1.01)), vec![]);
    // Exactly at the switch there is no first order at all.
    let model = compiled("y = if(a < b, a, 2 * a)");
    let error = propagate(&model, "y", &near(1.0).into(), 0.95).unwrap_err();
    assert!(error.to_string().contains("derivative"), "{error}");
    // The branch that is not taken may have no value.
    assert_eq!(
        kinds("y = b + if(a > 0.1, a, ln(a - 5))", near(1.0)),
        vec![]
    );
}

#[test]
fn what_makes_a_budget_doubtful_is_told() {
    let gauge = case("gum-h1");
    let budget = propagate(&model_of(&gauge), "l", &all_of(&gauge), 0.99).unwrap();
    // 31.7 nm to 33.8 nm: the GUM's own example of terms of higher order.
    assert!(
        matches!(budget.warnings[..], [Warning::NonLinear { u_second: Some(u), .. }] if (u - 33.8).abs() < 0.05),
        "{:?}",
        budget.warnings
    );
    let one = |u: f64| vec![Input::normal("x", 1.0, u)];
    // x²: the correction is u² beside 2u, 5 % of it at u = 0.1.
    assert_eq!(kinds("y = x^2", one(0.099)), vec![]);
    assert!(matches!(
        kinds("y = x^2", one(0.101))[..],
        [Warning::NonLinear { .. }]
    ));
    let flat = kinds("y = sin(x - 1)", one(2.0));
    assert!(matches!(
        flat[..],
        [Warning::NonLinear { u_second: None, .. }]
    ));
    let rough = kinds("y = x + (x - 1)^1.5", one(0.1));
    assert!(
        matches!(rough[..], [Warning::NoSecondOrder { .. }]),
        "{rough:?}"
    );
    let few = kinds("y = x", vec![Input::normal("x", 1.0, 0.1).with_dof(2.9)]);
    assert_eq!(few, vec![Warning::FewDof { dof: few_dof(&few) }]);
    let pair = |half_width: f64| {
        vec![
            Input::rectangular("x", 1.0, half_width),
            Input::normal("y", 0.0, 0.1),
        ]
    };
    // The rest is 0.3 of the dominant contribution at a half width of 0.577.
    assert!(matches!(
        kinds("z = x + y", pair(0.6))[..],
        [Warning::Dominant { .. }]
    ));
    assert_eq!(kinds("z = x + y", pair(0.55)), vec![]);
    let mut every = few;
    every.extend(budget.warnings);
    every.extend(flat);
    every.extend(rough);
    for warning in &every {
        let text = serde_json::to_string(warning).unwrap();
        assert_eq!(serde_json::from_str::<Warning>(&text).unwrap(), *warning);
        assert!(warning.to_string().len() > 40);
    }
}

fn few_dof(warnings: &[Warning]) -> f64 {
    match warnings {
        [Warning::FewDof { dof }] if (dof - 2.9).abs() < 1e-12 => *dof,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fewer_than_one_degree_of_freedom() {
    // The quantile itself against statrs, whose own inversion is good to 1e−6 here; the
    // factor for 1 would be 12.7 and 0.5 truncates to nothing.
    for dof in [0.3, 0.5, 0.8, 0.99] {
        let peer = StudentsT::new(0.0, 1.0, dof).unwrap();
        let k = coverage_factor(dof, 0.95);
        assert!((peer.sf(k) / 0.025 - 1.0).abs() < 1e-6, "{dof} {k}");
        assert!(k > coverage_factor(1.0, 0.95));
    }
    let model = compiled("y = a + b");
    let inputs = |dof: f64| {
        let a = Input::normal("a", 1.0, 0.1).with_dof(dof);
        Inputs::from(vec![a, Input::normal("b", 1.0, 0.5)])
    };
    // A minor contribution that is known to 100 % only (JCGM 100:2008, G.4.2) does no harm.
    let budget = propagate(&model, "y", &inputs(0.5), 0.95).unwrap();
    let ratio = 0.26_f64 * 0.26 / 1e-4 * 0.5;
    assert!((budget.dof / ratio - 1.0).abs() < 1e-12);
    assert!(budget.warnings.is_empty());
    let error = propagate(&model, "y", &inputs(1e-9), 0.95).unwrap_err();
    assert!(
        matches!(error, PropagationError::TooFewDof { .. }),
        "{error}"
    );
}

#[test]
fn totals_and_old_budgets() {
    let model = compiled("y = a - b");
    let quantities = vec![Input::normal("a", 1.0, 0.1), Input::normal("b", 1.0, 0.1)];
    let half = correlated(quantities, &[("a", "b", 0.5)]);
    let budget = propagate(&model, "y", &half, 0.95).unwrap();
    // u² is half of what it would be: each input alone makes all of it, correlation −1.
    assert!((budget.share_of_correlation() + 1.0).abs() < 1e-12);
    // A budget of before there were warnings reads as one without, and is written so.
    let text = serde_json::to_string(&budget).unwrap();
    assert!(!text.contains("warnings"), "{text}");
    assert_eq!(serde_json::from_str::<Budget>(&text).unwrap(), budget);
}
