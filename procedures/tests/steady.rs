//! Steady state on a real record (air temperatures of TU Berlin's climate chamber, 0.1 K
//! steps, one reading a minute, with gaps: fixtures/tub-climate-chamber), and its laws.

use heng_procedures::{
    Criteria, Criterion, CriterionState, Gap, Judged, Sample, SteadyTest, Value, Window,
    WindowKind, criteria_library, history,
};
use heng_quantities::{Decimal, Unit};
use proptest::prelude::*;

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

fn celsius() -> Unit {
    "°C".parse().unwrap()
}

/// The window of the only criterion of a shipped file.
fn shipped(name: &str) -> Window {
    let criteria = Criteria::shipped(name).unwrap();
    Window::new(&criteria.criterion[0], celsius(), criteria.gap_s)
}

fn states<'a>(
    mut window: Window,
    samples: impl IntoIterator<Item = &'a Sample>,
) -> Vec<CriterionState> {
    let state = |sample: &Sample| {
        window.push(*sample);
        window.state()
    };
    samples.into_iter().map(state).collect()
}

#[test]
fn readings_are_compared_as_integers_of_their_last_digit() {
    // Windows of 30 min with at least 28 readings and a range up to 0.2 K, counted
    // independently on the same file; as binary fractions 164 and 231 would remain.
    for (id, exact, binary) in [("1", 212, 164), ("2", 320, 231)] {
        let digits: Vec<_> = room(id).into_iter().map(|(_, sample)| sample).collect();
        let steady = |samples: &[Sample]| {
            let states = states(shipped("room-temperature-30min"), samples);
            states.iter().filter(|state| state.steady).count()
        };
        assert_eq!(steady(&digits), exact, "room {id}");
        let numbers: Vec<_> = digits
            .iter()
            .map(|sample| Sample {
                value: Value::Number(sample.value.to_f64()),
                ..*sample
            })
            .collect();
        assert_eq!(steady(&numbers), binary, "room {id}");
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
        let states = states(
            shipped("soak-30-readings"),
            all.iter().map(|(_, sample)| sample),
        );
        let first = states.iter().position(|state| state.steady).unwrap();
        assert!(all[first].0.starts_with(moment), "{}", all[first].0);
        let found = states[first].slope_per_h.unwrap();
        assert!((found.abs() - slope).abs() < 0.001, "{found}");
    }
}

