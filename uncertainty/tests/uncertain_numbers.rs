//! Uncertain numbers: what they keep when they travel.

use heng_uncertainty::{
    Archive, ArchiveError, Correlation, Element, Input, InputError, Inputs, Library, Model,
    PropagationError, UncertainError, UncertainNumber, correlation, covariance, coverage_factor,
    joint_dof, propagate, propagate_uncertain, simultaneous,
};

fn model(text: &str) -> Model {
    Model::compile(text, &Library::default()).unwrap()
}

fn elementary(id: &str, input: &Input) -> UncertainNumber {
    UncertainNumber::elementary(id, input).unwrap()
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found}, not {expected}"
    );
}

/// Archived and read again.
fn travelled(number: UncertainNumber) -> UncertainNumber {
    let mut archive = Archive::default();
    archive.insert("item", number).unwrap();
    let text = archive.to_json().unwrap();
    Archive::from_json(&text)
        .unwrap()
        .get("item")
        .unwrap()
        .clone()
}

/// JCGM 100:2008, H.1, with the length of a second block: lengths in nm.
fn standard() -> Input {
    Input::normal("ls", 50_000_623.0, 25.0).with_dof(18.0)
}

fn comparison(block: usize) -> [Input; 2] {
    let d = [215.0, -142.0][block];
    [
        Input::normal("d", d, 9.7).with_dof(25.6),
        Input::rectangular("dt", 0.0, 0.05),
    ]
}

const BLOCK: &str = "l = ls + d - ls * 11.5e-6 * dt";

fn block(number: usize) -> UncertainNumber {
    let standard = elementary("standard-2026-17/ls", &standard());
    let [d, dt] = comparison(number);
    let of_block = |name: &str, input| elementary(&format!("block-{number}/{name}"), input);
    let inputs = [
        ("ls", &standard),
        ("d", &of_block("d", &d)),
        ("dt", &of_block("dt", &dt)),
    ];
    let [length] = &propagate_uncertain(&model(BLOCK), &["l"], &inputs).unwrap()[..] else {
        panic!("one result");
    };
    length.clone().with_unit("nm")
}

#[test]
fn two_blocks_measured_with_one_standard_stay_correlated() {
    let (a, b) = (travelled(block(0)), travelled(block(1)));
    let direct = model(
        "l1 = ls + d1 - ls * 11.5e-6 * dt1\n\
         l2 = ls + d2 - ls * 11.5e-6 * dt2\n\
         difference = l1 - l2\n\
         ratio = l1 / l2",
    );
    let mut inputs = vec![standard()];
    for (block, suffix) in [(0, "1"), (1, "2")] {
        inputs.extend(comparison(block).map(|mut input| {
            input.symbol.push_str(suffix);
            input
        }));
    }
    let inputs = Inputs::from(inputs);
    let results = model("difference = a - b\nratio = a / b");
    let outputs = ["difference", "ratio"];
    let found = propagate_uncertain(&results, &outputs, &[("a", &a), ("b", &b)]).unwrap();
    for (number, output) in found.iter().zip(outputs) {
        let budget = propagate(&direct, output, &inputs, 0.95).unwrap();
        // Components of 25 nm cancel to nothing: rounding of those, not of the result.
        near(number.value(), budget.value, 1e-15 * budget.value.abs());
        near(number.standard_uncertainty(), budget.u, 1e-14 * budget.u);
        near(number.dof().unwrap(), budget.dof, 1e-12 * budget.dof);
    }
    // The standard leaves the difference: what stays is 9.7 nm and 0.05 K·11.5e-6/K·ls/√3,
    // twice.
    let thermal = 11.5e-6 * 50_000_623.0 * 0.05 / 3_f64.sqrt();
    let own = (2.0 * (9.7 * 9.7 + thermal * thermal)).sqrt();
    near(found[0].standard_uncertainty(), own, 1e-9);
    near(covariance(&a, &b).unwrap(), 625.0, 1e-9);
    near(
        correlation(&a, &b).unwrap(),
        625.0 / (a.standard_uncertainty() * b.standard_uncertainty()),
        1e-15,
    );
    assert_eq!(a.unit(), Some("nm"));
    assert_eq!(a, block(0));
}

