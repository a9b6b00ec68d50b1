//! The formulas of thermometers against published values, and their laws.

use heng_uncertainty::{
    CalibrationError, ConstantValue, FIXED_POINTS, FixedPoint, Input, Inputs, Library, Model,
    Thermistor, TriplePoint, propagate, propagate_all, sprt_calibration, thermistor_calibration,
};
use proptest::prelude::*;

fn compile(text: &str) -> Model {
    match Model::compile(text, Library::shipped()) {
        Ok(model) => model,
        Err(found) => panic!("{text}: {found:?}"),
    }
}

/// A formula of one variable, the others given as numbers in the text.
struct Curve(Model);

impl Curve {
    fn new(expression: &str) -> Self {
        Self(compile(&format!("y = {expression}")))
    }

    fn at(&self, x: f64) -> f64 {
        let found = self.0.eval("y", &|_| Some(x));
        found.unwrap_or_else(|error| panic!("{} at {x}: {error}", self.0.source()))
    }

    fn slope(&self, x: f64) -> f64 {
        let found = self.0.gradient("y", &[x]);
        let (_, slopes) = found.unwrap_or_else(|error| panic!("{x}: {error}"));
        slopes[0]
    }
}

fn value(expression: &str) -> f64 {
    let model = compile(&format!("y = {expression}"));
    model.eval("y", &|_| None).unwrap()
}

fn steps(from: f64, to: f64, count: u32) -> impl Iterator<Item = f64> {
    (0..=count).map(move |at| from + (to - from) * f64::from(at) / f64::from(count))
}

/// What is left of x after y = f(x) and back: the rounding of y, of the terms of the
/// polynomial (up to 30 times larger than their sum) and of x.
fn round_trip_limit(curve: &Curve, x: f64) -> f64 {
    let y = curve.at(x);
    f64::EPSILON * (30.0 * y.abs().max(1e-3) / curve.slope(x) + 4.0 * (x.abs() + 273.15))
}

// ITS-90

#[test]
fn the_fixed_points_have_the_ratios_of_table_1_and_back() {
    let (wr, t) = (Curve::new("its90_wr(t)"), Curve::new("its90_t(wr)"));
    let with_ratio = FIXED_POINTS
        .iter()
        .filter_map(|point| Some((point, point.wr?)));
    let mut count = 0;
    for (point, printed) in with_ratio {
        count += 1;
        // Printed to 8 decimals; the coefficients have 8 as well, and give 1 − 0.5e-8 and
        // 1 − 1.0e-8 for water from above and below.
        let limit = if point.symbol == "H2O" {
            1.01e-8
        } else {
            0.51e-8
        };
        let found = wr.at(point.t90_degc);
        assert!((found - printed).abs() <= limit, "{} {found}", point.symbol);
        let back = t.at(printed);
        let limit = limit / wr.slope(point.t90_degc) + 1e-12;
        assert!(
            (back - point.t90_degc).abs() <= limit,
            "{} {back}",
            point.symbol
        );
    }
    assert_eq!(count, 12);
}

#[test]
fn ratios_and_slopes_agree_with_an_evaluation_in_40_digits() {
    // mpmath, from the coefficients of table 4; slopes by its numerical differentiation.
    let wr = Curve::new("its90_wr(t)");
    for (t, ratio, slope) in [
        (
            -259.3467,
            0.001_190_068_069_014_662_3,
            0.000_240_654_302_321_306,
        ),
        (
            -248.5939,
            0.008_449_736_237_068_72,
            0.001_226_673_036_326_37,
        ),
        (
            -218.7916,
            0.091_718_040_321_855_64,
            0.003_902_909_284_727_93,
        ),
        (
            -189.3442,
            0.215_859_751_997_642_05,
            0.004_341_591_581_004_87,
        ),
        (-100.0, 0.594_540_816_125_886_9, 0.004_130_014_544_317_71),
        (-38.8344, 0.844_142_105_149_870_6, 0.004_036_800_519_517_35),
        (29.7646, 1.118_138_892_507_408_4, 0.003_952_412_227_489_99),
        (100.0, 1.392_772_811_973_928_7, 0.003_868_160_493_597_21),
        (156.5985, 1.609_801_848_112_732_3, 0.003_801_023_780_328_86),
        (231.928, 1.892_797_680_729_688, 0.003_712_721_049_014_49),
        (419.527, 2.568_917_297_742_21, 0.003_495_366_726_551_7),
        (660.323, 3.376_008_599_409_34, 0.003_204_970_768_540_31),
        (961.78, 4.286_420_527_603_379, 0.002_840_862_472_030_36),
    ] {
        // At −259 °C the exponent −6.7 is the sum of terms up to 9, each rounded.
        assert!((wr.at(t) / ratio - 1.0).abs() < 1e-14, "{t} {}", wr.at(t));
        assert!(
            (wr.slope(t) / slope - 1.0).abs() < 1e-12,
            "{t} {}",
            wr.slope(t)
        );
    }
}

