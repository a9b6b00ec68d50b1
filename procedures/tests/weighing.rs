//! Weighing cycles and classes of weights.

use heng_procedures::{WeighingCycle, WeighingError, weight_class};
use heng_uncertainty::Table;
use proptest::prelude::*;

#[test]
fn cycles_give_differences_their_mean_and_its_uncertainty() {
    // Three cycles of a comparator, in mg; the figures are sums and roots by hand.
    let cycles = [
        vec![0.0012, 0.2523, 0.2528, 0.0021],
        vec![0.004, 0.2549, 0.2557, 0.0048],
        vec![0.0031, 0.2546, 0.2549, 0.0042],
    ];
    let compared = WeighingCycle::Abba.compare(&cycles).unwrap();
    for (found, wanted) in compared.differences.iter().zip([0.2509, 0.2509, 0.2511]) {
        assert!((found - wanted).abs() < 1e-12);
    }
    let evaluated = compared.evaluated;
    assert!((evaluated.mean - 0.752_9 / 3.0).abs() < 1e-12);
    assert!((evaluated.s - 2e-4 / 3_f64.sqrt()).abs() < 1e-12);
    assert!((evaluated.u - 2e-4 / 3.0).abs() < 1e-12);
    assert_eq!(evaluated.dof, 2.0);
}

#[test]
fn incomplete_cycles_are_refused_by_their_number() {
    let short = WeighingCycle::Aba.compare(&[vec![0.0, 1.0, 0.0], vec![0.0, 1.0]]);
    let message = short.unwrap_err().to_string();
    assert_eq!(
        message,
        "cycle 2 has 2 readings, but a cycle ABA has 3: complete it, or leave it out"
    );
    let broken = WeighingCycle::Ab.compare(&[vec![0.0, 1.0], vec![f64::NAN, 1.0]]);
    assert_eq!(broken.unwrap_err(), WeighingError::NotFinite { cycle: 2 });
    let one = WeighingCycle::Ab.compare(&[vec![0.0, 1.0]]).unwrap_err();
    assert_eq!(one, WeighingError::TooFewCycles(1));
    assert!(one.to_string().contains("pooled"));
    assert_eq!(
        WeighingCycle::Ab.compare(&[]).unwrap_err(),
        WeighingError::TooFewCycles(0)
    );
}

proptest! {
    #[test]
    fn a_linear_drift_falls_out_of_aba_and_abba_but_not_of_ab(
        start in -1.0..1.0_f64, difference in -1.0..1.0_f64, drift in -0.1..0.1_f64
    ) {
        let readings = |order: &str| -> Vec<f64> {
            let weighings = order.chars().enumerate();
            let reading = |(at, weight)| {
                start + drift * at as f64 + if weight == 'B' { difference } else { 0.0 }
            };
            weighings.map(reading).collect()
        };
        for (order, left) in [
            (WeighingCycle::Ab, drift),
            (WeighingCycle::Aba, 0.0),
            (WeighingCycle::Abba, 0.0),
        ] {
            let found = order.difference(&readings(order.order())).unwrap();
            prop_assert!((found - difference - left).abs() < 1e-14, "{}", order.order());
        }
    }
}

/// A set of weights of class E2 calibrated by a national institute (certificate 4687 of
/// INM Colombia, 2020): two of its weights, error and U in mg.
#[test]
fn weights_of_a_real_certificate_are_of_their_class() {
    let table = Table::named("oiml_r111_mpe").unwrap();
    for (nominal_mg, error, expanded) in [(1e6, 0.0, 0.5), (2e4, 0.004, 0.025)] {
        let limit = |class| table.value(nominal_mg, class).unwrap();
        let verdict = weight_class(error, expanded, limit("E2")).unwrap();
        assert!(verdict.uncertainty_suffices && verdict.conforms);
        let finer = weight_class(error, expanded, limit("E1")).unwrap();
        assert!(!finer.uncertainty_suffices && !finer.conforms);
    }
}

#[test]
fn a_class_is_met_up_to_its_ends_and_no_further() {
    // 0.2 is a third of 0.6, and 0.4 + 0.2 is 0.6, though not as binary fractions.
    let at_the_end = weight_class(0.4, 0.2, 0.6).unwrap();
    assert!(at_the_end.uncertainty_suffices && at_the_end.conforms);
    assert!(!weight_class(-0.4001, 0.2, 0.6).unwrap().conforms);
    assert!(weight_class(-0.4, 0.2, 0.6).unwrap().conforms);
    let coarse = weight_class(0.0, 0.2001, 0.6).unwrap();
    assert!(!coarse.uncertainty_suffices && !coarse.conforms);
    for (error, expanded, mpe) in [
        (f64::NAN, 0.1, 0.6),
        (0.0, -0.1, 0.6),
        (0.0, 0.1, 0.0),
        (0.0, f64::INFINITY, 0.6),
    ] {
        let message = weight_class(error, expanded, mpe).unwrap_err().to_string();
        assert!(message.contains("must be finite"), "{message}");
    }
}
