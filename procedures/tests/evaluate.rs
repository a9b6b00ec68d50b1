//! Results of the shipped comparison from constructed readings.

use std::collections::BTreeMap;

use heng_procedures::{
    CriterionState, EvaluationError, Indication, Order, PointClosed, PointResult, Procedure, Rules,
    Scan, ScanPurpose, Signals, StandardCertificate, Standards, Steady, Violation, evaluate,
    evaluate_point, library, result_seed,
};
use heng_quantities::Decimal;
use heng_uncertainty::{Model, Verdict};

const SEED: u64 = 7;
/// Scatter of ten readings without autocorrelation worth the name, mean zero.
const SCATTER: [f64; 10] = [
    0.05, 0.04, -0.06, -0.05, 0.03, 0.05, -0.03, -0.04, 0.02, -0.01,
];

fn procedure() -> Procedure {
    let (id, text) = library()
        .iter()
        .find(|(id, _)| *id == "thermo-hygrometer-comparison")
        .unwrap();
    Procedure::parse(id, text).unwrap()
}

fn order() -> Order {
    order_with("")
}

fn order_with(choices: &str) -> Order {
    let text = format!(
        r#"
number = "1"
operator = "Demonstration"
received = "2026-11-20"
{choices}
[customer]
name = {{ en = "Customer", zh = "客户" }}
address = {{ en = "Road", zh = "路" }}
[item]
name = {{ en = "Hygrometer", zh = "湿度计" }}
manufacturer = "Demo"
model = "H"
serial = "1"
condition = {{ en = "good", zh = "完好" }}
[[limit]]
measurand = "humidity"
low = -1.0
high = 1.0
unit = "%RH"
[[limit]]
measurand = "temperature"
low = -500.0
high = 500.0
unit = "mK"
[decision]
kind = "guarded"
guard_fraction = 1.0
"#
    );
    Order::parse("order.toml", &text).unwrap()
}

fn certificate(quantity: &str, unit: &str, expanded_u: f64, drift: f64) -> StandardCertificate {
    let (min, max) = if unit == "hPa" {
        (500.0, 1200.0)
    } else {
        (-30.0, 60.0)
    };
    let text = format!(
        r#"
number = "S"
issuer = {{ en = "Institute", zh = "机构" }}
calibrated = "2026-02-03"
valid_until = "2027-02-02"
instrument = {{ maker = "Demo", model = "M", serial = "1" }}
traceable = true
[[channel]]
quantity = "{quantity}"
unit = "{unit}"
min = {min:.1}
max = {max:.1}
correction = [[{min:.1}, 0.0], [{max:.1}, 0.0]]
expanded_u = {expanded_u:?}
k = 2.0
drift_half_width = {drift:?}
"#
    );
    StandardCertificate::parse("standard.toml", &text).unwrap()
}

/// Sizes of a good laboratory: U(td) 0.06 K, U(t) 0.03 K, U(p) 0.2 hPa.
fn standards() -> Standards {
    [
        ("mirror", certificate("dew_point", "°C", 0.06, 0.035)),
        ("thermometer", certificate("temperature", "°C", 0.03, 0.01)),
        ("barometer", certificate("pressure", "hPa", 0.2, 0.1)),
    ]
    .map(|(role, certificate)| (role.to_owned(), certificate))
    .into()
}

/// The question about the mirror is only asked below 0 °C.
fn answers(td: f64, mirror: &str) -> BTreeMap<String, String> {
    let asked = (td < 0.0).then(|| ("mirror_state".to_owned(), mirror.to_owned()));
    asked.into_iter().collect()
}

fn reference(td: f64, t: f64, p_hpa: f64, mirror: &str) -> f64 {
    let procedure = procedure();
    let library = procedure
        .formulas(&BTreeMap::new(), &answers(td, mirror))
        .unwrap();
    let derived = procedure
        .derived
        .iter()
        .find(|derived| derived.name == "rh_ref")
        .unwrap();
    let model = Model::compile(&derived.model, &library).unwrap();
    let value_of = |symbol: &str| match symbol {
        "td" => Some(td),
        "t" => Some(t),
        "p" => Some(p_hpa),
        _ => None,
    };
    model.eval("rh_ref", &value_of).unwrap()
}