#[test]
fn the_two_reference_functions_meet_in_their_overlap() {
    let (low, high) = (
        Curve::new("its90_wr_low(t)"),
        Curve::new("its90_wr_high(t)"),
    );
    let both = Curve::new("its90_wr(t)");
    for t in steps(0.0, 0.01, 20) {
        assert!((low.at(t) - high.at(t)).abs() < 0.6e-8, "{t}");
        assert!((low.slope(t) / high.slope(t) - 1.0).abs() < 3e-7, "{t}");
    }
    for t in [-259.0, -100.0, -0.01, 0.0, 0.0049] {
        assert_eq!(both.at(t).to_bits(), low.at(t).to_bits(), "{t}");
    }
    for t in [0.0051, 0.01, 100.0, 961.0] {
        assert_eq!(both.at(t).to_bits(), high.at(t).to_bits(), "{t}");
    }
    // The ice point and the triple point have slopes: no joint lies on them.
    for t in [0.0, 0.01] {
        assert!((both.slope(t) - 0.003_988).abs() < 1e-6);
    }
}

#[test]
fn temperatures_solve_the_reference_function_where_the_published_inverse_does_not() {
    for (formula, inverse, ends, reached, claimed_k) in [
        ("low", "B", [-259.3467, 0.01], 0.09e-3, 0.1e-3),
        // 0.134 mK between the printed points; the source says 0.13 mK.
        ("high", "D", [0.0, 961.78], 0.12e-3, 0.135e-3),
    ] {
        let wr = Curve::new(&format!("its90_wr_{formula}(t)"));
        let exact = Curve::new(&format!("its90_t_{formula}(wr)"));
        let published = vector(&format!("its90_t_{formula}"), inverse);
        let mut worst = 0.0_f64;
        for t in steps(ends[0], ends[1], 2000) {
            let ratio = wr.at(t);
            let left = (exact.at(ratio) - t).abs();
            assert!(left <= round_trip_limit(&wr, t), "{t}: {left}");
            let polynomial = if formula == "low" {
                let x = (libm::cbrt(ratio.sqrt()) - 0.65) / 0.35;
                273.16 * horner(&published, x) - 273.15
            } else {
                horner(&published, (ratio - 2.64) / 1.64)
            };
            worst = worst.max((polynomial - t).abs());
        }
        assert!((reached..claimed_k).contains(&worst), "{formula} {worst}");
    }
    let (wr, t) = (Curve::new("its90_wr(t)"), Curve::new("its90_t(wr)"));
    for at in steps(-259.3467, 961.78, 4999) {
        assert!(
            (t.at(wr.at(at)) - at).abs() <= round_trip_limit(&wr, at),
            "{at}"
        );
    }
}

fn vector(formula: &str, constant: &str) -> Vec<f64> {
    let formula = Library::shipped().get(formula).unwrap();
    let found = formula.constants.iter().find(|one| one.name == constant);
    match &found.unwrap().value {
        ConstantValue::Vector(list) => list.clone(),
        ConstantValue::Number(one) => vec![*one],
    }
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    let down = coefficients.iter().rev();
    down.fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// Sub-range, its temperatures in °C, coefficients of a usual thermometer, and calibration
/// points in °C in the order of the model.
type SubRange = (u8, [f64; 2], &'static [f64], &'static [f64]);

const SUB_RANGES: [SubRange; 11] = [
    (
        1,
        [-259.3467, 0.01],
        &[-2.4e-4, 1e-5, 3e-7, 3e-8, 4e-9, 4e-10, 5e-11],
        &[
            -259.3467, -256.115, -252.88, -248.5939, -218.7916, -189.3442, -38.8344,
        ],
    ),
    (
        2,
        [-248.5939, 0.01],
        &[-2.4e-4, 1e-5, 1.2e-6, 3e-7, 5e-8],
        &[-259.3467, -248.5939, -218.7916, -189.3442, -38.8344],
    ),
    (
        3,
        [-218.7916, 0.01],
        &[-2.4e-4, 1e-5, 2e-6],
        &[-218.7916, -189.3442, -38.8344],
    ),
    (
        4,
        [-189.3442, 0.01],
        &[-1.257_999_4e-4, 1.067_839_5e-5],
        &[-189.3442, -38.8344],
    ),
    (
        5,
        [-38.8344, 29.7646],
        &[-2.8e-4, -3.2e-4],
        &[-38.8344, 29.7646],
    ),
    (
        6,
        [0.0, 961.78],
        &[-2.9e-4, -2.3e-5, 5e-6, 1e-5],
        &[231.928, 419.527, 660.323],
    ),
    (
        7,
        [0.0, 660.323],
        &[-1.646_278_9e-4, -8.459_833_9e-6, 1.889_858_4e-6],
        &[231.928, 419.527, 660.323],
    ),
    (
        8,
        [0.0, 419.527],
        &[-1.213_4e-4, -9.919e-6],
        &[231.928, 419.527],
    ),
    (9, [0.0, 231.928], &[-1.3e-4, -9e-6], &[156.5985, 231.928]),
    (10, [0.0, 156.5985], &[-1.3e-4], &[156.5985]),
    (11, [0.0, 29.7646], &[-1.3e-4], &[29.7646]),
];

/// Arguments of the formulas of a sub-range: the coefficients, before them W at the aluminium
/// point in sub-range 6.
fn arguments(sub_range: u8, coefficients: &[f64]) -> String {
    let words: Vec<String> = coefficients.iter().map(f64::to_string).collect();
    if sub_range == 6 {
        let [a, b, c, _] = [0, 1, 2, 3].map(|at| coefficients[at]);
        let w_al = value(&format!("its90_sr7_w(660.323, {a}, {b}, {c})"));
        return format!("{w_al}, {}", words.join(", "));
    }
    words.join(", ")
}

fn reference(sub_range: u8) -> &'static str {
    match sub_range {
        1..=4 => "its90_wr_low",
        5 => "its90_wr",
        _ => "its90_wr_high",
    }
}