fn impedance(rows: &[[f64; 3]]) -> Vec<UncertainNumber> {
    let rows: Vec<_> = rows.iter().map(|row| row.to_vec()).collect();
    let inputs = simultaneous(&["V", "I", "phi"], &rows).unwrap();
    let numbers = UncertainNumber::elementary_set("impedance/1", &inputs).unwrap();
    let named: Vec<_> = ["V", "I", "phi"].into_iter().zip(&numbers).collect();
    let model = model("R = V / I * cos(phi)\nX = V / I * sin(phi)\nZ = V / I");
    propagate_uncertain(&model, &["R", "X", "Z"], &named)
        .unwrap()
        .into_iter()
        .map(travelled)
        .collect()
}

const READINGS: [[f64; 3]; 6] = [
    [5.007, 0.019663, 1.0456],
    [4.994, 0.019639, 1.0438],
    [5.005, 0.01964, 1.0468],
    [4.99, 0.019685, 1.0428],
    [4.999, 0.019678, 1.0433],
    [4.999, 0.019661, 1.0445],
];

#[test]
fn simultaneous_readings_give_the_published_impedance() {
    // JCGM 100:2008, H.2, tables H.3 and H.4: half a unit of the last digit printed; the
    // GUM prints u(X) = 0.295 where unrounded inputs give 0.29558.
    let results = impedance(&READINGS[..5]);
    for (number, value, u, tolerance) in [
        (&results[0], 127.732, 0.071, 5e-4),
        (&results[1], 219.847, 0.295, 6e-4),
        (&results[2], 254.260, 0.236, 5e-4),
    ] {
        near(number.value(), value, 5e-4);
        near(number.standard_uncertainty(), u, tolerance);
    }
    for (a, b, r) in [(0, 1, -0.588), (0, 2, -0.485), (1, 2, 0.993)] {
        near(correlation(&results[a], &results[b]).unwrap(), r, 5e-4);
    }
    // R. Willink, Metrologia 44 (2007) 340, 4.1: one sample of five has 4 degrees of
    // freedom; U as the GUM Tree Calculator 1.5.1 gives it, all digits.
    for (number, expanded) in results.iter().zip([0.19732586, 0.8206663, 0.65617429]) {
        let dof = number.dof().unwrap();
        near(dof, 4.0, 1e-9);
        let k = coverage_factor(dof, 0.95);
        near(k * number.standard_uncertainty(), expanded, 1e-7);
    }
    near(joint_dof(&results[0], &results[1]).unwrap(), 4.0, 1e-9);
}

#[test]
fn six_simultaneous_readings_give_the_impedance_of_supplement_2() {
    // JCGM 102:2011, 9.4.2.2: half a unit of the last digit printed.
    let results = impedance(&READINGS);
    for (number, u) in results.iter().zip([0.058, 0.241, 0.193]) {
        near(number.standard_uncertainty(), u, 5e-4);
    }
    near(correlation(&results[0], &results[1]).unwrap(), -0.588, 5e-4);
    near(
        1.0 - correlation(&results[1], &results[2]).unwrap(),
        0.00749,
        5e-6,
    );
}

#[test]
fn ensembles_and_single_inputs_are_terms_of_one_sum() {
    let mut rows = Vec::new();
    rows.extend(READINGS[..5].iter().map(|row| row.to_vec()));
    let inputs = simultaneous(&["V", "I", "phi"], &rows).unwrap();
    let numbers = UncertainNumber::elementary_set("impedance/1", &inputs).unwrap();
    let meter = elementary("meter/gain", &Input::normal("g", 1.0, 1e-3).with_dof(6.0));
    let named = [("V", &numbers[0]), ("I", &numbers[1]), ("g", &meter)];
    let z = &propagate_uncertain(&model("Z = g * V / I"), &["Z"], &named).unwrap()[0];
    let joint = {
        let one = elementary("meter/gain", &Input::constant("g", 1.0));
        let named = [("V", &numbers[0]), ("I", &numbers[1]), ("g", &one)];
        let z = &propagate_uncertain(&model("Z = g * V / I"), &["Z"], &named).unwrap()[0];
        z.standard_uncertainty()
    };
    let gain = z.value() * 1e-3;
    let total = joint * joint + gain * gain;
    let by_hand = total * total / (libm::pow(joint, 4.0) / 4.0 + libm::pow(gain, 4.0) / 6.0);
    near(z.standard_uncertainty(), total.sqrt(), 1e-14 * total.sqrt());
    near(z.dof().unwrap(), by_hand, 1e-12 * by_hand);
}