#[test]
fn every_shipped_criteria_file_is_good_and_says_its_name() {
    for (name, text) in criteria_library() {
        let criteria = Criteria::parse(name, text).unwrap_or_else(|found| panic!("{found:?}"));
        assert_eq!(criteria.name, *name);
        assert_ne!(criteria.title.en, criteria.title.zh, "{name}");
        assert_ne!(criteria.source.en, criteria.source.zh, "{name}");
        let named = format!("{} {}", criteria.name, criteria.version);
        assert!(criteria.criterion.iter().all(|one| one.named == named));
    }
    let message = Criteria::shipped("bath").unwrap_err();
    assert!(
        message.contains("name one of chamber-dkd-r-5-7, "),
        "{message}"
    );
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Criteria of a file with these lines; the window is 5 min long.
fn criterion(lines: &str) -> Criterion {
    let text = format!(
        "name = \"test\"\nversion = \"1\"\ngap_s = 90\n\
         title = {{ en = \"t\", zh = \"t\" }}\nsource = {{ en = \"s\", zh = \"s\" }}\n\
         [[signal]]\nrole = \"t\"\nunit = \"°C\"\ntitle = {{ en = \"t\", zh = \"t\" }}\n\
         [[criterion]]\nsignal = \"t\"\nwindow_s = 300\n{lines}\n"
    );
    let criteria = Criteria::parse("test.toml", &text).unwrap_or_else(|found| panic!("{found:?}"));
    criteria.criterion[0].clone()
}

/// One reading a minute.
fn minutes(digits: &[&str]) -> Vec<Sample> {
    let sample = |(minute, text): (u64, &&str)| Sample {
        t_us: minute * 60_000_000,
        value: Value::Digits(decimal(text)),
    };
    (0..).zip(digits).map(sample).collect()
}

fn last(lines: &str, samples: &[Sample]) -> CriterionState {
    let window = Window::new(&criterion(lines), celsius(), 90.0);
    states(window, samples).pop().unwrap()
}

#[test]
fn digits_of_different_length_are_compared_exactly() {
    let readings = minutes(&["9.95", "10.1", "10.15"]);
    for (limit, within) in [("0.2", true), ("0.20", true), ("0.19", false)] {
        let state = last(&format!("range = \"{limit}\""), &readings);
        assert_eq!((state.count, state.covered_s, state.range), (3, 120.0, 0.2));
        assert_eq!(state.passes(SteadyTest::Range), Some(within), "{limit}");
        assert_eq!(state.passes(SteadyTest::Slope), None);
        assert!((state.slope_per_h.unwrap() - 6.0).abs() < 1e-9);
    }
    let one = last("range = \"1\"\nslope_per_h = 1.0", &minutes(&["1.0"]));
    assert_eq!(one.slope_per_h, None);
    assert_eq!(one.failed(), [SteadyTest::Covered, SteadyTest::Slope]);
}

const NOISY: [&str; 6] = ["20.00", "20.03", "20.01", "20.05", "20.04", "20.07"];

/// Slope an hour and its standard uncertainty by `scipy.stats.linregress` on the same numbers,
/// and the root of the squared residuals' sum over n − 2.
const SLOPE: f64 = 0.72;
const SLOPE_U: f64 = 0.20452034477912548;
const SCATTER: f64 = 0.014259499757472151;

#[test]
fn the_uncertainty_of_the_slope_counts_where_the_criterion_says_so() {
    let readings = minutes(&NOISY);
    let alone = last("slope_per_h = 0.75", &readings);
    assert!(alone.steady && alone.slope_u_per_h.is_none());
    assert!((alone.slope_per_h.unwrap() - SLOPE).abs() < 1e-9);
    let with = |limit: f64| last(&format!("slope_per_h = {limit}\nslope_k = 2.0"), &readings);
    let judged = SLOPE + 2.0 * SLOPE_U;
    assert!((with(1.0).slope_judged_per_h().unwrap() - judged).abs() < 1e-9);
    assert!(with(judged + 1e-6).steady && !with(judged - 1e-6).steady);
    assert_eq!(with(1.0).failed(), [SteadyTest::Slope]);
}

#[test]
fn the_scatter_is_that_about_the_line() {
    let readings = minutes(&NOISY);
    let with = |limit: f64| last(&format!("scatter = {limit}"), &readings);
    assert!((with(1.0).scatter.unwrap() - SCATTER).abs() < 1e-9);
    assert!(with(SCATTER + 1e-9).steady);
    assert_eq!(with(SCATTER - 1e-9).failed(), [SteadyTest::Scatter]);
    // A clean drift has no scatter, however steep.
    let drift = minutes(&["1", "2", "3", "4", "5", "6"]);
    assert!(last("scatter = 1e-9", &drift).steady);
}

#[test]
fn readings_and_kinds_of_windows_are_counted() {
    let readings = minutes(&["1.0"; 8]);
    let state = last("range = \"1\"\nminimum_readings = 7", &readings);
    assert_eq!((state.count, state.covered_s), (6, 300.0));
    assert_eq!(state.failed(), [SteadyTest::Readings]);
    let trailing = "window = \"trailing\"\nrange = \"1\"\nminimum_readings = ";
    let state = last(&format!("{trailing}5"), &readings);
    assert_eq!(
        (state.count, state.covered_s, state.steady),
        (5, 240.0, true)
    );
    assert!(!last(&format!("{trailing}6"), &readings).steady);
    let of_last = "window = \"last\"\nrange = \"1\"\nminimum_readings = ";
    assert!(last(&format!("{of_last}6"), &readings).steady);
    let state = last(&format!("{of_last}7"), &readings);
    assert_eq!(state.failed(), [SteadyTest::Covered]);
    let state = last(&format!("{of_last}9"), &readings);
    assert_eq!(state.failed(), [SteadyTest::Covered, SteadyTest::Readings]);
}

#[test]
fn an_instrument_in_another_state_is_not_steady() {
    let lines = "state = [\"1\", \"4\"]";
    let good = minutes(&["0", "1", "4", "1.0", "1", "1", "1"]);
    assert!(last(lines, &good).steady);
    let state = last(lines, &good[..6]);
    assert_eq!(state.other_state, Some(1));
    assert_eq!(state.failed(), [SteadyTest::State]);
}

#[test]
fn a_soak_begins_when_the_set_point_is_reached_and_again_after_each_departure() {
    let lines = "reach = { quantity = \"temperature\", within = \"0.3\", soak_s = 420 }";
    let run = |digits: &[&str], set_point: Option<&str>| {
        let mut window = Window::new(&criterion(lines), celsius(), 90.0);
        window.aim(set_point.map(decimal));
        let states = states(window, &minutes(digits));
        states.iter().position(|state| state.steady)
    };
    let mut digits = vec!["24.0", "24.6", "24.7"];
    digits.extend(["25.3"; 12]);
    // 24.7 is 0.3 from 25.0 to the digit; as a binary fraction it is not.
    assert_eq!(run(&digits, Some("25.0")), Some(2 + 7));
    digits[5] = "25.4";
    assert_eq!(run(&digits, Some("25.0")), Some(6 + 7));
    assert_eq!(run(&digits, Some("26.0")), None);
    assert_eq!(run(&digits, None), None);
}

#[test]
fn old_records_compute_to_the_same_text() {
    let state = last(
        "range = \"0.15\"\nslope_per_h = 0.5",
        &minutes(&["1.0", "1.1", "1.0"]),
    );
    let mut value = serde_json::to_value(&state).unwrap();
    assert_eq!(value["named"], "test 1");
    value.as_object_mut().unwrap().remove("named");
    let earlier = serde_json::json!({
        "signal": "t", "unit": "K", "window_s": 300.0, "covered_s": 120.0, "count": 3,
        "range": 0.1, "range_limit": 0.15, "slope_per_h": state.slope_per_h,
        "slope_limit_per_h": 0.5, "steady": false,
    });
    assert_eq!(value, earlier);
    let back: CriterionState = serde_json::from_value(earlier).unwrap();
    assert_eq!((back.named.as_str(), back.failed()), ("", state.failed()));
}

/// Readings of 0.1 near 20, one a minute, and some gaps.
fn series() -> impl Strategy<Value = Vec<Sample>> {
    let reading = (prop_oneof![9 => Just(60_u64), 1 => Just(200)], 195_i64..206);
    prop::collection::vec(reading, 1..60).prop_map(|all| {
        let mut t_us = 0;
        let sample = |(step_s, tenths)| {
            t_us += step_s * 1_000_000;
            let value = Value::Digits(Decimal::new(tenths, -1));
            Sample { t_us, value }
        };
        all.into_iter().map(sample).collect()
    })
}

fn shifted(samples: &[Sample], by: i64) -> Vec<Sample> {
    let shift = |sample: &Sample| match sample.value {
        Value::Digits(digits) => Sample {
            value: Value::Digits(Decimal::new(digits.digits() + by, digits.exponent())),
            ..*sample
        },
        Value::Number(_) => *sample,
    };
    samples.iter().map(shift).collect()
}

fn kinds() -> impl Strategy<Value = Criterion> {
    let kind = prop_oneof![
        Just(WindowKind::Covering),
        Just(WindowKind::Trailing),
        Just(WindowKind::Last)
    ];
    (kind, 1_i64..8).prop_map(|(window, range)| Criterion {
        window,
        range: Some(Decimal::new(range, -1)),
        minimum_readings: Some(4),
        ..criterion("range = \"1\"")
    })
}

fn verdicts(criterion: &Criterion, samples: &[Sample]) -> Vec<bool> {
    let window = Window::new(criterion, celsius(), 90.0);
    let states = states(window, samples);
    states.iter().map(|state| state.steady).collect()
}

proptest! {
    #[test]
    fn a_shift_of_all_readings_changes_nothing(
        samples in series(), criterion in kinds(), by in -1_000_000_i64..1_000_000,
    ) {
        let criterion = Criterion { slope_per_h: Some(3.0), ..criterion };
        let before = states(Window::new(&criterion, celsius(), 90.0), &samples);
        let after = states(Window::new(&criterion, celsius(), 90.0), &shifted(&samples, by));
        for (before, after) in before.iter().zip(&after) {
            prop_assert_eq!(before.range, after.range);
            // A slope of exactly 3 may round to either side; no other slope comes near it.
            let near = before.slope_per_h.is_some_and(|slope| (slope.abs() - 3.0).abs() < 1e-6);
            prop_assert!(near || before.steady == after.steady);
        }
    }

    #[test]
    fn another_unit_changes_nothing(samples in series(), criterion in kinds(), by in -6_i8..7) {
        let scale = |decimal: Decimal| Decimal::new(decimal.digits(), decimal.exponent() + by);
        let scaled: Vec<_> = samples.iter().map(|sample| match sample.value {
            Value::Digits(digits) => Sample { value: Value::Digits(scale(digits)), ..*sample },
            Value::Number(_) => *sample,
        }).collect();
        let limit = Criterion { range: criterion.range.map(scale), ..criterion.clone() };
        prop_assert_eq!(verdicts(&criterion, &samples), verdicts(&limit, &scaled));
    }

    #[test]
    fn an_excursion_never_makes_it_steady_earlier(
        samples in series(), criterion in kinds(), at in 0_usize..60, up in any::<bool>(),
    ) {
        let at = at % samples.len();
        let mut disturbed = samples.clone();
        // Farther from every reading than any two of them from each other.
        let excursion = if up { 300 } else { 100 };
        disturbed[at].value = Value::Digits(Decimal::new(excursion, -1));
        let first = |samples: &[Sample]| {
            verdicts(&criterion, samples).iter().position(|steady| *steady)
        };
        let (before, after) = (first(&samples), first(&disturbed));
        prop_assert!(after.is_none() || (before.is_some() && after >= before));
    }

    #[test]
    fn no_window_spans_a_gap(samples in series(), criterion in kinds()) {
        let gaps = |pair: &[Sample]| pair[1].t_us - pair[0].t_us > 90_000_000;
        let cut: Vec<_> = (1..samples.len()).filter(|&at| gaps(&samples[at - 1..=at])).collect();
        let ends = cut.iter().copied().chain([samples.len()]);
        let starts = [0].into_iter().chain(cut.iter().copied());
        let pieces: Vec<_> = starts
            .zip(ends)
            .flat_map(|(from, to)| verdicts(&criterion, &samples[from..to]))
            .collect();
        prop_assert_eq!(verdicts(&criterion, &samples), pieces);
    }
}

#[test]
fn a_history_tells_stretches_gaps_and_what_failed() {
    let criterion = criterion("range = \"0.2\"\nminimum_readings = 6");
    let window = || Window::new(&criterion, celsius(), 90.0);
    let mut samples = minutes(&["9.0", "9.5"]);
    samples.extend(minutes(&["10.0"; 20])[2..].iter().copied());
    samples.extend(minutes(&["10.1"; 40])[30..].iter().copied());
    let one = Judged {
        window: window(),
        samples: samples.clone(),
    };
    let mut seen = Vec::new();
    let found = history(vec![one], 90.0, |t_us, states| {
        seen.push((t_us, states[0].steady));
    });
    let at = |minute: u64| minute * 60_000_000;
    assert_eq!((found.verdicts, found.steady), (30, 13 + 5));
    assert_eq!(
        seen.iter().filter(|(_, steady)| *steady).count(),
        found.steady
    );
    // The window of minute 7 is the first without 9.5 K; after the gap another one must fill.
    let spans: Vec<_> = found
        .stretches
        .iter()
        .map(|one| (one.window_from_us, one.from_us, one.to_us, one.verdicts))
        .collect();
    assert_eq!(
        spans,
        [(at(2), at(7), at(19), 13), (at(30), at(35), at(39), 5)]
    );
    assert_eq!(found.stretches[1].middles, [10.1]);
    let gap = Gap {
        criterion: 0,
        from_us: at(19),
        to_us: at(30),
    };
    assert_eq!(found.gaps, [gap]);
    // Not covered at minutes 0 to 4 and 30 to 34, too wide while 9.0 or 9.5 is inside.
    let failed: Vec<_> = found.failed[0]
        .iter()
        .map(|(test, count)| (*test, *count))
        .collect();
    assert_eq!(
        failed,
        [
            (SteadyTest::Covered, 10),
            (SteadyTest::Readings, 10),
            (SteadyTest::Range, 6)
        ]
    );
    assert!(found.at_end[0].steady);
}

#[test]
fn a_signal_that_is_no_longer_read_is_not_steady() {
    let criterion = criterion("range = \"0.2\"");
    let judged = |digits: &[&str]| Judged {
        window: Window::new(&criterion, celsius(), 90.0),
        samples: minutes(digits),
    };
    let found = history(
        vec![judged(&["1"; 20]), judged(&["2"; 10])],
        90.0,
        |_, _| {},
    );
    // Minute 10 is no gap yet.
    assert_eq!(
        (found.verdicts, found.steady, found.stretches[0].verdicts),
        (20, 6, 6)
    );
    assert_eq!(found.at_end[1].count, 0);
    assert!(found.at_end[0].steady && !found.at_end[1].steady);
    let none = history(Vec::new(), 90.0, |_, _| {});
    assert_eq!((none.verdicts, none.steady), (0, 0));
}

#[test]
fn the_difference_of_two_sensors_keeps_its_digits() {
    let (a, b) = (
        minutes(&["20.3", "20.30", "20.5"]),
        minutes(&["20.1", "20.105"]),
    );
    let found = Judged::difference(&a, &b);
    let digits: Vec<_> = found.iter().map(|one| one.value).collect();
    assert_eq!(
        digits,
        [decimal("0.2"), decimal("0.195")].map(Value::Digits)
    );
}