/// Ten readings at 20 °C and 1013.25 hPa: the item reads the reference plus `error`.
fn point(id: &str, td: f64, error: f64, mirror: &str) -> PointClosed {
    let rules = procedure().point;
    let index = rules.iter().position(|rule| rule.id == id).unwrap();
    let rh = reference(td, 20.0, 1013.25, mirror);
    let cycles = SCATTER.iter().enumerate().map(|(cycle, scatter)| {
        let rh_uut = rh + error + scatter;
        let signals = [
            ("td", td),
            ("t", 20.0),
            ("p", 1013.25),
            ("rh_uut", rh_uut),
            ("t_uut", 20.1 + scatter),
            ("rh_ref", rh),
            ("d_rh", rh_uut - rh),
            ("d_t", 0.1 + scatter),
        ];
        scan(cycle, &signals)
    });
    PointClosed {
        index,
        t_us: 0,
        complete: true,
        repeats: Vec::new(),
        cycles: cycles.collect(),
        steady: Some(steady()),
        answers: answers(td, mirror),
    }
}

fn scan(cycle: usize, signals: &[(&str, f64)]) -> Scan {
    let indication = |channel: &str, places: u8, unit: &str, value: f64| Indication {
        channel: channel.to_owned(),
        digits: Decimal::from_f64(value, places).unwrap(),
        unit: unit.parse().unwrap(),
        quality: "valid".to_owned(),
        t_us: 0,
        entry: 0,
    };
    let value = |name: &str| {
        signals
            .iter()
            .find(|(signal, _)| *signal == name)
            .unwrap()
            .1
    };
    Scan {
        t_us: cycle as u64 * 60_000_000,
        point: None,
        purpose: ScanPurpose::Reading,
        cycle: Some(u32::try_from(cycle).unwrap() + 1),
        indications: vec![
            indication("td", 3, "°C", value("td")),
            indication("t", 3, "°C", value("t")),
            indication("p", 2, "hPa", value("p")),
            indication("rh_uut", 1, "%RH", value("rh_uut")),
            indication("t_uut", 1, "°C", value("t_uut")),
        ],
        missing: BTreeMap::new(),
        signals: signals
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
    }
}

fn steady() -> Steady {
    // As a record has it.
    let criterion = |signal: &str, unit: &str, range: f64| -> CriterionState {
        let state = serde_json::json!({
            "signal": signal, "unit": unit, "window_s": 1200.0, "covered_s": 1200.0, "count": 41,
            "range": range, "range_limit": 1.0, "slope_per_h": -0.4, "slope_u_per_h": 0.05,
            "slope_k": 2.0, "slope_limit_per_h": 1.0, "scatter": 0.03, "scatter_limit": 0.1,
            "steady": true,
        });
        serde_json::from_value(state).unwrap()
    };
    Steady {
        t_us: 0,
        point: None,
        criteria: vec![criterion("d_rh", "%RH", 0.12), criterion("d_t", "K", 0.04)],
        waited_s: 3600.0,
        minimum_wait_s: 1800.0,
        maximum_wait_s: 14400.0,
        steady: true,
    }
}

fn results(points: &[PointClosed]) -> Vec<PointResult> {
    evaluate(
        &procedure(),
        &order(),
        &standards(),
        points,
        SEED,
        Rules::Present,
    )
    .unwrap()
}

fn humidity<'a>(results: &'a [PointResult], point: &PointClosed) -> &'a PointResult {
    let mut all = results.iter();
    all.find(|one| one.point == point.index && one.measurand == "humidity")
        .unwrap()
}

fn row<'a>(result: &'a PointResult, symbol: &str) -> &'a heng_uncertainty::BudgetRow {
    result
        .budget
        .rows
        .iter()
        .find(|row| row.symbol == symbol)
        .unwrap()
}

fn assert_near(name: &str, value: f64, expected: f64, tolerance: f64) {
    assert!(
        (value - expected).abs() <= tolerance,
        "{name}: {value} is not {expected}"
    );
}

