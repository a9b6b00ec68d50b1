//! Repeatability and stability of a measurement standard (JJF 1033-2023, annex C).

use heng_quantities::Text;
use serde::{Deserialize, Serialize};

use crate::type_a::{TypeA, type_a};

/// Readings that a test of repeatability takes at least.
const READINGS: usize = 10;
/// Groups that a test of stability takes at least.
const GROUPS: usize = 4;

/// Why a test of a standard is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StandardError {
    /// Too few readings for repeatability.
    #[error(
        "a test of repeatability needs at least 10 finite readings, not {0}: repeat it with more"
    )]
    Readings(usize),
    /// Too few groups for the stability of a new standard.
    #[error(
        "a test of the stability of a new standard needs the means of at least 4 groups, spread \
         over a month or more, not {0}: measure the check standard again"
    )]
    Groups(usize),
    /// A mean that is infinite or not a number; counts from 1.
    #[error("group mean {0} is not a finite number: correct it")]
    NotFinite(usize),
    /// A limit that is not above 0.
    #[error(
        "the limit is {0}: give the largest permissible error, or the expanded uncertainty of \
         the correction, above 0"
    )]
    Limit(f64),
}

/// Repeatability of a standard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandardRepeatability {
    /// Evaluation of the readings; `s` is the repeatability.
    pub readings: TypeA,
    /// What it must not exceed, such as the value in the uncertainty budget of the standard.
    pub limit: Option<f64>,
    /// Whether it does not; none without limit.
    pub passed: Option<bool>,
}

/// Repeatability from 10 readings or more of a usual, stable object.
///
/// # Errors
/// [`StandardError`].
pub fn standard_repeatability(
    readings: &[f64],
    limit: Option<f64>,
) -> Result<StandardRepeatability, StandardError> {
    check_limit(limit)?;
    let finite = readings
        .iter()
        .filter(|reading| reading.is_finite())
        .count();
    if finite < READINGS || finite < readings.len() {
        return Err(StandardError::Readings(finite));
    }
    let readings = type_a(readings).map_err(|error| StandardError::Readings(error.0))?;
    Ok(StandardRepeatability {
        passed: limit.map(|limit| readings.s <= limit),
        readings,
        limit,
    })
}

/// What is known about the stability of a standard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StabilityEvidence {
    /// Means of 4 groups or more of readings of a check standard, over a month or more.
    New {
        /// Group means, in the unit of the readings.
        means: Vec<f64>,
    },
    /// Means of the check standard of this year and the year before.
    Existing {
        /// Mean of the year before.
        last: f64,
        /// Mean of this year.
        this: f64,
    },
    /// A control chart of the check standard that is kept, and whether it is in control.
    Chart {
        /// Whether its last evaluation is in control.
        in_control: bool,
    },
}

/// Stability of a standard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StandardStability {
    /// Largest less smallest group mean, or the difference of two years; none for a chart,
    /// which takes the place of the test.
    pub change: Option<f64>,
    /// What it must not exceed: the largest permissible error of a standard used by its class,
    /// the expanded uncertainty (k = 2) of the correction of one used with corrections.
    pub limit: Option<f64>,
    /// Whether it does not; none without limit.
    pub passed: Option<bool>,
    /// The same in words.
    pub statement: Text,
}

/// Stability from the evidence that there is.
///
/// # Errors
/// [`StandardError`].
pub fn standard_stability(
    evidence: &StabilityEvidence,
    limit: Option<f64>,
) -> Result<StandardStability, StandardError> {
    check_limit(limit)?;
    let change = match evidence {
        StabilityEvidence::New { means } => Some(spread(means)?),
        StabilityEvidence::Existing { last, this } => {
            check_means(&[*last, *this])?;
            Some((this - last).abs())
        }
        StabilityEvidence::Chart { .. } => None,
    };
    let passed = match evidence {
        StabilityEvidence::Chart { in_control } => Some(*in_control),
        _ => change.zip(limit).map(|(change, limit)| change <= limit),
    };
    Ok(StandardStability {
        change,
        limit,
        passed,
        statement: statement(change.is_none(), passed),
    })
}

fn statement(chart: bool, passed: Option<bool>) -> Text {
    let (en, zh) = match (chart, passed) {
        (true, Some(true)) => (
            "The control chart of the check standard is in control and takes the place of the \
             test of stability.",
            "核查标准的控制图处于受控状态，可代替稳定性考核。",
        ),
        (true, _) => (
            "The control chart of the check standard is out of control: find the cause before \
             the standard is used.",
            "核查标准的控制图失控：查明原因之前不得使用该计量标准。",
        ),
        (false, Some(true)) => (
            "The change does not exceed its limit: the standard is stable.",
            "变化量未超过限值：计量标准稳定。",
        ),
        (false, Some(false)) => (
            "The change exceeds its limit: find the cause before the standard is used.",
            "变化量超过限值：查明原因之前不得使用该计量标准。",
        ),
        (false, None) => ("No limit is stated for the change.", "未给出变化量的限值。"),
    };
    Text {
        en: en.to_owned(),
        zh: zh.to_owned(),
    }
}

fn spread(means: &[f64]) -> Result<f64, StandardError> {
    check_means(means)?;
    if means.len() < GROUPS {
        return Err(StandardError::Groups(means.len()));
    }
    let largest = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok(largest - means.iter().copied().fold(f64::INFINITY, f64::min))
}

fn check_means(means: &[f64]) -> Result<(), StandardError> {
    match means.iter().position(|mean| !mean.is_finite()) {
        Some(at) => Err(StandardError::NotFinite(at + 1)),
        None => Ok(()),
    }
}

fn check_limit(limit: Option<f64>) -> Result<(), StandardError> {
    match limit {
        Some(limit) if !(limit > 0.0 && limit.is_finite()) => Err(StandardError::Limit(limit)),
        _ => Ok(()),
    }
}
