//! Propagation, coverage factors, type A and conformity against `gum.json`.

use heng_uncertainty::{
    Budget, Correlation, DecisionRule, Input, Inputs, Library, Model, PropagationError, Verdict,
    coverage_factor, decide, propagate, slope, type_a,
};
use serde_json::Value;

mod reference;
use reference::{case, cases, inputs_of, number};

fn model_of(case: &Value) -> (Model, String) {
    let (name, text) = case["model"].as_object().unwrap().iter().next().unwrap();
    let text = format!("{name} = {}", text.as_str().unwrap());
    (
        Model::compile(&text, Library::shipped()).unwrap(),
        name.clone(),
    )
}

fn correlated(quantities: &[Input], correlations: &[Correlation]) -> Inputs {
    Inputs {
        correlations: correlations.to_vec(),
        ..Inputs::from(quantities.to_vec())
    }
}

fn pair(a: &str, b: &str, r: f64) -> Correlation {
    Correlation {
        a: a.into(),
        b: b.into(),
        r,
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

/// Figure of the budget that an expectation names; none where it is not one of a budget.
fn figure(budget: &Budget, what: &str) -> Option<f64> {
    Some(match what {
        "value" => budget.value,
        "u" | "u_gum" => budget.u,
        "dof" => budget.dof,
        "k" => budget.k,
        "U95" => budget.expanded,
        "U(k=2)" => 2.0 * budget.u,
        _ => {
            let symbol = what.strip_prefix("component:")?;
            budget
                .rows
                .iter()
                .find(|row| row.symbol == symbol)?
                .contribution
        }
    })
}

#[test]
fn published_models_give_their_published_uncertainties() {
    let mut compared = 0;
    for case in cases() {
        if case.get("model").is_none() || case["id"] == "s1-9.4-r0" {
            continue;
        }
        let outputs = case["model"].as_object().unwrap().clone();
        for (name, text) in outputs {
            let text = format!("{name} = {}", text.as_str().unwrap());
            let model = Model::compile(&text, Library::shipped()).unwrap();
            // NPL's half width is stated for 95 %, all others are compared before expansion.
            let budget = propagate(&model, &name, &inputs_of(&case).into(), 0.95).unwrap();
            for expected in case["expected"].as_array().unwrap() {
                let what = expected["what"].as_str().unwrap();
                if expected["of"] != *name {
                    continue;
                }
                if let Some(found) = figure(&budget, what) {
                    within(&case, expected, found);
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 43);
}

#[test]
fn published_budgets_of_ea_4_02_add_up() {
    let mut compared = 0;
    for case in cases().into_iter().filter(|case| case["kind"] == "budget") {
        let contributions = case["contributions"].as_array().unwrap();
        let mut terms = Vec::new();
        let mut inputs = Vec::new();
        for (index, contribution) in contributions.iter().enumerate() {
            let symbol = format!("x{index}");
            terms.push(format!("{} * {symbol}", number(&contribution["c"])));
            let dof = contribution["dof"].as_f64().unwrap_or(f64::INFINITY);
            inputs.push(Input {
                dof,
                ..Input::normal(&symbol, 0.0, number(&contribution["u"]))
            });
        }
        let text = format!("y = {}", terms.join(" + "));
        let model = Model::compile(&text, Library::shipped()).unwrap();
        let budget = propagate(&model, "y", &inputs.into(), 0.9545).unwrap();
        for expected in case["expected"].as_array().unwrap() {
            let what = expected["what"].as_str().unwrap();
            // S9 has one dominant rectangle: its k = 1.65 is that of the distribution, which
            // the Monte Carlo test holds.
            if case["id"] == "ea402-s9" && what != "u" {
                continue;
            }
            within(&case, expected, figure(&budget, what).unwrap());
            compared += 1;
        }
    }
    assert_eq!(compared, 10);
}

#[test]
fn gum_h1_expands_with_the_truncated_degrees_of_freedom() {
    let case = case("gum-h1");
    let (model, output) = model_of(&case);
    let budget = propagate(&model, &output, &inputs_of(&case).into(), 0.99).unwrap();
    // GUM H.1.6: 16.7 becomes 16, k₉₉ = 2.92, U₉₉ = 93 nm from u = 32 nm.
    assert!((budget.k - 2.92).abs() < 0.005, "{}", budget.k);
    assert!(
        (budget.expanded - 2.92 * 32.0).abs() < 1.5,
        "{}",
        budget.expanded
    );
    assert!((budget.dof - 16.75).abs() < 0.01);
}

#[test]
fn gum_h2_with_correlations() {
    let case = case("gum-h2-correlated");
    let given = |symbol: &str, what: &str| number(&case["inputs"][symbol][what]);
    let inputs: Vec<Input> = ["V", "I", "phi"]
        .iter()
        .map(|symbol| Input::normal(symbol, given(symbol, "x"), given(symbol, "u")))
        .collect();
    let correlations = [
        pair("V", "I", given("r", "VI")),
        pair("phi", "V", given("r", "Vphi")),
        pair("I", "phi", given("r", "Iphi")),
    ];
    let text = "R = V / I * cos(phi)\nX = V / I * sin(phi)\nZ = V / I";
    let model = Model::compile(text, Library::shipped()).unwrap();
    for output in ["R", "X", "Z"] {
        let budget = propagate(&model, output, &correlated(&inputs, &correlations), 0.95).unwrap();
        for (what, found) in [
            (output.to_owned(), budget.value),
            (format!("u_{output}"), budget.u),
        ] {
            let (wanted, limit) = (
                number(&case["expected"][&what]),
                number(&case["tolerance"]["abs"][&what]),
            );
            // u(X) = 0.2956 and u(R) = 0.0700 from the rounded inputs.
            assert!(
                (found - wanted).abs() <= limit,
                "{what}: {found}, wanted {wanted}"
            );
        }
        assert_eq!(budget.rows.len(), if output == "Z" { 2 } else { 3 });
    }
}

#[test]
fn wrong_inputs_are_refused_by_name() {
    let model = Model::compile("y = a + b", Library::shipped()).unwrap();
    let message = |inputs: &[Input], correlations: &[Correlation]| {
        propagate(&model, "y", &correlated(inputs, correlations), 0.95)
            .unwrap_err()
            .to_string()
    };
    let (a, b) = (Input::normal("a", 1.0, 0.1), Input::normal("b", 2.0, 0.1));
    for (inputs, correlations, part) in [
        (vec![a.clone()], vec![], "\"b\" of the model is missing"),
        (
            vec![a.clone(), b.clone(), Input::constant("c", 1.0)],
            vec![],
            "\"c\" is not used",
        ),
        (vec![a.clone(), a.clone()], vec![], "\"a\" stands twice"),
        (
            vec![a.clone(), Input::normal("b", f64::NAN, 0.1)],
            vec![],
            "finite value",
        ),
        (
            vec![a.clone(), Input::normal("b", 0.0, -0.1)],
            vec![],
            "standard uncertainty of 0 or more",
        ),
        (
            vec![
                a.clone(),
                Input {
                    dof: 0.0,
                    ..b.clone()
                },
            ],
            vec![],
            "more than 0 degrees of freedom",
        ),
        (
            vec![a.clone(), Input::student("b", 0.0, 0.1, f64::INFINITY)],
            vec![],
            "Student",
        ),
        (
            vec![
                a.clone(),
                Input {
                    u: 0.1,
                    ..Input::constant("b", 0.0)
                },
            ],
            vec![],
            "constant",
        ),
        (
            vec![a.clone(), Input::trapezoidal("b", 0.0, 0.1, 1.5)],
            vec![],
            "a ratio from 0 to 1",
        ),
        (
            vec![a.clone(), b.clone()],
            vec![pair("a", "q", 0.5)],
            "\"q\"",
        ),
        (vec![a.clone(), b.clone()], vec![pair("a", "b", 1.5)], "1.5"),
        (
            vec![a.clone(), b.clone()],
            vec![pair("a", "a", 1.0)],
            "with itself",
        ),
        (
            vec![a.clone(), b.clone()],
            vec![pair("a", "b", 0.1), pair("b", "a", 0.1)],
            "twice",
        ),
    ] {
        let found = message(&inputs, &correlations);
        assert!(found.contains(part), "{found}");
    }
    assert!(propagate(&model, "y", &vec![a.clone(), b.clone()].into(), 1.0).is_err());
    assert!(propagate(&model, "z", &vec![a, b].into(), 0.95).is_err());
}

#[test]
fn contradicting_correlations_are_refused_and_full_ones_are_not() {
    let model = Model::compile("y = -a + b + c", Library::shipped()).unwrap();
    let inputs: Vec<_> = ["a", "b", "c"]
        .map(|symbol| Input::normal(symbol, 0.0, 1.0))
        .into();
    let all = |ab: f64, ac: f64, bc: f64| {
        [("a", "b", ab), ("a", "c", ac), ("b", "c", bc)].map(|(a, b, r)| Correlation {
            a: a.into(),
            b: b.into(),
            r,
        })
    };
    // The variance would be −2.4: three inputs cannot be correlated in this way.
    let error = propagate(
        &model,
        "y",
        &correlated(&inputs, &all(0.9, 0.9, -0.9)),
        0.95,
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("not positive semidefinite"),
        "{error}"
    );
    let error =
        propagate(&model, "y", &correlated(&inputs, &all(1.0, 1.0, 0.5)), 0.95).unwrap_err();
    assert!(matches!(error, PropagationError::Correlation(_)), "{error}");
    // −a + b + c with everything the same quantity is that quantity.
    let budget = propagate(&model, "y", &correlated(&inputs, &all(1.0, 1.0, 1.0)), 0.95).unwrap();
    assert!((budget.u - 1.0).abs() < 1e-12);
    let difference = Model::compile("y = a - b", Library::shipped()).unwrap();
    let full = [Correlation {
        a: "a".into(),
        b: "b".into(),
        r: 1.0,
    }];
    assert_eq!(
        propagate(&difference, "y", &correlated(&inputs[..2], &full), 0.95)
            .unwrap()
            .u,
        0.0
    );
}

#[test]
fn welch_satterthwaite_is_refused_where_it_does_not_hold() {
    let model = Model::compile("y = a + b + c", Library::shipped()).unwrap();
    let ab = [Correlation {
        a: "a".into(),
        b: "b".into(),
        r: 0.3,
    }];
    let list = |dof_a: f64, dof_c: f64| {
        [
            Input {
                dof: dof_a,
                ..Input::normal("a", 0.0, 1.0)
            },
            Input::normal("b", 0.0, 1.0),
            Input {
                dof: dof_c,
                ..Input::normal("c", 0.0, 1.0)
            },
        ]
    };
    let error = propagate(&model, "y", &correlated(&list(5.0, 9.0), &ab), 0.95).unwrap_err();
    assert!(
        matches!(error, PropagationError::CorrelatedDof { .. }),
        "{error}"
    );
    // An independent third input keeps its own: (2.6 + 1)²/(1/9).
    let budget = propagate(
        &model,
        "y",
        &correlated(&list(f64::INFINITY, 9.0), &ab),
        0.95,
    )
    .unwrap();
    assert!((budget.dof - 3.6 * 3.6 * 9.0).abs() < 1e-9);
    // Shares leave out what belongs to the pair: 3 of 3.6.
    let shares: f64 = budget.rows.iter().map(|row| row.share).sum();
    assert!((shares - 3.0 / 3.6).abs() < 1e-12);
}

#[test]
fn a_first_order_that_says_nothing_is_refused() {
    let case = case("s1-9.4-r0");
    let (model, output) = model_of(&case);
    let error = propagate(&model, &output, &inputs_of(&case).into(), 0.95).unwrap_err();
    assert!(
        matches!(error, PropagationError::Vanishing { .. }),
        "{error}"
    );
    // Constants only: no uncertainty, and that is the truth.
    let constants = [Input::constant("X1", 1.0), Input::constant("X2", 2.0)];
    let budget = propagate(&model, &output, &constants.to_vec().into(), 0.95).unwrap();
    assert_eq!((budget.value, budget.u, budget.expanded), (5.0, 0.0, 0.0));
}

#[test]
fn coverage_factors_are_those_of_the_tables() {
    let table = case("gum-g2-t-factors");
    for expected in table["expected"].as_array().unwrap() {
        let found = coverage_factor(number(&expected["dof"]), number(&expected["p"]));
        within(&table, expected, found);
    }
    let table = case("student-95.45");
    let dofs = table["inputs"]["nu"].as_array().unwrap();
    for (dof, k) in dofs.iter().zip(table["expected"]["k"].as_array().unwrap()) {
        assert!((coverage_factor(number(dof), 0.9545) - number(k)).abs() <= 0.006);
    }
    // 95.45 % is the rounded probability of ±2σ, hence not exactly 2.
    assert!((coverage_factor(f64::INFINITY, 0.9545) - 2.0).abs() < 1e-4);
    // 8.999… from rounding is 9; 8.9 is 8.
    let nine = coverage_factor(9.0, 0.95);
    assert_eq!(coverage_factor(9.0 * (1.0 - 1e-15), 0.95), nine);
    assert_eq!(coverage_factor(8.9, 0.95), coverage_factor(8.0, 0.95));
}

#[test]
fn a_single_type_a_input_keeps_its_degrees_of_freedom() {
    let series = [
        20.01, 20.03, 20.02, 20.00, 20.04, 20.02, 20.01, 20.03, 20.02, 20.02,
    ];
    let evaluated = type_a(&series).unwrap();
    let model = Model::compile("y = 3 * x", Library::shipped()).unwrap();
    let input = Input::type_a("x", &evaluated);
    let budget = propagate(&model, "y", &vec![input].into(), 0.9545).unwrap();
    assert_eq!(budget.k, coverage_factor(9.0, 0.9545));
    assert!((budget.k - 2.32).abs() < 0.005, "{}", budget.k);
}

#[test]
fn statistics_of_the_nist_reference_data_sets() {
    let mut count = 0;
    for case in cases()
        .into_iter()
        .filter(|case| case["kind"] == "numerics")
    {
        let series: Vec<f64> = if let Some(list) = case["data"].get("x") {
            list.as_array().unwrap().iter().map(number).collect()
        } else {
            let centre = if case["id"] == "strd-numacc2" {
                1
            } else {
                10_000_000
            };
            let digit = |digit: u8| format!("{centre}.{digit}").parse().unwrap();
            let pairs = (0..500).flat_map(|_| [digit(1), digit(3)]);
            std::iter::once(digit(2)).chain(pairs).collect()
        };
        let found = type_a(&series).unwrap();
        for expected in case["expected"].as_array().unwrap() {
            let figure = match expected["what"].as_str().unwrap() {
                "value" => found.mean,
                "sd" => found.s,
                _ => found.lag1.unwrap(),
            };
            within(&case, expected, figure);
        }
        count += 1;
    }
    assert_eq!(count, 6);
}

#[test]
fn readings_that_follow_each_other_do_not_average_out() {
    let series = |id: &str| -> Vec<f64> {
        case(id)["data"]["x"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect()
    };
    // Mavro: r₁ = 0.938 with 50 readings; the limit is 2/√50 = 0.283.
    let found = type_a(&series("strd-mavro")).unwrap();
    assert!(!found.independent && found.u == found.s && found.dof == 49.0);
    assert!((found.lag1_limit - 0.282_843).abs() < 1e-6);
    // Equal readings have no autocorrelation; the resolution is another input's business.
    let equal = type_a(&[1.5; 10]).unwrap();
    assert_eq!((equal.lag1, equal.independent, equal.u), (None, true, 0.0));
    let mixed = type_a(&[1.0, 3.0, 2.0, 2.5]).unwrap();
    assert!(mixed.independent && (mixed.u - mixed.s / 2.0).abs() < 1e-16);
    assert_eq!(
        type_a(&[1.0]).unwrap_err().to_string(),
        "a type A evaluation needs at least 2 finite readings, whose squares are finite too, not 1"
    );
    assert!(type_a(&[1.0, f64::NAN, 2.0]).is_err());
}

#[test]
fn slope_of_the_norris_line_and_of_nothing() {
    let case = case("strd-norris");
    let column = |name: &str| -> Vec<f64> {
        case["data"][name]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect()
    };
    let found = slope(&column("x"), &column("y")).unwrap();
    for expected in case["expected"].as_array().unwrap() {
        match (
            expected["of"].as_str().unwrap(),
            expected["what"].as_str().unwrap(),
        ) {
            ("B1", "value") => within(&case, expected, found.per_h),
            ("B1", "u") => within(&case, expected, found.u),
            _ => {}
        }
    }
    assert_eq!(slope(&[1.0, 2.0], &[1.0, 2.0]), None);
    assert_eq!(slope(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
    assert_eq!(slope(&[1.0, 2.0, 3.0], &[1.0, 2.0]), None);
}

#[test]
fn probabilities_of_conformity() {
    for id in ["conf.pc.one-sided_upper", "conf.pc.two-sided"] {
        let case = case(id);
        let given = |what: &str| case["inputs"][what].as_f64();
        let (y, u) = (given("y").unwrap(), given("u").unwrap());
        let low = given("TL").unwrap_or(f64::NEG_INFINITY);
        let high = given("TU").unwrap_or(f64::INFINITY);
        let wanted = number(&case["expected"]["p_c"]);
        for threshold in [wanted - 1e-3, wanted + 1e-3] {
            let decision = decide(
                y,
                u,
                2.0 * u,
                low,
                high,
                &DecisionRule::Probability { threshold },
            );
            assert!(
                (decision.probability - wanted).abs() <= 1e-5,
                "{}",
                decision.probability
            );
            assert_eq!(decision.verdict == Verdict::Pass, threshold < wanted);
            assert!(decision.rule_applicable);
        }
    }
}

#[test]
fn decision_rules_at_and_around_their_limits() {
    let case = case("conf.guard");
    let (expanded, mpe) = (number(&case["inputs"]["U"]), number(&case["inputs"]["MPE"]));
    let rules = [
        ("simple", DecisionRule::Simple),
        (
            "guarded",
            DecisionRule::Guarded {
                guard_fraction: 1.0,
            },
        ),
        (
            "non_binary",
            DecisionRule::NonBinary {
                guard_fraction: 1.0,
            },
        ),
    ];
    for (name, rule) in rules {
        let errors = case["inputs"]["error"].as_array().unwrap();
        for (error, wanted) in errors
            .iter()
            .zip(case["expected"][name].as_array().unwrap())
        {
            let found = decide(number(error), expanded / 2.0, expanded, -mpe, mpe, &rule);
            let word = match found.verdict {
                Verdict::Pass => "pass",
                Verdict::ConditionalPass => "conditional pass",
                Verdict::ConditionalFail => "conditional fail",
                Verdict::Fail => "fail",
            };
            assert_eq!(word, wanted, "{name} {error}");
            assert!(found.rule_applicable);
        }
    }
    let non_binary = DecisionRule::NonBinary {
        guard_fraction: 1.0,
    };
    assert_eq!(
        decide(0.47, 0.03, 0.06, -0.4, 0.4, &non_binary).verdict,
        Verdict::Fail
    );
    // U above MPE/3: simple acceptance may not be stated without its note.
    let simple = decide(0.1, 0.1, 0.2, -0.4, 0.4, &DecisionRule::Simple);
    assert!(!simple.rule_applicable && simple.note.is_some());
    let guarded = DecisionRule::Guarded {
        guard_fraction: 1.0,
    };
    let no_room = decide(0.0, 0.3, 0.6, -0.4, 0.4, &guarded);
    assert!(no_room.verdict == Verdict::Fail && !no_room.rule_applicable);
    assert_eq!(
        decide(f64::NAN, 0.1, 0.2, -0.4, 0.4, &DecisionRule::Simple).verdict,
        Verdict::Fail
    );
    assert_eq!(
        decide(0.0, 0.1, f64::NAN, -0.4, 0.4, &guarded).verdict,
        Verdict::Fail
    );
}

#[test]
fn results_survive_json_with_their_infinities() {
    let case = case("s1-9.2.2");
    let (model, output) = model_of(&case);
    let budget = propagate(&model, &output, &inputs_of(&case).into(), 0.95).unwrap();
    assert!(budget.dof.is_infinite());
    let text = serde_json::to_string(&budget).unwrap();
    assert!(text.contains("\"dof\":\"inf\""), "{text}");
    let back: Budget = serde_json::from_str(&text).unwrap();
    assert_eq!(back, budget);
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
    let one_sided = decide(0.0, 0.1, 0.2, f64::NEG_INFINITY, 0.4, &DecisionRule::Simple);
    let text = serde_json::to_string(&one_sided).unwrap();
    assert_eq!(
        serde_json::from_str::<heng_uncertainty::Decision>(&text).unwrap(),
        one_sided
    );
    let rule: DecisionRule = serde_json::from_str(r#"{"kind":"guarded"}"#).unwrap();
    assert_eq!(
        rule,
        DecisionRule::Guarded {
            guard_fraction: 1.0
        }
    );
    assert!(
        serde_json::from_str::<Input>(
            r#"{"symbol":"a","value":1,"u":1,"dof":"many","distribution":{"kind":"normal"}}"#
        )
        .is_err()
    );
}
