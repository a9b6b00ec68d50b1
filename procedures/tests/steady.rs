//! Steady state on a real record: air temperatures of TU Berlin's climate chamber, 0.1 K
//! steps, one reading a minute, with gaps (fixtures/tub-climate-chamber).

use heng_procedures::{Sample, Value, figures};
use heng_quantities::Decimal;

const CSV: &str = include_str!("../../fixtures/tub-climate-chamber/testo.csv");

/// Seconds since 2023-11-01 of `2023-12-12 11:31:41.000`; enough for the months of the file.
fn second(moment: &str) -> u64 {
    let number = |from: usize, to: usize| moment[from..to].parse::<u64>().unwrap();
    let days = match (number(0, 4), number(5, 7)) {
        (2023, 11) => 0,
        (2023, 12) => 30,
        (2024, 1) => 61,
        other => panic!("{other:?}"),
    };
    let day = days + number(8, 10) - 1;
    ((day * 24 + number(11, 13)) * 60 + number(14, 16)) * 60 + number(17, 19)
}

/// First thermometer of a room: moments and samples in the order of time, which the file does
/// not keep.
fn room(id: &str) -> Vec<(&'static str, Sample)> {
    let mut all: Vec<_> = CSV
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|fields| fields[1] == id && !fields[5].is_empty())
        .map(|fields| {
            let value = Value::Digits(fields[5].parse().unwrap());
            (
                fields[2],
                Sample {
                    t_us: second(fields[2]) * 1_000_000,
                    value,
                },
            )
        })
        .collect();
    all.sort_by_key(|(_, sample)| sample.t_us);
    all
}

/// Windows of 30 min, open at their start, that end at a reading, hold at least 28 and have a
/// range of at most `limit`.
fn windows_within(samples: &[Sample], limit: &str) -> usize {
    let limit: Decimal = limit.parse().unwrap();
    let half_hour_us = 1_800_000_000;
    let within = |end: usize| {
        let from = samples[end].t_us.saturating_sub(half_hour_us);
        let window = &samples[samples[..=end].partition_point(|one| one.t_us <= from)..=end];
        window.len() >= 28 && figures(window).range_within(limit)
    };
    (0..samples.len()).filter(|&end| within(end)).count()
}

#[test]
fn readings_are_compared_as_integers_of_their_last_digit() {
    // Counted independently on the same file; as binary fractions 164 and 231 would remain.
    for (id, exact, binary) in [("1", 212, 164), ("2", 320, 231)] {
        let digits: Vec<_> = room(id).into_iter().map(|(_, sample)| sample).collect();
        assert_eq!(windows_within(&digits, "0.2"), exact, "room {id}");
        let numbers: Vec<_> = digits
            .iter()
            .map(|sample| {
                let Value::Digits(digits) = sample.value else {
                    panic!("no digits")
                };
                Sample {
                    value: Value::Number(digits.to_f64()),
                    ..*sample
                }
            })
            .collect();
        assert_eq!(windows_within(&numbers, "0.2"), binary, "room {id}");
    }
}

#[test]
fn the_first_steady_reading_of_a_day_is_found() {
    // Last 30 readings: range up to 0.3 K, slope up to 0.2 K/h, within 0.6 h; slopes to 0.001.
    for (id, day, moment, slope) in [
        ("1", "2023-12-12", "2023-12-12 11:31:41", 0.1895),
        ("2", "2023-12-01", "2023-12-01 11:45:56", 0.1442),
    ] {
        let all: Vec<_> = room(id)
            .into_iter()
            .filter(|(at, _)| at.starts_with(day))
            .collect();
        let samples: Vec<_> = all.iter().map(|(_, sample)| *sample).collect();
        let range: Decimal = "0.3".parse().unwrap();
        let steady = |last: &usize| {
            let found = figures(&samples[last - 29..=*last]);
            found.range_within(range) && found.slope_within(0.2) && found.covered_s <= 0.6 * 3600.0
        };
        let first = (29..samples.len()).find(steady).unwrap();
        assert!(all[first].0.starts_with(moment), "{}", all[first].0);
        let found = figures(&samples[first - 29..=first]).slope_per_h.unwrap();
        assert!((found.abs() - slope).abs() < 0.001, "{found}");
    }
}

#[test]
fn digits_of_different_length_are_compared_exactly() {
    let sample = |t_us, digits: &str| Sample {
        t_us,
        value: Value::Digits(digits.parse().unwrap()),
    };
    let found = figures(&[
        sample(0, "9.95"),
        sample(60_000_000, "10.1"),
        sample(120_000_000, "10.15"),
    ]);
    assert_eq!((found.count, found.covered_s, found.range), (3, 120.0, 0.2));
    assert!(found.range_within("0.2".parse().unwrap()));
    assert!(!found.range_within("0.19".parse().unwrap()));
    assert!((found.slope_per_h.unwrap() - 6.0).abs() < 1e-9);
    let few = figures(&[sample(0, "1.0")]);
    assert_eq!((few.slope_per_h, few.slope_within(1.0)), (None, false));
    assert_eq!(figures(&[]).count, 0);
}