#[test]
fn sensitivities_and_contributions_at_20_degrees_and_50_percent_are_the_known_ones() {
    let point = point("r50", 9.275, 0.4, "water");
    let results = results(std::slice::from_ref(&point));
    let result = humidity(&results, &point);
    assert_near("reference", result.reference, 50.0, 0.02);
    assert_near("error", result.budget.value, 0.4, 1e-9);
    assert_near(
        "indication",
        result.indication,
        result.reference + 0.4,
        1e-9,
    );
    // +3.37 %RH/K in dew point, −3.10 %RH/K in temperature; both to the printed digit. The
    // reference is subtracted, so the signs turn round.
    assert_near("c(td)", row(result, "d_td_cal").sensitivity, -3.37, 0.01);
    assert_near("c(t)", row(result, "d_t_cal").sensitivity, 3.10, 0.01);
    assert_near(
        "c(formula)",
        row(result, "d_formula").sensitivity,
        -50.0,
        0.02,
    );
    for (symbol, expected, tolerance) in [
        ("d_td_cal", 0.10, 0.005),
        ("d_td_drift", 0.07, 0.005),
        ("d_td_ctrl", 0.03, 0.005),
        ("d_t_cal", 0.05, 0.005),
        ("d_t_grad", 0.09, 0.005),
        ("d_td_line", 0.03, 0.005),
        ("d_formula", 0.005, 0.0005),
        // Half of 0.1 %RH, half of the window's 0.12 %RH.
        ("d_res", 0.05 / 3_f64.sqrt(), 1e-12),
        ("d_stab", 0.06 / 3_f64.sqrt(), 1e-12),
        // s of SCATTER is √(0.0166 / 9).
        ("d_rep", (0.0166_f64 / 90.0).sqrt(), 1e-9),
    ] {
        assert_near(
            symbol,
            row(result, symbol).contribution,
            expected,
            tolerance,
        );
    }
}

#[test]
fn the_accepted_instability_enters_by_the_law_of_the_procedure() {
    // Ten readings a minute apart last 9 min: |−0.4| + 2 · 0.05 an hour changes 0.075.
    let readings_h = 9.0 / 60.0;
    let root_3 = 3_f64.sqrt();
    for (law, u, dof) in [
        ("half_range", 0.06 / root_3, f64::INFINITY),
        ("scatter", 0.03, 39.0),
        ("drift", 0.5 * readings_h / 2.0 / root_3, f64::INFINITY),
    ] {
        let (_, shipped) = library()[0];
        let text = shipped
            .replace(
                "signal = \"d_rh\"\nwindow_s = 1200\n",
                "signal = \"d_rh\"\nwindow_s = 1200\nscatter = 0.1\nslope_k = 2.0\n",
            )
            .replace(
                "kind = \"instability\", signal = \"d_rh\"",
                &format!("kind = \"instability\", signal = \"d_rh\", law = \"{law}\""),
            );
        let procedure = Procedure::parse("procedure.toml", &text).unwrap();
        let point = point("r30", 1.91, 0.1, "water");
        let results = evaluate(
            &procedure,
            &order(),
            &standards(),
            std::slice::from_ref(&point),
            SEED,
            Rules::Present,
        );
        let results = results.unwrap();
        let found = row(humidity(&results, &point), "d_stab");
        assert_near(law, found.u, u, 1e-12);
        assert_eq!(found.dof, dof, "{law}");
    }
}

#[test]
fn the_answer_ice_changes_the_reference_by_five_percent_at_minus_five_degrees() {
    // 18.03 %RH over supercooled water and 17.17 %RH over ice at 20 °C, to the printed digit.
    for (mirror, expected) in [("water", 18.03), ("ice", 17.17)] {
        let point = point("r30", -5.0, 0.0, mirror);
        let results = results(std::slice::from_ref(&point));
        let result = humidity(&results, &point);
        assert_near(mirror, result.reference, expected, 0.01);
        // The model of the measurand is bound as the signal was.
        assert_near("error", result.budget.value, 0.0, 1e-9);
    }
}

#[test]
fn hysteresis_enters_both_directions_when_the_group_is_complete() {
    let (rising, falling) = (
        point("r30", 1.91, -0.2, "water"),
        point("f30", 1.91, 0.6, "water"),
    );
    let alone = evaluate_point(
        &procedure(),
        &order(),
        &standards(),
        &rising,
        &[],
        SEED,
        Rules::Present,
    )
    .unwrap();
    assert!(humidity(&alone, &rising).preliminary);
    assert_eq!(humidity(&alone, &rising).hysteresis, None);
    let temperature = alone
        .iter()
        .find(|one| one.measurand == "temperature")
        .unwrap();
    assert!(
        !temperature.preliminary,
        "temperature has no hysteresis in its budget"
    );
    let both = results(&[rising.clone(), falling.clone()]);
    for point in [&rising, &falling] {
        let result = humidity(&both, point);
        assert!(!result.preliminary);
        assert_near("hysteresis", result.hysteresis.unwrap(), 0.8, 1e-9);
        assert_near(
            "d_hys",
            row(result, "d_hys").contribution,
            0.4 / 3_f64.sqrt(),
            1e-9,
        );
    }
    let after = evaluate_point(
        &procedure(),
        &order(),
        &standards(),
        &falling,
        &[rising],
        SEED,
        Rules::Present,
    )
    .unwrap();
    assert!(!humidity(&after, &falling).preliminary);
    // The point without another direction is never preliminary.
    let top = point("r90", 18.31, 0.0, "water");
    assert!(!humidity(&results(std::slice::from_ref(&top)), &top).preliminary);
}