#[test]
fn correlation_of_estimates_outside_an_ensemble_gives_no_dof() {
    let correlated = |dof: f64| {
        let quantities = ["a", "b"].map(|name| Input::normal(name, 1.0, 0.1).with_dof(dof));
        let inputs = Inputs {
            quantities: quantities.to_vec(),
            correlations: vec![Correlation {
                a: "a".to_owned(),
                b: "b".to_owned(),
                r: 0.5,
            }],
            ..Inputs::default()
        };
        let numbers = UncertainNumber::elementary_set("cert", &inputs).unwrap();
        let named = [("a", &numbers[0]), ("b", &numbers[1])];
        let sum = propagate_uncertain(&model("y = a + b"), &["y"], &named).unwrap();
        (numbers, sum[0].clone())
    };
    let (numbers, sum) = correlated(8.0);
    near(sum.standard_uncertainty(), 0.03_f64.sqrt(), 1e-15);
    assert!(matches!(
        sum.dof(),
        Err(UncertainError::Propagation(
            PropagationError::CorrelatedDof { .. }
        ))
    ));
    assert!(joint_dof(&numbers[0], &numbers[1]).is_err());
    assert_eq!(numbers[0].dof(), Ok(8.0));
    let (numbers, sum) = correlated(f64::INFINITY);
    assert_eq!(sum.dof(), Ok(f64::INFINITY));
    assert_eq!(joint_dof(&numbers[0], &numbers[1]), Ok(f64::INFINITY));
}

#[test]
fn a_pair_of_independent_complex_means_has_the_dof_of_willink_and_hall() {
    // Metrologia 39 (2002) 365, sum of three complex estimates: digits printed.
    let y = model("re = a1 + a2 + a3\nim = b1 + b2 + b3");
    let mut numbers = Vec::new();
    let parts = [
        (0.96, -0.34, 0.27, 5.0),
        (0.51, 0.33, 0.31, 3.0),
        (0.45, 0.28, 1.65, 6.0),
    ];
    for (at, (re, cov, im, dof)) in (1..).zip(parts) {
        let (a, b) = (format!("a{at}"), format!("b{at}"));
        let normal =
            |name: &str, variance: f64| Input::normal(name, 0.0, variance.sqrt()).with_dof(dof);
        let inputs = Inputs {
            quantities: vec![normal(&a, re), normal(&b, im)],
            correlations: vec![Correlation {
                a: a.clone(),
                b: b.clone(),
                r: cov / f64::sqrt(re * im),
            }],
            ensembles: vec![vec![a, b]],
            ..Inputs::default()
        };
        numbers.extend(UncertainNumber::elementary_set("complex", &inputs).unwrap());
    }
    let named: Vec<_> = ["a1", "b1", "a2", "b2", "a3", "b3"]
        .into_iter()
        .zip(&numbers)
        .collect();
    let results = propagate_uncertain(&y, &["re", "im"], &named).unwrap();
    let dof = joint_dof(&results[0], &results[1]).unwrap();
    near(dof, 11.3409777904914, 1e-12);
}

#[test]
fn one_id_is_one_estimate() {
    let a = elementary("cert/ls", &Input::normal("ls", 1.0, 0.1));
    let b = elementary("cert/ls", &Input::normal("ls", 1.0, 0.2));
    let refused = covariance(&a, &b).unwrap_err();
    assert_eq!(
        refused,
        UncertainError::Conflict {
            id: "cert/ls".to_owned(),
            difference: "standard uncertainty 0.1 and 0.2".to_owned()
        }
    );
    let sum = model("y = a + b");
    let named = [("a", &a), ("b", &b)];
    assert_eq!(propagate_uncertain(&sum, &["y"], &named), Err(refused));
    let zero = elementary("cert/zero", &Input::normal("zero", -0.0, 0.1));
    let again = travelled(zero.clone());
    near(covariance(&zero, &again).unwrap(), 0.01, 1e-17);
    let mut archive = Archive::default();
    archive.insert("a", a.clone()).unwrap();
    assert!(matches!(
        archive.insert("b", b),
        Err(ArchiveError::Number { .. })
    ));
    assert!(matches!(
        archive.insert("a", a),
        Err(ArchiveError::Repeated { .. })
    ));
    let input = Input::normal("x", 1.0, 0.1);
    assert!(matches!(
        UncertainNumber::elementary("", &input),
        Err(UncertainError::EmptyId { .. })
    ));
}