#[test]
fn each_sub_range_leads_from_temperature_to_ratio_and_back() {
    for (sub_range, [from, to], coefficients, _) in SUB_RANGES {
        let arguments = arguments(sub_range, coefficients);
        let w = Curve::new(&format!("its90_sr{sub_range}_w(t, {arguments})"));
        let back = Curve::new(&format!("its90_sr{sub_range}_t(W, {arguments})"));
        let deviation = Curve::new(&format!("its90_sr{sub_range}_dev(W, {arguments})"));
        let wr = Curve::new(&format!("{}(t)", reference(sub_range)));
        for t in steps(from, to, 200) {
            let ratio = w.at(t);
            let left = ratio - deviation.at(ratio) - wr.at(t);
            assert!(
                left.abs() <= 8.0 * f64::EPSILON * ratio.max(0.1),
                "{sub_range} {t} {left}"
            );
            let left = back.at(ratio) - t;
            assert!(
                left.abs() <= 2.0 * round_trip_limit(&w, t),
                "{sub_range} {t} {left}"
            );
            let within = back.0.check_ranges(&["y"], &|_| Some(ratio));
            assert!(within.is_empty(), "{sub_range} {t} {within:?}");
        }
        let outside = back.0.check_ranges(&["y"], &|_| Some(w.at(to) + 0.01));
        assert!(!outside.is_empty(), "{sub_range}");
    }
}

#[test]
fn the_demonstration_certificate_of_isotech_has_its_coefficients() {
    // Isotech, sample certificate of a standard thermometer, 26 November 2004: resistances
    // and coefficients as printed, with the temperatures as printed. 1e-10 of a coefficient
    // is what 16 digits of W leave after the differences of the elimination.
    let text = sprt_calibration(7, 3, TriplePoint::Once).unwrap();
    let model = compile(&text);
    let value_of = |name: &str| match name {
        "R_tpw" => Some(25.544_261),
        "R[1]" => Some(48.342_838),
        "R[2]" => Some(65.608_169),
        "R[3]" => Some(86.217_653),
        "t[1]" => Some(231.927),
        "t[2]" => Some(419.527),
        "t[3]" => Some(660.32),
        _ => None,
    };
    for (output, printed) in [
        ("a", -2.982_376_094_442_697e-4),
        ("b", -2.347_216_136_920_8e-5),
        ("c", 5.058_518_332_814_592e-6),
    ] {
        let found = model.eval(output, &value_of).unwrap();
        assert!((found / printed - 1.0).abs() < 1e-9, "{output} {found}");
    }
    let text = sprt_calibration(5, 2, TriplePoint::AfterEachPoint).unwrap();
    let model = compile(&text);
    let value_of = |name: &str| match name {
        "R_tpw[1]" | "R_tpw[2]" => Some(25.544_261),
        "R[1]" => Some(21.563_901),
        "R[2]" => Some(28.561_074),
        "t[1]" => Some(-38.8344),
        "t[2]" => Some(29.7646),
        _ => None,
    };
    for (output, printed) in [
        ("a", -2.796_694_757_957_74e-4),
        ("b", -3.199_472_366_290_438e-4),
    ] {
        let found = model.eval(output, &value_of).unwrap();
        assert!((found / printed - 1.0).abs() < 1e-9, "{output} {found}");
    }
}

const NAMES: [&[&str]; 11] = [
    &["a", "b", "c1", "c2", "c3", "c4", "c5"],
    &["a", "b", "c1", "c2", "c3"],
    &["a", "b", "c1"],
    &["a", "b"],
    &["a", "b"],
    &["a", "b", "c", "d"],
    &["a", "b", "c"],
    &["a", "b"],
    &["a", "b"],
    &["a"],
    &["a"],
];

#[test]
fn a_calibration_finds_the_coefficients_that_made_its_points() {
    for (sub_range, _, coefficients, points) in SUB_RANGES {
        let arguments = arguments(sub_range, coefficients);
        let w = Curve::new(&format!("its90_sr{sub_range}_w(t, {arguments})"));
        let text = sprt_calibration(sub_range, points.len(), TriplePoint::Once).unwrap();
        let model = compile(&text);
        let value_of = |name: &str| match name {
            "R_tpw" => Some(25.5),
            "R_ag" => Some(25.5 * w.at(961.78)),
            "t_ag" => Some(961.78),
            _ => {
                let index: usize = name[2..name.len() - 1].parse().unwrap();
                let t = points[index - 1];
                Some(if name.starts_with('t') {
                    t
                } else {
                    25.5 * w.at(t)
                })
            }
        };
        for (name, &wanted) in NAMES[usize::from(sub_range) - 1].iter().zip(coefficients) {
            let found = model.eval(name, &value_of).unwrap();
            // Seven columns of powers of ln W lose nine digits, three lose three.
            let limit = match sub_range {
                1 => 1e-11,
                2 => 1e-12,
                _ => 1e-13,
            };
            assert!(
                (found - wanted).abs() < limit,
                "{sub_range} {name}: {found}"
            );
        }
    }
}