#[test]
fn a_point_that_was_given_up_has_no_result_and_leaves_its_partner_preliminary() {
    let (rising, mut falling) = (
        point("r30", 1.91, 0.0, "water"),
        point("f30", 1.91, 0.0, "water"),
    );
    falling.complete = false;
    falling.cycles.clear();
    let results = results(&[rising.clone(), falling]);
    assert_eq!(results.len(), 2);
    let result = humidity(&results, &rising);
    assert!(result.preliminary);
    assert!(
        result
            .notes
            .iter()
            .any(|note| note.en.contains("other direction"))
    );
}

#[test]
fn the_order_decides_by_its_limits_and_rule() {
    for (error, verdict) in [
        (0.1, Verdict::Pass),
        (0.95, Verdict::Fail),
        (1.6, Verdict::Fail),
    ] {
        let point = point("r90", 18.31, error, "water");
        let results = results(std::slice::from_ref(&point));
        let result = humidity(&results, &point);
        assert_eq!(result.limit, Some([-1.0, 1.0]));
        assert_eq!(
            result.decision.as_ref().unwrap().verdict,
            verdict,
            "{error}"
        );
        // Limits in mK become those of the measurand's differences in K.
        let temperature = results
            .iter()
            .find(|one| one.measurand == "temperature")
            .unwrap();
        assert_eq!(temperature.limit, Some([-0.5, 0.5]));
        assert_eq!(
            temperature.decision.as_ref().unwrap().verdict,
            Verdict::Pass
        );
    }
}

#[test]
fn the_reported_interval_is_the_validated_one_and_says_which() {
    let point = point("r50", 9.275, 0.4, "water");
    for result in results(std::slice::from_ref(&point)) {
        let printed = result.rounded.uncertainty.to_f64();
        let [low, high] = result.monte_carlo.shortest;
        let (expanded, value) = match result.reported.as_str() {
            "gum" => (result.budget.expanded, result.budget.value),
            "monte_carlo" => ((high - low) / 2.0, result.monte_carlo.mean),
            other => panic!("{other}"),
        };
        assert_eq!(result.reported == "gum", result.validation.validated);
        assert_near(
            "U",
            printed,
            expanded,
            result.rounded.uncertainty.resolution() / 2.0 + 1e-12,
        );
        assert_eq!(result.error, value);
        // Both methods agree to a few percent in this model.
        assert_near(
            "u",
            result.monte_carlo.u,
            result.budget.u,
            0.03 * result.budget.u,
        );
    }
}

#[test]
fn readings_that_follow_each_other_are_not_divided_by_their_number_and_said() {
    let mut drifting = point("r90", 18.31, 0.0, "water");
    for (cycle, scan) in drifting.cycles.iter_mut().enumerate() {
        scan.signals.insert("d_rh".to_owned(), cycle as f64 * 0.1);
    }
    let results = results(std::slice::from_ref(&drifting));
    let result = humidity(&results, &drifting);
    // s of 0.0, 0.1, … 0.9 is 0.1 √(82.5 / 9).
    assert_near(
        "d_rep",
        row(result, "d_rep").contribution,
        0.1 * (82.5_f64 / 9.0).sqrt(),
        1e-9,
    );
    assert!(
        result
            .notes
            .iter()
            .any(|note| note.en.contains("not independent"))
    );
}

#[test]
fn readings_without_scatter_leave_their_uncertainty_to_the_resolution() {
    let mut still = point("r90", 18.31, 0.0, "water");
    for scan in &mut still.cycles {
        scan.signals.insert("d_rh".to_owned(), 0.0);
    }
    let results = results(std::slice::from_ref(&still));
    assert_eq!(row(humidity(&results, &still), "d_rep").contribution, 0.0);
}

