//! Charts, capability and intervals between calibrations against published values.

use heng_uncertainty::{
    Baseline, CapabilityError, CapabilityIndex, CapabilityStudy, ChartError, ChartLimits, Drift,
    EwmaLimits, RecalibrationError, RunRule, Side, Staircase, StopRule, attributes_interval, cusum,
    ewma, individuals, runs, s_chart,
};
use proptest::prelude::*;

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected} ± {tolerance}"
    );
}

/// NIST's kilogram check standard: years, values and residual standard deviations.
fn mass() -> [Vec<f64>; 3] {
    let text = include_str!("../../fixtures/nist-dataplot/MASS.DAT");
    let (_, below) = text.rsplit_once("-----").unwrap();
    let rows: Vec<Vec<f64>> = below
        .lines()
        .map(|line| {
            line.split_whitespace()
                .filter_map(|x| x.parse().ok())
                .collect()
        })
        .filter(|row: &Vec<f64>| row.len() == 6)
        .collect();
    [0, 2, 4].map(|column| rows.iter().map(|row| row[column]).collect())
}

#[test]
fn the_kilogram_check_standard_shifts_in_1986() {
    let [year, value, s] = mass();
    let n = year.iter().filter(|year| **year < 85.0).count();
    let baseline = Baseline::of(&value[..n]).unwrap();
    let chart = individuals(&value, &baseline, ChartLimits::Sigma(3.0)).unwrap();
    let outside: Vec<f64> = chart.signals.iter().map(|s| year[s.index]).collect();
    assert_eq!(outside, [86.511, 87.016]);
    // A loop in Python over the same series gives 47 signals, the first at 86.513.
    let later = ewma(&value[n..], &baseline, 0.2, 3.0, EwmaLimits::Exact).unwrap();
    assert_eq!(later.signals.len(), 47);
    close(year[n + later.signals[0].index], 86.513, 0.0);
    assert!(
        later
            .signals
            .iter()
            .all(|signal| signal.side == Side::Above)
    );
    // scipy.stats.f.ppf: pooled 0.0311071, limit of 95 % 0.0504952, of 99 % 0.0610223.
    let chart = s_chart(&s, 3.0, n, 0.95).unwrap();
    close(chart.centre, 0.031_107_091, 1e-9);
    close(chart.upper[0], 0.050_495_192, 1e-9);
    close(
        s_chart(&s, 3.0, n, 0.99).unwrap().upper[0],
        0.061_022_278,
        1e-9,
    );
    assert!(
        chart
            .signals
            .iter()
            .all(|signal| s[signal.index] > chart.upper[0])
    );
    // The scatter of the last years is a lasting shift: the rule for runs finds it too.
    let found = runs(&value[n..], &baseline, &[RunRule::EightOnOneSide]).unwrap();
    assert!(found.iter().any(|signal| year[n + signal.index] > 86.5));
}

#[test]
fn charts_of_the_handbook_have_the_printed_numbers() {
    // NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4.
    let values = [
        52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8,
        51.2, 52.6, 52.4, 53.6, 52.1,
    ];
    let printed = [
        50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52,
        50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99,
    ];
    let baseline = Baseline::known(50.0, 2.0539, f64::INFINITY).unwrap();
    let chart = ewma(&values, &baseline, 0.3, 3.0, EwmaLimits::Asymptotic).unwrap();
    for (found, printed) in chart.statistic.iter().zip(printed) {
        // The page rounds each mean before it goes on: up to a unit of the last digit.
        close(*found, printed, 0.01);
    }
    // Printed with the rounded factor 0.4201.
    close(chart.upper[0], 52.5884, 2e-4);
    close(chart.lower[0], 47.4115, 2e-4);
    assert!(chart.signals.is_empty());
    // 6.3.2.3: allowance 0.3175 and limit 4.1959 in the unit of the values.
    let values = [
        324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600,
        324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350,
    ];
    let baseline = Baseline::known(325.0, 1.0, f64::INFINITY).unwrap();
    let found = cusum(&values, &baseline, 0.3175, 4.1959).unwrap();
    let above = [3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04];
    for (found, printed) in found.above[12..].iter().zip(above) {
        close(*found, printed, 0.0101);
    }
    close(found.below[7], 0.72, 0.0101);
    assert_eq!(found.signals.len(), 7);
    assert_eq!([found.signals[0].index, found.signals[0].first], [13, 12]);
    // 6.3.2.2: moving ranges.
    let flow = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1];
    let baseline = Baseline::of_moving_ranges(&flow).unwrap();
    let chart = individuals(&flow, &baseline, ChartLimits::Sigma(3.0)).unwrap();
    close(chart.centre, 50.81, 0.005);
    close(chart.upper[0], 55.8041, 1e-4);
    close(chart.lower[0], 45.8159, 1e-4);
}

