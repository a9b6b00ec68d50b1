//! Control charts of check standards.

mod cusum;
mod dispersion;
mod individuals;
mod rules;

use serde::{Deserialize, Serialize};

use crate::type_a::type_a;

pub use cusum::{Cusum, cusum};
pub use dispersion::s_chart;
pub use individuals::{ChartLimits, EwmaLimits, ewma, individuals};
pub use rules::{RunRule, runs};

/// Centre and scatter of a process in control, from its past or stated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Centre line, in the unit of the values.
    pub mean: f64,
    /// Standard deviation of a single value.
    pub s: f64,
    /// Degrees of freedom of the standard deviation; infinite where it is taken as known.
    #[serde(with = "crate::serde_inf")]
    pub dof: f64,
}

/// Where a value or statistic lies that signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Above the limit, or above the centre line.
    Above,
    /// Below.
    Below,
    /// A pattern that has no side.
    Both,
}

/// A signal of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Place of the value at which the signal is given, from 0.
    pub index: usize,
    /// Place of the first value that belongs to the pattern; the same for a single one.
    pub first: usize,
    /// Where it lies.
    pub side: Side,
    /// The rule that was broken; none for limits of the chart itself.
    pub rule: Option<RunRule>,
}

/// A chart with all that a picture of it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// Plotted statistic, one for each value.
    pub statistic: Vec<f64>,
    /// Centre line.
    pub centre: f64,
    /// Lower control limit at each value.
    pub lower: Vec<f64>,
    /// Upper control limit at each value.
    pub upper: Vec<f64>,
    /// Values beyond the limits, in their order.
    pub signals: Vec<Signal>,
}

/// Why a chart is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChartError {
    /// A value that is infinite or no number.
    #[error("value {value} is not a finite number; mend it, or leave it out")]
    NotFinite {
        /// Counted from 1.
        value: usize,
    },
    /// Too few values for a baseline.
    #[error("a baseline needs at least {needed} values, not {found}; take a longer past")]
    TooFew {
        /// Values needed.
        needed: usize,
        /// Values given.
        found: usize,
    },
    /// A baseline without scatter.
    #[error(
        "the standard deviation of the baseline is {s}; it must be positive: read the check standard with more digits, or state a known standard deviation"
    )]
    NoScatter {
        /// As found or given.
        s: f64,
    },
    /// A parameter outside its range.
    #[error("{what} is {found}; it must lie in {range}")]
    Parameter {
        /// Which parameter.
        what: &'static str,
        /// As given.
        found: f64,
        /// Its range in words.
        range: &'static str,
    },
}

impl Baseline {
    /// Mean and standard deviation of values of the past, 2 at the least (20 and more are usual).
    ///
    /// # Errors
    /// [`ChartError`].
    pub fn of(past: &[f64]) -> Result<Self, ChartError> {
        check_values(past)?;
        let found = past.len();
        let all = type_a(past).map_err(|_| ChartError::TooFew { needed: 2, found })?;
        Self::known(all.mean, all.s, all.dof)
    }

    /// Mean of the past and standard deviation from its moving ranges, R̄/1.128: a slow drift of
    /// the past does not widen it (NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2).
    /// Neighbouring ranges share a value: n − 1 of them are
    /// worth about 0.62·(n − 1) degrees of freedom.
    ///
    /// # Errors
    /// [`ChartError`].
    pub fn of_moving_ranges(past: &[f64]) -> Result<Self, ChartError> {
        check_values(past)?;
        let found = past.len();
        let all = type_a(past).map_err(|_| ChartError::TooFew { needed: 2, found })?;
        let ranges = past.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        let count = found as f64 - 1.0;
        let mean_range = ranges.fold(0.0, |sum, range| sum + range) / count;
        Self::known(all.mean, mean_range / 1.128, 0.62 * count)
    }

    /// Centre and standard deviation as stated.
    ///
    /// # Errors
    /// [`ChartError`].
    pub fn known(mean: f64, s: f64, dof: f64) -> Result<Self, ChartError> {
        if !mean.is_finite() {
            return Err(ChartError::Parameter {
                what: "the centre line",
                found: mean,
                range: "the finite numbers",
            });
        }
        if !(s.is_finite() && s > 0.0) {
            return Err(ChartError::NoScatter { s });
        }
        if dof.is_nan() || dof <= 0.0 {
            return Err(ChartError::Parameter {
                what: "the number of degrees of freedom of the baseline",
                found: dof,
                range: "the positive numbers; infinite where the standard deviation is known",
            });
        }
        Ok(Self { mean, s, dof })
    }
}

fn check_values(values: &[f64]) -> Result<(), ChartError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(ChartError::NotFinite { value: at + 1 }),
        None => Ok(()),
    }
}

fn check_positive(what: &'static str, found: f64) -> Result<(), ChartError> {
    if found.is_finite() && found > 0.0 {
        return Ok(());
    }
    let range = "the positive numbers";
    Err(ChartError::Parameter { what, found, range })
}

fn check_share(what: &'static str, found: f64) -> Result<(), ChartError> {
    if found > 0.0 && found < 1.0 {
        return Ok(());
    }
    let range = "0 to 1, without the ends";
    Err(ChartError::Parameter { what, found, range })
}

impl Chart {
    fn with_limits(statistic: Vec<f64>, centre: f64, lower: Vec<f64>, upper: Vec<f64>) -> Self {
        let beyond = statistic.iter().enumerate().filter_map(|(index, &value)| {
            let side = if value > upper[index] {
                Side::Above
            } else if value < lower[index] {
                Side::Below
            } else {
                return None;
            };
            Some(Signal {
                index,
                first: index,
                side,
                rule: None,
            })
        });
        let signals = beyond.collect();
        Self {
            statistic,
            centre,
            lower,
            upper,
            signals,
        }
    }
}