#[test]
fn more_points_than_coefficients_are_a_least_squares_fit() {
    let w = Curve::new("its90_sr8_w(t, -1.2e-4, -1e-5)");
    let model = compile(&sprt_calibration(8, 4, TriplePoint::Once).unwrap());
    let points = [29.7646, 156.5985, 231.928, 419.527];
    let (found, s) = {
        let value_of = |name: &str| {
            if name == "R_tpw" {
                return Some(1.0);
            }
            let t = points[name[2..3].parse::<usize>().unwrap() - 1];
            Some(if name.starts_with('t') { t } else { w.at(t) })
        };
        (
            model.eval("b", &value_of).unwrap(),
            model.eval("s", &value_of).unwrap(),
        )
    };
    assert!((found + 1e-5).abs() < 1e-13 && s < 1e-15, "{found} {s}");
}

#[test]
fn uncertainties_of_the_fixed_points_reach_the_temperature_as_lagrange_says() {
    // Of what a point is wrong by, Lagrange's polynomial through W = 1 and the two points is
    // felt, times the slope of Wr there over the slope at t: by hand.
    let mut text = sprt_calibration(8, 2, TriplePoint::Once).unwrap();
    text.push_str("t_x = its90_sr8_t(R_x / R_tpw, a, b)\n");
    let model = compile(&text);
    let w = Curve::new("its90_sr8_w(t, -1.2134e-4, -9.919e-6)");
    let wr = Curve::new("its90_wr_high(t)");
    let points = [231.928, 419.527];
    for t in [20.0, 100.0, 231.928, 300.0, 419.527] {
        let at = [
            w.at(points[0]),
            w.at(points[1]),
            points[0],
            points[1],
            1.0,
            w.at(t),
        ];
        let (found, slopes) = model.gradient("t_x", &at).unwrap();
        assert!((found - t).abs() < 1e-9);
        let [tin, zinc, x] = [at[0] - 1.0, at[1] - 1.0, at[5] - 1.0];
        let of_tin = x * (x - zinc) / (tin * (tin - zinc)) * wr.slope(points[0]) / wr.slope(t);
        let of_zinc = x * (x - tin) / (zinc * (zinc - tin)) * wr.slope(points[1]) / wr.slope(t);
        assert!((slopes[2] - of_tin).abs() < 1e-9, "{t} {slopes:?} {of_tin}");
        assert!(
            (slopes[3] - of_zinc).abs() < 1e-9,
            "{t} {slopes:?} {of_zinc}"
        );
    }
    let inputs = Inputs::from(vec![
        Input::normal("R[1]", w.at(points[0]), 2e-6),
        Input::normal("R[2]", w.at(points[1]), 3e-6),
        Input::normal("t[1]", points[0], 0.5e-3),
        Input::normal("t[2]", points[1], 0.9e-3),
        Input::normal("R_tpw", 1.0, 1e-6),
        Input::normal("R_x", w.at(100.0), 1e-6),
    ]);
    let joint = propagate_all(&model, &["a", "b"], &inputs, 0.95).unwrap();
    assert!(joint.covariance[0][1] < 0.0, "{:?}", joint.covariance);
    let budget = propagate(&model, "t_x", &inputs, 0.95).unwrap();
    // Root of the sum of squares of Lagrange's weights with the slopes of Wr at the points.
    let own = [0.7346 * 0.5e-3, 0.1673 * 0.9e-3];
    let of_ratio = [0.7346 * 2e-6 / 0.003_712_7, 0.1673 * 3e-6 / 0.003_495_4];
    for (row, wanted) in budget.rows.iter().zip(of_ratio.iter().chain(&own)) {
        assert!((row.contribution / wanted - 1.0).abs() < 1e-3, "{row:?}");
    }
}

#[test]
fn what_is_no_calibration_is_said() {
    assert_eq!(
        sprt_calibration(12, 3, TriplePoint::Once),
        Err(CalibrationError::SubRange(12))
    );
    assert_eq!(
        sprt_calibration(0, 3, TriplePoint::Once),
        Err(CalibrationError::SubRange(0))
    );
    let few = sprt_calibration(7, 2, TriplePoint::Once).unwrap_err();
    assert_eq!(
        few.to_string(),
        "3 coefficients need 3 points, and 2 are given; measure more"
    );
    assert!(thermistor_calibration(Thermistor::Hoge, 3).is_err());
    // Tin taken twice.
    let model = compile(&sprt_calibration(8, 2, TriplePoint::Once).unwrap());
    let value_of = |name: &str| Some(if name.starts_with('R') { 1.9 } else { 231.928 });
    let tpw = |name: &str| {
        if name == "R_tpw" {
            Some(1.0)
        } else {
            value_of(name)
        }
    };
    let error = model.eval("b", &tpw).unwrap_err().to_string();
    assert!(error.contains("/ (0) has no finite value"), "{error}");
}