#[test]
fn wrong_inputs_and_silent_models_are_refused() {
    let x = elementary("x", &Input::normal("x", 0.0, 1.0));
    let square = model("y = x * x");
    assert_eq!(
        propagate_uncertain(&square, &["y"], &[("x", &x)]),
        Err(UncertainError::Vanishing {
            output: "y".to_owned()
        })
    );
    let refused =
        |named: &[(&str, &UncertainNumber)]| match propagate_uncertain(&square, &["y"], named) {
            Err(UncertainError::Input(reason)) => reason,
            other => panic!("{other:?}"),
        };
    assert!(matches!(refused(&[]), InputError::Missing { .. }));
    assert!(matches!(
        refused(&[("x", &x), ("x", &x)]),
        InputError::Repeated { .. }
    ));
    assert!(matches!(
        refused(&[("x", &x), ("z", &x)]),
        InputError::NotInModel { .. }
    ));
    let huge = elementary("x", &Input::normal("x", 1e300, 1e200));
    assert!(matches!(
        propagate_uncertain(&model("y = 1e200 * x * 1e-200"), &["y"], &[("x", &huge)]),
        Err(UncertainError::Model(_))
    ));
    // The same number twice is fully correlated with itself, and a difference without any
    // uncertainty is a result.
    let difference = model("y = a - b");
    let zero = propagate_uncertain(&difference, &["y"], &[("a", &x), ("b", &x)]).unwrap();
    assert_eq!(zero[0].standard_uncertainty(), 0.0);
    assert!(zero[0].components().is_empty());
    assert_eq!(correlation(&x, &x), Ok(1.0));
    assert_eq!(correlation(&x, &zero[0]), Ok(0.0));
}

const VERSION_1: &str = include_str!("../../fixtures/uncertain-numbers/v1.json");

/// What the fixture holds: each kind of distribution, correlation, an ensemble, finite and
/// infinite degrees of freedom, numbers with and without a unit.
fn of_version_1() -> Archive {
    let mut archive = Archive::default();
    archive.insert("block 0", block(0)).unwrap();
    archive.insert("block 1", block(1)).unwrap();
    for (name, number) in ["R", "X", "Z"].into_iter().zip(impedance(&READINGS[..5])) {
        archive.insert(name, number.with_unit("Ω")).unwrap();
    }
    let laws = [
        Input::student("student", 1.0, 0.5, 7.5),
        Input {
            distribution: heng_uncertainty::Distribution::StudentTSd,
            ..Input::student("student_sd", 1.0, 0.5, 3.0)
        },
        Input::triangular("triangular", 1e-7, 1e-9),
        Input::u_shaped("u_shaped", -40.0, 0.3),
        Input::trapezoidal("trapezoidal", 0.0, 0.1, 0.25),
        Input::curvilinear_trapezoid("curvilinear", 0.0, 0.1, 0.025),
        Input::exponential("exponential", 3.0),
        Input::counted("counted", 11),
        Input::beta("beta", [0.0, 2.0], 1.5, 4.0),
        Input {
            distribution: heng_uncertainty::Distribution::LogNormal,
            ..Input::normal("log_normal", 1e23, 1e22)
        },
        Input {
            distribution: heng_uncertainty::Distribution::Poisson,
            ..Input::normal("poisson", 16.0, 4.0)
        },
        Input::empirical("empirical", vec![1.0, 2.5, 4.0]),
        Input::discrete("discrete", vec![-1.0, 0.5], vec![1.0, 3.0]),
    ];
    for input in laws {
        let id = format!("laws/{}", input.symbol);
        archive
            .insert(&input.symbol, elementary(&id, &input))
            .unwrap();
    }
    archive
}

#[test]
fn version_1_is_read_for_ever() {
    if std::env::var_os("HENG_BLESS").is_some() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/uncertain-numbers/v1.json"
        );
        std::fs::write(path, of_version_1().to_json().unwrap() + "\n").unwrap();
        return;
    }
    let read = Archive::from_json(VERSION_1).unwrap();
    assert_eq!(read.to_json().unwrap(), VERSION_1.trim_end());
    let made = of_version_1();
    assert!(
        read.numbers()
            .map(|(name, _)| name)
            .eq(made.numbers().map(|(name, _)| name))
    );
    for ((_, read), (_, made)) in read.numbers().zip(made.numbers()) {
        // A later engine may round otherwise; what was written stays.
        near(read.value(), made.value(), 1e-12 * made.value().abs());
        let u = made.standard_uncertainty();
        near(read.standard_uncertainty(), u, 1e-12 * u);
        assert_eq!(read.unit(), made.unit());
        assert!(read.components().keys().eq(made.components().keys()));
        for id in read.components().keys() {
            assert_eq!(read.element(id), made.element(id));
        }
    }
    let Element {
        quantity, ensemble, ..
    } = read.get("R").unwrap().element("impedance/1/V").unwrap();
    assert_eq!((quantity.symbol.as_str(), quantity.dof), ("V", 4.0));
    assert_eq!(ensemble.as_deref(), Some("impedance/1/V+I+phi"));
    assert_eq!(read.numbers().count(), 18);
}

