//! Comparisons of laboratories against published values, and the laws they must obey.

use heng_uncertainty::{
    AssignedValue, Comparison, ComparisonError, Correlation, LabResult, RandomEffects, Reference,
    RobustError, ScoreError, ScoreSignal, Stopping, Submitted, algorithm_a, hampel, homogeneity,
    median, normalised_iqr, q_hampel, q_method, scaled_mad,
};
use proptest::prelude::*;

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} is not {expected} ± {tolerance}"
    );
}

// ISO 13528:2022, annex E, numbers as quoted in tests/annex_e_data.py and printed_values.py of
// the repository kanunimurat/pt13528, commit 28f6a203. Tolerances are half a unit of the last
// digit printed.

#[test]
fn algorithm_a_gives_the_printed_means() {
    let deleted = [
        12.0, 19.0, 20.0, 23.0, 23.0, 25.0, 25.0, 26.0, 28.0, 28.0, 28.0, 29.0, 30.0, 30.0, 31.0,
        32.0, 32.0, 45.0,
    ];
    let found = algorithm_a(&deleted, Stopping::ThirdFigure).unwrap();
    close(found.mean, 26.81, 0.005);
    close(found.s, 5.29, 0.005);
    // E.7.
    let mercury = [
        0.013, 0.013, 0.0135, 0.014, 0.014, 0.016, 0.017, 0.019, 0.0239, 0.037, 0.039, 0.04, 0.04,
        0.04, 0.0424, 0.044, 0.045, 0.045, 0.046, 0.049, 0.053,
    ];
    let found = algorithm_a(&mercury, Stopping::ThirdFigure).unwrap();
    close(found.mean, 0.03161, 5e-6);
    close(found.s, 0.0164, 5e-5);
    close(found.u, 0.0045, 5e-5);
    // E.13.
    let averages = [
        2.15, 1.85, 1.80, 1.80, 1.90, 1.90, 1.90, 2.05, 2.35, 2.03, 2.08, 1.25, 1.13, 1.00, 1.08,
        1.20, 1.35, 1.23, 1.23, 0.90, 1.48, 1.20, 1.73, 1.43, 1.28,
    ];
    close(
        algorithm_a(&averages, Stopping::ThirdFigure).unwrap().mean,
        1.57,
        0.005,
    );
}

#[test]
fn items_of_e2_are_homogeneous() {
    let items = [
        [0.185, 0.194],
        [0.187, 0.189],
        [0.182, 0.186],
        [0.188, 0.196],
        [0.191, 0.181],
        [0.188, 0.180],
        [0.187, 0.196],
        [0.177, 0.186],
        [0.179, 0.187],
        [0.188, 0.196],
    ]
    .map(|item| item.to_vec());
    let found = homogeneity(&items, 0.15 * 0.18715).unwrap();
    close(found.mean, 0.18715, 5e-6);
    close(found.s_means, 0.00398, 5e-6);
    close(found.s_within, 0.00556, 5e-6);
    close(found.s_between, 0.00060, 5e-6);
    close(found.limit, 0.00842, 5e-6);
    assert!(found.homogeneous && found.homogeneous_expanded);
    // Table B.1 for 10 items: F₁ = 1.88, F₂ = 1.01.
    let (limit, within) = (found.limit, found.s_within);
    let table = (1.88 * limit * limit + 1.01 * within * within).sqrt();
    close(found.expanded_limit, table, 0.005 * table);
}