#[test]
fn each_rule_finds_its_pattern_where_it_is_complete() {
    use RunRule as Rule;
    let baseline = Baseline::known(0.0, 1.0, f64::INFINITY).unwrap();
    let first = |z: &[f64], rule: RunRule| {
        let found = runs(z, &baseline, &[rule]).unwrap();
        found.first().map(|signal| (signal.index, signal.side))
    };
    assert_eq!(
        first(&[0.0, -3.1], Rule::BeyondThreeSigma),
        Some((1, Side::Below))
    );
    assert_eq!(
        first(&[0.1; 9], Rule::NineOnOneSide),
        Some((8, Side::Above))
    );
    assert_eq!(first(&[0.1; 8], Rule::NineOnOneSide), None);
    assert_eq!(
        first(&[-0.1; 8], Rule::EightOnOneSide),
        Some((7, Side::Below))
    );
    let rising = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2];
    assert_eq!(first(&rising, Rule::SixTrending), Some((5, Side::Above)));
    assert_eq!(first(&rising[1..], Rule::SixTrending), None);
    let turning: Vec<f64> = (0..14)
        .map(|at| if at % 2 == 0 { 0.5 } else { -0.5 })
        .collect();
    assert_eq!(
        first(&turning, Rule::FourteenAlternating),
        Some((13, Side::Both))
    );
    assert_eq!(
        first(&[2.1, 0.0, 2.2], Rule::TwoOfThreeBeyondTwoSigma),
        Some((2, Side::Above))
    );
    assert_eq!(
        first(&[2.1, 0.0, -2.2], Rule::TwoOfThreeBeyondTwoSigma),
        None
    );
    let four = [-1.1, -1.2, 0.0, -1.1, -1.3];
    assert_eq!(
        first(&four, Rule::FourOfFiveBeyondOneSigma),
        Some((4, Side::Below))
    );
    assert_eq!(
        first(&[0.5; 15], Rule::FifteenWithinOneSigma),
        Some((14, Side::Both))
    );
    let apart: Vec<f64> = (0..8).map(|at| if at < 4 { 1.5 } else { -1.5 }).collect();
    assert_eq!(
        first(&apart, Rule::EightOutsideOneSigma),
        Some((7, Side::Both))
    );
    assert_eq!(first(&[1.5; 8], Rule::EightOutsideOneSigma), None);
    assert!(
        runs(&[0.0; 5], &baseline, RunRule::NELSON)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn charts_refuse_what_says_nothing() {
    let baseline = Baseline::known(0.0, 1.0, 9.0).unwrap();
    assert!(matches!(
        Baseline::of(&[1.0]),
        Err(ChartError::TooFew { .. })
    ));
    assert!(matches!(Baseline::of(&[]), Err(ChartError::TooFew { .. })));
    assert!(matches!(
        Baseline::of(&[1.0; 9]),
        Err(ChartError::NoScatter { .. })
    ));
    assert!(matches!(
        Baseline::of(&[1.0, f64::NAN]),
        Err(ChartError::NotFinite { value: 2 })
    ));
    assert!(Baseline::known(0.0, 1.0, 0.0).is_err());
    for lambda in [0.0, -0.1, 1.1, f64::NAN] {
        let refused = ewma(&[0.0], &baseline, lambda, 3.0, EwmaLimits::Exact);
        assert!(refused.unwrap_err().to_string().contains("0.2 to 0.3"));
    }
    assert!(cusum(&[0.0], &baseline, 0.5, 0.0).is_err());
    assert!(individuals(&[0.0], &baseline, ChartLimits::Student(1.0)).is_err());
    assert!(s_chart(&[0.1, 0.2], 0.0, 2, 0.95).is_err());
    assert!(s_chart(&[0.1, -0.2], 3.0, 2, 0.95).is_err());
    assert!(s_chart(&[0.1, 0.2], 3.0, 3, 0.95).is_err());
    assert!(s_chart(&[0.0, 0.0], 3.0, 2, 0.95).is_err());
    // t with 9 degrees of freedom, tables: 2.262.
    let chart = individuals(&[0.0], &baseline, ChartLimits::Student(0.95)).unwrap();
    close(chart.upper[0], 2.262, 5e-4);
}

const STUDY: CapabilityStudy = CapabilityStudy {
    limits: [9.4, 10.8],
    target: Some(10.1),
    confidence: 0.95,
    u_measurement: 0.0,
};

fn subgroups() -> Vec<Vec<f64>> {
    [
        [9.9, 10.1, 10.0],
        [10.2, 10.3, 10.1],
        [9.8, 10.0, 9.9],
        [10.1, 10.0, 10.2],
    ]
    .map(|group| group.to_vec())
    .to_vec()
}

#[test]
fn capability_has_the_limits_of_its_formulas() {
    // scipy 1.17.1: quantiles of χ² and of the normal distribution in the same formulas.
    let found = STUDY.evaluate(&subgroups()).unwrap();
    let check = |index: CapabilityIndex, expected: [f64; 3]| {
        for (found, expected) in [index.value, index.low, index.high]
            .into_iter()
            .zip(expected)
        {
            close(found, expected, 1e-9);
        }
    };
    check(
        found.cp.unwrap(),
        [2.333_333_333_333, 1.217_960_536_987, 3.454_451_156_026],
    );
    check(
        found.cpk.unwrap(),
        [2.166_666_666_667, 1.088_397_798_589, 3.244_935_534_742],
    );
    check(
        found.pp,
        [1.613_649_507_886, 0.950_391_895_673, 2.277_894_626_920],
    );
    check(
        found.ppk,
        [1.498_388_828_751, 0.844_475_991_778, 2.152_301_665_724],
    );
    check(
        found.cpm,
        [1.525_051_504_957, 0.927_172_845_609, 2.123_373_267_969],
    );
    // e-Handbook 6.1.6: limits 8 and 20, mean 16, s 2: Cp 1.0, Cpk 0.6667.
    let root = 2.0_f64.sqrt();
    let page = CapabilityStudy {
        limits: [8.0, 20.0],
        ..STUDY
    };
    let page = page.evaluate(&[vec![16.0 - root, 16.0 + root]]).unwrap();
    close(page.pp.value, 1.0, 1e-12);
    close(page.ppk.value, 0.6667, 5e-5);
    // The scatter of the measurement comes off as a variance.
    let better = CapabilityStudy {
        u_measurement: 0.05,
        ..STUDY
    };
    let better = better.evaluate(&subgroups()).unwrap();
    let (seen, own) = (found.cp.unwrap().value, better.cp.unwrap().value);
    close(
        1.0 / (own * own),
        1.0 / (seen * seen) - (6.0_f64 * 0.05 / 1.4) * (6.0 * 0.05 / 1.4),
        1e-12,
    );
}

#[test]
fn capability_refuses_what_says_nothing() {
    let with = |limits: [f64; 2]| CapabilityStudy { limits, ..STUDY }.evaluate(&subgroups());
    assert!(matches!(
        with([2.0, 1.0]),
        Err(CapabilityError::Limits { .. })
    ));
    assert!(matches!(
        with([f64::NAN, 1.0]),
        Err(CapabilityError::Limits { .. })
    ));
    assert!(matches!(
        STUDY.evaluate(&[]),
        Err(CapabilityError::TooFew { found: 0 })
    ));
    assert!(matches!(
        STUDY.evaluate(&[vec![1.0; 4]]),
        Err(CapabilityError::NoScatter { .. })
    ));
    let blunt = CapabilityStudy {
        u_measurement: 1.0,
        ..STUDY
    };
    assert!(matches!(
        blunt.evaluate(&subgroups()),
        Err(CapabilityError::Measurement { .. })
    ));
    let unsure = CapabilityStudy {
        confidence: 1.0,
        ..STUDY
    };
    assert!(unsure.evaluate(&subgroups()).is_err());
    let single: Vec<Vec<f64>> = [1.0, 2.0, 3.0].map(|x| vec![x]).to_vec();
    assert!(STUDY.evaluate(&single).unwrap().cp.is_none());
}

// NASA-HDBK-8739.19-5, tables 7-2 to 7-7, and the NCSL tutorial of 2019, as quoted in
// test/test_interval.py of the repository sandialabs/suncal, commit d44c2cc1.

const DAYS: [f64; 6] = [70.0, 86.0, 104.0, 135.0, 167.0, 173.0];
const DEVIATIONS: [f64; 6] = [0.1, 0.11, 0.251, 0.299, 0.403, 0.615];

fn interval(start: f64, rule: StopRule) -> heng_uncertainty::DriftInterval {
    let drift = Drift::fit(&DAYS, &DEVIATIONS, 2, start, 0.28).unwrap();
    drift.interval(rule, 173.0, 1000.0).unwrap()
}

#[test]
fn three_stop_rules_give_three_dates() {
    let reliable = |limits: [f64; 2]| StopRule::Reliability {
        limits,
        confidence: 0.9,
    };
    let found = interval(10.03, StopRule::Uncertainty(0.5));
    close(found.interval_d.unwrap(), 327.15, 0.005);
    close(found.value, 11.87, 0.005);
    assert!(found.extrapolated);
    let found = interval(10.03, reliable([9.0, 11.0]));
    close(found.interval_d.unwrap(), 140.1, 0.05);
    close(found.value, 10.38, 0.005);
    assert!(!found.extrapolated);
    let found = interval(10.03, reliable([f64::NEG_INFINITY, 11.0]));
    close(found.interval_d.unwrap(), 171.75, 0.005);
    // The start is outside already: 0, not the later crossing at 153 days.
    let found = interval(9.03, reliable([9.0, 11.0]));
    assert_eq!(found.interval_d, Some(0.0));
    // Never, within the horizon.
    assert_eq!(
        interval(10.03, StopRule::Uncertainty(50.0)).interval_d,
        None
    );
}

#[test]
fn records_of_passes_give_the_printed_intervals() {
    for (counts, days, target, interval, rejection) in [
        ([15, 20], 365.0, 0.95, 231.0, 0.9949),
        ([14, 20], 365.0, 0.95, 205.0, 0.9993),
        ([16, 20], 730.0, 0.95, 523.0, 0.9682),
        ([42, 50], 365.0, 0.9, 329.0, 0.7557),
    ] {
        let found = attributes_interval(counts, days, target, 0.3).unwrap();
        close(found.interval_d, interval, 0.5);
        close(found.rejection, rejection, 5e-5);
        assert!(found.changed);
    }
    let kept = attributes_interval([19, 20], 365.0, 0.95, 0.5).unwrap();
    assert!(!kept.changed);
    assert_eq!(kept.interval_d, 365.0);
    assert!(
        attributes_interval([100, 100], 100.0, 0.8, 0.5)
            .unwrap()
            .interval_d
            > 100.0
    );
    assert!(
        attributes_interval([0, 5], 100.0, 0.8, 0.5)
            .unwrap()
            .interval_d
            < 100.0
    );
}

#[test]
fn intervals_refuse_what_says_nothing() {
    let stairs = Staircase::default();
    assert_eq!(stairs.next_d(100.0, -0.8, 1.0), Ok(150.0));
    assert_eq!(stairs.next_d(100.0, 0.9, 1.0), Ok(100.0));
    assert_eq!(stairs.next_d(100.0, 1.1, 1.0), Ok(50.0));
    assert!(stairs.next_d(0.0, 0.1, 1.0).is_err());
    assert!(stairs.next_d(100.0, f64::NAN, 1.0).is_err());
    assert!(matches!(
        attributes_interval([3, 2], 1.0, 0.9, 0.5),
        Err(RecalibrationError::Counts { .. })
    ));
    assert!(attributes_interval([0, 0], 1.0, 0.9, 0.5).is_err());
    assert!(attributes_interval([1, 2], 1.0, 1.0, 0.5).is_err());
    let two = Drift::fit(&DAYS[..2], &DEVIATIONS[..2], 2, 0.0, 0.1);
    let message = two.unwrap_err().to_string();
    assert!(message.contains("0 degrees of freedom"), "{message}");
    assert!(Drift::fit(&DAYS, &DEVIATIONS, 2, 0.0, -0.1).is_err());
    assert!(Drift::fit(&[-1.0], &[0.0], 1, 0.0, 0.1).is_err());
    let drift = Drift::fit(&DAYS, &DEVIATIONS, 2, 0.0, 0.1).unwrap();
    let wrong = StopRule::Reliability {
        limits: [1.0, -1.0],
        confidence: 0.9,
    };
    assert!(drift.interval(wrong, 173.0, 1000.0).is_err());
    assert!(
        drift
            .interval(StopRule::Uncertainty(0.0), 173.0, 1000.0)
            .is_err()
    );
}

proptest! {
    #[test]
    fn charts_follow_shift_and_scale(
        values in prop::collection::vec(-5.0..5.0_f64, 3..40),
        shift in -10.0..10.0_f64,
        scale in 0.1..10.0_f64,
    ) {
        let moved: Vec<f64> = values.iter().map(|x| scale * x + shift).collect();
        let charts = |values: &[f64]| {
            let baseline = Baseline::of(values).unwrap();
            let single = individuals(values, &baseline, ChartLimits::Sigma(1.5)).unwrap();
            let mean = ewma(values, &baseline, 0.3, 1.5, EwmaLimits::Exact).unwrap();
            (single, mean)
        };
        let ((single, mean), (moved_single, moved_mean)) = (charts(&values), charts(&moved));
        for (plain, moved) in [(single, moved_single), (mean, moved_mean)] {
            for (a, b) in plain.upper.iter().zip(&moved.upper).chain(plain.statistic.iter().zip(&moved.statistic)) {
                prop_assert!((b - (scale * a + shift)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn an_ewma_of_whole_weight_is_the_chart_of_individuals(values in prop::collection::vec(-5.0..5.0_f64, 3..40)) {
        let baseline = Baseline::known(0.0, 1.0, f64::INFINITY).unwrap();
        let single = individuals(&values, &baseline, ChartLimits::Sigma(3.0)).unwrap();
        let whole = ewma(&values, &baseline, 1.0, 3.0, EwmaLimits::Exact).unwrap();
        prop_assert_eq!(single.signals, whole.signals);
    }

    #[test]
    fn sums_of_both_sides_change_places_under_reflection(values in prop::collection::vec(-5.0..5.0_f64, 1..40)) {
        let baseline = Baseline::known(0.0, 1.0, f64::INFINITY).unwrap();
        let turned: Vec<f64> = values.iter().map(|x| -x).collect();
        let found = cusum(&values, &baseline, 0.5, 5.0).unwrap();
        let turned = cusum(&turned, &baseline, 0.5, 5.0).unwrap();
        prop_assert_eq!(found.above, turned.below);
    }
}