#[test]
fn pressure_and_head_move_a_fixed_point_as_table_2_says() {
    let zinc = FixedPoint::of("Zn").unwrap();
    assert_eq!(zinc.at_sensor_degc(101_325.0, 0.0), 419.527);
    // 4.3 mK of an atmosphere, 2.7 mK of a metre.
    let found = zinc.at_sensor_degc(202_650.0, 0.18) - 419.527;
    assert!((found - (4.3e-8 * 101_325.0 + 0.18 * 2.7e-3)).abs() < 1e-12);
    let water = FixedPoint::of("H2O").unwrap();
    assert!((water.at_sensor_degc(90_000.0, 0.27) - (0.01 - 0.27 * 0.73e-3)).abs() < 1e-15);
    assert!(FixedPoint::of("He").is_none());
}

proptest! {
    #[test]
    fn any_thermometer_between_zinc_and_water_reads_back(
        t in 0.0..419.527,
        a in -5.8e-4..2e-4,
        b in -5e-5..5e-5,
    ) {
        let w = Curve::new(&format!("its90_sr8_w(t, {a}, {b})"));
        let back = Curve::new(&format!("its90_sr8_t(W, {a}, {b})"));
        prop_assert!((back.at(w.at(t)) - t).abs() <= 2.0 * round_trip_limit(&w, t));
    }
}

// Industrial resistance thermometers

#[test]
fn resistances_agree_with_the_table_of_the_standard() {
    // IEC 60751, table 1: Pt100 in Ω, two decimals.
    let r = Curve::new("iec60751_r(t, 100)");
    let t = Curve::new("iec60751_t(R, 100)");
    for (at, printed) in [
        (-200.0, 18.52),
        (-150.0, 39.72),
        (-100.0, 60.26),
        (-50.0, 80.31),
        (-40.0, 84.27),
        (-10.0, 96.09),
        (0.0, 100.0),
        (10.0, 103.90),
        (40.0, 115.54),
        (100.0, 138.51),
        (170.0, 164.77),
        (200.0, 175.86),
        (250.0, 194.10),
        (300.0, 212.05),
        (400.0, 247.09),
        (500.0, 280.98),
        (600.0, 313.71),
        (700.0, 345.28),
        (800.0, 375.70),
        (850.0, 390.48),
    ] {
        assert!((r.at(at) - printed).abs() <= 0.005_001, "{at} {}", r.at(at));
        // Half a step of the table over the slope.
        let limit = 0.005_001 / r.slope(at);
        assert!(
            (t.at(printed) - at).abs() <= limit,
            "{at} {}",
            t.at(printed)
        );
    }
}

#[test]
fn callendar_and_van_dusen_lead_there_and_back() {
    for (there, back, ends) in [
        ("iec60751_r(t, 100)", "iec60751_t(R, 100)", [-200.0, 850.0]),
        (
            "iec60751_r(t, 1000)",
            "iec60751_t(R, 1000)",
            [-200.0, 850.0],
        ),
        (
            "cvd_r(t, 100.0189, 3.913e-3, -6.056e-7, -4.2e-12, 2e-11)",
            "cvd_t(R, 100.0189, 3.913e-3, -6.056e-7, -4.2e-12, 2e-11)",
            [-200.0, 850.0],
        ),
    ] {
        let (r, t) = (Curve::new(there), Curve::new(back));
        for at in steps(ends[0], ends[1], 2100) {
            let left = t.at(r.at(at)) - at;
            assert!(
                left.abs() <= round_trip_limit(&r, at),
                "{there} {at} {left}"
            );
        }
    }
}

#[test]
fn zero_degrees_is_no_joint_of_the_resistance() {
    let (r, t) = (
        Curve::new("iec60751_r(t, 100)"),
        Curve::new("iec60751_t(R, 100)"),
    );
    assert!((r.slope(0.0) - 0.390_83).abs() < 1e-15);
    assert!((t.slope(100.0) - 1.0 / 0.390_83).abs() < 1e-12);
    for side in [-1e-9, 1e-9] {
        assert!((r.slope(side) - 0.390_83).abs() < 1e-9);
    }
}

#[test]
fn the_register_of_msl_has_its_printed_values() {
    let coefficients = "100.0189, 3.913e-3, -6.056e-7, 1.372e-12, 0";
    let r = Curve::new(&format!("cvd_r(t, {coefficients})"));
    for (t, printed) in [
        (-5.0, 98.060_517_74),
        (0.0, 100.0189),
        (5.0, 101.974_255_49),
        (15.0, 105.875_880_76),
        (20.0, 107.822_150_54),
        (25.0, 109.765_391_74),
    ] {
        assert!((r.at(t) - printed).abs() <= 0.51e-8, "{t} {}", r.at(t));
    }
    let t = Curve::new(&format!("cvd_t(R, {coefficients})"));
    for (r, printed) in [
        (98.7, -3.368_168_39),
        (99.2, -2.091_695_44),
        (100.4, 0.973_895_8),
        (101.7, 4.298_239_64),
        (103.8, 9.675_581_25),
    ] {
        assert!((t.at(r) - printed).abs() <= 0.51e-8, "{r} {}", t.at(r));
    }
}

