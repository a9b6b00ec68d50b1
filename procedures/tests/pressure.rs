//! Cycles of rising and falling pressure.

use heng_procedures::{PressureCyclesError, pressure_cycles};
use proptest::prelude::*;

const REFERENCE: [f64; 3] = [0.0, 50.0, 100.0];

#[test]
fn a_gauge_with_known_faults_shows_them() {
    // A gauge that reads 0.1 too high, falls 0.04 behind when it comes down from above 0, and
    // whose second cycle stands 0.02 higher but for 0.03 more at 50.
    let up = [vec![0.1, 50.1, 100.1], vec![0.12, 50.15, 100.12]];
    let down = [vec![0.1, 50.14, 100.1], vec![0.12, 50.19, 100.12]];
    let found = pressure_cycles(&REFERENCE, &up, &down).unwrap();
    let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12, "{found}");
    for (point, (mean, hysteresis, repeatability)) in
        found
            .points
            .iter()
            .zip([(0.11, 0.0, 0.0), (0.145, 0.04, 0.03), (0.11, 0.0, 0.0)])
    {
        close(point.mean_deviation, mean);
        close(point.mean_hysteresis, hysteresis);
        close(point.repeatability.unwrap(), repeatability);
    }
    close(found.zero_deviation, 0.0);
}

#[test]
fn one_cycle_has_no_repeatability() {
    let up = [vec![0.0, 50.0, 100.0]];
    let down = [vec![0.3, 50.2, 100.0]];
    let found = pressure_cycles(&REFERENCE, &up, &down).unwrap();
    assert!(
        found
            .points
            .iter()
            .all(|point| point.repeatability.is_none())
    );
    assert_eq!(found.zero_deviation, 0.3);
}

#[test]
fn what_is_no_cycle_is_refused() {
    let series = || vec![0.0, 50.0, 100.0];
    let refused = |reference: &[f64], up: &[Vec<f64>], down: &[Vec<f64>]| {
        pressure_cycles(reference, up, down).unwrap_err()
    };
    assert_eq!(
        refused(&[0.0], &[vec![0.0]], &[vec![0.0]]),
        PressureCyclesError::TooFewPoints(1)
    );
    assert_eq!(
        refused(&REFERENCE, &[series(), series()], &[series()]),
        PressureCyclesError::Unpaired { up: 2, down: 1 }
    );
    assert_eq!(
        refused(&REFERENCE, &[], &[]),
        PressureCyclesError::Unpaired { up: 0, down: 0 }
    );
    let message = refused(&REFERENCE, &[series()], &[vec![0.0, 1.0]]).to_string();
    assert_eq!(
        message,
        "the falling series of cycle 1 has 2 readings for 3 points"
    );
    let broken = vec![0.0, f64::INFINITY, 100.0];
    assert_eq!(
        refused(&REFERENCE, &[series()], &[broken]),
        PressureCyclesError::NotFinite { point: 2 }
    );
    let falling = [0.0, 100.0, 50.0];
    assert_eq!(
        refused(&falling, &[series()], &[series()]),
        PressureCyclesError::NotRising { point: 3 }
    );
}

proptest! {
    /// A zero that shifts from series to series moves the mean deviation alone: repeatability
    /// is corrected for it, and hysteresis sees the difference within a cycle only.
    #[test]
    fn shifts_of_the_zero_do_not_count_as_repeatability(
        shifts in prop::array::uniform3(-1.0..1.0_f64)
    ) {
        let shifted = |shift: f64| vec![shift, 50.2 + shift, 100.1 + shift];
        let up = shifts.map(shifted);
        let down = shifts.map(shifted);
        let found = pressure_cycles(&REFERENCE, &up, &down).unwrap();
        let mean = (shifts[0] + shifts[1] + shifts[2]) / 3.0;
        for (point, deviation) in found.points.iter().zip([0.0, 0.2, 0.1]) {
            prop_assert!(point.repeatability.unwrap() < 1e-12);
            prop_assert_eq!(point.mean_hysteresis, 0.0);
            prop_assert!((point.mean_deviation - deviation - mean).abs() < 1e-12);
        }
        prop_assert_eq!(found.zero_deviation, 0.0);
    }
}