#[test]
fn scores_signal_as_the_standard_says() {
    use ScoreSignal::{Acceptable, Action, Warning};
    let assigned = AssignedValue {
        value: 10.0,
        u: 0.2,
        sigma_pt: Some(1.0),
        permissible_error: Some(3.0),
    };
    let signals = |value: f64| {
        let submitted = Submitted {
            value,
            u: Some(0.3),
            expanded: Some(0.6),
        };
        let found = assigned.scores(&submitted).unwrap();
        assert!(!found.use_z_prime, "0.2 is below 0.3 of sigma");
        [found.z, found.permissible_pct, found.en].map(|score| score.unwrap().signal)
    };
    assert_eq!(signals(10.5), [Acceptable; 3]);
    assert_eq!(signals(12.0), [Acceptable, Acceptable, Action]);
    assert_eq!(signals(7.5), [Warning, Acceptable, Action]);
    assert_eq!(signals(13.0), [Action; 3]);
    let found = AssignedValue {
        sigma_pt: None,
        ..assigned.clone()
    };
    let bare = Submitted {
        value: 10.0,
        u: None,
        expanded: None,
    };
    let found = found.scores(&bare).unwrap();
    assert!(found.z.is_none() && found.zeta.is_none() && found.en.is_none());
    let zero = Submitted {
        u: Some(0.0),
        ..bare
    };
    assert!(matches!(
        assigned.scores(&zero),
        Err(ScoreError::NotPositive { .. })
    ));
}

#[test]
fn ties_and_short_lists_are_refused_with_a_cure() {
    let ties = [1.0, 1.0, 1.0, 1.0, 2.0, 3.0];
    let message = scaled_mad(&ties).unwrap_err().to_string();
    assert!(message.contains("take Algorithm A"), "{message}");
    assert!(normalised_iqr(&[1.0, 1.0, 1.0, 1.0, 5.0]).is_err());
    // Both bear these ties.
    assert!(algorithm_a(&ties, Stopping::Converged).unwrap().s > 0.0);
    assert!(q_hampel(&ties).unwrap().s > 0.0);
    let equal = [2.0; 5];
    for refused in [
        algorithm_a(&equal, Stopping::ThirdFigure).map(|found| found.s),
        q_hampel(&equal).map(|found| found.s),
        hampel(&[1.0, 2.0], 0.0),
    ] {
        assert!(matches!(refused, Err(RobustError::NoScatter { .. })));
    }
    assert!(matches!(median(&[]), Err(RobustError::TooFew { .. })));
    assert_eq!(
        median(&[1.0, f64::NAN]),
        Err(RobustError::NotFinite { result: 2 })
    );
    assert!(q_method(&[vec![1.0]]).is_err());
    assert!(homogeneity(&[vec![1.0, 2.0], vec![1.0]], 1.0).is_err());
}

/// CCQM-K30, lead in wine.
fn lead() -> Comparison {
    let text = include_str!("../../fixtures/interlab/ccqm_k30_lead_in_wine.csv");
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let result = LabResult::new(
            cells[0],
            cells[1].parse().unwrap(),
            cells[2].parse().unwrap(),
        );
        if cells[6] == "True" {
            result
        } else {
            result.compared_only()
        }
    });
    Comparison::from(rows.collect::<Vec<_>>())
}

#[test]
fn lead_in_wine_has_its_known_means() {
    let comparison = lead();
    // Mandel and Paule's mean of CCQM-K30, computed independently: 2.968 ± 0.023.
    let paule = comparison
        .random_effects(RandomEffects::MandelPaule)
        .unwrap();
    close(paule.value, 2.968, 5e-4);
    close(paule.u, 0.023, 5e-4);
    // The following numbers: closed formulas and all subsets, with numpy and scipy 1.17.1.
    let laird = comparison
        .random_effects(RandomEffects::DerSimonianLaird)
        .unwrap();
    close(laird.value, 2.958_815_829_309, 1e-10);
    close(laird.u, 0.017_413_866_113, 1e-10);
    close(laird.s_between, 0.034_839_667_009, 1e-10);
    let all = comparison.weighted_mean(0.05).unwrap();
    assert!(!all.consistency.consistent);
    close(all.birge_ratio, (20.4067_f64 / 8.0).sqrt(), 1e-4);
    let subset = comparison.largest_consistent_subset(0.05).unwrap();
    let names: Vec<_> = subset
        .left_out
        .iter()
        .map(|&at| comparison.results[at].lab.as_str())
        .collect();
    assert_eq!(names, ["LNE"]);
    assert!(subset.is_unique);
    close(subset.mean.reference.value, 2.935_864_812_927, 1e-10);
    close(subset.mean.reference.u, 0.008_400_630_458, 1e-10);
    close(
        subset.mean.consistency.chi_squared,
        10.138_970_686_084,
        1e-9,
    );
}