#[test]
fn classes_have_their_limits_and_their_ranges() {
    for (class, at_100) in [("aa", 0.27), ("a", 0.35), ("b", 0.8), ("c", 1.6)] {
        for kind in ["wire", "film"] {
            let limit = Curve::new(&format!("iec60751_tol_{class}_{kind}(t)"));
            assert!((limit.at(100.0) - at_100).abs() < 1e-12, "{class}");
            assert!(limit.0.check_ranges(&["y"], &|_| Some(100.0)).is_empty());
            assert_eq!(limit.0.check_ranges(&["y"], &|_| Some(601.0)).len(), 1);
        }
    }
    let film = Curve::new("iec60751_tol_aa_film(t)");
    assert_eq!(film.0.check_ranges(&["y"], &|_| Some(-1.0)).len(), 1);
    let wire = Curve::new("iec60751_tol_aa_wire(t)");
    assert!(wire.0.check_ranges(&["y"], &|_| Some(-50.0)).is_empty());
}

#[test]
fn coefficients_of_a_certificate_have_units() {
    let model = compile("t = cvd_t(R, R0, A, B, C, D)");
    let findings = |unit_of_a: &str| {
        model.check_units(&|name| {
            let unit = match name {
                "t" => "°C",
                "R" | "R0" => "Ω",
                "A" => unit_of_a,
                "B" => "1/K2",
                "C" => "1/K4",
                _ => "1/K3",
            };
            Some(unit.parse().unwrap())
        })
    };
    assert!(findings("1/K").is_empty());
    assert_eq!(findings("1").len(), 1);
}

// Thermistors

#[test]
fn thermistors_lead_there_and_back_in_both_equations() {
    let sh = "1.129148e-3, 2.34125e-4, 8.76741e-8";
    let hoge = "1.129148e-3, 2.34125e-4, 0, 8.76741e-8";
    let curved = "1.1e-3, 2.4e-4, -1e-6, 1e-7";
    for (name, coefficients) in [("steinhart_hart", sh), ("hoge", hoge), ("hoge", curved)] {
        let r = Curve::new(&format!("{name}_r(t, {coefficients})"));
        let t = Curve::new(&format!("{name}_t(R, {coefficients})"));
        for at in steps(-60.0, 150.0, 210) {
            // 1/T is rounded three times, and T is 400 K at most.
            assert!((t.at(r.at(at)) - at).abs() < 1e-12, "{name} {at}");
        }
    }
    let (sh, hoge) = (
        Curve::new(&format!("steinhart_hart_t(R, {sh})")),
        Curve::new(&format!("hoge_t(R, {hoge})")),
    );
    // dT/dR = −T²(B + 3C·L²)/R, by hand.
    for r in [500.0, 10_000.0, 120_000.0] {
        assert!((sh.at(r) - hoge.at(r)).abs() < 1e-12);
        let (kelvin, l) = (sh.at(r) + 273.15, libm::log(r));
        let by_hand = -kelvin * kelvin * (2.341_25e-4 + 3.0 * 8.767_41e-8 * l * l) / r;
        assert!((sh.slope(r) / by_hand - 1.0).abs() < 1e-12);
    }
}

#[test]
fn thermistor_fits_agree_with_an_evaluation_in_40_digits() {
    // mpmath, normal equations in 40 digits; points made up, a bead of 10 kΩ.
    let r = [25_415.0, 16_500.0, 10_021.0, 8055.0, 6530.0, 4300.0];
    let t = [5.0, 14.0, 25.0, 30.0, 35.0, 45.5];
    for (equation, wanted) in [
        (
            Thermistor::SteinhartHart,
            &[
                ("A", 0.001_099_341_013_964_691_9),
                ("B", 0.000_238_819_305_864_946_21),
                ("C", 7.021_185_709_566_374e-8),
                ("s", 4.527_656_731_07e-7),
            ][..],
        ),
        (
            Thermistor::Hoge,
            &[
                ("A0", -0.000_447_424_721_835_816_4),
                ("A1", 0.000_744_089_747_321_167_9),
                ("A2", -5.487_826_083_771_704e-5),
                ("A3", 2.051_924_404_600_884_6e-6),
                ("s", 2.433_077_176_68e-7),
            ],
        ),
    ] {
        let model = compile(&thermistor_calibration(equation, r.len()).unwrap());
        let value_of = |name: &str| {
            let index = name[2..3].parse::<usize>().unwrap() - 1;
            Some(if name.starts_with('R') {
                r[index]
            } else {
                t[index]
            })
        };
        for (name, wanted) in wanted {
            let found = model.eval(name, &value_of).unwrap();
            // Powers of ln R between 8.4 and 10.1 are nearly one line: eight digits are left.
            assert!((found / wanted - 1.0).abs() < 1e-8, "{name} {found}");
        }
    }
}

// Thermocouples

