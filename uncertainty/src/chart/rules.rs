//! Rules for runs.

use serde::{Deserialize, Serialize};

use super::{Baseline, ChartError, Side, Signal, check_values};

/// Patterns that a process in control hardly shows: the tests of L. S. Nelson (Journal of
/// Quality Technology 16, 1984, 237–239) and the run of the Western Electric handbook. σ is the
/// standard deviation of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunRule {
    /// One value beyond 3σ.
    BeyondThreeSigma,
    /// Nine in a row on one side of the centre line (Nelson).
    NineOnOneSide,
    /// Eight in a row on one side of the centre line (Western Electric).
    EightOnOneSide,
    /// Six in a row that rise, or fall.
    SixTrending,
    /// Fourteen in a row that alternate up and down.
    FourteenAlternating,
    /// Two of three in a row beyond 2σ on one side; the last is one of them.
    TwoOfThreeBeyondTwoSigma,
    /// Four of five in a row beyond 1σ on one side; the last is one of them.
    FourOfFiveBeyondOneSigma,
    /// Fifteen in a row within 1σ.
    FifteenWithinOneSigma,
    /// Eight in a row on both sides, none within 1σ.
    EightOutsideOneSigma,
}

impl RunRule {
    /// The four rules of the Western Electric handbook (1956).
    pub const WESTERN_ELECTRIC: &[Self] = &[
        Self::BeyondThreeSigma,
        Self::TwoOfThreeBeyondTwoSigma,
        Self::FourOfFiveBeyondOneSigma,
        Self::EightOnOneSide,
    ];

    /// The eight tests of Nelson (1984).
    pub const NELSON: &[Self] = &[
        Self::BeyondThreeSigma,
        Self::NineOnOneSide,
        Self::SixTrending,
        Self::FourteenAlternating,
        Self::TwoOfThreeBeyondTwoSigma,
        Self::FourOfFiveBeyondOneSigma,
        Self::FifteenWithinOneSigma,
        Self::EightOutsideOneSigma,
    ];

    /// Number of values in the pattern.
    const fn length(self) -> usize {
        match self {
            Self::BeyondThreeSigma => 1,
            Self::TwoOfThreeBeyondTwoSigma => 3,
            Self::FourOfFiveBeyondOneSigma => 5,
            Self::SixTrending => 6,
            Self::EightOnOneSide | Self::EightOutsideOneSigma => 8,
            Self::NineOnOneSide => 9,
            Self::FourteenAlternating => 14,
            Self::FifteenWithinOneSigma => 15,
        }
    }

    /// Whether the values, in standard deviations from the centre line, show the pattern.
    fn shown(self, z: &[f64]) -> Option<Side> {
        let steps = || z.windows(2).map(|pair| pair[1] - pair[0]);
        match self {
            Self::BeyondThreeSigma => of(z, 1, 3.0),
            Self::EightOnOneSide | Self::NineOnOneSide => of(z, z.len(), 0.0),
            Self::TwoOfThreeBeyondTwoSigma => of(z, 2, 2.0),
            Self::FourOfFiveBeyondOneSigma => of(z, 4, 1.0),
            Self::SixTrending if steps().all(|step| step > 0.0) => Some(Side::Above),
            Self::SixTrending if steps().all(|step| step < 0.0) => Some(Side::Below),
            Self::FourteenAlternating => {
                let mut turns = steps().zip(steps().skip(1));
                turns.all(|(a, b)| a * b < 0.0).then_some(Side::Both)
            }
            Self::FifteenWithinOneSigma => z.iter().all(|z| z.abs() < 1.0).then_some(Side::Both),
            Self::EightOutsideOneSigma => {
                let outside = z.iter().all(|z| z.abs() > 1.0);
                let both = z.iter().any(|z| *z > 0.0) && z.iter().any(|z| *z < 0.0);
                (outside && both).then_some(Side::Both)
            }
            Self::SixTrending => None,
        }
    }
}

/// The side on which the last value and so many in all lie beyond `limit`.
fn of(z: &[f64], count: usize, limit: f64) -> Option<Side> {
    let beyond = |sign: f64| {
        let is_last = z.last().is_some_and(|z| sign * z > limit);
        is_last && z.iter().filter(|z| sign * **z > limit).count() >= count
    };
    if beyond(1.0) {
        Some(Side::Above)
    } else if beyond(-1.0) {
        Some(Side::Below)
    } else {
        None
    }
}

/// Patterns among `values` by the chosen rules, in the order of the values at which they are
/// complete. A run that goes on signals at each further value.
///
/// # Errors
/// [`ChartError::NotFinite`].
pub fn runs(
    values: &[f64],
    baseline: &Baseline,
    rules: &[RunRule],
) -> Result<Vec<Signal>, ChartError> {
    check_values(values)?;
    let z: Vec<f64> = values
        .iter()
        .map(|value| (value - baseline.mean) / baseline.s)
        .collect();
    let at_value = |index: usize| {
        let z = &z;
        rules.iter().filter_map(move |&rule| {
            let first = (index + 1).checked_sub(rule.length())?;
            let side = rule.shown(&z[first..=index])?;
            Some(Signal {
                index,
                first,
                side,
                rule: Some(rule),
            })
        })
    };
    Ok((0..z.len()).flat_map(at_value).collect())
}
