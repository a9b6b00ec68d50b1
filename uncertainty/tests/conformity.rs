//! Conformity and risks against `fixtures/references/conformity.json` and closed forms.

use heng_uncertainty::{
    ConformityError, Distribution, GuardBand, Input, Law, RiskProblem, Risks, SampleConformity,
    acceptance_for_specific_risk, conformance_probability, process_capability, specific_risk,
};
use serde_json::Value;

const OPEN: f64 = f64::INFINITY;

fn cases() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/references/conformity.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn case(id: &str) -> Value {
    cases().into_iter().find(|case| case["id"] == id).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Limits of which `null` is infinite.
fn limits(value: &Value) -> [f64; 2] {
    [
        value[0].as_f64().unwrap_or(-OPEN),
        value[1].as_f64().unwrap_or(OPEN),
    ]
}

fn within(case: &Value, expected: &Value, found: f64) {
    let (value, tolerance) = (number(&expected["value"]), number(&expected["tol"]));
    assert!(
        (found - value).abs() <= tolerance,
        "{}: {expected}: {found:e}",
        case["id"]
    );
}

fn normal(mean: f64, sd: f64) -> Law {
    Law::new(&Input::normal("process", mean, sd)).unwrap()
}

fn prior(data: &Value) -> Law {
    let of = |what: &str| data[what].as_f64().unwrap();
    let input = match data["dist"].as_str().unwrap() {
        "normal" => Input::normal("process", of("mean"), of("sd")),
        "rectangular" => Input {
            distribution: Distribution::Rectangular,
            ..Input::normal("process", of("mean"), of("sd"))
        },
        "gamma" => {
            let (shape, scale) = (of("shape"), of("scale"));
            Input {
                distribution: Distribution::Gamma { shape },
                ..Input::normal("process", shape * scale, shape.sqrt() * scale)
            }
        }
        other => panic!("{other}"),
    };
    Law::new(&input).unwrap()
}

fn problem(case: &Value) -> RiskProblem {
    let data = &case["data"];
    let tolerance = limits(&data["tolerance"]);
    let acceptance = match &data["acceptance"] {
        Value::Null => tolerance,
        given => limits(given),
    };
    RiskProblem {
        prior: prior(&data["prior"]),
        u_measurement: number(&data["measurement"]["sd"]),
        tolerance,
        acceptance,
    }
}

#[test]
fn global_risks_and_guard_bands_of_the_reference_cases() {
    let mut checked = 0;
    for case in cases() {
        if case["data"].is_null() {
            continue;
        }
        let problem = problem(&case);
        let risks = problem.risks().unwrap();
        for expected in case["expected"].as_array().unwrap() {
            let found = match expected["what"].as_str().unwrap() {
                "p_nonconforming" => specific_risk(&problem.prior, problem.tolerance).unwrap(),
                "p_conforming" => risks.conforming,
                "consumer_risk" => risks.consumer_global,
                "producer_risk" => risks.producer_global,
                "guard_band_for_0.1%" => problem.guard_band_for(0.001).unwrap(),
                "acceptance_limit" => problem.tolerance[1] - problem.guard_band_for(0.001).unwrap(),
                other => panic!("{other}"),
            };
            within(&case, expected, found);
            checked += 1;
        }
    }
    assert_eq!(checked, 22);
}

#[test]
fn risks_of_deaver() {
    let case = case("deaver");
    for expected in case["expected"].as_array().unwrap() {
        let of = |what: &str| number(&expected[what]);
        // The process has standard deviation 1, the measurement 1/TUR.
        let limit = of("SL");
        let risks = RiskProblem {
            prior: normal(0.0, 1.0),
            u_measurement: 1.0 / of("TUR"),
            tolerance: [-limit, limit],
            acceptance: [-limit * of("guard"), limit * of("guard")],
        }
        .risks()
        .unwrap();
        let found = match expected["of"].as_str().unwrap() {
            "pfa" => risks.consumer_global,
            _ => risks.producer_global,
        };
        within(&case, expected, found);
    }
}

#[test]
fn capability_and_specific_risk() {
    let case = case("specific-risk-cpk");
    for expected in case["expected"].as_array().unwrap() {
        let process = normal(number(&expected["mean"]), 0.4);
        let found = match expected["of"].as_str().unwrap() {
            "cpk" => process_capability(&process, [9.0, 11.0]),
            _ => specific_risk(&process, [9.0, 11.0]),
        };
        within(&case, expected, found.unwrap());
    }
    let one_sided = process_capability(&normal(10.0, 0.5), [-OPEN, 11.5]).unwrap();
    assert!((one_sided - 1.0).abs() < 1e-15);
}

#[test]
fn an_exact_measurement_leaves_the_probabilities_of_the_process() {
    let prior = normal(0.0, 1.0);
    let problem = |acceptance| RiskProblem {
        prior: prior.clone(),
        u_measurement: 0.0,
        tolerance: [-1.0, 2.0],
        acceptance,
    };
    let Risks {
        consumer_global,
        producer_global,
        conforming,
        accepted,
    } = problem([-1.5, 1.0]).risks().unwrap();
    let near =
        |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    near(consumer_global, prior.between([-1.5, -1.0]));
    near(producer_global, prior.between([1.0, 2.0]));
    near(conforming, prior.between([-1.0, 2.0]));
    near(accepted, prior.between([-1.5, 1.0]));
    // A limit is on the conforming side, also for a process of few values.
    let prior = Law::new(&Input::discrete("x", vec![1.0, 2.0, 3.0], vec![1.0; 3])).unwrap();
    let risks = RiskProblem {
        prior,
        u_measurement: 0.0,
        tolerance: [1.0, 2.0],
        acceptance: [2.0, 3.0],
    }
    .risks()
    .unwrap();
    let third = 1.0 / 3.0;
    near(risks.consumer_global, third);
    near(risks.producer_global, third);
    near(risks.accepted, 2.0 * third);
}

#[test]
fn risks_of_a_law_of_counts_are_those_of_its_points() {
    // The same law written as points: Poisson's weights by their recurrence.
    let expected = 6.0_f64;
    let mut weight = 1.0;
    let (mut values, mut weights) = (Vec::new(), Vec::new());
    for n in 0..70 {
        values.push(f64::from(n));
        weights.push(weight);
        weight *= expected / f64::from(n + 1);
    }
    let risks = |prior: &Input| {
        RiskProblem {
            prior: Law::new(prior).unwrap(),
            u_measurement: 0.7,
            tolerance: [2.0, 11.0],
            acceptance: [1.5, 10.0],
        }
        .risks()
        .unwrap()
    };
    let points = risks(&Input::discrete("x", values, weights));
    let count = risks(&Input {
        distribution: Distribution::Poisson,
        ..Input::normal("x", expected, expected.sqrt())
    });
    for (a, b) in [
        (points.consumer_global, count.consumer_global),
        (points.producer_global, count.producer_global),
        (points.conforming, count.conforming),
        (points.accepted, count.accepted),
    ] {
        assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn guard_bands_meet_the_wanted_risk() {
    for (tolerance, u, wanted) in [
        ([-2.0, 2.0], 0.5, 1e-3),
        ([-OPEN, 1.5], 0.2, 1e-4),
        ([-1.0, OPEN], 0.2, 1e-5),
    ] {
        let problem = RiskProblem::guarded(normal(0.1, 1.0), u, tolerance, 0.0);
        let guard = problem.guard_band_for(wanted).unwrap();
        let risks = RiskProblem::guarded(normal(0.1, 1.0), u, tolerance, guard).risks();
        let found = risks.unwrap().consumer_global;
        assert!((found / wanted - 1.0).abs() < 1e-9, "{found} {wanted}");
    }
    let easy = RiskProblem::guarded(normal(0.0, 1.0), 0.1, [-5.0, 5.0], 0.0);
    assert_eq!(easy.guard_band_for(0.01), Ok(0.0));
}

#[test]
fn named_guard_bands() {
    let tolerance = [8.0, 12.0];
    let at = |rule: GuardBand, expanded| rule.acceptance(tolerance, expanded);
    assert_eq!(at(GuardBand::None, 0.5), Ok([8.0, 12.0]));
    assert_eq!(
        at(GuardBand::Expanded { fraction: 1.0 }, 0.5),
        Ok([8.5, 11.5])
    );
    assert_eq!(
        at(GuardBand::Expanded { fraction: 0.5 }, 0.5),
        Ok([8.25, 11.75])
    );
    // TUR 4: 2·√(15/16).
    let [low, high] = at(GuardBand::RootSumSquare, 0.5).unwrap();
    let wanted = 2.0 * (15.0_f64 / 16.0).sqrt();
    assert!((low - 10.0 + wanted).abs() < 1e-14 && (high - 10.0 - wanted).abs() < 1e-14);
    // No guard band is needed above TUR = exp((ln 1.04 + 0.54)/0.38) = 4.59.
    assert_eq!(at(GuardBand::Dobbert, 0.4), Ok([8.0, 12.0]));
    let one_sided = [-OPEN, 12.0];
    let expanded = GuardBand::Expanded { fraction: 1.0 };
    assert_eq!(expanded.acceptance(one_sided, 0.5), Ok([-OPEN, 11.5]));
    for rule in [GuardBand::RootSumSquare, GuardBand::Dobbert] {
        let refused = rule.acceptance(one_sided, 0.5);
        assert!(matches!(refused, Err(ConformityError::OneSided { .. })));
        assert_eq!(rule.acceptance(tolerance, 0.0), Ok(tolerance));
    }
    for rule in [expanded, GuardBand::RootSumSquare] {
        let refused = rule.acceptance(tolerance, 2.5);
        assert!(matches!(refused, Err(ConformityError::NoAcceptance { .. })));
    }
}

#[test]
fn the_managed_guard_band_keeps_the_promise_of_its_author() {
    // No process, however wide, leads to more than 2 % of false acceptance; somewhere it is
    // reached within a tenth, or the rule would be wasteful. U is for k = 2 and 95.45 %.
    for ratio in [1.5, 2.0, 3.0, 4.0] {
        let (tolerance, u) = ([-1.0, 1.0], 0.5 / ratio);
        let acceptance = GuardBand::Dobbert.acceptance(tolerance, 2.0 * u).unwrap();
        let worst = (1..40)
            .map(|step| {
                RiskProblem {
                    prior: normal(0.0, 0.1 * f64::from(step)),
                    u_measurement: u,
                    tolerance,
                    acceptance,
                }
                .risks()
                .unwrap()
                .consumer_global
            })
            .fold(0.0, f64::max);
        assert!((0.018..=0.0202).contains(&worst), "{ratio} {worst}");
    }
}

#[test]
fn probabilities_of_conformity_for_other_laws() {
    // Closed form for 2 degrees of freedom: P(T ≤ t) = ½ + t/(2√(2 + t²)).
    let t = Law::new(&Input::student("x", 10.0, 0.5, 2.0)).unwrap();
    let cdf = |x: f64| {
        let t = (x - 10.0) / 0.5;
        0.5 + 0.5 * t / (2.0 + t * t).sqrt()
    };
    let found = conformance_probability(&t, [9.0, 10.4]).unwrap();
    assert!((found - (cdf(10.4) - cdf(9.0))).abs() < 1e-14, "{found}");
    let outside = specific_risk(&t, [9.0, 10.4]).unwrap();
    assert!((found + outside - 1.0).abs() < 1e-14);
    // Far out the risk keeps its digits: Q(10) to 16 digits, DLMF 7.12 or any table.
    let far = specific_risk(&normal(0.0, 1.0), [-OPEN, 10.0]).unwrap();
    assert!((far / 7.619853024160527e-24 - 1.0).abs() < 1e-12, "{far:e}");
}

#[test]
fn probabilities_from_trials_carry_their_error() {
    let found = SampleConformity::new(950, 1000).unwrap();
    assert_eq!(found.probability, 0.95);
    // √(p(1 − p)/n) with the count moved by the prior.
    assert!((found.standard_error / 0.0069 - 1.0).abs() < 0.02);
    let all = SampleConformity::new(1000, 1000).unwrap();
    assert_eq!(all.probability, 1.0);
    assert!((all.standard_error / 1e-3 - 1.0).abs() < 0.01);
    for (inside, total) in [(0, 0), (2, 1)] {
        assert!(SampleConformity::new(inside, total).is_err());
    }
}

#[test]
fn acceptance_limits_for_a_specific_risk() {
    let found = |dof, tolerance, risk| acceptance_for_specific_risk(0.1, dof, tolerance, risk);
    // One limit: JCGM 106:2012, 8.3.2 with the 95 % points of the normal and of t₁₀.
    let [low, high] = found(OPEN, [-OPEN, 1.0], 0.05).unwrap();
    assert_eq!(low, -OPEN);
    assert!(
        (high - (1.0 - 0.1 * 1.6448536269514722)).abs() < 1e-15,
        "{high}"
    );
    let [low, high] = found(10.0, [2.0, OPEN], 0.05).unwrap();
    assert_eq!(high, OPEN);
    assert!(
        (low - (2.0 + 0.1 * 1.8124611228107335)).abs() < 1e-13,
        "{low}"
    );
    // Two limits: the risk at the ends is the wanted one, with both tails.
    for dof in [OPEN, 4.0] {
        let tolerance = [0.0, 0.5];
        let [low, high] = found(dof, tolerance, 0.1).unwrap();
        assert!((low + high - 0.5).abs() < 1e-15 && low < high);
        for at in [low, high] {
            let input = match dof {
                OPEN => Input::normal("x", at, 0.1),
                _ => Input::student("x", at, 0.1, dof),
            };
            let risk = specific_risk(&Law::new(&input).unwrap(), tolerance).unwrap();
            assert!((risk - 0.1).abs() < 1e-12, "{dof} {risk}");
        }
    }
    assert_eq!(
        acceptance_for_specific_risk(0.0, OPEN, [0.0, 1.0], 0.05),
        Ok([0.0, 1.0])
    );
    let refused = found(OPEN, [0.0, 0.1], 0.05);
    assert!(matches!(refused, Err(ConformityError::NoAcceptance { .. })));
}

#[test]
fn what_is_no_problem_is_refused() {
    let good = RiskProblem::guarded(normal(0.0, 1.0), 0.1, [-1.0, 1.0], 0.1);
    let with = |change: &dyn Fn(&mut RiskProblem)| {
        let mut problem = good.clone();
        change(&mut problem);
        let refused = problem.risks().unwrap_err();
        assert!(refused.to_string().len() > 30);
        refused
    };
    for u in [-0.1, f64::NAN, OPEN] {
        let refused = with(&|problem| problem.u_measurement = u);
        assert!(matches!(refused, ConformityError::Uncertainty { .. }));
    }
    for tolerance in [[1.0, -1.0], [f64::NAN, 1.0], [-OPEN, OPEN], [1.0, 1.0]] {
        let refused = with(&|problem| problem.tolerance = tolerance);
        assert!(matches!(refused, ConformityError::Tolerance { .. }));
        assert!(conformance_probability(&good.prior, tolerance).is_err());
        assert!(specific_risk(&good.prior, tolerance).is_err());
        assert!(process_capability(&good.prior, tolerance).is_err());
        assert!(GuardBand::None.acceptance(tolerance, 0.1).is_err());
        assert!(acceptance_for_specific_risk(0.1, OPEN, tolerance, 0.1).is_err());
    }
    for acceptance in [[1.0, -1.0], [0.5, 0.5], [f64::NAN, 1.0]] {
        let refused = with(&|problem| problem.acceptance = acceptance);
        assert!(matches!(refused, ConformityError::NoAcceptance { .. }));
    }
    for risk in [0.0, 1.0, f64::NAN, -1.0] {
        let refused = good.guard_band_for(risk);
        assert!(matches!(refused, Err(ConformityError::Risk { .. })));
        let refused = acceptance_for_specific_risk(0.1, OPEN, [0.0, 1.0], risk);
        assert!(matches!(refused, Err(ConformityError::Risk { .. })));
    }
    for (u, dof) in [(f64::NAN, OPEN), (-1.0, OPEN), (0.1, f64::NAN), (0.1, -1.0)] {
        assert!(acceptance_for_specific_risk(u, dof, [0.0, 1.0], 0.1).is_err());
    }
    for process in [
        Input::constant("x", 0.0),
        Input::student("x", 0.0, 1.0, 1.5),
    ] {
        let law = Law::new(&process).unwrap();
        assert!(process_capability(&law, [-1.0, 1.0]).is_err());
    }
    for expanded in [f64::NAN, -0.1, OPEN] {
        assert!(GuardBand::None.acceptance([0.0, 1.0], expanded).is_err());
    }
    let nan = GuardBand::Expanded { fraction: f64::NAN };
    assert!(nan.acceptance([0.0, 1.0], 0.1).is_err());
}
