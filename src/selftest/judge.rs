//! Comparison of what was found with what was expected.

use serde::Serialize;

/// Standard errors of the sampling that a Monte Carlo number may differ where the stated
/// tolerance is finer than the trials can be: one correct number of 16 000 differs by more.
const STANDARD_ERRORS: f64 = 4.0;

/// What the program found for one expected number.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    Value(f64),
    /// A value with something to say about it.
    Noted(f64, String),
    /// From Monte Carlo trials; the error is a standard error.
    Sampled {
        value: f64,
        error: f64,
        trials: u64,
    },
    /// For a relative tolerance, which a file states for many values at once: it may be finer
    /// than the last digit of one of them.
    Relative(f64),
    Word(String),
    /// The program refuses to give this number, for the reason.
    Refused(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    Skip,
}

/// One compared number; the JSON output has it as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub case: String,
    pub what: String,
    pub expected: Figure,
    pub got: Option<Figure>,
    /// Absolute, as stated in the file; none where the file states it in words.
    pub tolerance: Option<f64>,
    pub verdict: Verdict,
    pub remark: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    Number(f64),
    Word(String),
}

impl Line {
    /// Holds a number against the expected one.
    pub fn number(case: &str, what: String, expected: f64, tolerance: f64, found: Found) -> Self {
        let (got, verdict, remark) = compare(expected, tolerance, found);
        Self {
            case: case.to_owned(),
            what,
            expected: Figure::Number(expected),
            got,
            tolerance: Some(tolerance),
            verdict,
            remark,
        }
    }

    /// Holds a word against the expected one.
    pub fn word(case: &str, what: String, expected: &str, found: Found) -> Self {
        let (got, verdict, remark) = match found {
            Found::Word(got) if got == expected => (Some(Figure::Word(got)), Verdict::Pass, None),
            Found::Word(got) => (Some(Figure::Word(got)), Verdict::Fail, None),
            Found::Refused(reason) => (None, Verdict::Fail, Some(reason)),
            Found::Value(got)
            | Found::Noted(got, _)
            | Found::Relative(got)
            | Found::Sampled { value: got, .. } => (Some(Figure::Number(got)), Verdict::Fail, None),
        };
        Self {
            case: case.to_owned(),
            what,
            expected: Figure::Word(expected.to_owned()),
            got,
            tolerance: None,
            verdict,
            remark,
        }
    }

    pub fn skipped(case: &str, what: String, expected: Figure, reason: &str) -> Self {
        Self {
            case: case.to_owned(),
            what,
            expected,
            got: None,
            tolerance: None,
            verdict: Verdict::Skip,
            remark: Some(reason.to_owned()),
        }
    }
}

fn compare(
    expected: f64,
    tolerance: f64,
    found: Found,
) -> (Option<Figure>, Verdict, Option<String>) {
    let plain = |got: f64, note: Option<String>| {
        let difference = (got - expected).abs();
        // Written so that a NaN fails.
        if difference <= tolerance {
            return (Some(Figure::Number(got)), Verdict::Pass, note);
        }
        let mut remark = format!("differs by {difference:.2e}");
        if let Some(note) = note {
            remark = format!("{remark}; {note}");
        }
        (Some(Figure::Number(got)), Verdict::Fail, Some(remark))
    };
    match found {
        Found::Value(got) => plain(got, None),
        Found::Noted(got, note) => plain(got, Some(note)),
        Found::Relative(got) => match printed(expected, tolerance, got) {
            Some(note) => (Some(Figure::Number(got)), Verdict::Pass, Some(note)),
            None => plain(got, None),
        },
        Found::Sampled {
            value,
            error,
            trials,
        } => sampled(expected, tolerance, value, error, trials).unwrap_or_else(|| {
            let note = format!("{trials} trials, standard error {error:.1e}");
            let (got, verdict, remark) = plain(value, None);
            (
                got,
                verdict,
                remark.map(|remark| format!("{remark}; {note}")),
            )
        }),
        Found::Word(word) => (Some(Figure::Word(word)), Verdict::Fail, None),
        Found::Refused(reason) => (None, Verdict::Fail, Some(reason)),
    }
}

/// Half a unit of the last printed digit may exceed a relative tolerance by this factor: one
/// of 2e-7 stands beside values of seven digits, each known to 5e-7 or better.
const PRINTED: f64 = 5.0;

/// Whether a number that misses a relative tolerance agrees with every digit that the file
/// prints, and what to say of it.
fn printed(expected: f64, tolerance: f64, got: f64) -> Option<String> {
    let difference = (got - expected).abs();
    let half_unit = half_unit(expected);
    let agrees = difference <= half_unit && half_unit <= PRINTED * tolerance;
    (difference > tolerance && agrees).then(|| {
        format!(
            "differs by {difference:.2e}, less than half a unit of the last digit in the file, \
             {half_unit:.0e}; the tolerance is finer"
        )
    })
}

/// Half a unit of the last digit of the shortest spelling.
fn half_unit(number: f64) -> f64 {
    half_unit_as_printed(&format!("{number:e}"))
}