#[test]
fn a_formula_outside_its_range_is_refused_unless_the_order_answers_for_it() {
    let point = point("r90", 18.31, 0.0, "water");
    let mut hot = point.clone();
    for scan in &mut hot.cycles {
        scan.signals.insert("t".to_owned(), 140.0);
    }
    let evaluated = |order: &Order, rule: Rules| {
        let points = std::slice::from_ref(&hot);
        evaluate(&procedure(), order, &standards(), points, SEED, rule)
    };
    assert!(
        humidity(&results(std::slice::from_ref(&point)), &point)
            .forced
            .is_empty()
    );
    let error = evaluated(&order(), Rules::Present).unwrap_err();
    let message = error.to_string();
    for part in [
        "r90",
        "humidity",
        "for t from 0 °C to 100 °C",
        "140.0",
        "Hardy",
        "[[beyond_range]]",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let refusal = error.refusal().unwrap();
    assert!(refusal.zh.contains("适用范围"), "{refusal:?}");

    // One statement a formula: that of vapour pressure does not cover the enhancement factor.
    let statement = |formula: &str| {
        format!(
            "[[beyond_range]]\nformula = \"{formula}\"\nperson = \"Li Hua\"\n\
             reason = {{ en = \"compared with steam tables\", zh = \"已与蒸汽表比对\" }}\n"
        )
    };
    let order = order_with(&statement("hardy_water"));
    let error = evaluated(&order, Rules::Present).unwrap_err().to_string();
    assert!(error.contains("hardy_f_water"), "{error}");
    let both = statement("hardy_water") + &statement("hardy_f_water");
    let results = evaluated(&order_with(&both), Rules::Present).unwrap();
    let value = |violation: &Violation| match violation {
        Violation::Formula(violation) => violation.value,
        Violation::Standard(violation) => violation.outside.found,
    };
    let forced = &humidity(&results, &hot).forced;
    let names: Vec<_> = forced.iter().map(|one| one.violation.name()).collect();
    assert_eq!(names, ["hardy_f_water", "hardy_water"], "{forced:?}");
    assert!(
        forced
            .iter()
            .all(|one| one.person == "Li Hua" && value(&one.violation) > 139.0)
    );
    let notes = &humidity(&results, &hot).notes;
    assert!(
        notes
            .iter()
            .any(|note| note.en.contains("forced by Li Hua") && note.zh.contains("强制"))
    );
    // The temperature needs no formula.
    assert!(
        results
            .iter()
            .any(|one| one.measurand == "temperature" && one.forced.is_empty())
    );

    // As records of format 1 were evaluated, whatever the order says.
    let noted = evaluated(&order, Rules::First).unwrap();
    let json = serde_json::to_value(humidity(&noted, &hot)).unwrap();
    assert!(json.get("forced").is_none());
    assert!(json["notes"].to_string().contains("公式超出其声明范围："));
}

/// The indications of a channel replaced by one, and the signal by its value.
fn with_indication(
    point: &PointClosed,
    channel: &str,
    digits: &str,
    unit: &str,
    value: f64,
) -> PointClosed {
    let mut point = point.clone();
    for scan in &mut point.cycles {
        let all = scan.indications.iter_mut();
        for one in all.filter(|one| one.channel == channel) {
            one.digits = digits.parse().unwrap();
            one.unit = unit.parse().unwrap();
        }
        scan.signals.insert(channel.to_owned(), value);
    }
    point
}

const STATEMENT: &str = "[[beyond_range]]\ncertificate = \"S\"\nquantity = \"temperature\"\n\
    person = \"Li Hua\"\nreason = { en = \"compared at 80 °C\", zh = \"已在80 °C比对\" }\n";

#[test]
fn a_standard_outside_its_certificate_is_refused_unless_the_order_answers_for_it() {
    let good = point("r30", 1.91, 0.0, "water");
    let hot = with_indication(&good, "t", "75.000", "°C", 75.0);
    let evaluated = |order: &Order| {
        let points = std::slice::from_ref(&hot);
        evaluate(
            &procedure(),
            order,
            &standards(),
            points,
            SEED,
            Rules::Present,
        )
    };
    let error = evaluated(&order()).unwrap_err();
    let message = error.to_string();
    for part in [
        "r30",
        "humidity",
        "certificate S: temperature 75 °C is outside the calibrated range -30 to 60 °C",
        "[[beyond_range]] with certificate = \"S\", quantity = \"temperature\"",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let refusal = error.refusal().unwrap();
    assert!(
        refusal.zh.contains("校准范围为 -30 °C 至 60 °C"),
        "{refusal:?}"
    );

    let results = evaluated(&order_with(STATEMENT)).unwrap();
    assert_eq!(results.len(), 2);
    for result in &results {
        let [forced] = result.forced.as_slice() else {
            panic!("{:?}", result.forced);
        };
        assert_eq!(
            (forced.person.as_str(), forced.violation.name()),
            ("Li Hua", "S")
        );
        let note = result
            .notes
            .iter()
            .find(|note| note.en.contains("forced by Li Hua"));
        let note = note.unwrap();
        assert!(
            note.en
                .contains("outside of the certified range of a standard"),
            "{note:?}"
        );
        assert!(
            note.zh
                .contains("超出标准器的校准范围，由Li Hua决定强制使用"),
            "{note:?}"
        );
    }
    let json = serde_json::to_value(&results[0].forced[0]).unwrap();
    assert_eq!(json["violation"]["certificate"], "S");
    assert_eq!(json["violation"]["found"], 75.0);
    let again: heng_procedures::Forced = serde_json::from_value(json).unwrap();
    assert_eq!(again, results[0].forced[0]);
    // Another certificate, or another quantity of it, is not covered.
    for (from, to) in [("\"S\"", "\"T\""), ("\"temperature\"", "\"dew_point\"")] {
        assert!(
            evaluated(&order_with(&STATEMENT.replacen(from, to, 1))).is_err(),
            "{to}"
        );
    }
}

#[test]
fn a_reading_outside_the_certificate_is_no_signal_unless_the_order_answers_for_it() {
    let good = point("r30", 1.91, 0.0, "water");
    let hot = with_indication(&good, "t", "75.000", "°C", 75.0);
    let read = |order: &Order| {
        let signals = Signals::new(&procedure(), order, &standards()).unwrap();
        let mut missing = BTreeMap::new();
        let values = signals.channels(&hot.cycles[0].indications, &mut missing);
        (values, missing)
    };
    let (values, missing) = read(&order());
    assert!(!values.contains_key("t"));
    // As records have it since the first version.
    assert_eq!(
        missing["t"],
        "certificate S: temperature 75 °C is outside the calibrated range -30 to 60 °C of the \
         standard: measure inside the range or use another standard"
    );
    let (values, missing) = read(&order_with(STATEMENT));
    assert_eq!((values["t"], missing.is_empty()), (75.0, true));
}

#[test]
fn a_thermometer_that_indicates_a_resistance_enters_with_its_temperature() {
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../fixtures/references/standards/pt100-cvd.toml"),
    );
    let pt100 = StandardCertificate::parse("pt100-cvd.toml", &text.unwrap()).unwrap();
    let corrected = pt100.at("temperature", 107.8221).unwrap();
    assert_near("temperature", corrected.value, 20.0, 2e-4);
    let mut standards = standards();
    standards.insert("thermometer".to_owned(), pt100);
    let good = point("r30", 1.91, 0.0, "water");
    let cold = with_indication(&good, "t", "107.8221", "Ω", corrected.value);

    let signals = Signals::new(&procedure(), &order(), &standards).unwrap();
    let mut missing = BTreeMap::new();
    let values = signals.channels(&cold.cycles[0].indications, &mut missing);
    assert_eq!((values["t"], missing.is_empty()), (corrected.value, true));
    // What came is untouched, and another unit is no value.
    assert_eq!(cold.cycles[0].indications[1].digits.to_string(), "107.8221");
    let others = signals.channels(&good.cycles[0].indications, &mut missing);
    assert!(!others.contains_key("t"));
    assert!(
        missing["t"].contains("came in °C instead of Ω"),
        "{missing:?}"
    );

    let points = std::slice::from_ref(&cold);
    let results = evaluate(
        &procedure(),
        &order(),
        &standards,
        points,
        SEED,
        Rules::Present,
    );
    let results = results.unwrap();
    let result = humidity(&results, &cold);
    assert_eq!(row(result, "d_t_cal").u, corrected.u);
    assert_near(
        "drift",
        row(result, "d_t_drift").u,
        0.010 / 3_f64.sqrt(),
        1e-15,
    );
    // A step of 0.1 mΩ is worth 0.1 mΩ/(dR/dt), with dR/dt = R0·(A + 2·B·t) at 20 °C.
    let slope = 100.0189 * (3.913e-3 - 2.0 * 6.056e-7 * corrected.value);
    let step = 1e-4 / slope / 2.0 / 3_f64.sqrt();
    assert_near("resolution", row(result, "d_t_res").u, step, 1e-12);
}

#[test]
fn a_statement_beyond_range_names_formula_reason_and_person() {
    for (formula, zh, person, cause) in [
        ("hardy_watr", "理由", "Li Hua", "no formula"),
        ("hardy_water", "", "Li Hua", "both languages"),
        ("hardy_water", "理由", " ", "person who"),
    ] {
        let text = format!(
            "[[beyond_range]]\nformula = \"{formula}\"\nperson = \"{person}\"\n\
             reason = {{ en = \"r\", zh = \"{zh}\" }}"
        );
        let error = Order::parse("o.toml", &text).unwrap_err();
        let said: Vec<_> = error.iter().map(ToString::to_string).collect();
        let said = said.join("\n");
        assert!(said.contains(cause) && said.contains("line 1"), "{said}");
    }
    for of in [
        "certificate = \"S\"",
        "formula = \"hardy_water\"\nquantity = \"t\"",
        "",
    ] {
        let text = format!(
            "[[beyond_range]]\n{of}\nperson = \"Li Hua\"\nreason = {{ en = \"r\", zh = \"理由\" }}"
        );
        let error = Order::parse("o.toml", &text).unwrap_err();
        assert!(
            error[0]
                .message
                .contains("either `formula`, or `certificate`"),
            "{error:?}"
        );
    }
    let order = order_with(STATEMENT);
    let json = serde_json::to_string(&order).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order);
}

