//! Verdicts on test atmospheres and pressure holds of packagings (UN Model Regulations,
//! 6.1.5), with records made for the purpose.

use heng_procedures::{
    AtmosphereRecord, CONDITIONINGS, ConditioningFault, Packaging, PressureHold, atmosphere_record,
};
use heng_quantities::Decimal;

const MINUTE: u64 = 60_000_000;

fn decimals(values: &[&str]) -> Vec<Option<Decimal>> {
    values.iter().map(|text| text.parse().ok()).collect()
}

#[test]
fn means_and_single_readings_have_limits_of_their_own() {
    let good = AtmosphereRecord {
        mean_t: 23.4,
        mean_rh: 51.2,
        min_rh: 46.1,
        max_rh: 54.6,
        hours: 25.0,
    };
    let normal = CONDITIONINGS[0];
    assert_eq!(normal.faults(&good), []);
    let cases = [
        (
            AtmosphereRecord {
                mean_t: 25.1,
                ..good
            },
            ConditioningFault::MeanTemperature,
        ),
        (
            AtmosphereRecord {
                mean_rh: 47.9,
                ..good
            },
            ConditioningFault::MeanHumidity,
        ),
        (
            AtmosphereRecord {
                min_rh: 44.9,
                ..good
            },
            ConditioningFault::SingleHumidity,
        ),
        (
            AtmosphereRecord {
                max_rh: f64::NAN,
                ..good
            },
            ConditioningFault::SingleHumidity,
        ),
        (
            AtmosphereRecord {
                hours: 23.9,
                ..good
            },
            ConditioningFault::Duration,
        ),
    ];
    for (record, fault) in cases {
        assert_eq!(normal.faults(&record), [fault], "{record:?}");
    }
    // The other atmospheres are other atmospheres.
    for other in &CONDITIONINGS[1..] {
        assert!(
            other
                .faults(&good)
                .contains(&ConditioningFault::MeanHumidity)
        );
    }
}

#[test]
fn the_record_of_an_atmosphere_is_the_last_stretch_without_a_gap() {
    let t_us = [0, 1, 2, 10, 11, 12, 13].map(|minute| minute * MINUTE);
    let t = decimals(&["30", "30", "30", "23.0", "23.2", "", "23.1"]);
    let rh = decimals(&["80", "80", "80", "50", "52", "40", "51"]);
    let record = atmosphere_record(&t_us, &t, &rh, 150.0).unwrap();
    assert!((record.mean_t - 23.1).abs() < 1e-12 && (record.mean_rh - 51.0).abs() < 1e-12);
    assert_eq!((record.min_rh, record.max_rh), (50.0, 52.0));
    assert!((record.hours - 3.0 / 60.0).abs() < 1e-12);
    // A row with one of the two alone is no reading: a shorter gap breaks there.
    let record = atmosphere_record(&t_us, &t, &rh, 90.0).unwrap();
    assert_eq!((record.min_rh, record.hours), (51.0, 0.0));
    assert_eq!(atmosphere_record(&t_us, &[None; 7], &rh, 90.0), None);
}

#[test]
fn a_dip_a_gap_and_a_missing_reading_stop_the_clock() {
    let hold = PressureHold {
        required: 100.0,
        expanded_u: 0.5,
        at_most: None,
        hold_s: f64::from(Packaging::Metal.hold_minutes()) * 60.0,
        gap_s: 90.0,
        fall_per_h: None,
    };
    let mut p: Vec<Option<f64>> = [99.0, 100.4].map(Some).to_vec();
    p.extend([Some(101.0); 6]);
    let t_us: Vec<u64> = (0..20).map(|minute| minute * MINUTE).collect();
    let runs = hold.runs(&t_us, &p);
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!(
        (run.from_us, run.to_us, run.readings),
        (2 * MINUTE, 7 * MINUTE, 6)
    );
    assert!(run.passed && run.lowest == 101.0);
    // Within the uncertainty of the required pressure is not above it.
    let dip = |at: usize, to: Option<f64>| {
        let mut p = p.clone();
        p[at] = to;
        hold.runs(&t_us, &p)
    };
    for to in [Some(100.4), None] {
        let runs = dip(4, to);
        assert_eq!(runs.len(), 2);
        assert!(runs.iter().all(|run| !run.passed));
    }
    let mut late = t_us.clone();
    late[5..].iter_mut().for_each(|t| *t += MINUTE);
    assert!(hold.runs(&late, &p).iter().all(|run| !run.passed));
    // Uneven: above the band.
    let even = PressureHold {
        at_most: Some(101.5),
        ..hold
    };
    assert!(even.runs(&t_us, &p)[0].passed);
    p[4] = Some(102.0);
    assert!(even.runs(&t_us, &p).iter().all(|run| !run.passed));
}

#[test]
fn a_leak_is_seen_while_the_pressure_is_still_high_enough() {
    let hold = PressureHold {
        required: 100.0,
        expanded_u: 0.0,
        at_most: None,
        hold_s: 240.0,
        gap_s: 90.0,
        fall_per_h: Some(2.0),
    };
    let t_us: Vec<u64> = (0..5).map(|minute| minute * MINUTE).collect();
    let p = [101.2, 101.15, 101.1, 101.1, 101.0].map(Some);
    let run = &hold.runs(&t_us, &p)[0];
    // −2.7 and 0.4583 by scipy.stats.linregress on the same numbers.
    let slope = run.slope.as_ref().unwrap();
    assert!((slope.per_h + 2.7).abs() < 1e-9, "{slope:?}");
    assert!((slope.u - 0.45825756949553964).abs() < 1e-9, "{slope:?}");
    assert!(!run.passed);
    let tolerant = PressureHold {
        fall_per_h: Some(3.0),
        ..hold
    };
    assert!(tolerant.runs(&t_us, &p)[0].passed);
    // A pressure that rises does not leak.
    let mut rising = p;
    rising.reverse();
    assert!(hold.runs(&t_us, &rising)[0].passed);
}