/// Half a unit of the last digit of a number as it is printed: 12.0 is known to 0.05.
pub fn half_unit_as_printed(text: &str) -> f64 {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let decimals = mantissa
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let power = power.parse::<i32>().unwrap_or(0) - i32::try_from(decimals).unwrap_or(0);
    format!("5e{}", power - 1).parse().unwrap_or(0.0)
}

/// A number from trials whose stated tolerance is finer than they can be: judged by their own
/// error. None where the tolerance as stated decides.
fn sampled(
    expected: f64,
    tolerance: f64,
    value: f64,
    error: f64,
    trials: u64,
) -> Option<(Option<Figure>, Verdict, Option<String>)> {
    let difference = (value - expected).abs();
    let allowed = STANDARD_ERRORS * error;
    if difference <= tolerance || !(allowed.is_finite() && allowed > tolerance) {
        return None;
    }
    let verdict = if difference <= allowed {
        Verdict::Pass
    } else {
        Verdict::Fail
    };
    let remark = format!(
        "differs by {difference:.2e}; judged by 4 standard errors of {trials} trials, \
         {allowed:.2e}: sampling cannot meet the tolerance"
    );
    Some((Some(Figure::Number(value)), verdict, Some(remark)))
}

/// Whether trials with this standard error decide a number of this tolerance.
pub fn resolves(error: f64, tolerance: f64) -> bool {
    STANDARD_ERRORS * error <= tolerance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(expected: f64, tolerance: f64, found: Found) -> Verdict {
        Line::number("case", "y u".to_owned(), expected, tolerance, found).verdict
    }

    #[test]
    fn a_tolerance_holds_to_its_end_and_no_further() {
        assert_eq!(verdict(1.0, 0.5, Found::Value(1.5)), Verdict::Pass);
        assert_eq!(verdict(1.0, 0.5, Found::Value(0.5)), Verdict::Pass);
        assert_eq!(verdict(1.0, 0.5, Found::Value(1.5000001)), Verdict::Fail);
        assert_eq!(verdict(9.0, 0.0, Found::Value(9.0)), Verdict::Pass);
        let next = f64::from_bits(9_f64.to_bits() + 1);
        assert_eq!(verdict(9.0, 0.0, Found::Value(next)), Verdict::Fail);
    }

    #[test]
    fn what_is_no_number_fails() {
        for found in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(verdict(1.0, 1e300, Found::Value(found)), Verdict::Fail);
            let sampled = Found::Sampled {
                value: found,
                error: 1.0,
                trials: 10,
            };
            assert_eq!(verdict(1.0, 0.1, sampled), Verdict::Fail);
        }
        let refused = Found::Refused("no".to_owned());
        assert_eq!(verdict(1.0, 1e300, refused), Verdict::Fail);
    }

    #[test]
    fn a_relative_tolerance_asks_for_no_more_digits_than_are_printed() {
        let relative =
            |expected: f64, got| verdict(expected, 2e-7 * expected, Found::Relative(got));
        assert_eq!(half_unit(101417.8), 0.05);
        assert_eq!(half_unit(1.080687), 5e-7);
        assert_eq!(half_unit(1e-9), 5e-10);
        assert_eq!(half_unit_as_printed("12.0"), 0.05);
        assert_eq!(half_unit_as_printed("51"), 0.5);
        assert_eq!(half_unit_as_printed("-1.250e2"), 0.05);
        assert_eq!(relative(101417.8, 101417.77), Verdict::Pass);
        assert_eq!(relative(101417.8, 101417.74), Verdict::Fail);
        assert_eq!(relative(1.080687, 1.0806874), Verdict::Pass);
        assert_eq!(relative(1.080687, 1.0806876), Verdict::Fail);
        // Few digits excuse nothing.
        assert_eq!(relative(1.08, 1.0806874), Verdict::Fail);
        assert_eq!(verdict(1.0, 0.0, Found::Relative(1.2)), Verdict::Fail);
    }

    #[test]
    fn trials_are_judged_by_their_own_error_only_where_the_tolerance_is_finer() {
        let sampled = |value, error| Found::Sampled {
            value,
            error,
            trials: 1_000_000,
        };
        // Tolerance coarser than four standard errors: it alone decides.
        assert_eq!(verdict(1.0, 0.01, sampled(1.0101, 0.001)), Verdict::Fail);
        assert_eq!(verdict(1.0, 0.01, sampled(1.0099, 0.001)), Verdict::Pass);
        // Finer: four standard errors decide, and the line says so.
        let line = Line::number("c", "y".to_owned(), 1.0, 1e-12, sampled(1.0039, 0.001));
        assert_eq!(line.verdict, Verdict::Pass);
        assert!(line.remark.unwrap().contains("4 standard errors"));
        assert_eq!(verdict(1.0, 1e-12, sampled(1.0041, 0.001)), Verdict::Fail);
        // An unknown error excuses nothing.
        assert_eq!(verdict(1.0, 1e-12, sampled(1.1, f64::NAN)), Verdict::Fail);
        assert_eq!(
            verdict(1.0, 1e-12, sampled(1.1, f64::INFINITY)),
            Verdict::Fail
        );
    }
}