#[test]
fn what_was_altered_is_refused_with_its_cause() {
    let altered = |from: &str, to: &str| {
        assert!(VERSION_1.contains(from), "{from}");
        match Archive::from_json(&VERSION_1.replacen(from, to, 1)) {
            Err(reason) => reason.to_string(),
            Ok(_) => panic!("{to} was taken"),
        }
    };
    let digest = altered("\"value\":50000623", "\"value\":50000624");
    assert!(
        digest.starts_with("the archive was altered after it was written"),
        "{digest}"
    );
    let digest = altered("\"sha256\":\"", "\"sha256\":\"0");
    assert!(digest.starts_with("the archive was altered"), "{digest}");
    let digest = altered("\"sha256\":", "\"sha-256\":");
    assert!(digest.contains("it states missing"), "{digest}");
    let version = altered("\"version\":1", "\"version\":2");
    assert!(version.starts_with("the archive has version 2; this program reads version 1"));
    let format = altered("heng-uncertain-numbers", "gtc");
    assert!(format.contains("its format is \"gtc\""), "{format}");
    assert!(matches!(
        Archive::from_json("{"),
        Err(ArchiveError::NotJson(_))
    ));
    assert!(matches!(
        Archive::from_json("[]"),
        Err(ArchiveError::NotJson(_))
    ));
}

/// An archive that states its own digest, whatever it holds.
fn sealed(content: &str) -> Result<Archive, ArchiveError> {
    let open = format!("{{{content},\"format\":\"heng-uncertain-numbers\",\"version\":1}}");
    match Archive::from_json(&open) {
        Err(ArchiveError::Digest { computed, .. }) => {
            Archive::from_json(&open.replacen('{', &format!("{{ \"sha256\": \"{computed}\", "), 1))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn impossible_content_is_refused_even_with_a_fitting_digest() {
    let element = |id: &str, u: &str, more: &str| {
        format!(
            "\"{id}\": {{\"quantity\": {{\"symbol\": \"x\", \"value\": 1, \"u\": {u}, \
             \"dof\": \"inf\", \"distribution\": {{\"kind\": \"normal\"}}}}{more}}}"
        )
    };
    let archive = |elements: &str, component: &str| {
        sealed(&format!(
            "\"elements\": {{{elements}}}, \"numbers\": {{\"y\": {{\"value\": 1, \
             \"unit\": null, \"components\": {{{component}}}}}}}"
        ))
    };
    let message = |archive: Result<Archive, ArchiveError>| archive.unwrap_err().to_string();
    // White space, order and number formats of others do not matter.
    let good = archive(&element("a", "0.50", ""), "\"a\": 5e-1").unwrap();
    assert_eq!(good.get("y").unwrap().standard_uncertainty(), 0.5);
    let missing = message(archive(&element("a", "0.5", ""), "\"b\": 0.5"));
    assert!(
        missing.contains("\"y\"") && missing.contains("\"b\""),
        "{missing}"
    );
    let negative = message(archive(&element("a", "-0.5", ""), "\"a\": 0.5"));
    assert!(
        negative.contains("standard uncertainty of 0 or more"),
        "{negative}"
    );
    let with = |r: &str, other: &str| {
        let first = element("a", "0.5", &format!(", \"correlations\": {{\"b\": {r}}}"));
        let second = element("b", "0.5", other);
        message(archive(
            &format!("{first}, {second}"),
            "\"a\": 0.5, \"b\": 0.5",
        ))
    };
    assert!(with("0.5", "").contains("which states None"));
    assert!(with("2", ", \"correlations\": {\"a\": 2}").contains("from -1 to 1"));
    let unknown = message(archive(&element("a", "0.5", ", \"colour\": 1"), ""));
    assert!(unknown.contains("colour"), "{unknown}");
}