#[test]
fn the_median_of_trials_agrees_with_independent_trials() {
    // 4·10⁶ trials of numpy: 2.96833, 0.02533, ends 2.9303 and 3.0271, u(d) of KRISS 0.03264.
    // Standard errors of 2·10⁵ trials: 6·10⁻⁵ of the mean, 4·10⁻⁵ of u and about 2·10⁻⁴ of the
    // upper end; four of them are allowed.
    let found = lead().median(0.95, 200_000, 1).unwrap();
    close(found.value, 2.96833, 2.4e-4);
    close(found.u, 0.02533, 1.8e-4);
    close(found.interval[0], 2.93026, 4e-4);
    close(found.interval[1], 3.02714, 8e-4);
    let kriss = &found.equivalence[1];
    assert_eq!(kriss.lab, "KRISS");
    close(kriss.u, 0.03264, 2.1e-4);
    assert_eq!(found, lead().median(0.95, 200_000, 1).unwrap());
    assert_ne!(found.value, lead().median(0.95, 200_000, 2).unwrap().value);
}

#[test]
fn correlated_results_are_weighed_by_their_covariance() {
    let mut comparison = lead();
    comparison.results = comparison.results[1..4].to_vec();
    let pair = |a: &str, b: &str, r: f64| Correlation {
        a: a.to_owned(),
        b: b.to_owned(),
        r,
    };
    comparison.correlations = vec![pair("KRISS", "NMIJ", 0.5), pair("NMIJ", "IRMM", 0.3)];
    // Generalised least squares with the inverse of the covariance matrix, numpy.
    let found = comparison.weighted_mean(0.05).unwrap();
    close(found.reference.value, 2.932_212_692_706_56, 1e-12);
    close(found.reference.u, 0.011_070_084_816_67, 1e-13);
    close(found.consistency.chi_squared, 5.694_676_861_669, 1e-10);
    let weights = [0.118_136_85, 0.558_718_78, 0.323_144_36];
    for (found, expected) in found.reference.weights.iter().zip(weights) {
        close(*found, expected, 1e-8);
    }
    let degrees = comparison.equivalence(&found.reference, 2.0).unwrap();
    for (degree, u) in degrees
        .iter()
        .zip([0.017_440_651, 0.005_805_448, 0.012_235_326])
    {
        close(degree.u, u, 1e-9);
    }
    let pairs = comparison.pairs(2.0).unwrap();
    let (a, b) = (comparison.results[0].u, comparison.results[1].u);
    close(pairs[0].u, (a * a + b * b - a * b).sqrt(), 1e-14);
    assert_eq!(pairs.len(), 3);
    assert!(matches!(
        comparison.power_moderated_mean(None),
        Err(ComparisonError::Correlated { .. })
    ));
    comparison.correlations = vec![pair("KRISS", "NMIJ", 1.0)];
    assert!(matches!(
        comparison.weighted_mean(0.05),
        Err(ComparisonError::Dependent { .. })
    ));
}