#[test]
fn what_is_missing_is_refused_with_point_and_measurand() {
    let good = point("r30", 1.91, 0.0, "water");
    let changed = |change: &dyn Fn(&mut PointClosed)| {
        let mut point = good.clone();
        change(&mut point);
        evaluate(
            &procedure(),
            &order(),
            &standards(),
            &[point],
            SEED,
            Rules::Present,
        )
        .unwrap_err()
    };
    let mut no_mirror = standards();
    no_mirror.remove("mirror");
    let without = |standards: &Standards, order: &Order| {
        evaluate(
            &procedure(),
            order,
            standards,
            std::slice::from_ref(&good),
            SEED,
            Rules::Present,
        )
        .unwrap_err()
    };
    let kelvin = order_with("").limit.remove(1);
    let mut wrong_limit = order();
    wrong_limit.limit = vec![heng_procedures::Limit {
        measurand: "humidity".to_owned(),
        ..kelvin
    }];
    let wrong_choice = {
        let mut order = order();
        order
            .choices
            .insert("vapour_pressure".to_owned(), "magnus-1844".to_owned());
        order
    };
    let cases: [(EvaluationError, &[&str]); 8] = [
        (
            changed(&|point| _ = point.cycles[3].signals.remove("d_rh")),
            &["r30", "humidity", "\"d_rh\"", "reading 4"],
        ),
        (
            changed(&|point| point.cycles.truncate(1)),
            &["r30", "humidity"],
        ),
        (changed(&|point| point.cycles.clear()), &["r30", "not read"]),
        (
            changed(&|point| point.steady = None),
            &["r30", "steady state", "\"d_rh\""],
        ),
        (changed(&|point| point.index = 99), &["99", "no point"]),
        (
            without(&no_mirror, &order()),
            &["r30", "mirror", "certificate"],
        ),
        (
            without(&standards(), &wrong_limit),
            &["r30", "limits", "different kinds"],
        ),
        (without(&standards(), &wrong_choice), &["r30", "humidity"]),
    ];
    for (error, parts) in &cases {
        let message = error.to_string();
        for part in *parts {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}

#[test]
fn results_have_random_numbers_of_their_own_and_repeat_bit_for_bit() {
    let points = [
        point("r30", 1.91, 0.1, "water"),
        point("r50", 9.275, 0.1, "water"),
    ];
    let first = results(&points);
    let mut seeds: Vec<_> = first.iter().map(|result| result.monte_carlo.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 4);
    assert_eq!(
        first[0].monte_carlo.seed,
        result_seed(SEED, points[0].index, 0)
    );
    let text = serde_json::to_string(&first).unwrap();
    assert_eq!(text, serde_json::to_string(&results(&points)).unwrap());
    let back: Vec<PointResult> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, first);
}