/// Temperature in °C and voltage in mV from degree to degree.
fn table(kind: &str) -> Vec<(f64, f64)> {
    let path = format!(
        "{}/../fixtures/nist-thermocouple-tables/type_{kind}.tab",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let (mut direction, mut found) = (1.0, Vec::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["°C", _, next, ..] = words[..] {
            direction = if next.starts_with('-') { -1.0 } else { 1.0 };
            continue;
        }
        let Some(Ok(t)) = words.first().map(|word| word.parse::<i32>()) else {
            continue;
        };
        let voltages: Result<Vec<f64>, _> = words[1..].iter().map(|word| word.parse()).collect();
        for (step, voltage) in (0..).zip(voltages.unwrap()) {
            found.push((f64::from(t) + direction * f64::from(step), voltage));
        }
    }
    found
}

#[test]
fn voltages_agree_with_every_degree_of_the_tables_of_nist() {
    for (kind, rows, ends) in [
        ("e", 1271, [-270.0, 1000.0]),
        ("j", 1411, [-210.0, 1200.0]),
        ("k", 1643, [-270.0, 1372.0]),
        ("n", 1571, [-270.0, 1300.0]),
        ("r", 1819, [-50.0, 1768.0]),
        ("s", 1819, [-50.0, 1768.0]),
    ] {
        let e = Curve::new(&format!("tc_{kind}_e(t)"));
        let mut seen = std::collections::BTreeSet::new();
        for (t, printed) in table(kind) {
            // Three decimals; a tie may have been rounded either way.
            assert!(
                (e.at(t) - printed).abs() <= 0.500_1e-3,
                "{kind} {t} {}",
                e.at(t)
            );
            #[expect(clippy::cast_possible_truncation, reason = "whole degrees")]
            seen.insert(t as i64);
        }
        assert_eq!(seen.len(), rows, "{kind}");
        for end in ends {
            #[expect(clippy::cast_possible_truncation, reason = "whole degrees")]
            let end = end as i64;
            assert!(seen.contains(&end), "{kind} {end}");
        }
    }
}

/// Type, ends of its functions in °C, joints, and for each published inverse its range in °C
/// with the printed least and greatest error in K.
type Couple = (
    &'static str,
    [f64; 2],
    &'static [f64],
    &'static [([f64; 2], [f64; 2])],
);

const COUPLES: [Couple; 8] = [
    (
        "b",
        [43.0, 1820.0],
        &[630.615],
        &[
            ([250.0, 700.0], [-0.02, 0.03]),
            ([700.0, 1820.0], [-0.01, 0.02]),
        ],
    ),
    (
        "e",
        [-270.0, 1000.0],
        &[0.0],
        &[
            ([-200.0, 0.0], [-0.01, 0.03]),
            ([0.0, 1000.0], [-0.02, 0.02]),
        ],
    ),
    (
        "j",
        [-210.0, 1200.0],
        &[760.0],
        &[
            ([-210.0, 0.0], [-0.05, 0.03]),
            ([0.0, 760.0], [-0.04, 0.04]),
            ([760.0, 1200.0], [-0.04, 0.03]),
        ],
    ),
    (
        "k",
        [-270.0, 1372.0],
        &[0.0],
        &[
            ([-200.0, 0.0], [-0.02, 0.04]),
            ([0.0, 500.0], [-0.05, 0.04]),
            ([500.0, 1372.0], [-0.05, 0.06]),
        ],
    ),
    (
        "n",
        [-270.0, 1300.0],
        &[0.0],
        &[
            ([-200.0, 0.0], [-0.02, 0.03]),
            ([0.0, 600.0], [-0.02, 0.03]),
            ([600.0, 1300.0], [-0.04, 0.02]),
        ],
    ),
    (
        "r",
        [-50.0, 1768.1],
        &[1064.18, 1664.5],
        &[
            ([-50.0, 250.0], [-0.02, 0.02]),
            ([250.0, 1200.0], [-0.005, 0.005]),
            ([1064.0, 1664.5], [-0.0005, 0.001]),
            ([1664.5, 1768.1], [-0.001, 0.002]),
        ],
    ),
    (
        "s",
        [-50.0, 1768.1],
        &[1064.18, 1664.5],
        &[
            ([-50.0, 250.0], [-0.02, 0.02]),
            ([250.0, 1200.0], [-0.01, 0.01]),
            ([1064.0, 1664.5], [-0.0002, 0.0002]),
            ([1664.5, 1768.1], [-0.002, 0.002]),
        ],
    ),
    (
        "t",
        [-270.0, 400.0],
        &[0.0],
        &[
            ([-200.0, 0.0], [-0.02, 0.04]),
            ([0.0, 400.0], [-0.03, 0.03]),
        ],
    ),
];

#[test]
fn the_published_inverses_are_as_far_off_as_printed() {
    // An independent set of coefficients for each range: a wrong digit of either shows.
    for (kind, _, _, inverses) in COUPLES {
        let e = Curve::new(&format!("tc_{kind}_e(t)"));
        for (at, ([from, to], [least, greatest])) in inverses.iter().enumerate() {
            let polynomial = vector(&format!("tc_{kind}_t"), &format!("d{}", at + 1));
            let errors = steps(*from, *to, 1000).map(|t| horner(&polynomial, e.at(t)) - t);
            let (mut low, mut high) = (0.0_f64, 0.0_f64);
            for error in errors {
                (low, high) = (low.min(error), high.max(error));
            }
            // Printed to one digit, rounded to the nearest: up to half as much again.
            assert!(
                low >= 1.5 * least && high <= 1.5 * greatest,
                "{kind} {from} {low} {high}"
            );
            assert!(
                low <= 0.3 * least || high >= 0.3 * greatest,
                "{kind} {from} {low} {high}"
            );
        }
    }
}

#[test]
fn thermocouples_lead_there_and_back_over_their_whole_range() {
    for (kind, [from, to], joints, _) in COUPLES {
        let (e, t) = (
            Curve::new(&format!("tc_{kind}_e(t)")),
            Curve::new(&format!("tc_{kind}_t(E)")),
        );
        let joint = |at: f64| joints.iter().any(|joint| (at - joint).abs() < 1e-3);
        for at in steps(from, to, 4000).filter(|at| !joint(*at)) {
            let left = t.at(e.at(at)) - at;
            // Where large terms cancel, their rounding is felt: at −270 °C terms of type T up
            // to 10⁶ mV make −6 mV, and a microkelvin is lost.
            let piece = joints.iter().filter(|joint| at > **joint).count();
            let terms = vector(&format!("tc_{kind}_e"), &format!("c{}", piece + 1));
            let terms: Vec<f64> = terms.iter().map(|term| term.abs()).collect();
            let limit = 4.0 * horner(&terms, at.abs()) / e.slope(at) + 4.0 * at.abs();
            assert!(left.abs() <= f64::EPSILON * limit, "{kind} {at} {left}");
            assert!(
                t.0.check_ranges(&["y"], &|_| Some(e.at(at))).is_empty(),
                "{kind} {at}"
            );
        }
    }
}

#[test]
fn the_pieces_meet_and_no_voltage_between_them_is_lost() {
    for (kind, _, joints, _) in COUPLES {
        let (e, t) = (
            Curve::new(&format!("tc_{kind}_e(t)")),
            Curve::new(&format!("tc_{kind}_t(E)")),
        );
        for &joint in joints {
            let (below, above) = (e.at(joint - 2e-9), e.at(joint));
            // Largest for type J at 760 °C: 0.075 nV.
            assert!((above - below).abs() < 1e-7, "{kind} {joint}");
            for part in steps(-2.0, 3.0, 50) {
                let found = t.at(below + part * (above - below));
                assert!(
                    (found - joint).abs() < 1e-5,
                    "{kind} {joint} {part} {found}"
                );
            }
            // A reference junction at 0 °C, a gold point and 0 mV have slopes.
            assert!(e.slope(joint) > 0.0, "{kind} {joint}");
            assert!(t.slope(above) > 0.0, "{kind} {joint}");
        }
    }
}

#[test]
fn the_cold_junction_adds_its_voltage_not_its_temperature() {
    // dfieser/thermocouple-its90, tests/test_golden.py: 124.31 °C, not 125 °C.
    let found = value("tc_k_t(4.096 + tc_k_e(25.0))");
    assert!((found - 124.31).abs() < 0.005, "{found}");
    let model = compile("t = tc_k_t(E + tc_k_e(t_ref))");
    let (_, slopes) = model.gradient("t", &[4.096, 0.0]).unwrap();
    // 41.37 µV/K at 100 °C, 39.45 µV/K at 0 °C.
    assert!((slopes[1] - 39.45 / 41.37).abs() < 1e-3, "{slopes:?}");
}

// Bad input

#[test]
fn what_is_outside_is_told_and_what_has_no_value_is_refused() {
    for (expression, inside, outside) in [
        ("its90_t(x)", 1.5, 4.3),
        ("its90_t_low(x)", 0.5, 1.01),
        ("its90_t_high(x)", 1.5, 0.999),
        ("its90_wr(x)", 20.0, 962.0),
        ("its90_sr4_t(x, -1e-4, 1e-5)", 0.3, 1.001),
        ("its90_sr8_t(x, -1e-4, 1e-5)", 1.3, 2.6),
        ("iec60751_t(x, 100)", 100.0, 391.0),
        ("iec60751_t(x, 100)", 19.0, 18.0),
        ("iec60751_t(x, 100)", 19.0, -3.0),
        ("iec60751_t(x, 100)", 19.0, 0.0),
        ("cvd_t(x, 100, 3.9e-3, -5.8e-7, -4e-12, 0)", 100.0, 451.0),
        ("tc_k_t(x)", 54.0, 55.0),
        ("tc_k_t(x)", -6.4, -6.46),
        ("tc_s_t(x)", -0.2, -0.24),
        ("tc_t_e(x)", 399.0, 401.0),
        ("tc_b_t(x)", 0.001, -0.001),
        ("steinhart_hart_t(x, 1.1e-3, 2.3e-4, 8e-8)", 1e4, 0.0),
    ] {
        let model = compile(&format!("y = {expression}"));
        assert!(
            model.check_ranges(&["y"], &|_| Some(inside)).is_empty(),
            "{expression} {inside}"
        );
        assert!(
            model.eval("y", &|_| Some(inside)).is_ok(),
            "{expression} {inside}"
        );
        let told = model.check_ranges(&["y"], &|_| Some(outside));
        assert!(!told.is_empty(), "{expression} {outside}");
        if let Ok(y) = model.eval("y", &|_| Some(outside)) {
            assert!(y.is_finite(), "{expression} {outside}");
        }
    }
    for (expression, impossible) in [
        ("its90_t_low(x)", -0.1),
        ("its90_t(x)", 0.0),
        ("its90_sr4_t(x, -1e-4, 1e-5)", 0.0),
        ("steinhart_hart_t(x, 1.1e-3, 2.3e-4, 8e-8)", -5.0),
        ("iec60751_t(x, 100)", 800.0),
    ] {
        let model = compile(&format!("y = {expression}"));
        let error = model
            .eval("y", &|_| Some(impossible))
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 1"), "{error}");
        let column = [impossible; 3];
        assert!(model.eval_block("y", &[&column], &mut [0.0; 3]).is_err());
    }
}