/// BIPM.RI(II)-K1.Ge-68, release of 2023 in `Ge-68_database_FAIR.xml` of the repository
/// TheBIPM/CCRI-II-KC, commit 4b0757e9: half a unit of the last digit printed.
#[test]
fn germanium_68_has_its_published_reference_and_degrees() {
    let text = include_str!("../../fixtures/interlab/bipm_sir_key_comparisons.csv");
    let rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let rows = rows.filter(|row| row[0] == "Ge-68" && (row[3] == "true" || row[4] == "true"));
    let results = rows.map(|row| {
        let result = LabResult::new(row[1], row[5].parse().unwrap(), row[6].parse().unwrap());
        if row[3] == "true" {
            result
        } else {
            result.compared_only()
        }
    });
    let comparison = Comparison::from(results.collect::<Vec<_>>());
    let mean = comparison.power_moderated_mean(None).unwrap();
    close(mean.reference.value, 15770.0, 5.0);
    close(mean.reference.u, 30.0, 0.5);
    let degrees = comparison.equivalence(&mean.reference, 2.0).unwrap();
    for (lab, d, expanded) in [
        ("NIST", 0.06, 0.18),
        ("IRA", 0.02, 0.16),
        ("LNE-LNHB", 0.08, 0.15),
        ("NIM", -0.11, 0.12),
        ("ANSTO", -0.05, 0.18),
        ("BARC", -0.12, 0.10),
        ("CIEMAT", -0.09, 0.13),
        ("IFIN-HH", -0.22, 0.31),
    ] {
        let degree = degrees.iter().find(|degree| degree.lab == lab).unwrap();
        close(degree.d / 1000.0, d, 0.005);
        close(degree.expanded / 1000.0, expanded, 0.005);
    }
}

#[test]
fn the_power_moderated_mean_lies_between_its_ends() {
    let results = [("a", 10.0, 0.3), ("b", 10.2, 0.2), ("c", 10.1, 0.4)];
    let results = results.map(|(lab, value, u)| LabResult::new(lab, value, u));
    let comparison = Comparison::from(results.to_vec());
    let weighted = comparison.weighted_mean(0.05).unwrap();
    assert!(weighted.consistency.consistent);
    let whole = comparison.power_moderated_mean(Some(2.0)).unwrap();
    close(whole.reference.value, weighted.reference.value, 1e-12);
    close(whole.reference.u, weighted.reference.u, 1e-12);
    let none = comparison.power_moderated_mean(Some(0.0)).unwrap();
    close(none.reference.value, 10.1, 1e-12);
    let usual = comparison.power_moderated_mean(None).unwrap();
    close(usual.alpha, 1.0, 1e-15);
    assert!(comparison.power_moderated_mean(Some(2.5)).is_err());
}

#[test]
fn comparisons_that_say_nothing_are_refused() {
    let one = Comparison::from(vec![LabResult::new("A", 1.0, 0.1)]);
    assert!(matches!(
        one.weighted_mean(0.05),
        Err(ComparisonError::TooFew { found: 1, .. })
    ));
    assert!(matches!(
        Comparison::default().pairs(2.0),
        Err(ComparisonError::TooFew { .. })
    ));
    for u in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let two = vec![LabResult::new("A", 1.0, 0.1), LabResult::new("B", 1.0, u)];
        let message = Comparison::from(two).weighted_mean(0.05).unwrap_err();
        assert!(message.to_string().contains("\"B\""), "{message}");
    }
    let nan = vec![
        LabResult::new("A", f64::NAN, 0.1),
        LabResult::new("B", 1.0, 0.1),
    ];
    assert!(matches!(
        Comparison::from(nan).median(0.95, 1000, 1),
        Err(ComparisonError::NotFinite { .. })
    ));
    let apart = vec![LabResult::new("A", 0.0, 0.1), LabResult::new("B", 9.0, 0.1)];
    let apart = Comparison::from(apart);
    assert!(matches!(
        apart.largest_consistent_subset(0.05),
        Err(ComparisonError::NoSubset { .. })
    ));
    assert!(apart.weighted_mean(1.0).is_err());
    assert!(apart.median(0.95, 10, 1).is_err());
    let elsewhere = Reference {
        value: 1.0,
        u: 0.1,
        weights: vec![],
        s_between: 0.0,
    };
    assert!(matches!(
        apart.equivalence(&elsewhere, 2.0),
        Err(ComparisonError::Weights { .. })
    ));
}

/// Means that must follow shift and scale, in the order: value, uncertainty.
fn means(comparison: &Comparison) -> Vec<[f64; 2]> {
    let pair = |reference: Reference| [reference.value, reference.u];
    vec![
        pair(comparison.weighted_mean(0.05).unwrap().reference),
        pair(
            comparison
                .random_effects(RandomEffects::MandelPaule)
                .unwrap(),
        ),
        pair(
            comparison
                .random_effects(RandomEffects::DerSimonianLaird)
                .unwrap(),
        ),
        pair(comparison.power_moderated_mean(None).unwrap().reference),
    ]
}

fn comparison_of(pairs: &[(f64, f64)], shift: f64, scale: f64) -> Comparison {
    let results = pairs.iter().enumerate();
    let result = |(at, (x, u)): (usize, &(f64, f64))| {
        LabResult::new(&at.to_string(), scale * x + shift, scale * u)
    };
    Comparison::from(results.map(result).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn means_follow_shift_scale_and_order(
        pairs in prop::collection::vec((-5.0..5.0_f64, 0.1..2.0_f64), 2..9),
        shift in -100.0..100.0_f64,
        scale in 0.01..100.0_f64,
    ) {
        let plain = means(&comparison_of(&pairs, 0.0, 1.0));
        let moved = means(&comparison_of(&pairs, shift, scale));
        let turned: Vec<_> = pairs.iter().rev().copied().collect();
        let turned = means(&comparison_of(&turned, 0.0, 1.0));
        // Cancellation against the shift costs digits.
        let tolerance = 1e-8 * (1.0 + scale + shift.abs());
        for ((plain, moved), turned) in plain.iter().zip(&moved).zip(&turned) {
            prop_assert!((moved[0] - (scale * plain[0] + shift)).abs() < tolerance);
            prop_assert!((moved[1] - scale * plain[1]).abs() < tolerance);
            prop_assert!((turned[0] - plain[0]).abs() < 1e-8);
            prop_assert!((turned[1] - plain[1]).abs() < 1e-8);
        }
    }

    #[test]
    fn the_weighted_mean_has_the_uncertainty_left_in_each_degree(
        pairs in prop::collection::vec((-5.0..5.0_f64, 0.1..2.0_f64), 2..9),
    ) {
        // u²(d) = u² − u²(ref), and Σ w·d = 0.
        let comparison = comparison_of(&pairs, 0.0, 1.0);
        let reference = comparison.weighted_mean(0.05).unwrap().reference;
        let degrees = comparison.equivalence(&reference, 2.0).unwrap();
        let mut sum = 0.0;
        for ((degree, (_, u)), weight) in degrees.iter().zip(&pairs).zip(&reference.weights) {
            prop_assert!((degree.u * degree.u - (u * u - reference.u * reference.u)).abs() < 1e-10);
            sum += weight * degree.d;
        }
        prop_assert!(sum.abs() < 1e-10);
    }

    #[test]
    fn robust_estimates_follow_shift_scale_and_order(
        x in prop::collection::vec(-5.0..5.0_f64, 5..30),
        shift in -10.0..10.0_f64,
        scale in 0.1..10.0_f64,
    ) {
        let estimates = |x: &[f64]| {
            let a = algorithm_a(x, Stopping::Converged).unwrap();
            [a.mean, median(x).unwrap(), a.s, q_hampel(x).unwrap().s, scaled_mad(x).unwrap(), normalised_iqr(x).unwrap()]
        };
        let moved: Vec<f64> = x.iter().map(|x| scale * x + shift).collect();
        let turned: Vec<f64> = x.iter().rev().copied().collect();
        let plain = estimates(&x);
        for (at, ((plain, moved), turned)) in plain.iter().zip(estimates(&moved)).zip(estimates(&turned)).enumerate() {
            let shift = if at < 2 { shift } else { 0.0 };
            prop_assert!((moved - (scale * plain + shift)).abs() < 1e-8, "{at}");
            prop_assert_eq!(*plain, turned);
        }
    }
}
